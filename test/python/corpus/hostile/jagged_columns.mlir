// A jagged axis along the columns: out[r, c] for the columns of group g, in tiles that share columns.
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @jagged_columns(%x: memref<40x300xbf16>, %cuts: memref<5xi32>) -> (memref<40x300xbf16>, memref<4x40xbf16>) {
  %out = tile.full 0.0 : memref<40x300xbf16>
  %sums = tile.empty : memref<4x40xbf16>
  tile.grid %g = 0 to 4, %m = 0 to 40 by m {
    %begin, %end = tile.segment %cuts[%g]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %sum = tile.for %n = %begin to %end by n iter_args(%a = %zero) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %y = arith.negf %f : !tile
      tile.store %y, %out[%m, %n]
      %s = tile.reduce add %f dims [1]
      %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %sums[%g, %m]
  }
  return %out, %sums : memref<40x300xbf16>, memref<4x40xbf16>
}
