// Copies blocks that are narrow in both dimensions.
func.func @narrow_both(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    tile.store %v, %out[%m, %n]
  }
  return %out : memref<100x200xbf16>
}
