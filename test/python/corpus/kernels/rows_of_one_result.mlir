// As integers, but into one array, through three windows.
func.func @rows_of_one_result(%x: memref<300x200xi32>) -> memref<3x300xi32> {
  %out = tile.empty : memref<3x300xi32>
  tile.grid %m = 0 to 300 by m {
    %v = tile.load %x[%m, :]
    %sum = tile.reduce add %v dims [1]
    tile.store %sum, %out[0, %m]
    %top = tile.reduce max %v dims [1]
    tile.store %top, %out[1, %m]
    %odd = tile.reduce xor %v dims [1]
    tile.store %odd, %out[2, %m]
  }
  return %out : memref<3x300xi32>
}
