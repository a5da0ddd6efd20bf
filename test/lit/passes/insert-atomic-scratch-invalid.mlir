// RUN: tile-opt %s --insert-atomic-scratch --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --insert-atomic-scratch="shared=all" 2>&1 | filecheck %s --check-prefix=SHARED --match-full-lines
// SHARED: {{.*}}error: insert-atomic-scratch: shared=all; auto, resident, phases are accepted

// Two kinds meet.
func.func @two_kinds(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
    tile.atomic_rmw max %v, %out[:]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:9:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:9:5 and the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:10:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; only atomics of one kind may meet in any order

// -----

// A store meets an atomic.
func.func @store(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
    tile.store %v, %out[:]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:22:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:22:5 and the store at {{.*}}/insert-atomic-scratch-invalid.mlir:23:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; only atomics may meet atomics

// -----

// A load meets an atomic.
func.func @load(%x: memref<8x128xf32>, %out: memref<128xf32>, %y: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
    %w = tile.load %out[:]
    tile.store %w, %y[%g, :]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:35:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:35:5 and the load at {{.*}}/insert-atomic-scratch-invalid.mlir:36:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; only atomics may meet atomics

// -----

// The old value depends on the order.
func.func @old(%x: memref<8x128xf32>, %out: memref<128xf32>, %y: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    %o = tile.atomic_rmw add %v, %out[:] old
    tile.store %o, %y[%g, :]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:49:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:49:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; the atomic returns the old value, for which iterations have to be ordered

// -----

// So does an exchange.
func.func @exchange(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %g = 0 to 8, %n = 0 to 128 by n:128 {
    %v = tile.load %x[%g, %n]
    tile.atomic_rmw exchange %v, %out[%n]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:62:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:62:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; the atomic exchanges, for which iterations have to be ordered

// -----

// And a compare-exchange, also with itself alone.
func.func @compare_exchange(%x: memref<8xi32>, %out: memref<1xi32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g]
    tile.atomic_rmw compare_exchange %v, %out[0] expected %v
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:74:5: error: race: the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:74:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; the atomic exchanges, for which iterations have to be ordered

// -----

// An array that is also read in the cell of its updates, which no other cell touches.
func.func @read_here(%x: memref<8x128xf32>, %out: memref<8x128xf32>, %y: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[%g, :]
    %w = tile.load %out[%g, :]
    tile.store %w, %y[%g, :]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:87:5: error: insert-atomic-scratch: tile.load of %out, which the atomic at {{.*}}/insert-atomic-scratch-invalid.mlir:86:5 updates in this grid; use `old` of the atomic, or use another grid

// -----

// Positions in a tile.
func.func @positions(%x: memref<8x128xf32>, %ids: memref<8xi32>, %out: memref<16x128xf32>) {
  tile.grid %m = 0 to 8 by m:8 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%i, :]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:101:5: error: insert-atomic-scratch: positions come from a tile of integers; run --expand-gathers first

// -----

// No grid.
func.func @no_grid(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.for %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:113:5: error: insert-atomic-scratch: an atomic outside of a tile.grid; put it into one

// -----

// An array of unknown extent cannot be resident.
func.func @unknown(%x: memref<64x128xf32>, %out: memref<?x128xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%m, :]
    tile.atomic_rmw add %v, %out[%m + 2, :]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:125:5: error: insert-atomic-scratch: %out would be resident, and its leading extent is `?`; give it an extent, or index it by an axis of the grid along which no two updates meet

// -----

// A loop of another dialect.
func.func @other_loop(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %eight = arith.constant 8 : index
    scf.for %g = %zero to %eight step %one {
      %v = tile.load %x[%g, %n]
      tile.atomic_rmw add %v, %out[%n]
    }
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-invalid.mlir:140:5: error: insert-atomic-scratch: an atomic in scf.for; tile.for and scf.if can hold one
