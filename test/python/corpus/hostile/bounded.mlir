// At most 64 rows in a group, of which the first five are summed.
func.func @bounded(%x: memref<?x200xbf16>, %offsets: memref<9xi32>) -> (memref<8x200xbf16>, memref<?x200xbf16>) {
  %five = arith.constant 5 : index
  %firsts = tile.empty : memref<8x200xbf16>
  %out = tile.full 1.0 like(%x) : memref<?x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %far = arith.addi %begin, %five : index
    %stop = arith.minsi %far, %end : index
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = %begin to %stop by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %firsts[%g, :]
    tile.for %r = %begin to %end by r max 64 {
      %v = tile.load %x[%r, :]
      tile.store %v, %out[%r, :]
    }
  }
  return %firsts, %out : memref<8x200xbf16>, memref<?x200xbf16>
}
