// RUN: tile-opt %s --unroll-loops --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @run_time(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return
}
// CHECK: {{.*}}/unroll-loops-invalid.mlir:6:5: error: unroll-loops: axis m has an extent that is known only at run time and cannot be written out; use loop=grid or loop=emit_pipeline

// -----

func.func @too_many(%x: memref<8300x128xf32>, %out: memref<8300x128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %m = 0 to 8300 by m:128 {
      %v = tile.load %x[%m, %n]
      tile.store %v, %out[%m, %n]
    }
  }
  return
}
// CHECK: {{.*}}/unroll-loops-invalid.mlir:19:5: error: unroll-loops: axis m has 65 iterations of 128; 64 are written out at most, choose larger blocks
