// Blocks of m, n and k; the accumulator stays in scratch while k runs.

// RUN: tile-opt -t pallas %s | filecheck %s

// CHECK-LABEL: def matmul_kernel(x_ref, w_ref, out_ref, acc):
// CHECK-NEXT:        k = pl.program_id(2)
// CHECK-NEXT:        first = k == 0
// CHECK-EMPTY:
// CHECK-NEXT:        @pl.when(first)
// CHECK-NEXT:        def _():
// CHECK-NEXT:            acc[...] = jnp.zeros((128, 128), jnp.float32)
// CHECK-EMPTY:
// CHECK-NEXT:        lhs = x_ref[...]
// CHECK-NEXT:        rhs = w_ref[...]
// CHECK-NEXT:        before = acc[...]
// CHECK-NEXT:        after = before + lax.dot_general(lhs, rhs, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32)
// CHECK-NEXT:        acc[...] = after
// CHECK-NEXT:        steps = pl.num_programs(2)
// CHECK-NEXT:        end = steps - 1
// CHECK-NEXT:        last = k == end
// CHECK-EMPTY:
// CHECK-NEXT:        @pl.when(last)
// CHECK-NEXT:        def _():
// CHECK-NEXT:            sum_1 = acc[...]
// CHECK-NEXT:            rounded = sum_1.astype(jnp.bfloat16)
// CHECK-NEXT:            out_ref[...] = rounded
// CHECK:                  grid_spec=pltpu.PrefetchScalarGridSpec(
// CHECK-NEXT:                num_scalar_prefetch=0,
// CHECK-NEXT:                grid=(3, 3, 4),
// CHECK-NEXT:                in_specs=[
// CHECK-NEXT:                    pl.BlockSpec((128, 128), lambda m, n, k: (m, k)),
// CHECK-NEXT:                    pl.BlockSpec((128, 128), lambda m, n, k: (k, n)),
// CHECK-NEXT:                ],
// CHECK-NEXT:                out_specs=pl.BlockSpec((128, 128), lambda m, n, k: (m, n)),
// CHECK-NEXT:                scratch_shapes=[
// CHECK-NEXT:                    pltpu.VMEM((128, 128), jnp.float32),
// CHECK-NEXT:                ],
// CHECK-NEXT:            ),
// CHECK-NEXT:            out_shape=jax.ShapeDtypeStruct((300, 384), jnp.bfloat16),
// CHECK-NEXT:            compiler_params=pltpu.CompilerParams(
// CHECK-NEXT:                dimension_semantics=("parallel", "parallel", "arbitrary"),
// CHECK-NEXT:                vmem_limit_bytes=33554432,
// CHECK-NEXT:            ),
// CHECK-NEXT:            interpret=False if interpret is None else interpret,
// CHECK-NEXT:            name="matmul",
// CHECK-NEXT:        )(x, w)
func.func @matmul(%x: memref<300x512xbf16>, %w: memref<512x384xbf16>) -> memref<300x384xbf16> {
  %out = pallas.call "matmul" grid [parallel 3, parallel 3, arbitrary 4] vmem 33554432 {
    %x_ref = pallas.in %x block [128, 128] map (%m, %n, %k) -> (%m, %k)
    %w_ref = pallas.in %w block [128, 128] map (%m, %n, %k) -> (%k, %n)
    %out_ref = pallas.out block [128, 128] map (%m, %n, %k) -> (%m, %n) : memref<300x384xbf16>
    %acc = pallas.scratch : memref<128x128xf32, #pallas.space<vmem>>
    %c0 = arith.constant 0 : index
    %k = pallas.program_id 2
    %first = arith.cmpi eq, %k, %c0 : index
    pallas.when %first {
      %zero = tile.splat 0.0 : tensor<128x128xf32>
      pallas.store %zero, %acc
    }
    %lhs = pallas.load %x_ref
    %rhs = pallas.load %w_ref
    %before = pallas.load %acc
    %after = tile.dot %lhs, %rhs, %before
    pallas.store %after, %acc
    %c1 = arith.constant 1 : index
    %steps = pallas.num_programs 2
    %end = arith.subi %steps, %c1 : index
    %last = arith.cmpi eq, %k, %end : index
    pallas.when %last {
      %sum = pallas.load %acc
      %rounded = tile.cast %sum to bf16
      pallas.store %rounded, %out_ref
    }
  } : memref<300x384xbf16>
  return %out : memref<300x384xbf16>
}
