func.func @f(%x: memref<10x8x128xf32>, %counts: memref<4xi32>, %table: memref<4x3xi32>, %out: memref<4x128xf32>) -> memref<4x128xf32> {
  tile.grid %g = 0 to 4 {
    %n = tile.load %counts[%g]
    %end = arith.index_cast %n : i32 to index
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %p = 0 to %end max 3 iter_args(%a = %zero) {
      %id = tile.load %table[%g, %p]
      %page = arith.index_cast %id : i32 to index
      %v = tile.load %x[%page, :, :]
      %r = tile.reduce add %v dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<4x128xf32>
}
