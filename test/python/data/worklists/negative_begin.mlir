func.func @f(%x: memref<64x128xf32>, %o: memref<4xi32>, %out: memref<3x64x128xf32>) -> memref<3x64x128xf32> {
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %o[%g]
    %c32 = arith.constant 32 : index
    %c8 = arith.constant 8 : index
    %p = arith.subi %b, %c32 : index
    tile.for %j = %p to %c8 by m:8 {
      %v = tile.load %x[%j + 32, :]
      tile.store %v, %out[%g, %j + 32, :]
    }
  }
  return %out : memref<3x64x128xf32>
}
