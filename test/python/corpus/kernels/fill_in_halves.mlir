// A fill of which nothing is left after two kernels, of which each stores into half of the rows.
!top = tensor<?x200xbf16, #tile.spans<m, _>>
!bottom = tensor<?x200xbf16, #tile.spans<r, _>>
func.func @fill_in_halves(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.full 3.0 : memref<100x200xbf16>
  tile.grid %m = 0 to 50 by m {
    %v = tile.load %x[%m, :]
    %y = arith.negf %v : !top
    tile.store %y, %out[%m, :]
  }
  tile.grid %r = 50 to 100 by r {
    %v = tile.load %x[%r, :]
    %y = arith.addf %v, %v : !bottom
    tile.store %y, %out[%r, :]
  }
  return %out : memref<100x200xbf16>
}
