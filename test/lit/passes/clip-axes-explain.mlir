// --explain tells why an axis through which all is accessed from one place keeps its end.

// RUN: tile-opt %s --clip-axes --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @kept_ends(%x: memref<60xf32>, %y: memref<60xf32>, %offsets: memref<9xi32>) -> (memref<60xf32>, memref<60xf32>, memref<60xf32>) {
  %a = tile.empty : memref<60xf32>
  %c = tile.empty : memref<60xf32>
  %d = tile.empty : memref<60xf32>
  %zero = arith.constant 0.0 : f32
  tile.grid %g = 0 to 1 {
    %b0 = tile.load %offsets[%g]
    %e0 = tile.load %offsets[%g + 1]
    %n = arith.subi %e0, %b0 : i32
    %b = arith.index_cast %b0 : i32 to index
    tile.for %m = 0 to 20 by m {
      %v = tile.load %x[%m + %b]
      tile.store %v, %a[%m + %b]
    }
    tile.for %m = 0 to 20 by m {
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %v = tile.load %x[%m + %b] mask %live other %zero
      %s = tile.scan add %v dim 0
      tile.store %s, %c[%m + %b] mask %live
    }
    tile.for %m = 0 to 20 by m {
      %end = tile.bound end %m
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %e = arith.index_cast %end : index to i32
      %f = tile.cast %e to f32
      %s = tile.broadcast %f dims [] : tensor<?xf32, #tile.spans<m>>
      tile.store %s, %d[%m + %b] mask %live
    }
    tile.for %m = 0 to 20 by m {
      %end = tile.bound end %m
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %sum = tile.for %j = 0 to %end by j max 20 iter_args(%t = %zero) {
        %w = tile.load %y[%j]
        %p = tile.reduce add %w dims [0]
        %q = arith.addf %t, %p : f32
        tile.yield %q
      }
      %s = tile.broadcast %sum dims [] : tensor<?xf32, #tile.spans<m>>
      tile.store %s, %d[%m + %b] mask %live
    }
    tile.for %m = 0 to 20 by m {
      %begin = tile.bound begin %m
      %i = tile.indices %m
      %k = arith.index_cast %begin : index to i32
      %nk = arith.addi %n, %k : i32
      %ns = tile.broadcast %nk dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %v = tile.load %x[%m + %b] mask %live other %zero
      tile.store %v, %c[%m + %b] mask %live
    }
    %carried = tile.for %m = 0 to 20 by m iter_args(%t = %zero) {
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %v = tile.load %x[%m + %b] mask %live other %zero
      tile.store %v, %c[%m + %b] mask %live
      %one = arith.constant 1.0 : f32
      %q = arith.addf %t, %one : f32
      tile.yield %q
    }
    tile.for %m = 0 to 20 by m {
      %true = arith.constant true
      %five = arith.constant 5 : i32
      %n1 = tile.load %offsets[3] mask %true other %five
      %i = tile.indices %m
      %ns = tile.broadcast %n1 dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %v = tile.load %x[%m + %b] mask %live other %zero
      tile.store %v, %c[%m + %b] mask %live
    }
    tile.for %m = 0 to 20 by m {
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
      %sums = tile.for %f = 0 to %ns by f of m iter_args(%t = %none) {
        %w = tile.load %y[%f]
        %p = tile.reduce add %w dims [0]
        %ps = tile.broadcast %p dims [] : tensor<?xf32, #tile.spans<m>>
        tile.yield %ps
      }
      tile.store %sums, %c[%m + %b] mask %live
    }
    tile.for %m = 0 to 20 by m:32 {
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<32xi32, #tile.spans<m>>
      %live = tile.compare lt %i, %ns
      %v = tile.load %x[%m + %b] mask %live other %zero
      %ones = tile.splat 1.0 : tensor<32x32xf32, #tile.spans<m, m>>
      %sums = tile.reduce add %ones dims [1]
      %w = arith.addf %v, %sums : tensor<32xf32, #tile.spans<m>>
      tile.store %w, %c[%m + %b] mask %live
    }
  }
  return %a, %c, %d : memref<60xf32>, memref<60xf32>, memref<60xf32>
}
// CHECK: {{.*}}/clip-axes-explain.mlir:15:5: note: clip-axes: axis m keeps its end: not all that it writes is masked from one index on
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:19:5: note: clip-axes: axis m keeps its end: tile.scan mixes its lanes
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:27:5: note: clip-axes: axis m keeps its end: arith.index_cast depends on where its tiles end
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:37:5: note: clip-axes: axis m keeps its end: axis j ends where its tiles do, and may do something beyond
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:51:5: note: clip-axes: axis m keeps its end: what masks its writes depends on it
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:61:5: note: clip-axes: axis m keeps its end: it carries values
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:71:5: note: clip-axes: axis m keeps its end: what masks its writes is made by tile.load in it
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:81:5: note: clip-axes: axis m keeps its end: another axis is jagged of it
// CHECK-NEXT: {{.*}}/clip-axes-explain.mlir:94:5: note: clip-axes: axis m keeps its end: tile.splat mixes its lanes
// CHECK-NOT: {{.+}}
