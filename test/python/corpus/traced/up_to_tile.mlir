// Loops up to a tile, or from one on, that promise an extent which follows from the axis around them: sums of the
// rows from each one to the end of its segment, and of the rows up to each one.
func.func @up_to_tile(%x: memref<60x128xf32>, %offsets: memref<6xi32>) -> (memref<60x128xf32>, memref<50x128xf32>) {
  %out = tile.empty : memref<60x128xf32>
  %all = tile.empty : memref<50x128xf32>
  tile.grid %s = 0 to 5 {
    %begin, %end = tile.segment %offsets[%s]
    tile.for %rows = %begin to %end by rows {
      %here = tile.bound begin %rows
      %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<rows, _>>
      %sum = tile.for %j = %here to %end by j max 60 iter_args(%a = %zero) {
        %i_1 = tile.indices %rows
        %j_1 = tile.indices %j
        %i_2 = tile.broadcast %i_1 dims [0] : tensor<?x?xi32, #tile.spans<rows, j>>
        %j_2 = tile.broadcast %j_1 dims [1] : tensor<?x?xi32, #tile.spans<rows, j>>
        %p = tile.compare le %i_2, %j_2
        %ones = tile.cast %p to f32
        %v = tile.load %x[%j, :]
        %next = tile.dot %ones, %v, %a precision highest
        tile.yield %next
      }
      tile.store %sum, %out[%rows, :]
    }
  }
  tile.grid %m = 0 to 50 by m {
    %past = tile.bound end %m
    %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
    %sum = tile.for %k = 0 to %past by k max 50 iter_args(%a = %zero) {
      %i_1 = tile.indices %m
      %j_1 = tile.indices %k
      %i_2 = tile.broadcast %i_1 dims [0] : tensor<?x?xi32, #tile.spans<m, k>>
      %j_2 = tile.broadcast %j_1 dims [1] : tensor<?x?xi32, #tile.spans<m, k>>
      %p = tile.compare ge %i_2, %j_2
      %ones = tile.cast %p to f32
      %v = tile.load %x[%k, :]
      %next = tile.dot %ones, %v, %a precision highest
      tile.yield %next
    }
    tile.store %sum, %all[%m, :]
  }
  return %out, %all : memref<60x128xf32>, memref<50x128xf32>
}
