// Sum and greatest of each slab, one number at a time.
func.func @atomic_scalars(%x: memref<8x40x200xbf16>, %sums: memref<8xf32>, %tops: memref<8x2xf32>)
    -> (memref<8xf32>, memref<8x2xf32>) {
  tile.grid %m = 0 to 40 by m, %g = 0 to 8 {
    %v = tile.load %x[%g, %m, :]
    %w = tile.cast %v to f32
    %s = tile.reduce add %w dims [0, 1]
    tile.atomic_rmw add %s, %sums[%g]
    %t = tile.reduce max %w dims [0, 1]
    tile.atomic_rmw max %t, %tops[%g, 1]
  }
  return %sums, %tops : memref<8xf32>, memref<8x2xf32>
}
