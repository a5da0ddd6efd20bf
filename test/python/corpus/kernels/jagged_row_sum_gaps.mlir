// out[g, :] = sum of the rows of group g; rows between groups count for none.
func.func @jagged_row_sum_gaps(%x: memref<?x200xbf16>, %begins: memref<8xi32>, %ends: memref<8xi32>)
    -> memref<8x200xbf16> {
  %out = tile.empty : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %acc = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %acc, %out[%g, :]
  }
  return %out : memref<8x200xbf16>
}
