// Arrays of one dimension, jagged: every element of a group times the group's number plus one.
func.func @jagged_vector(%x: memref<?xf32>, %offsets: memref<9xi32>) -> memref<?xf32> {
  %out = tile.full -1.0 like(%x) : memref<?xf32>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m]
      %w = arith.addf %v, %v : tensor<?xf32, #tile.spans<m>>
      tile.store %w, %out[%m]
    }
  }
  return %out : memref<?xf32>
}
