// Passes that do not know jagged tiles say so.

// RUN: tile-opt %s --expand-gathers --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --insert-atomic-scratch --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --classify-axes --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --unroll-loops --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --carry-to-scratch --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --fold-outer-pipeline --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --tile-to-pallas --verify-diagnostics | filecheck %s --check-prefix=ALL --match-full-lines

func.func @row_sums(%x: memref<64x512xf32>, %lens: memref<64xi32>) -> memref<64xf32> {
  %out = tile.empty : memref<64xf32>
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %l by k of p iter_args(%a = %zero) {
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [1]
      %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %next
    }
    tile.store %sum, %out[%p]
  }
  return %out : memref<64xf32>
}
// CHECK: {{.*}}/jagged-spans-invalid.mlir:16:5: error: {{[a-z-]+}}: axis k of p is a jagged tile
// ALL: {{.*}}/jagged-spans-invalid.mlir:16:5: error: tile-to-pallas: axis k of p is a jagged tile: lanes of p have extents of their own, and no pass makes a kernel of that; let p be an axis of indices, with an extent for each
