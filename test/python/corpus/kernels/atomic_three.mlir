// Three results of one pass over an array: least of each row, sum of each column, greatest of all.
func.func @atomic_three(%x: memref<100x200xbf16>, %least: memref<100xbf16>, %top: memref<1xf32>)
    -> (memref<100xbf16>, memref<200xf32>, memref<1xf32>) {
  %sums = tile.full 0.0 : memref<200xf32>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %low = tile.reduce min %w dims [1]
    tile.atomic_rmw min %low, %least[%m]
    %sum = tile.reduce add %w dims [0]
    tile.atomic_rmw add %sum, %sums[%n]
    %high = tile.reduce max %w dims [0, 1]
    tile.atomic_rmw max %high, %top[0]
  }
  return %least, %sums, %top : memref<100xbf16>, memref<200xf32>, memref<1xf32>
}
