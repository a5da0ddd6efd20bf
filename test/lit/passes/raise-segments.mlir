// Loads of `offsets[i]` and `offsets[i + 1]` with an axis between them become the segment that they are.

// RUN: tile-opt %s --raise-segments | filecheck %s
// RUN: tile-opt %s --raise-segments --choose-blocks="m=8" --classify-axes | filecheck %s --check-prefix=AXES

// What is stored through the axis does not meet between segments.
func.func @doubled(%x: memref<?x128xf32>, %offsets: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 8 {
    %b0 = tile.load %offsets[%g]
    %b = arith.index_cast %b0 : i32 to index
    %e0 = tile.load %offsets[%g + 1]
    %e = arith.index_cast %e0 : i32 to index
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
      %n = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %n, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @doubled
// CHECK:         tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %b, %e = tile.segment %offsets[%g]
// CHECK-NEXT:      tile.for %m = %b to %e by m {
// AXES-LABEL: func.func @doubled
// AXES:         tile.grid %g = 0 to 8 parallel {
// AXES:           tile.for %m = %b to %e by m:8 parallel {

// The axis may begin elsewhere if its length is that of the segment. Whatever the arithmetic, and in any
// order; integers that are used otherwise are those of the segment too, and so are two axes of one segment.
func.func @lengths(%offsets: memref<20xi32>, %groups: memref<4xi32>) -> memref<2x4xi32> {
  %out = tile.empty : memref<2x4xi32>
  %one = arith.constant 1 : index
  tile.grid %g = 0 to 4 {
    %group = tile.load %groups[%g]
    %i = arith.index_cast %group : i32 to index
    %after = arith.addi %i, %one : index
    %e0 = tile.load %offsets[%after]
    %e = arith.index_cast %e0 : i32 to index
    %b0 = tile.load %offsets[%i]
    %b = arith.index_cast %b0 : i32 to index
    %n0 = arith.subi %e0, %b0 : i32
    %n = arith.index_cast %n0 : i32 to index
    %none = arith.constant 0 : i32
    %sum = tile.for %m = 0 to %n by m iter_args(%a = %none) {
      %rows = tile.indices %m
      %s = tile.reduce add %rows dims [0]
      %next = arith.addi %a, %s : i32
      tile.yield %next
    }
    %all = tile.for %j = %b to %e iter_args(%a = %sum) {
      %next = arith.addi %a, %n0 : i32
      tile.yield %next
    }
    tile.store %sum, %out[0, %g]
    tile.store %all, %out[1, %g]
  }
  return %out : memref<2x4xi32>
}
// CHECK-LABEL: func.func @lengths
// CHECK:         %i = arith.index_cast %group : i32 to index
// CHECK:         [[I:%[0-9]+]] = arith.index_cast %group : i32 to index
// CHECK-NEXT:    %b, %e = tile.segment %offsets[[[I]]]
// CHECK-NEXT:    %e0 = arith.index_cast %e : index to i32
// CHECK-NEXT:    %b0 = arith.index_cast %b : index to i32
// CHECK-NEXT:    %n0 = arith.subi %e0, %b0 : i32
// CHECK-NEXT:    %n = arith.index_cast %n0 : i32 to index
// CHECK:         tile.for %m = 0 to %n by m
// CHECK:         tile.for %j = %b to %e
// CHECK-NOT:     tile.segment

// Under a condition of its own the later load keeps the segment there; what is before it keeps its load.
func.func @conditional(%offsets: memref<9xi32>, %out: memref<9xi32>) -> memref<9xi32> {
  %last = arith.constant 8 : index
  tile.grid %g = 0 to 9 {
    %b0 = tile.load %offsets[%g]
    %b = arith.index_cast %b0 : i32 to index
    tile.store %b0, %out[%g]
    %p = arith.cmpi slt, %g, %last : index
    scf.if %p {
      %e0 = tile.load %offsets[%g + 1]
      %e = arith.index_cast %e0 : i32 to index
      %none = arith.constant 0 : i32
      %sum = tile.for %m = %b to %e by m iter_args(%a = %none) {
        %rows = tile.indices %m
        %s = tile.reduce add %rows dims [0]
        %next = arith.addi %a, %s : i32
        tile.yield %next
      }
      tile.store %sum, %out[%g]
    }
  }
  return %out : memref<9xi32>
}
// CHECK-LABEL: func.func @conditional
// CHECK:         %b0 = tile.load %offsets[%g]
// CHECK:         tile.store %b0, %out[%g]
// CHECK:         scf.if
// CHECK-NEXT:      %b, %e = tile.segment %offsets[%g]
// CHECK:           tile.for %m = %b to %e by m

// The first eight rows of each group: the least of two integers is that of two indices, one of which is the
// end of a segment.
func.func @first_rows(%x: memref<?x128xf32>, %offsets: memref<9xi32>) {
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : i32
  tile.grid %g = 0 to 8 {
    %b0 = tile.load %offsets[%g]
    %e0 = tile.load %offsets[%g + 1]
    %most = arith.addi %b0, %eight : i32
    %least = arith.minsi %e0, %most : i32
    %b = arith.index_cast %b0 : i32 to index
    %e = arith.index_cast %least : i32 to index
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
    }
  }
  return
}
// CHECK-LABEL: func.func @first_rows
// CHECK:           %b, %e = tile.segment %offsets[%g]
// CHECK-NEXT:      %b0 = arith.index_cast %b : index to i32
// CHECK-NEXT:      %most = arith.addi %b0, %eight : i32
// CHECK-NEXT:      [[MOST:%[a-z0-9_]+]] = arith.index_cast %most : i32 to index
// CHECK-NEXT:      [[END:%[a-z0-9_]+]] = arith.minsi %e, [[MOST]] : index
// CHECK-NEXT:      tile.for %m = %b to [[END]] by m {

// What else loads the begin or the end, before the two or behind them, is the segment's too.
func.func @loaded_again(%x: memref<?x128xf32>, %offsets: memref<9xi32>) {
  %eight = arith.constant 8 : i32
  tile.grid %g = 0 to 8 {
    %first = tile.load %offsets[%g]
    %most = arith.addi %first, %eight : i32
    %b0 = tile.load %offsets[%g]
    %e0 = tile.load %offsets[%g + 1]
    %b = arith.index_cast %b0 : i32 to index
    %e = arith.index_cast %e0 : i32 to index
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
    }
    %last = tile.load %offsets[%g + 1]
    %next = tile.load %offsets[%g + 2]
    %least = arith.minsi %last, %most : i32
    %d = arith.index_cast %least : i32 to index
    tile.for %n = %b to %d by n {
      %v = tile.load %x[%n, :]
    }
  }
  return
}
// CHECK-LABEL: func.func @loaded_again
// CHECK:         tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %b, %e = tile.segment %offsets[%g]
// CHECK-NEXT:      %first = arith.index_cast %b : index to i32
// CHECK-NEXT:      %most = arith.addi %first, %eight : i32
// CHECK-NEXT:      tile.for %m = %b to %e by m {
// CHECK:           %next = tile.load %offsets[%g + 2]
// CHECK:           [[END:%[a-z0-9_]+]] = arith.minsi %e, %{{.*}} : index
// CHECK-NEXT:      tile.for %n = %b to [[END]] by n {

// The last eight rows of each group: the largest of two integers.
func.func @last_rows(%x: memref<?x128xf32>, %offsets: memref<9xi32>) {
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : i32
  tile.grid %g = 0 to 8 {
    %b0 = tile.load %offsets[%g]
    %e0 = tile.load %offsets[%g + 1]
    %most = arith.subi %e0, %eight : i32
    %largest = arith.maxsi %b0, %most : i32
    %b = arith.index_cast %largest : i32 to index
    %e = arith.index_cast %e0 : i32 to index
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
    }
  }
  return
}
// CHECK-LABEL: func.func @last_rows
// CHECK:           [[B:%[a-z0-9_]+]], %e = tile.segment %offsets[%g]
// CHECK:           [[BEGIN:%[a-z0-9_]+]] = arith.maxsi [[B]], {{%[a-z0-9_]+}} : index
// CHECK-NEXT:      tile.for %m = [[BEGIN]] to %e by m {
