// For each row of integers: the sum, the largest, and the exclusive or.
func.func @integers(%x: memref<300x200xi32>) -> (memref<300xi32>, memref<300xi32>, memref<300xi32>) {
  %sums = tile.empty : memref<300xi32>
  %tops = tile.empty : memref<300xi32>
  %odds = tile.empty : memref<300xi32>
  tile.grid %m = 0 to 300 by m {
    %v = tile.load %x[%m, :]
    %sum = tile.reduce add %v dims [1]
    tile.store %sum, %sums[%m]
    %top = tile.reduce max %v dims [1]
    tile.store %top, %tops[%m]
    %odd = tile.reduce xor %v dims [1]
    tile.store %odd, %odds[%m]
  }
  return %sums, %tops, %odds : memref<300xi32>, memref<300xi32>, memref<300xi32>
}
