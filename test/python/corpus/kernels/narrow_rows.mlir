// Copies blocks of rows, of which a register may hold more.
func.func @narrow_rows(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<100x200xbf16>
}
