// out[r] = x[r + 1] - x[r] of a matrix, whose rows lie in registers of several.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @row_below(%x: memref<51x200xbf16>) -> memref<50x200xbf16> {
  %out = tile.empty : memref<50x200xbf16>
  tile.grid %m = 0 to 50 by m {
    %here = tile.load %x[%m, :]
    %next = tile.load %x[%m + 1, :]
    %d = arith.subf %next, %here : !tile
    tile.store %d, %out[%m, :]
  }
  return %out : memref<50x200xbf16>
}
