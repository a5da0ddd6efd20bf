// out[r, c] = x[r, 0] + … + x[r, c]: a scan of each tile of columns, and the total of the tiles before it.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @row_cumsum(%x: memref<60x200xbf16>) -> memref<60x200xbf16> {
  %out = tile.empty : memref<60x200xbf16>
  tile.grid %m = 0 to 60 by m {
    %zero = tile.splat 0.0 : !row
    %all = tile.for %n = 0 to 200 by n iter_args(%total = %zero) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %scan = tile.scan add %f dim 1
      %before = tile.broadcast %total dims [0] : !tile
      %y = arith.addf %scan, %before : !tile
      tile.store %y, %out[%m, %n]
      %sum = tile.reduce add %f dims [1]
      %next = arith.addf %total, %sum : !row
      tile.yield %next
    }
  }
  return %out : memref<60x200xbf16>
}
