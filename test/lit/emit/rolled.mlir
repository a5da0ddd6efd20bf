// Tiles that begin one row below a tile of memory: both that hold one are read, and rolled to where it begins.

// RUN: tile-opt %s --tile-to-pallas="m=8" -t pallas | filecheck %s

// CHECK-LABEL: def next_row_kernel(x_window, out_window):
// CHECK-NEXT:            m = pl.program_id(0)
// CHECK-NEXT:            m_start = m * 8
// CHECK-NEXT:            total = m_start + 1
// CHECK-NEXT:            quotient = total // 8
// CHECK-NEXT:            smaller = jnp.minimum(quotient, 3)
// CHECK-NEXT:            product = smaller * 8
// CHECK-NEXT:            rest = total - product
// CHECK-NEXT:            rest_1 = 16 - rest
// CHECK-NEXT:            remainder = lax.rem(rest_1, 16)
// CHECK-NEXT:            x_window_1 = x_window[pl.ds(product, 16), :]
// CHECK-NEXT:            roll = pltpu.roll(x_window_1, remainder, 0)
// CHECK-NEXT:            v = lax.slice_in_dim(roll, 0, 8, axis=0)
// CHECK-NEXT:            out_window[...] = v
// CHECK:                  in_specs=[
// CHECK-NEXT:                    pl.BlockSpec((40, 256), lambda i: (0, 0), pipeline_mode=pl.Buffered(1)),
// CHECK-NEXT:                ],
func.func @next_row(%x: memref<40x256xf32>) -> memref<32x256xf32> {
  %out = tile.empty : memref<32x256xf32>
  tile.grid %m = 0 to 32 by m {
    %v = tile.load %x[%m + 1, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<32x256xf32>
}
