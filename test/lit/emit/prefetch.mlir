// What an index map reads is prefetched: integers, and floats that a condition compares.

// RUN: tile-opt %s --tile-to-pallas="grouping=overlaunch rows=8" -t pallas | filecheck %s

// Rows of groups whose factor is 0 stay as they are, and are not copied.
func.func @scale_some(%x: memref<32x128xf32>, %offsets: memref<3xi32>, %factors: memref<2xf32>,
                      %out: memref<32x128xf32>) -> memref<32x128xf32> {
  tile.grid %g = 0 to 2 {
    %begin, %end = tile.segment %offsets[%g]
    %factor = tile.load %factors[%g]
    %zero = arith.constant 0.0 : f32
    %some = tile.compare ne %factor, %zero
    scf.if %some {
      tile.for %rows = %begin to %end by rows {
        %v = tile.load %x[%rows, :]
        %wide = tile.broadcast %factor dims [] : tensor<?x128xf32, #tile.spans<rows, _>>
        %w = arith.mulf %v, %wide : tensor<?x128xf32, #tile.spans<rows, _>>
        tile.store %w, %out[%rows, :]
      }
    }
  }
  return %out : memref<32x128xf32>
}
// CHECK-LABEL: def scale_some_kernel(offsets_ref, factors_ref, x_window,
// CHECK:         def x_window_map(g, rows_step, offsets_ref, factors_ref):
// CHECK:           factor = factors_ref[g]
// CHECK-NEXT:      some = factor != 0.0
// CHECK-NEXT:      chosen = jnp.where(some, end, begin)
