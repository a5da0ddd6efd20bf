func.func @f(%x: memref<64x128xf32>, %o: memref<8xi32>, %n: memref<4xi32>, %out: memref<3x128xf32>) -> memref<3x128xf32> {
  tile.grid %g = 0 to 3 {
    %a, %c = tile.segment %n[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %t = %a to %c by t:2 max 7 iter_args(%u0 = %zero) {
      %i = tile.bound begin %t
      %j = tile.bound end %t
      %b, %e = tile.segment %o[%i to %j]
      %s = tile.for %m = %b to %e by m:8 iter_args(%u = %u0) {
        %v = tile.load %x[%m, :]
        %r = tile.reduce add %v dims [0]
        %w = arith.addf %u, %r : tensor<128xf32>
        tile.yield %w
      }
      tile.yield %s
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<3x128xf32>
}
