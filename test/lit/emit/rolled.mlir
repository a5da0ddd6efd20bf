// Tiles that begin one row below a tile of memory: both that hold one are read, and rolled to where it begins.

// RUN: tile-opt %s --tile-to-pallas="m=8" -t pallas | filecheck %s

// CHECK-LABEL: def next_row_kernel(x_window, out_window):
// CHECK-NEXT:            m = pl.program_id(0)
// CHECK-NEXT:            m_start = m * 8
// CHECK-NEXT:            tile_start = m_start + 1
// CHECK-NEXT:            shifted = tile_start >> 3
// CHECK-NEXT:            smaller = jnp.minimum(shifted, 3)
// CHECK-NEXT:            base = smaller * 8
// CHECK-NEXT:            offset = tile_start - base
// CHECK-NEXT:            rest = 16 - offset
// CHECK-NEXT:            turn = rest & 15
// CHECK-NEXT:            x_window_1 = x_window[pl.ds(base, 16), :]
// CHECK-NEXT:            roll = pltpu.roll(x_window_1, turn, 0)
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
