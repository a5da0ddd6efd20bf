// A fill of which nothing is left: every element of the result is stored.
!tile = tensor<?x?xbf16, #tile.spans<m, n>>
func.func @fill_overwritten(%x: memref<?x200xbf16>) -> memref<?x200xbf16> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xbf16>
  %out = tile.full 0.0 like(%x) : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    tile.for %n = 0 to 200 by n {
      %v = tile.load %x[%m, %n]
      %y = arith.negf %v : !tile
      tile.store %y, %out[%m, %n]
    }
  }
  return %out : memref<?x200xbf16>
}
