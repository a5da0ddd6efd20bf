// %w is kept on the chip and indexed there, %x streams.

// RUN: tile-opt %s --tile-to-pallas="m=16 k=128" -t pallas | filecheck %s

// CHECK-LABEL: def matmul_kernel(x_window, w_window, out_window, acc):
// CHECK-NEXT:            m = pl.program_id(0)
// CHECK-NEXT:            k = pl.program_id(1)
// CHECK-NEXT:            first_k = k == 0
// CHECK-NEXT:            tile_start = k * 128
// CHECK-NEXT:            last_k = k == 3
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(first_k)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                acc[...] = jnp.zeros((16, 64), jnp.float32)
// CHECK-EMPTY:
// CHECK-NEXT:            a = acc[...]
// CHECK-NEXT:            lhs = x_window[...]
// CHECK-NEXT:            rhs = w_window[pl.ds(tile_start, 128), :]
// CHECK-NEXT:            sum_1 = a + lax.dot_general(lhs, rhs, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32)
// CHECK-NEXT:            acc[...] = sum_1
// CHECK:                  in_specs=[
// CHECK-NEXT:                        pl.BlockSpec((16, 128), lambda i, i_1: (i, i_1)),
// CHECK-NEXT:                        pl.BlockSpec((512, 64), lambda i, i_1: (0, 0), pipeline_mode=pl.Buffered(1)),
// CHECK-NEXT:                    ],
func.func @matmul(%x: memref<64x512xbf16>, %w: memref<512x64xbf16>) -> memref<64x64xf32> {
  %out = tile.empty : memref<64x64xf32>
  tile.grid %m = 0 to 64 by m {
    %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<m, _>>
    %acc = tile.for %k = 0 to 512 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, :] resident
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%m, :]
  }
  return %out : memref<64x64xf32>
}
