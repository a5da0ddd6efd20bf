// The mean of two vectors of bytes, rounded down. Their sum needs more than 8 bits, the mean does not.
!tile = tensor<?xi32, #tile.spans<i>>
func.func @vector_map_i8(%x: memref<200xi8>, %y: memref<200xi8>) -> memref<200xi8> {
  %out = tile.empty : memref<200xi8>
  tile.grid %i = 0 to 200 by i {
    %a = tile.load %x[%i]
    %b = tile.load %y[%i]
    %wa = tile.cast %a to i32
    %wb = tile.cast %b to i32
    %sum = arith.addi %wa, %wb : !tile
    %one = tile.splat 1 : !tile
    %mean = arith.shrsi %sum, %one : !tile
    %z = tile.cast %mean to i8
    tile.store %z, %out[%i]
  }
  return %out : memref<200xi8>
}
