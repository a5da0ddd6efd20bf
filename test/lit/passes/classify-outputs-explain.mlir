// --explain says of every array that is written what it is, and why: of the program, then of the schedule.

// RUN: tile-opt %s --tile-to-pallas="m=32 n=128" --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%x: memref<100x200xf32>, %y: memref<100x200xf32>, %z: memref<100x200xf32>)
    -> (memref<100x200xf32>, memref<100x200xf32>, memref<100x200xf32>, memref<100x200xf32>,
        memref<100x200xf32>, memref<100x200xf32>) {
  %fresh = tile.empty : memref<100x200xf32>
  %whole = tile.full 0.0 : memref<100x200xf32>
  %part = tile.full 1.0 : memref<100x200xf32>
  %blocks = tile.full 1.0 : memref<100x200xf32>
  tile.grid %m = 3 to 97 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    tile.store %v, %part[%m, %n]
  }
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %part[%m, :]
    tile.store %v, %fresh[%m, :]
    tile.store %v, %whole[%m, :]
    %old = tile.load %y[%m, :]
    %s = arith.addf %old, %v : tensor<?x200xf32, #tile.spans<m, _>>
    tile.store %s, %y[%m, :]
  }
  tile.grid %m = 32 to 97 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %blocks[%m, :]
  }
  tile.grid %m = 32 to 64 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %z[%m, :]
  }
  return %fresh, %whole, %part, %blocks, %y, %z : memref<100x200xf32>, memref<100x200xf32>,
    memref<100x200xf32>, memref<100x200xf32>, memref<100x200xf32>, memref<100x200xf32>
}
// CHECK: {{.*}}explain.mlir:10:3: note: classify-outputs: %part keeps its fill: it may be read at {{.*}}explain.mlir:17:5, and no store reaches index 0 of dimension 0
// CHECK-NEXT: {{.*}}explain.mlir:8:3: note: classify-outputs: %fresh is an output only
// CHECK-NEXT: {{.*}}explain.mlir:9:3: note: classify-outputs: no step sees the fill of %whole; it is an output only
// CHECK-NEXT: {{.*}}explain.mlir:5:1: note: classify-outputs: %y is an input and an output, as it is stored into
// CHECK-NEXT: {{.*}}explain.mlir:11:3: note: classify-outputs: %blocks keeps its fill: it is returned at {{.*}}explain.mlir:32:3, and no store reaches index 0 of dimension 0
// CHECK-NEXT: {{.*}}explain.mlir:5:1: note: classify-outputs: %z is an input and an output, as it is stored into
// CHECK: {{.*}}explain.mlir:14:5: note: classify-outputs: the steps fill each block of %part themselves
// CHECK-NEXT: {{.*}}explain.mlir:20:5: note: classify-outputs: steps need what %y held; its window begins with that
// CHECK-NEXT: {{.*}}explain.mlir:26:5: note: classify-outputs: %blocks is filled before the kernel: a block may have no step
// CHECK-NEXT: {{.*}}explain.mlir:30:5: note: classify-outputs: no step needs what %z held; it stays where it is
