func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.grid %h = 0 to 8 {
    %c4 = arith.constant 4 : index
    %g = arith.floordivsi %h, %c4 : index
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %m = %b to %e by m:8 iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %r = tile.reduce add %v dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.store %s, %out[%h, :]
  }
  return %out : memref<8x128xf32>
}
