// RUN: tile-opt %s --sink-scales | filecheck %s

// The maximum is carried without the factor, a mask keeps its infinity, and what begins it is divided. What is
// stored of the maximum has its factor.
// CHECK-LABEL: func.func @carried
// CHECK:         %0 = tile.splat -8.0e+30 : tensor<8xf32
// CHECK-NEXT:    %top, %total = tile.for %n = 0 to 384 by n:128 iter_args(%t = %0, %s = %none) {
// CHECK-NOT:       arith.mulf
// CHECK:           %seen = tile.select %mask, %raw, %{{.*}}
// CHECK-NEXT:      %here = tile.reduce max %seen dims [1]
// CHECK-NEXT:      %next = arith.maximumf %t, %here : tensor<8xf32
// CHECK-NEXT:      %nextw = tile.broadcast %next dims [0]
// CHECK-NEXT:      %d = arith.subf %seen, %nextw
// CHECK-NEXT:      %[[FACTOR:.*]] = tile.splat 0.18033688 : tensor<8x128xf32
// CHECK-NEXT:      %[[POWER:.*]] = arith.mulf %d, %[[FACTOR]]
// CHECK-NEXT:      %p = math.exp2 %[[POWER]]
// CHECK-NEXT:      %drop = arith.subf %t, %next
// CHECK-NEXT:      %[[FACTOR:.*]] = tile.splat 0.18033688 : tensor<8xf32
// CHECK-NEXT:      %[[POWER:.*]] = arith.mulf %drop, %[[FACTOR]]
// CHECK-NEXT:      %scale = math.exp2 %[[POWER]]
// CHECK:           tile.yield %next, %sum
// CHECK:         %[[C:.*]] = tile.splat 0.125 : tensor<8xf32
// CHECK-NEXT:    %[[TOP:.*]] = arith.mulf %top, %[[C]]
// CHECK-NEXT:    tile.store %[[TOP]], %tops[%m]
func.func @carried(%q: memref<64x32xf32>, %k: memref<384x32xf32>, %tops: memref<64xf32>, %out: memref<64xf32>)
    -> (memref<64xf32>, memref<64xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %x = tile.load %q[%m, :]
    %lowest = tile.splat -1.0e30 : tensor<8xf32, #tile.spans<m>>
    %none = tile.splat 0.0 : tensor<8xf32, #tile.spans<m>>
    %top, %total = tile.for %n = 0 to 384 by n:128 iter_args(%t = %lowest, %s = %none) {
      %y = tile.load %k[%n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %eight = tile.splat 8.0 : tensor<8x128xf32, #tile.spans<m, n>>
      %scores = arith.divf %raw, %eight : tensor<8x128xf32, #tile.spans<m, n>>
      %rows = tile.indices %m
      %cols = tile.indices %n
      %r = tile.broadcast %rows dims [0] : tensor<8x128xi32, #tile.spans<m, n>>
      %c = tile.broadcast %cols dims [1] : tensor<8x128xi32, #tile.spans<m, n>>
      %mask = tile.compare ge %r, %c
      %never = tile.splat -inf : tensor<8x128xf32, #tile.spans<m, n>>
      %seen = tile.select %mask, %scores, %never
      %here = tile.reduce max %seen dims [1]
      %next = arith.maximumf %t, %here : tensor<8xf32, #tile.spans<m>>
      %nextw = tile.broadcast %next dims [0] : tensor<8x128xf32, #tile.spans<m, n>>
      %d = arith.subf %seen, %nextw : tensor<8x128xf32, #tile.spans<m, n>>
      %p = math.exp %d : tensor<8x128xf32, #tile.spans<m, n>>
      %drop = arith.subf %t, %next : tensor<8xf32, #tile.spans<m>>
      %scale = math.exp %drop : tensor<8xf32, #tile.spans<m>>
      %kept = arith.mulf %s, %scale : tensor<8xf32, #tile.spans<m>>
      %new = tile.reduce add %p dims [1]
      %sum = arith.addf %kept, %new : tensor<8xf32, #tile.spans<m>>
      tile.yield %next, %sum
    }
    tile.store %top, %tops[%m]
    tile.store %total, %out[%m]
  }
  return %tops, %out : memref<64xf32>, memref<64xf32>
}

