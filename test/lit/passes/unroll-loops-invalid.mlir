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
// CHECK: {{.*}}/unroll-loops-invalid.mlir:6:5: error: unroll-loops: axis m has an extent that is known only at run time and cannot be written out; use another loop, as grid

// -----

func.func @too_many(%x: memref<8300x128xf32>, %out: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
    %sum = tile.for %m = 0 to 8300 by m:128 iter_args(%a = %zero) {
      %v = tile.load %x[%m, %n]
      %part = tile.reduce add %v dims [0]
      %next = arith.addf %a, %part : tensor<128xf32, #tile.spans<n>>
      tile.yield %next
    }
    tile.store %sum, %out[%n]
  }
  return
}
// CHECK: {{.*}}/unroll-loops-invalid.mlir:20:5: error: unroll-loops: axis m has 65 iterations of 128; 64 are written out at most, choose larger blocks
