// Two results of another rank than the argument: the largest and the smallest element of each row.
func.func @extremes(%x: memref<600x200xbf16>) -> (memref<600xbf16>, memref<600xbf16>) {
  %largest = tile.empty : memref<600xbf16>
  %smallest = tile.empty : memref<600xbf16>
  tile.grid %m = 0 to 600 by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %top = tile.reduce max %f dims [1]
    %bottom = tile.reduce min %f dims [1]
    tile.store %top, %largest[%m]
    tile.store %bottom, %smallest[%m]
  }
  return %largest, %smallest : memref<600xbf16>, memref<600xbf16>
}
