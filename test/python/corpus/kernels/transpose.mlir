// out = x^T, tile by tile, with tails in both dimensions.
func.func @transpose(%x: memref<100x200xbf16>) -> memref<200x100xbf16> {
  %out = tile.empty : memref<200x100xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %t = tile.transpose %v [1, 0]
    tile.store %t, %out[%n, %m]
  }
  return %out : memref<200x100xbf16>
}
