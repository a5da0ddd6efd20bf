func.func @f(%x: memref<64x128xf32>, %y: memref<128x128xf32>, %o: memref<3xi32>, %out: memref<2x128xf32>) -> memref<2x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %m = %b to %e by m:8 iter_args(%a = %zero) {
      %i = tile.indices %m
      %l = tile.splat 64 : tensor<8xi32, #tile.spans<m>>
      %p = tile.compare lt %i, %l
      %pp = tile.broadcast %p dims [0] : tensor<8x128xi1, #tile.spans<m, _>>
      %z = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<m, _>>
      %v = tile.load %x[%m, :] mask %pp other %z
      %w = tile.load %y[%m, :]
      %u = arith.addf %v, %w : tensor<8x128xf32, #tile.spans<m, _>>
      %r = tile.reduce add %u dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.store %s, %out[%g, :]
  }
  return %out : memref<2x128xf32>
}
