// A ping-pong: the copies of the next step start before those of this one are awaited, into the other buffers.

// RUN: tile-opt %s --tile-to-pallas="loop=fori_loop depth=2 m=128 n=128 k=128" -t pallas | filecheck %s

// CHECK-LABEL: def matmul_kernel(x_ref, w_ref, out_window, x_window, x_copied, w_window, w_copied, acc):
// CHECK-NEXT:            m = pl.program_id(0)
// CHECK-NEXT:            n = pl.program_id(1)
// CHECK-NEXT:            acc[...] = jnp.zeros((128, 128), jnp.float32)
// CHECK-NEXT:            product = m * 128
// CHECK-NEXT:            pltpu.make_async_copy(x_ref.at[pl.ds(product, 128), pl.ds(0, 128)], x_window.at[0, :, :], x_copied.at[0]).start()
// CHECK-NEXT:            product_1 = n * 128
// CHECK-NEXT:            pltpu.make_async_copy(w_ref.at[pl.ds(0, 128), pl.ds(product_1, 128)], w_window.at[0, :, :], w_copied.at[0]).start()
// CHECK-EMPTY:
// CHECK-NEXT:            def for_step(step, _):
// CHECK-NEXT:                ahead = step + 1
// CHECK-NEXT:                more = ahead < 4
// CHECK-NEXT:                next_slot = ahead & 1
// CHECK-NEXT:                smaller = jnp.minimum(ahead, 3)
// CHECK-NEXT:                product_2 = smaller * 128
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(more)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    pltpu.make_async_copy(x_ref.at[pl.ds(product, 128), pl.ds(product_2, 128)], x_window.at[next_slot, :, :], x_copied.at[next_slot]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(more)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    pltpu.make_async_copy(w_ref.at[pl.ds(product_2, 128), pl.ds(product_1, 128)], w_window.at[next_slot, :, :], w_copied.at[next_slot]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                slot = step & 1
// CHECK-NEXT:                product_3 = step * 128
// CHECK-NEXT:                pltpu.make_async_copy(x_ref.at[pl.ds(product, 128), pl.ds(product_3, 128)], x_window.at[slot, :, :], x_copied.at[slot]).wait()
// CHECK-NEXT:                pltpu.make_async_copy(w_ref.at[pl.ds(product_3, 128), pl.ds(product_1, 128)], w_window.at[slot, :, :], w_copied.at[slot]).wait()
// CHECK-NEXT:                a = acc[...]
// CHECK-NEXT:                lhs = x_window[slot, :, :]
// CHECK-NEXT:                rhs = w_window[slot, :, :]
// CHECK-NEXT:                sum_1 = a + lax.dot_general(lhs, rhs, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32)
// CHECK-NEXT:                acc[...] = sum_1
// CHECK-NEXT:                return None
// CHECK-EMPTY:
// CHECK-NEXT:            lax.fori_loop(0, 4, for_step, None)
// CHECK-NEXT:            acc_1 = acc[...]
// CHECK-NEXT:            cast = acc_1.astype(jnp.bfloat16)
// CHECK-NEXT:            out_window[...] = cast
// CHECK:                  in_specs=[
// CHECK-NEXT:                        pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                        pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                    ],
// CHECK-NEXT:                    out_specs=pl.BlockSpec((128, 128), lambda i, i_1: (i, i_1)),
// CHECK-NEXT:                    scratch_shapes=[
// CHECK-NEXT:                        pltpu.VMEM((2, 128, 128), jnp.bfloat16),
// CHECK-NEXT:                        pltpu.SemaphoreType.DMA((2,)),
// CHECK-NEXT:                        pltpu.VMEM((2, 128, 128), jnp.bfloat16),
// CHECK-NEXT:                        pltpu.SemaphoreType.DMA((2,)),
// CHECK-NEXT:                        pltpu.VMEM((128, 128), jnp.float32),
// CHECK-NEXT:                    ],
// CHECK-NEXT:                ),
// CHECK-NEXT:                out_shape=jax.ShapeDtypeStruct((256, 256), jnp.bfloat16),
func.func @matmul(%x: memref<256x512xbf16>, %w: memref<512x256xbf16>) -> memref<256x256xbf16> {
  %out = tile.empty : memref<256x256xbf16>
  tile.grid %m = 0 to 256 by m, %n = 0 to 256 by n {
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, n>>
    %acc = tile.for %k = 0 to 512 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%m, %n]
  }
  return %out : memref<256x256xbf16>
}
