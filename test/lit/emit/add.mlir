// Elementwise, two grid dimensions; the last block of either may be partial.

// RUN: tile-opt -t pallas %s | filecheck %s

// CHECK-LABEL: def add_kernel(x_ref, y_ref, out_ref):
// CHECK-NEXT:        a = x_ref[...]
// CHECK-NEXT:        b = y_ref[...]
// CHECK-NEXT:        total = a + b
// CHECK-NEXT:        out_ref[...] = total
// CHECK-LABEL: def add(x, y, *, interpret=None):
// CHECK-NEXT:        """add(x: float32[?, 260], y: float32[?, 260]) -> float32[?, 260]"""
// CHECK-NEXT:        x = array_argument("x", x, (None, 260), "float32")
// CHECK-NEXT:        y = array_argument("y", y, (None, 260), "float32")
// CHECK-NEXT:        rows = x.shape[0]
// CHECK-NEXT:        steps = pl.cdiv(rows, 64)
// CHECK-NEXT:        sum_1 = pl.pallas_call(
// CHECK-NEXT:            add_kernel,
// CHECK-NEXT:            grid=(steps, 3),
// CHECK-NEXT:            in_specs=[
// CHECK-NEXT:                pl.BlockSpec((64, 128), lambda m, n: (m, n)),
// CHECK-NEXT:                pl.BlockSpec((64, 128), lambda m, n: (m, n)),
// CHECK-NEXT:            ],
// CHECK-NEXT:            out_specs=pl.BlockSpec((64, 128), lambda m, n: (m, n)),
// CHECK-NEXT:            out_shape=jax.ShapeDtypeStruct((rows, 260), jnp.float32),
// CHECK-NEXT:            compiler_params=pltpu.CompilerParams(
// CHECK-NEXT:                dimension_semantics=("parallel", "parallel"),
// CHECK-NEXT:            ),
// CHECK-NEXT:            interpret=False if interpret is None else interpret,
// CHECK-NEXT:            name="add",
// CHECK-NEXT:        )(x, y)
// CHECK-NEXT:        return sum_1
func.func @add(%x: memref<?x260xf32>, %y: memref<?x260xf32>) -> memref<?x260xf32> {
  %c0 = arith.constant 0 : index
  %block = arith.constant 64 : index
  %rows = memref.dim %x, %c0 : memref<?x260xf32>
  %steps = arith.ceildivsi %rows, %block : index
  %sum = pallas.call "add" grid [parallel %steps, parallel 3] {
    %x_ref = pallas.in %x block [64, 128] map (%m, %n) -> (%m, %n)
    %y_ref = pallas.in %y block [64, 128] map (%m, %n) -> (%m, %n)
    %out_ref = pallas.out block [64, 128] extent %rows map (%m, %n) -> (%m, %n) : memref<?x260xf32>
    %a = pallas.load %x_ref
    %b = pallas.load %y_ref
    %total = arith.addf %a, %b : tensor<64x128xf32>
    pallas.store %total, %out_ref
  } : memref<?x260xf32>
  return %sum : memref<?x260xf32>
}
