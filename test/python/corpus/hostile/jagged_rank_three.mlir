// Rows of matrices, jagged in the leading dimension: two loops in a row, the second scaled by the first.
!sum = tensor<5x72xf32>
!tile = tensor<?x5x72xf32, #tile.spans<m, _, _>>
func.func @jagged_rank_three(%x: memref<?x5x72xbf16>, %offsets: memref<9xi32>)
    -> (memref<?x5x72xbf16>, memref<8x5x72xbf16>) {
  %out = tile.full 1.0 like(%x) : memref<?x5x72xbf16>
  %sums = tile.empty : memref<8x5x72xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : !sum
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :, :]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %a, %s : !sum
      tile.yield %next
    }
    tile.store %sum, %sums[%g, :, :]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :, :]
      %f = tile.cast %v to f32
      %sw = tile.broadcast %sum dims [1, 2] : !tile
      %y = arith.subf %f, %sw : !tile
      tile.store %y, %out[%m, :, :]
    }
  }
  return %out, %sums : memref<?x5x72xbf16>, memref<8x5x72xbf16>
}
