// RUN: tile-opt %s | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s
func.func @expected(%a: memref<9xi32>, %b: memref<?xi64>, %n: index) {
  // CHECK: tile.expect_sum %a[-1], %b[-2], %a[0] max %n
  tile.expect_sum %a[-1], %b[-2], %a[0] max %n
  // CHECK-NEXT: tile.expect_sum %b[7] max %n
  tile.expect_sum %b[7] max %n
  // CHECK-NEXT: tile.expect_sum %a[-1], %b[7] max %n or %a[-2] max %n
  tile.expect_sum %a[-1], %b[7] max %n or %a[-2] max %n
  return
}
