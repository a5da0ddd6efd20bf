func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<2x64x128xf32>) -> memref<2x64x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %some = arith.cmpi slt, %g, %c1 : index
    %end = arith.select %some, %c64, %e : index
    tile.for %m = %b to %end by m:8 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%g, %m, :]
    }
  }
  return %out : memref<2x64x128xf32>
}
