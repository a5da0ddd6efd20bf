func.func @f(%x: memref<16x128xf32>, %y: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<2x128xf32>) -> memref<2x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %c1 = arith.constant 1 : index
    %some = arith.cmpi slt, %g, %c1 : index
    %end = arith.select %some, %e, %b : index
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s1 = tile.for %m = %b to %end by m:8 iter_args(%a_m = %zero) {
      %v_m = tile.load %x[%m, :]
      %r_m = tile.reduce add %v_m dims [0]
      %n_m = arith.addf %a_m, %r_m : tensor<128xf32>
      tile.yield %n_m
    }
    %s = tile.for %n = %b to %e by n:8 iter_args(%a_n = %s1) {
      %v_n = tile.load %y[%n, :]
      %r_n = tile.reduce add %v_n dims [0]
      %n_n = arith.addf %a_n, %r_n : tensor<128xf32>
      tile.yield %n_n
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<2x128xf32>
}
