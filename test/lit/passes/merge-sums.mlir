// RUN: tile-opt %s --merge-sums | filecheck %s
// RUN: tile-opt %s --merge-sums --carry-to-scratch | filecheck %s --check-prefix SCRATCH

// The inner loop continues the sum that the outer one carries, and shares its scratch.
// CHECK-LABEL: func.func @continues
// CHECK:         %zero = tile.splat 0.0
// CHECK-NEXT:    %total = tile.for %s = 0 to 2 iter_args(%before = %zero) {
// CHECK-NEXT:      %none = tile.splat 0.0
// CHECK-NEXT:      %after = tile.for %k = 0 to 256 by k:128 iter_args(%a = %before) {
// CHECK:             %sum = tile.dot %lhs, %rhs, %a
// CHECK-NEXT:        tile.yield %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.yield %after
// SCRATCH-LABEL: func.func @continues
// SCRATCH:       %total = tile.scratch
// SCRATCH-NOT:   tile.scratch
// SCRATCH:       tile.for %k
// SCRATCH-NEXT:    %a = tile.get %total
// SCRATCH-LABEL: func.func @stays
func.func @continues(%x: memref<2x128x256xbf16>, %w: memref<256x128xbf16>, %out: memref<128x128xf32>) -> memref<128x128xf32> {
  tile.grid %m = 0 to 128 by m:128 {
    %zero = tile.splat 0.0 : tensor<128x128xf32, #tile.spans<m, _>>
    %total = tile.for %s = 0 to 2 iter_args(%before = %zero) {
      %none = tile.splat 0.0 : tensor<128x128xf32, #tile.spans<m, _>>
      %part = tile.for %k = 0 to 256 by k:128 iter_args(%a = %none) {
        %lhs = tile.load %x[%s, %m, %k]
        %rhs = tile.load %w[%k, :]
        %sum = tile.dot %lhs, %rhs, %a
        tile.yield %sum
      }
      %after = arith.addf %before, %part : tensor<128x128xf32, #tile.spans<m, _>>
      tile.yield %after
    }
    tile.store %total, %out[%m, :]
  }
  return %out : memref<128x128xf32>
}

// Not those that begin with something else, do more than add, are used twice, or are added to what comes later.
// CHECK-LABEL: func.func @stays
// CHECK-COUNT-4: arith.addf %before, %p{{.}} : f32
func.func @stays(%x: memref<8xf32>, %out: memref<1xf32>) -> (memref<1xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  tile.grid %g = 0 to 1 {
    %total:4 = tile.for %s = 0 to 2 iter_args(%before = %zero, %b = %zero, %c = %zero, %d = %zero) {
      %p1 = tile.for %k = 0 to 8 iter_args(%a = %one) {
        %v = tile.load %x[%k]
        %n = arith.addf %a, %v : f32
        tile.yield %n
      }
      %t1 = arith.addf %before, %p1 : f32
      %p2 = tile.for %k = 0 to 8 iter_args(%a = %zero) {
        %v = tile.load %x[%k]
        %n = arith.addf %a, %v : f32
        %n2 = arith.mulf %n, %v : f32
        tile.yield %n2
      }
      %t2 = arith.addf %before, %p2 : f32
      %p3 = tile.for %k = 0 to 8 iter_args(%a = %zero) {
        %v = tile.load %x[%k]
        %n = arith.addf %a, %v : f32
        tile.yield %n
      }
      %t3 = arith.addf %before, %p3 : f32
      %t4 = arith.addf %p3, %t3 : f32
      %p5 = tile.for %k = 0 to 8 iter_args(%a = %zero) {
        %v = tile.load %x[%k]
        %n = arith.addf %a, %v : f32
        %w = arith.mulf %a, %v : f32
        %o = arith.addf %n, %w : f32
        tile.yield %o
      }
      %t5 = arith.addf %before, %p5 : f32
      tile.yield %t1, %t2, %t4, %t5
    }
    tile.store %total#0, %out[0]
  }
  return %out : memref<1xf32>
}
