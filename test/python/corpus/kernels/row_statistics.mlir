// For each row its sum and its largest element, with columns passing by in tiles.
!row = tensor<?xf32, #tile.spans<m>>
func.func @row_statistics(%x: memref<100x200xbf16>) -> (memref<100xf32>, memref<100xf32>) {
  %sums = tile.empty : memref<100xf32>
  %tops = tile.empty : memref<100xf32>
  tile.grid %m = 0 to 100 by m {
    %zero = tile.splat 0.0 : !row
    %lowest = tile.splat -1.0e30 : !row
    %sum, %top = tile.for %n = 0 to 200 by n iter_args(%s = %zero, %t = %lowest) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %here = tile.reduce add %f dims [1]
      %snext = arith.addf %s, %here : !row
      %high = tile.reduce max %f dims [1]
      %tnext = arith.maximumf %t, %high : !row
      tile.yield %snext, %tnext
    }
    tile.store %sum, %sums[%m]
    tile.store %top, %tops[%m]
  }
  return %sums, %tops : memref<100xf32>, memref<100xf32>
}
