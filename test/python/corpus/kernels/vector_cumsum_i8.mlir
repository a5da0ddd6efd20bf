// out[i] = the last seven bits of x[0] + … + x[i], which fit a byte; the sum itself is of 32 bits.
!tile = tensor<?xi32, #tile.spans<i>>
func.func @vector_cumsum_i8(%x: memref<200xi8>) -> memref<200xi8> {
  %out = tile.empty : memref<200xi8>
  %zero = arith.constant 0 : i32
  tile.grid %all = 0 to 1 {
    %total = tile.for %i = 0 to 200 by i iter_args(%t = %zero) {
      %v = tile.load %x[%i]
      %n = tile.cast %v to i32
      %scan = tile.scan add %n dim 0
      %before = tile.broadcast %t dims [] : !tile
      %sum = arith.addi %scan, %before : !tile
      %most = tile.splat 127 : !tile
      %low = arith.andi %sum, %most : !tile
      %y = tile.cast %low to i8
      tile.store %y, %out[%i]
      %s = tile.reduce add %n dims [0]
      %next = arith.addi %t, %s : i32
      tile.yield %next
    }
  }
  return %out : memref<200xi8>
}
