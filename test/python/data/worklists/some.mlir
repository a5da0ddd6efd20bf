func.func @f(
  %x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<2x16x64x128xf32>
) -> memref<2x16x64x128xf32> {
  tile.grid %g = 0 to 2, %h = 0 to 16 {
    %b, %e = tile.segment %o[%g]
    %c14 = arith.constant 14 : index
    %some = arith.cmpi slt, %h, %c14 : index
    %end = arith.select %some, %e, %b : index
    tile.for %m = %b to %end by m:8 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%g, %h, %m, :]
    }
  }
  return %out : memref<2x16x64x128xf32>
}
