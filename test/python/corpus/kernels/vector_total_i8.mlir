// out[0] = the sum of a vector of bytes, in 32 bits.
func.func @vector_total_i8(%x: memref<200xi8>) -> memref<1xi32> {
  %out = tile.empty : memref<1xi32>
  %zero = arith.constant 0 : i32
  tile.grid %all = 0 to 1 {
    %total = tile.for %i = 0 to 200 by i iter_args(%t = %zero) {
      %v = tile.load %x[%i]
      %n = tile.cast %v to i32
      %s = tile.reduce add %n dims [0]
      %next = arith.addi %t, %s : i32
      tile.yield %next
    }
    tile.store %total, %out[%all]
  }
  return %out : memref<1xi32>
}
