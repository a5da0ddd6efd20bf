// Views around a kernel are reshapes and transpositions of whole arrays.

// RUN: tile-opt %s --tile-to-pallas="m=8" -t pallas | filecheck %s

// CHECK-LABEL: def kernel(x, y, *, interpret=None):
// CHECK:         x_extent = x.shape[0]
// CHECK-NEXT:    if 1 > x_extent:
// CHECK-NEXT:        raise ValueError(f"the least number of rows of x: {1} is more than {x_extent}")
// CHECK-NEXT:    rows = jnp.reshape(x, (x_extent, 256))
// CHECK:         rows_1, out = pl.pallas_call(
// CHECK:             input_output_aliases={1: 0},
// CHECK:         )(y, rows_blocks)
// CHECK-NEXT:    rows_1 = rows_1[:x_extent, :256]
// CHECK-NEXT:    t = jnp.transpose(out, (1, 0))
// CHECK-NEXT:    x_1 = jnp.reshape(rows_1, (x_extent, 2, 128))
// CHECK-NEXT:    return out, t, x_1
func.func @kernel(%x: memref<?x2x128xf32>, %y: memref<64x256xf32>)
    -> (memref<64x256xf32>, memref<256x64xf32>, memref<?x2x128xf32>) {
  %out = tile.empty : memref<64x256xf32>
  %t = tile.view %out permute [1, 0] : memref<64x256xf32> to memref<256x64xf32>
  %rows = tile.view %x : memref<?x2x128xf32> to memref<?x256xf32>
  tile.grid %m = 0 to 64 by m {
    %v = tile.load %y[%m, :]
    %w = tile.load %rows[%m, :]
    %s = arith.addf %v, %w : tensor<?x256xf32, #tile.spans<m, _>>
    tile.store %v, %out[%m, :]
    tile.store %s, %rows[%m, :]
  }
  return %out, %t, %x : memref<64x256xf32>, memref<256x64xf32>, memref<?x2x128xf32>
}
