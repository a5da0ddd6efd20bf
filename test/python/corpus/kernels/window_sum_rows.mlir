// As window_sum, of a matrix: out[r] = x[r] w[0] + … + x[r + 3] w[3].
!tile = tensor<?x72xf32, #tile.spans<m, _>>
func.func @window_sum_rows(%x: memref<53x72xbf16>, %w: memref<4x72xbf16>) -> memref<50x72xbf16> {
  %out = tile.empty : memref<50x72xbf16>
  tile.grid %m = 0 to 50 by m {
    %zero = tile.splat 0.0 : !tile
    %acc = tile.for %t = 0 to 4 iter_args(%a = %zero) {
      %v = tile.load %x[%m + %t, :]
      %f = tile.cast %v to f32
      %c = tile.load %w[%t, :]
      %cf = tile.cast %c to f32
      %cw = tile.broadcast %cf dims [1] : !tile
      %p = arith.mulf %f, %cw : !tile
      %next = arith.addf %a, %p : !tile
      tile.yield %next
    }
    tile.store %acc, %out[%m, :]
  }
  return %out : memref<50x72xbf16>
}
