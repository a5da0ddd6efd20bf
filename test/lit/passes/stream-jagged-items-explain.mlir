// --explain tells which pipelines were left alone.

// RUN: tile-opt %s --stream-jagged-items --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%x: memref<?x128xf32>, %o: memref<9xi32>, %y: memref<?x128xf32>, %z: memref<512xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %zw = tile.window write %z[%m] preload
    %v = tile.get %zw
    tile.set %v, %zw
  }
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, :] preload
    %v = tile.get %xw
    tile.set %v, %yw
  }
  return
}
// CHECK: {{.*}}/stream-jagged-items-explain.mlir:6:3: note: stream-jagged-items: no axis is jagged
// CHECK-NOT: {{.+}}
