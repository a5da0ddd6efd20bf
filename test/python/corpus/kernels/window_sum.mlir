// out[r] = x[r] w[0] + … + x[r + 3] w[3]: a span shifted by an index.
!tile = tensor<?x72xf32, #tile.spans<m, _>>
func.func @window_sum(%x: memref<53x1x72xbf16>, %w: memref<4x72xbf16>) -> memref<50x1x72xbf16> {
  %out = tile.empty : memref<50x1x72xbf16>
  tile.grid %m = 0 to 50 by m {
    %zero = tile.splat 0.0 : !tile
    %acc = tile.for %t = 0 to 4 iter_args(%a = %zero) {
      %v = tile.load %x[%m + %t, 0, :]
      %f = tile.cast %v to f32
      %c = tile.load %w[%t, :]
      %cf = tile.cast %c to f32
      %cw = tile.broadcast %cf dims [1] : !tile
      %p = arith.mulf %f, %cw : !tile
      %next = arith.addf %a, %p : !tile
      tile.yield %next
    }
    tile.store %acc, %out[%m, 0, :]
  }
  return %out : memref<50x1x72xbf16>
}
