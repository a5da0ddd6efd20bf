// out[3:97, :190] = -x[3:97, :190], and the fill around that. Every block of the result has steps.
!tile = tensor<?x?xbf16, #tile.spans<m, n>>
func.func @fill_between(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.full 5.0 : memref<100x200xbf16>
  tile.grid %m = 3 to 97 by m, %n = 0 to 190 by n {
    %v = tile.load %x[%m, %n]
    %y = arith.negf %v : !tile
    tile.store %y, %out[%m, %n]
  }
  return %out : memref<100x200xbf16>
}
