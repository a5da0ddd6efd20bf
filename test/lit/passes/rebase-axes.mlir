// Axes of unknown length begin where all that is accessed through them does.

// RUN: tile-opt %s --rebase-axes | filecheck %s

// Windows and computed positions, whatever literals are added; what asks for indices or bounds subtracts.
func.func @from_the_begin(%x: memref<64x128xf32>, %y: memref<64xf32>, %offsets: memref<9xi32>, %out: memref<64x128xf32>) -> (memref<64x128xf32>, memref<8xi32>) {
  %flat = tile.view %x : memref<64x128xf32> to memref<8192xf32>
  %sums = tile.empty : memref<8xi32>
  %none = arith.constant 0 : i32
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    %n = arith.subi %e, %b : index
    %sum = tile.for %m = 0 to %n by m max 64 mean 12 iter_args(%a = %none) {
      %v = tile.load %x[%m + %b, :]
      %w = tile.broadcast %v dims [0, 1] : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %w, %out[%m + %b, :]
      %i = tile.indices %m
      %b0 = arith.index_cast %b : index to i32
      %bs = tile.broadcast %b0 dims [] : tensor<?xi32, #tile.spans<m>>
      %p = arith.addi %i, %bs : tensor<?xi32, #tile.spans<m>>
      %f = tile.gather %y[%p]
      %row = tile.splat 128 : tensor<?xi32, #tile.spans<m>>
      %q = arith.muli %p, %row : tensor<?xi32, #tile.spans<m>>
      %h = tile.gather %flat[%q + 5]
      %begin = tile.bound begin %m
      %c = arith.index_cast %begin : index to i32
      %s = tile.reduce add %i dims [0]
      %t = arith.addi %a, %s : i32
      tile.yield %t
    }
    tile.store %sum, %sums[%g]
  }
  return %out, %sums : memref<64x128xf32>, memref<8xi32>
}
// CHECK-LABEL: func.func @from_the_begin
// CHECK:         tile.for %m = %b to %e by m max 64 mean 12 iter_args(%a = %none) {
// CHECK-NEXT:      %v = tile.load %x[%m, :]
// CHECK:           tile.store %w, %out[%m, :]
// CHECK-NEXT:      [[ROWS:%[a-z0-9_]+]] = tile.indices %m
// CHECK-NEXT:      [[B:%[a-z0-9_]+]] = arith.index_cast %b : index to i32
// CHECK-NEXT:      [[ALL:%[a-z0-9_]+]] = tile.broadcast [[B]] dims []
// CHECK-NEXT:      [[I:%[a-z0-9_]+]] = arith.subi [[ROWS]], [[ALL]]
// CHECK:           %p = arith.addi [[I]], %bs
// CHECK:           [[BEGIN:%[a-z0-9_]+]] = tile.bound begin %m
// CHECK-NEXT:      [[LESS:%[a-z0-9_]+]] = arith.subi [[BEGIN]], %b
// CHECK-NEXT:      %c = arith.index_cast [[LESS]]
// CHECK-NEXT:      tile.reduce add [[I]]

// Any scalar, and an axis that begins elsewhere. A literal is no place to begin, and stays.
func.func @from_a_scalar(%x: memref<?xf32>, %starts: memref<8xi32>, %lengths: memref<8xi32>) -> memref<8xf32> {
  %out = tile.empty : memref<8xf32>
  %one = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  tile.grid %g = 0 to 8 {
    %s0 = tile.load %starts[%g]
    %s = arith.index_cast %s0 : i32 to index
    %after = arith.addi %s, %one : index
    %n0 = tile.load %lengths[%g]
    %n = arith.index_cast %n0 : i32 to index
    %sum = tile.for %m = 1 to %n by m iter_args(%a = %zero) {
      %v = tile.load %x[%m + %s]
      %w = tile.load %x[%m + %after]
      %u = arith.addf %v, %w : tensor<?xf32, #tile.spans<m>>
      %r = tile.reduce add %u dims [0]
      %t = arith.addf %a, %r : f32
      tile.yield %t
    }
    tile.store %sum, %out[%g]
  }
  return %out : memref<8xf32>
}
// CHECK-LABEL: func.func @from_a_scalar
// CHECK:         [[S:%[0-9]+]] = arith.index_cast %s0 : i32 to index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    [[FROM:%[0-9]+]] = arith.addi [[S]], %c1 : index
// CHECK:         [[TO:%[0-9]+]] = arith.addi
// CHECK-NEXT:    %sum = tile.for %m = [[FROM]] to [[TO]] by m
// CHECK-NEXT:      %v = tile.load %x[%m]
// CHECK-NEXT:      %w = tile.load %x[%m + 1]

