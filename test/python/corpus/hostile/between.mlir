// Rows 5 to 100 of 130 and columns 7 to 190 of 200: no bound is on a tile, elements outside keep the fill.
func.func @between(%x: memref<130x200xbf16>) -> memref<130x200xbf16> {
  %out = tile.full 7.0 : memref<130x200xbf16>
  tile.grid %m = 5 to 100 by m, %n = 7 to 190 by n {
    %v = tile.load %x[%m, %n]
    %f = tile.cast %v to f32
    %y = arith.negf %f : tensor<?x?xf32, #tile.spans<m, n>>
    tile.store %y, %out[%m, %n]
  }
  return %out : memref<130x200xbf16>
}
