// RUN: tile-opt %s --insert-atomic-scratch --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --insert-atomic-scratch="shared=phases" --explain 2>&1 >/dev/null | filecheck %s --match-full-lines --check-prefix=PHASES

// The larger of two arrays that want opposite orders is carried.
func.func @other_axes(%x: memref<512x256xf32>, %rows: memref<512xf32>, %columns: memref<256xf32>) {
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    %r = tile.reduce add %v dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %v dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return
}

func.func @windows(%x: memref<64x128xf32>, %out: memref<66x128xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%m, :]
    tile.atomic_rmw add %v, %out[%m + 2, :]
  }
  return
}

func.func @place(%ids: memref<8xi32>, %x: memref<8x128xf32>, %out: memref<16x128xf32>) {
  tile.grid %g = 0 to 8 {
    %i = tile.load %ids[%g]
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[%i, :]
  }
  return
}

func.func @comes_back(%x: memref<8x4x256xf32>, %out: memref<8x256xf32>) {
  tile.grid %g = 0 to 8 {
    tile.for %r = 0 to 4 {
      tile.for %n = 0 to 256 by n:128 {
        %v = tile.load %x[%g, %r, %n]
        tile.atomic_rmw add %v, %out[%g, %n]
      }
    }
  }
  return
}

func.func @bound(%x: memref<512x256xf32>, %rows: memref<512xf32>, %columns: memref<256xf32>,
                 %out: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %before = tile.load %out[%m, %n]
    %v = tile.load %x[%m, %n]
    %y = arith.addf %before, %v : tensor<128x128xf32, #tile.spans<m, n>>
    tile.store %y, %out[%m, %n]
    %r = tile.reduce add %y dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %y dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return
}

func.func @old(%x: memref<512x256xf32>, %rows: memref<512xf32>, %columns: memref<256xf32>,
               %one: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    %o = tile.atomic_rmw add %v, %one[%m, %n] old
    %r = tile.reduce add %o dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %o dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return
}
// CHECK: {{.*}}/insert-atomic-scratch-explain.mlir:11:5: note: insert-atomic-scratch: %columns is not carried: %rows is carried along other axes
// CHECK-NEXT: {{.*}}/insert-atomic-scratch-explain.mlir:19:5: note: insert-atomic-scratch: %out is not carried: the atomics at {{.*}}/insert-atomic-scratch-explain.mlir:19:5 and {{.*}}/insert-atomic-scratch-explain.mlir:20:5 update different windows
// CHECK-NEXT: {{.*}}/insert-atomic-scratch-explain.mlir:29:5: note: insert-atomic-scratch: %out is not carried: its window depends on more than the axes outside those along which updates meet
// CHECK-NEXT: {{.*}}/insert-atomic-scratch-explain.mlir:39:9: note: insert-atomic-scratch: %out is not carried: the loop at {{.*}}/insert-atomic-scratch-explain.mlir:36:5 comes back to its windows
// CHECK-NEXT: {{.*}}/insert-atomic-scratch-explain.mlir:56:5: note: insert-atomic-scratch: %columns is not carried: %rows is carried along other axes
// CHECK-NEXT: {{.*}}/insert-atomic-scratch-explain.mlir:69:5: note: insert-atomic-scratch: %columns is not carried: %rows is carried along other axes
// CHECK-NOT: {{.+}}

// PHASES: {{.*}}/insert-atomic-scratch-explain.mlir:11:5: note: insert-atomic-scratch: %columns gets a grid of its own
// PHASES: {{.*}}/insert-atomic-scratch-explain.mlir:56:5: note: insert-atomic-scratch: %columns gets no grid of its own: tile.load at {{.*}}/insert-atomic-scratch-explain.mlir:49:5 reads what {{.*}}/insert-atomic-scratch-explain.mlir:52:5 writes
// PHASES: {{.*}}/insert-atomic-scratch-explain.mlir:69:5: note: insert-atomic-scratch: %columns gets no grid of its own: the atomic at {{.*}}/insert-atomic-scratch-explain.mlir:65:5 returns an old value