// An end that is the least of two stays that: no further than a number of rows, and in the segment.
func.func @cut(%x: memref<64xf32>, %offsets: memref<9xi32>, %out: memref<64xf32>) -> memref<64xf32> {
  %most = arith.constant 4 : index
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    %n = arith.subi %e, %b : index
    %m = arith.minsi %n, %most : index
    tile.for %i = 0 to %m by i max 4 {
      %v = tile.load %x[%i + %b]
      tile.store %v, %out[%i + %b]
    }
  }
  return %out : memref<64xf32>
}
// CHECK-LABEL: func.func @cut
// CHECK:         [[TO:%[a-z0-9_]+]] = arith.addi %b, %c4 : index
// CHECK-NEXT:    [[END:%[a-z0-9_]+]] = arith.minsi %e, [[TO]] : index
// CHECK-NEXT:    tile.for %i = %b to [[END]] by i max 4 {
// CHECK-NEXT:      %v = tile.load %x[%i]

// What is written tells where the axis begins; a table of positions is read from before it.
func.func @positions(%x: memref<64x128xf32>, %table: memref<32x128xf32>, %offsets: memref<9xi32>, %out: memref<64x128xf32>) -> memref<64x128xf32> {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    %n = arith.subi %e, %b : index
    tile.for %m = 0 to %n by m {
      %v = tile.load %x[%m + %b, :]
      %p = tile.load %table[%m, :]
      %s = arith.addf %v, %p : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %s, %out[%m + %b, :]
    }
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @positions
// CHECK:         tile.for %m = %b to %e by m {
// CHECK-NEXT:      %v = tile.load %x[%m, :]
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      [[BACK:%[a-z0-9_]+]] = arith.subi %c0, %b : index
// CHECK-NEXT:      %p = tile.load %table[%m + [[BACK]], :]
// CHECK:           tile.store %s, %out[%m, :]

// Rows of two arrays of segments, one after the other: what is written tells where the axes begin, as their
// ranges then come in the order of the groups, and so do the literals that are added there.
func.func @both(%x: memref<64x128xf32>, %y: memref<32x128xf32>, %a: memref<9xi32>, %c: memref<9xi32>, %out: memref<112x128xf32>) -> memref<112x128xf32> {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m + %s, :]
    }
    %one = arith.constant 1 : index
    %end = arith.addi %e, %g : index
    %shift = arith.addi %end, %one : index
    tile.for %n = %s to %t by n {
      %w = tile.load %y[%n, :]
      tile.store %w, %out[%n + %shift, :]
    }
  }
  return %out : memref<112x128xf32>
}
// CHECK-LABEL: func.func @both
// CHECK:         [[FROM:%[a-z0-9_]+]] = arith.addi %b, %s : index
// CHECK-NEXT:    [[TO:%[a-z0-9_]+]] = arith.addi %e, %s : index
// CHECK-NEXT:    tile.for %m = [[FROM]] to [[TO]] by m {
// CHECK:           [[BACK:%[a-z0-9_]+]] = arith.subi %{{.*}}, %s : index
// CHECK-NEXT:      %v = tile.load %x[%m + [[BACK]], :]
// CHECK-NEXT:      tile.store %v, %out[%m, :]
// CHECK:           tile.store %w, %out[%n, :]