// Two products by one number are one; powers of 2 have it as it is.
// CHECK-LABEL: func.func @two
// CHECK:         %d = arith.subf %a, %b
// CHECK-NEXT:    %[[C:.*]] = tile.splat 0.25
// CHECK-NEXT:    %[[POWER:.*]] = arith.mulf %d, %[[C]]
// CHECK-NEXT:    %p = math.exp2 %[[POWER]]
func.func @two(%x: memref<64x32xf32>, %y: memref<64x32xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.load %x[%m, :]
    %b = tile.load %y[%m, :]
    %c = tile.splat 0.25 : tensor<8x32xf32, #tile.spans<m, _>>
    %s = arith.mulf %a, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %t = arith.mulf %b, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %d = arith.subf %s, %t : tensor<8x32xf32, #tile.spans<m, _>>
    %p = math.exp2 %d : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %p, %x[%m, :]
  }
  return
}

// One value begins two that are carried, and one of them meets what has no such factor: the product stays.
// CHECK-LABEL: func.func @twice
// CHECK:         %s = arith.mulf %a, %c
// CHECK-NOT:     exp2
func.func @twice(%x: memref<64x32xf32>, %sums: memref<64xf32>) -> (memref<64x32xf32>, memref<64xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.load %x[%m, :]
    %c = tile.splat 0.25 : tensor<8x32xf32, #tile.spans<m, _>>
    %s = arith.mulf %a, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %here = tile.reduce max %s dims [1]
    %top, %sum = tile.for %i = 0 to 3 iter_args(%t = %here, %u = %here) {
      %more = tile.load %sums[%m]
      %next = arith.addf %u, %more : tensor<8xf32, #tile.spans<m>>
      tile.yield %t, %next
    }
    %topw = tile.broadcast %top dims [0] : tensor<8x32xf32, #tile.spans<m, _>>
    %d = arith.subf %s, %topw : tensor<8x32xf32, #tile.spans<m, _>>
    %p = math.exp %d : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %p, %x[%m, :]
    tile.store %sum, %sums[%m]
  }
  return %x, %sums : memref<64x32xf32>, memref<64xf32>
}

// A product stays that turns the order round, has another type, meets a factor of its own, or is used otherwise.
// CHECK-LABEL: func.func @stays
// CHECK-NOT:     exp2
func.func @stays(%x: memref<64x32xf32>, %y: memref<64x32xf32>, %h: memref<64x32xbf16>) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.load %x[%m, :]
    %b = tile.load %y[%m, :]
    %c = tile.splat -0.25 : tensor<8x32xf32, #tile.spans<m, _>>
    %s = arith.mulf %a, %c : tensor<8x32xf32, #tile.spans<m, _>>
    %p = math.exp %s : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %p, %x[%m, :]
    %f = tile.splat 0.25 : tensor<8x32xf32, #tile.spans<m, _>>
    %g = tile.splat 0.5 : tensor<8x32xf32, #tile.spans<m, _>>
    %t = arith.mulf %a, %f : tensor<8x32xf32, #tile.spans<m, _>>
    %u = arith.mulf %b, %g : tensor<8x32xf32, #tile.spans<m, _>>
    %d = arith.subf %t, %u : tensor<8x32xf32, #tile.spans<m, _>>
    %q = math.exp %d : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %q, %x[%m, :]
    %w = arith.mulf %a, %f : tensor<8x32xf32, #tile.spans<m, _>>
    %r = math.exp %w : tensor<8x32xf32, #tile.spans<m, _>>
    tile.store %r, %x[%m, :]
    tile.store %w, %x[%m, :]
    %e = tile.load %h[%m, :]
    %i = tile.splat 0.25 : tensor<8x32xbf16, #tile.spans<m, _>>
    %v = arith.mulf %e, %i : tensor<8x32xbf16, #tile.spans<m, _>>
    %o = math.exp %v : tensor<8x32xbf16, #tile.spans<m, _>>
    tile.store %o, %h[%m, :]
  }
  return
}
