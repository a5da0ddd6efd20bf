// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
func.func @floats(%a: memref<9xf32>, %n: index) {
  tile.expect_sum %a[-1] max %n
  return
}
// CHECK: {{.*}}/invalid-expect.mlir:3:3: error: tile.expect_sum reads memref<9xf32>; a memref of rank 1 of i32 or i64 is needed

// -----

func.func @behind(%a: memref<9xi32>, %n: index) {
  tile.expect_sum %a[9] max %n
  return
}
// CHECK: {{.*}}/invalid-expect.mlir:11:3: error: tile.expect_sum reads element 9 of memref<9xi32>; -9 to 8 are accepted
