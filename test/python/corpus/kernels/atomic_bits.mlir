// Which bits all, some or an odd number of a column's elements have.
func.func @atomic_bits(%x: memref<6x200xi32>, %all: memref<200xi32>, %some: memref<200xi32>,
                       %odd: memref<200xi32>) -> (memref<200xi32>, memref<200xi32>, memref<200xi32>) {
  tile.grid %r = 0 to 6, %n = 0 to 200 by n {
    %v = tile.load %x[%r, %n]
    tile.atomic_rmw and %v, %all[%n]
    tile.atomic_rmw or %v, %some[%n]
    tile.atomic_rmw xor %v, %odd[%n]
  }
  return %all, %some, %odd : memref<200xi32>, memref<200xi32>, memref<200xi32>
}
