func.func @f(%x: memref<64x128xf32>, %o: memref<5xi32>, %out: memref<4x8x64x128xf32>) -> memref<4x8x64x128xf32> {
  tile.grid %g = 0 to 4 {
    %b, %e = tile.segment %o[%g]
    %c8 = arith.constant 8 : index
    %c64 = arith.constant 64 : index
    %q = arith.floordivsi %b, %c64 : index
    %p = arith.muli %q, %c64 : index
    %l = arith.subi %e, %p : index
    %n = arith.ceildivsi %l, %c8 : index
    tile.for %i = 0 to %n {
      tile.for %m = %b to %e by m:64 {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%g, %i, %m, :]
      }
    }
  }
  return %out : memref<4x8x64x128xf32>
}
