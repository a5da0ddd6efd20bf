// For each column its sum and its largest element, with rows passing by in tiles.
!column = tensor<?xf32, #tile.spans<n>>
func.func @column_statistics(%x: memref<100x200xbf16>) -> (memref<200xf32>, memref<200xf32>) {
  %sums = tile.empty : memref<200xf32>
  %tops = tile.empty : memref<200xf32>
  tile.grid %n = 0 to 200 by n {
    %zero = tile.splat 0.0 : !column
    %lowest = tile.splat -1.0e30 : !column
    %sum, %top = tile.for %m = 0 to 100 by m iter_args(%s = %zero, %t = %lowest) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %here = tile.reduce add %f dims [0]
      %snext = arith.addf %s, %here : !column
      %high = tile.reduce max %f dims [0]
      %tnext = arith.maximumf %t, %high : !column
      tile.yield %snext, %tnext
    }
    tile.store %sum, %sums[%n]
    tile.store %top, %tops[%n]
  }
  return %sums, %tops : memref<200xf32>, memref<200xf32>
}
