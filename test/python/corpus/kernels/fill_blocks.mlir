// out[32:64] = -x[32:64], and the fill in the other rows, whose blocks no step visits.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @fill_blocks(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.full 5.0 : memref<100x200xbf16>
  tile.grid %m = 32 to 64 by m {
    %v = tile.load %x[%m, :]
    %y = arith.negf %v : !tile
    tile.store %y, %out[%m, :]
  }
  return %out : memref<100x200xbf16>
}
