// Extremes of the rows, of the columns and of all of tiles of 16 rows and 128 columns, with tails; they go on
// as a column, a row and a number in one expression.
!tile = tensor<16x128xf32, #tile.spans<m, n>>
func.func @reductions(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m:16 {
    tile.for %n = 0 to 200 by n:128 {
      %a = tile.load %x[%m, %n]
      %f = tile.cast %a to f32
      %e = math.exp %f : !tile
      %zero = tile.splat 0.0 : f32
      %one = tile.splat 1.0 : f32
      %rows = tile.reduce max %e dims [1]
      %columns = tile.reduce min %e dims [0]
      %all = tile.reduce max %e dims [0, 1]
      %rw = tile.broadcast %rows dims [0] : !tile
      %cw = tile.broadcast %columns dims [1] : !tile
      %ratio = arith.divf %one, %all : f32
      %aw = tile.broadcast %ratio dims [] : !tile
      %p = arith.mulf %rw, %cw : !tile
      %q = arith.mulf %p, %aw : !tile
      %y = arith.addf %q, %f : !tile
      tile.store %y, %out[%m, %n]
    }
  }
  return %out : memref<100x200xbf16>
}
