func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<64x128xf32>) -> memref<64x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %m = %b to %e by m:8 iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %r = tile.reduce add %v dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.for %n = %b to %e by n:16 {
      %v = tile.load %x[%n, :]
      %w = tile.broadcast %s dims [1] : tensor<16x128xf32, #tile.spans<n, _>>
      %d = arith.subf %v, %w : tensor<16x128xf32, #tile.spans<n, _>>
      tile.store %d, %out[%n, :]
    }
  }
  return %out : memref<64x128xf32>
}
