func.func @f(%x: memref<64x128xf32>, %z: memref<8x128xf32>, %o: memref<3xi32>, %out: memref<2x128xf32>) -> memref<2x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %c64 = arith.constant 64 : index
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s1 = tile.for %n = %c64 to %e by n:8 iter_args(%a_n = %zero) {
      %v_n = tile.load %z[%n, :]
      %r_n = tile.reduce add %v_n dims [0]
      %n_n = arith.addf %a_n, %r_n : tensor<128xf32>
      tile.yield %n_n
    }
    %s = tile.for %m = %b to %e by m:8 iter_args(%a_m = %s1) {
      %v_m = tile.load %x[%m, :]
      %r_m = tile.reduce add %v_m dims [0]
      %n_m = arith.addf %a_m, %r_m : tensor<128xf32>
      tile.yield %n_m
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<2x128xf32>
}
