// RUN: tile-opt %s --stream-jagged-items --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// The extents of a grid are the same for all segments.
func.func @grid(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/stream-jagged-items-invalid.mlir:5:3: error: stream-jagged-items: the steps run as grid, whose axes have known extents; run --fold-outer-pipeline with loop=fori_loop

// -----

// The columns are written again for each segment that has a row in the tile.
func.func @returns(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<?x256xf32>) {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %n = tile.axis 0 to 256 by n:128 ordered
    %xw = tile.window read %x[%m, %n]
    %ow = tile.window write %out[%m, %n]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/stream-jagged-items-invalid.mlir:28:5: error: stream-jagged-items: the steps of axis g ({{.*}}/stream-jagged-items-invalid.mlir:23:5) come back to a block of %out that others have left; make g an inner axis, take another grouping, or run --split-unaligned-loops before
