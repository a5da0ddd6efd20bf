// RUN: tile-opt %s --compact-worklist --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// Nothing says how large a length may be.
func.func @unbounded(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x512xf32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    %i = tile.axis 0 to %end ordered
    %xw = tile.window read %x[%g, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/compact-worklist-invalid.mlir:9:5: error: compact-worklist: no bound on the steps of axis i is known; give it `max N` (max_extent=N in torch)

// -----

// The width of a type is no bound.
func.func @quotient(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x512xf32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %length = tile.load %lengths[%g]
    %sixteen = tile.splat 16 : i32
    %part = arith.floordivsi %length, %sixteen : i32
    %end = arith.index_cast %part : i32 to index
    %i = tile.axis 0 to %end ordered
    %xw = tile.window read %x[%g, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/compact-worklist-invalid.mlir:29:5: error: compact-worklist: no bound on the steps of axis i is known; give it `max N` (max_extent=N in torch)
