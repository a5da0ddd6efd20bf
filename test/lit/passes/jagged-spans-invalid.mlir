// Passes that do not know jagged tiles say so.

// RUN: tile-opt %s --expand-gathers --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --insert-atomic-scratch --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --classify-axes --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --unroll-loops --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --carry-to-scratch --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --fold-outer-pipeline --verify-diagnostics | filecheck %s
// RUN: tile-opt %s --tile-to-pallas --verify-diagnostics | filecheck %s --check-prefix=ALL --match-full-lines

func.func @all_rows(%x: memref<64x512xf32>, %lens: memref<64xi32>) -> memref<1xf32> {
  %out = tile.full 0.0 : memref<1xf32>
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %zero = arith.constant 0.0 : f32
    %sum = tile.for %k = 0 to %l by k of p iter_args(%a = %zero) {
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [0, 1]
      %next = arith.addf %a, %s : f32
      tile.yield %next
    }
    tile.atomic_rmw add %sum, %out[0]
  }
  return %out : memref<1xf32>
}
// CHECK: {{.*}}/jagged-spans-invalid.mlir:16:5: error: {{[a-z-]+}}: axis k of p is a jagged tile
// ALL: {{.*}}/jagged-spans-invalid.mlir:16:5: error: mask-jagged: axis k of p has an extent for each lane of p, which --scalarize-jagged left a tile (--explain says why); a tile makes all steps that a lane may have, and nothing says how many: give the axis `max N` (max_extent=N in torch)
