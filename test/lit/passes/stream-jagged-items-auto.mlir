// Items that are known to be long are streamed, others wait for a list.

// RUN: tile-opt %s --stream-jagged-items="items=auto" --explain 2>%t | filecheck %s
// RUN: filecheck %s --check-prefix=NOTE --match-full-lines --input-file %t
// RUN: not tile-opt %s --stream-jagged-items="items=long" 2>&1 | filecheck %s --check-prefix=ITEMS --match-full-lines
// ITEMS: {{.*}}/stream-jagged-items-auto.mlir:1:1: error: stream-jagged-items: items=long; all, auto are accepted

// CHECK-LABEL: func.func @long(
// CHECK:         tile.pipeline fori_loop nested {
func.func @long(%x: memref<?x128xf32>, %o: memref<9xi32>, %y: memref<?x128xf32>) {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 mean 256 ordered aligned
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, :] preload
    %v = tile.get %xw
    tile.set %v, %yw
  }
  return
}

// CHECK-LABEL: func.func @short(
// CHECK:         tile.pipeline fori_loop {
// NOTE: {{.*}}/stream-jagged-items-auto.mlir:27:3: note: stream-jagged-items: no axis has a `mean` of 2 tiles
func.func @short(%x: memref<?x128xf32>, %o: memref<9xi32>, %y: memref<?x128xf32>) {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 mean 255 ordered aligned
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, :] preload
    %v = tile.get %xw
    tile.set %v, %yw
  }
  return
}
