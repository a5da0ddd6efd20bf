func.func @f(%x: memref<20x128xf32>, %y: memref<64x128xf32>, %o: memref<6xi32>, %out: memref<5x128xf32>) -> memref<5x128xf32> {
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %o[%g]
    %zero = arith.constant 0 : index
    %back = arith.subi %zero, %b : index
    %z = tile.splat 0.0 : tensor<128xf32>
    %r = tile.for %m = %b to %e by m iter_args(%a = %z) {
      %i = tile.indices %m
      %lo = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
      %hi = tile.splat 20 : tensor<?xi32, #tile.spans<m>>
      %p = tile.compare ge %i, %lo
      %q = tile.compare lt %i, %hi
      %pq = arith.andi %p, %q : tensor<?xi1, #tile.spans<m>>
      %mask = tile.broadcast %pq dims [0] : tensor<?x128xi1, #tile.spans<m, _>>
      %one = tile.splat 1.0 : tensor<?x128xf32, #tile.spans<m, _>>
      %v = tile.load %x[%m , :] mask %mask other %one
      %y0 = tile.load %y[%m + %back, :]
      %vy = arith.addf %v, %y0 : tensor<?x128xf32, #tile.spans<m, _>>
      %s = tile.reduce add %vy dims [0]
      %n = arith.addf %a, %s : tensor<128xf32>
      tile.yield %n
    }
    tile.store %r, %out[%g, :]
  }
  return %out : memref<5x128xf32>
}
