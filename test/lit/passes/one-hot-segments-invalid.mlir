// RUN: not tile-opt %s --one-hot-segments=items=some 2>&1 | filecheck %s --match-full-lines

func.func @nothing() {
  return
}
// CHECK: {{.*}}/one-hot-segments-invalid.mlir:1:1: error: one-hot-segments: items=some; auto, all, none are accepted
