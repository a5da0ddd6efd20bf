// --explain tells why a product that leads to an exponential stays; nothing is said of others.

// RUN: tile-opt %s --sink-scales --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%x: memref<64x32xf32>, %y: memref<64x32xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.load %x[%m, :]
    %bias = tile.load %y[%m, :]
    %c = tile.splat 0.25 : tensor<8x32xf32, #tile.spans<m, _>>
    %s = arith.mulf %a, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %d = arith.addf %s, %bias : tensor<8x32xf32, #tile.spans<m, _>>
    %p = math.exp %d : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %p, %x[%m, :]
    %t = arith.mulf %a, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %q = math.exp %t : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %q, %x[%m, :]
    %u = arith.mulf %t, %c : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %u, %x[%m, :]
  }
  return
}
// CHECK: {{.*}}/sink-scales-explain.mlir:10:5: note: sink-scales: the product stays, since it meets what has no such factor
// CHECK-NEXT: {{.*}}/sink-scales-explain.mlir:14:5: note: sink-scales: the product stays, since more than exponentials use it
// CHECK-NOT: {{.}}
