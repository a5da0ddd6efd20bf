// --explain tells why an axis is ordered; nothing is said of parallel ones.

// RUN: tile-opt %s --classify-axes --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%x: memref<8x128xf32>, %last: memref<1x128xf32>, %sum: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 8 {
      %v = tile.load %x[%i, %n]
      tile.store %v, %last[0, %n]
    }
    tile.for %i = 0 to 7 {
      %v = tile.load %x[%i, %n]
      tile.store %v, %x[%i + 1, %n]
    }
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
    %total = tile.for %i = 0 to 8 iter_args(%acc = %zero) {
      %v = tile.load %x[%i, %n]
      %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<n>>
      tile.yield %next
    }
    tile.store %total, %sum[%n]
  }
  return
}
// CHECK: {{.*}}/classify-axes-explain.mlir:7:5: note: classify-axes: axis i is ordered: the store at {{.*}}/classify-axes-explain.mlir:9:7, with itself, may touch one element
// CHECK-NEXT: {{.*}}/classify-axes-explain.mlir:11:5: note: classify-axes: axis i is ordered: the store at {{.*}}/classify-axes-explain.mlir:13:7 and the load at {{.*}}/classify-axes-explain.mlir:12:7 may touch one element
// CHECK-NEXT: {{.*}}/classify-axes-explain.mlir:16:5: note: classify-axes: axis i is ordered: a value is carried from step to step
// CHECK-NOT: {{.+}}
