func.func @f(%x: memref<64x128xf32>, %items: memref<9xi32>, %rows: memref<3xi32>, %w: memref<2xf32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %items[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %i = %b to %e max 2 iter_args(%a = %zero) {
      %rb, %re = tile.segment %rows[%i]
      %scale = tile.load %w[%i]
      %s2 = tile.for %m = %rb to %re by m:8 iter_args(%a2 = %a) {
        %v = tile.load %x[%m, :]
        %r = tile.reduce add %v dims [0]
        %k = tile.broadcast %scale dims [] : tensor<128xf32>
        %scaled = arith.mulf %r, %k : tensor<128xf32>
        %next = arith.addf %a2, %scaled : tensor<128xf32>
        tile.yield %next
      }
      tile.yield %s2
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}
