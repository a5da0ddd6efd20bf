func.func @f(%x: memref<64x128xf32>, %items: memref<4xi32>, %begins: memref<2xi32>, %ends: memref<2xi32>, %out: memref<3x128xf32>) -> memref<3x128xf32> {
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %items[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %i = %b to %e max 2 iter_args(%a = %zero) {
      %rb, %re = tile.segment %begins[%i] to %ends[%i]
      %s2 = tile.for %m = %rb to %re by m:8 iter_args(%a2 = %a) {
        %v = tile.load %x[%m, :]
        %r = tile.reduce add %v dims [0]
        %next = arith.addf %a2, %r : tensor<128xf32>
        tile.yield %next
      }
      tile.yield %s2
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<3x128xf32>
}
