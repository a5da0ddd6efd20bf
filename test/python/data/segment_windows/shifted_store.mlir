func.func @f(%x: memref<15x8x128xf32>, %n: memref<3xi32>, %out: memref<3x16x8x128xf32>) -> memref<3x16x8x128xf32> {
  tile.grid %g = 0 to 3 {
    %l = tile.load %n[%g]
    %e = arith.index_cast %l : i32 to index
    tile.for %m = 0 to %e by m max 15 {
      %v = tile.load %x[%m, :, :]
      tile.store %v, %out[%g, %m + 1, :, :]
    }
  }
  return %out : memref<3x16x8x128xf32>
}
