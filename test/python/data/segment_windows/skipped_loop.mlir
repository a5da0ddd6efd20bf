func.func @f(%x: memref<45x256xf32>, %p: memref<16x256xf32>, %o: memref<6xi32>, %n: memref<5xi32>, %out: memref<5x256xf32>) -> memref<5x256xf32> {
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %o[%g]
    %c = tile.load %n[%g]
    %cnt = arith.index_cast %c : i32 to index
    %z = tile.splat 0.0 : tensor<256xf32>
    %zero = arith.constant 0 : index
    %back = arith.subi %zero, %b : index
    %r = tile.for %m = %b to %e by m iter_args(%a = %z) {
      %v0 = tile.load %x[%m, :]
      %s0 = tile.reduce add %v0 dims [0]
      %a0 = arith.addf %a, %s0 : tensor<256xf32>
      tile.yield %a0
    }
    %rr = tile.for %k = 0 to %cnt max 3 iter_args(%a1 = %r) {
      %r2 = tile.for %m = %b to %e by m iter_args(%a2 = %a1) {
        %v = tile.load %p[%m + %back, :]
        %s = tile.reduce add %v dims [0]
        %n2 = arith.addf %a2, %s : tensor<256xf32>
        tile.yield %n2
      }
      tile.yield %r2
    }
    tile.store %rr, %out[%g, :]
  }
  return %out : memref<5x256xf32>
}
