// before[r] = the sum of the rows above r, and high[r] the greatest of them, as each row found them.
func.func @atomic_old(%x: memref<6x200xbf16>, %top: memref<200xbf16>)
    -> (memref<6x200xf32>, memref<6x200xbf16>, memref<200xf32>, memref<200xbf16>) {
  %total = tile.full 0.0 : memref<200xf32>
  %before = tile.empty : memref<6x200xf32>
  %high = tile.empty : memref<6x200xbf16>
  tile.grid %n = 0 to 200 by n {
    tile.for %r = 0 to 6 {
      %v = tile.load %x[%r, %n]
      %w = tile.cast %v to f32
      %o = tile.atomic_rmw add %w, %total[%n] old
      tile.store %o, %before[%r, %n]
      %h = tile.atomic_rmw max %v, %top[%n] old
      tile.store %h, %high[%r, %n]
    }
  }
  return %before, %high, %total, %top : memref<6x200xf32>, memref<6x200xbf16>, memref<200xf32>, memref<200xbf16>
}
