// RUN: not tile-opt %s --materialize-masks="clean=both" 2>&1 | filecheck %s
// RUN: not tile-opt %s --tile-to-pallas="clean=both" 2>&1 | filecheck %s

func.func @none(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  return %x : memref<8x128xf32>
}
// CHECK: materialize-masks: clean=both; auto, peel, mask are accepted
