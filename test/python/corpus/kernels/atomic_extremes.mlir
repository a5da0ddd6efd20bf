// Greatest and least of each column, of four splits of the rows.
func.func @atomic_extremes(%x: memref<100x200xbf16>, %high: memref<200xbf16>, %low: memref<200xbf16>)
    -> (memref<200xbf16>, memref<200xbf16>) {
  %size = arith.constant 25 : index
  tile.grid %s = 0 to 4, %n = 0 to 200 by n {
    %begin = arith.muli %s, %size : index
    %end = arith.addi %begin, %size : index
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, %n]
      %w = tile.cast %v to f32
      %top = tile.reduce max %w dims [0]
      tile.atomic_rmw max %top, %high[%n]
      %least = tile.reduce min %w dims [0]
      tile.atomic_rmw min %least, %low[%n]
    }
  }
  return %high, %low : memref<200xbf16>, memref<200xbf16>
}
