// Computed positions that follow each other become windows.

// RUN: tile-opt %s --choose-blocks="m=16" --raise-gathers | filecheck %s

// Whatever the arithmetic: sums, differences, products with literals, casts, broadcasts, transpositions.
func.func @associations(%x: memref<100x128xf32>, %y: memref<600xbf16>, %starts: memref<8xi32>) -> (memref<8x40x128xf32>, memref<8x40xbf16>) {
  %out = tile.empty : memref<8x40x128xf32>
  %vector = tile.empty : memref<8x40xbf16>
  %four = arith.constant 4 : i32
  tile.grid %g = 0 to 8 {
    %start = tile.load %starts[%g]
    tile.for %m = 0 to 40 by m {
      %i = tile.indices %m
      %two = tile.splat 2 : tensor<?xi32, #tile.spans<m>>
      %twice = arith.muli %i, %two : tensor<?xi32, #tile.spans<m>>
      %back = arith.subi %twice, %i : tensor<?xi32, #tile.spans<m>>
      %shift = tile.broadcast %start dims [] : tensor<?xi32, #tile.spans<m>>
      %p = arith.addi %shift, %back : tensor<?xi32, #tile.spans<m>>
      %v = tile.gather %x[%p, :]
      tile.store %v, %out[%g, %m, :]
      %quads = arith.muli %four, %start : i32
      %column = tile.reshape %i : tensor<?x1xi32, #tile.spans<m, _>>
      %row = tile.transpose %column [1, 0]
      %turned = tile.transpose %row [1, 0]
      %again = tile.reshape %turned : tensor<?xi32, #tile.spans<m>>
      %by = tile.broadcast %quads dims [] : tensor<?xi32, #tile.spans<m>>
      %q = arith.addi %again, %by : tensor<?xi32, #tile.spans<m>>
      %wide = tile.cast %q to i64
      %w = tile.gather %y[%wide + 7]
      tile.store %w, %vector[%g, %m]
    }
  }
  return %out, %vector : memref<8x40x128xf32>, memref<8x40xbf16>
}
// CHECK-LABEL: func.func @associations
// CHECK:         tile.for %m = 0 to 40 by m:16 {
// CHECK-NEXT:      [[B:%[0-9]+]] = arith.index_cast %start : i32 to index
// CHECK-NEXT:      %v = tile.load %x[%m + [[B]], :]
// CHECK-NEXT:      tile.store %v, %out[%g, %m, :]
// CHECK:           [[S:%[0-9]+]] = arith.index_cast %start : i32 to index
// CHECK-NEXT:      [[F:%[a-z0-9]+]] = arith.constant 4
// CHECK-NEXT:      [[P:%[0-9]+]] = arith.muli [[S]], [[F]]
// CHECK-NEXT:      [[C:%[a-z0-9]+]] = arith.constant 7
// CHECK-NEXT:      [[Q:%[0-9]+]] = arith.addi [[P]], [[C]]
// CHECK-NEXT:      %w = tile.load %y[%m + [[Q]]]

// Literal shifts stay literals; a segment's begin is a scalar as any other. What is stored and updated goes
// where it went, and masks stay where all positions are inside.
func.func @updates(%x: memref<96xf32>, %ids: memref<96xi32>, %offsets: memref<9xi32>, %out: memref<100xf32>, %bins: memref<104xf32>) -> (memref<100xf32>, memref<104xf32>, memref<96xi32>) {
  %masked = tile.empty : memref<96xi32>
  tile.grid %m = 0 to 96 by m {
    %i = tile.indices %m
    %four = tile.splat 4 : tensor<?xi32, #tile.spans<m>>
    %p = arith.addi %i, %four : tensor<?xi32, #tile.spans<m>>
    %v = tile.load %x[%m]
    tile.scatter %v, %out[%p]
    tile.atomic_rmw add %v, %bins[%p + 4]
    %id = tile.load %ids[%m]
    %live = tile.compare lt %id, %four
    %none = arith.constant 0 : i32
    %w = tile.gather %ids[%i] mask %live other %none
    tile.store %w, %masked[%m]
  }
  return %out, %bins, %masked : memref<100xf32>, memref<104xf32>, memref<96xi32>
}
// CHECK-LABEL: func.func @updates
// CHECK:         %v = tile.load %x[%m]
// CHECK-NEXT:    tile.store %v, %out[%m + 4]
// CHECK-NEXT:    tile.atomic_rmw add %v, %bins[%m + 8]
// CHECK:         %w = tile.load %ids[%m] mask %live other %none

// Where a tile begins is asked of it again.
func.func @from_a_tile(%x: memref<40x128xf32>) -> memref<4x16x128xf32> {
  %out = tile.empty : memref<4x16x128xf32>
  tile.grid %h = 0 to 4 by h:1 {
    %h_begin = tile.bound begin %h
    %c8 = arith.constant 8 : index
    %first = arith.muli %h_begin, %c8 : index
    tile.for %m = 0 to 16 by m {
      %i = tile.indices %m
      %b = arith.index_cast %first : index to i32
      %by = tile.broadcast %b dims [] : tensor<?xi32, #tile.spans<m>>
      %p = arith.addi %i, %by : tensor<?xi32, #tile.spans<m>>
      %v = tile.gather %x[%p, :]
      tile.store %v, %out[%h_begin, %m, :]
    }
  }
  return %out : memref<4x16x128xf32>
}
// CHECK-LABEL: func.func @from_a_tile
// CHECK:         tile.for %m
// CHECK-NEXT:      [[B:%[0-9a-z_]+]] = tile.bound begin %h
// CHECK-NEXT:      [[C:%[a-z0-9_]+]] = arith.constant 8
// CHECK-NEXT:      [[P:%[0-9]+]] = arith.muli [[B]], [[C]]
// CHECK-NEXT:      tile.load %x[%m + [[P]], :]

// What a mask or a condition keeps inside an array may be read through a window that reaches beyond it.
func.func @kept_inside(%x: memref<100xf32>, %starts: memref<9xi32>) -> memref<8x64xf32> {
  %out = tile.empty : memref<8x64xf32>
  %four = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  tile.grid %g = 0 to 8, %m = 0 to 64 by m {
    %start = tile.load %starts[%g]
    %end = tile.load %starts[%g + 1]
    %length = arith.subi %end, %start : i32
    %i = tile.indices %m
    %lengths = tile.broadcast %length dims [] : tensor<?xi32, #tile.spans<m>>
    %live = tile.compare lt %i, %lengths
    %by = tile.broadcast %start dims [] : tensor<?xi32, #tile.spans<m>>
    %p = arith.addi %i, %by : tensor<?xi32, #tile.spans<m>>
    %v = tile.gather %x[%p] mask %live other %zero
    tile.store %v, %out[%g, %m]
    %some = arith.cmpi slt, %g, %four : index
    scf.if %some {
      %w = tile.gather %x[%i - 30]
      tile.store %w, %out[%g, %m]
    }
  }
  return %out : memref<8x64xf32>
}
// CHECK-LABEL: func.func @kept_inside
// CHECK:         %v = tile.load %x[%m + {{%[0-9]+}}] mask %live other %zero
// CHECK:           %w = tile.load %x[%m - 30]

// Two scatters to one array, of which each would be a store that meets the other where that is a scatter still:
// the rows of group g of %a and then those of %c, which keep apart from those of other groups.
func.func @both(%x: memref<64x128xf32>, %a: memref<9xi32>, %c: memref<9xi32>, %out: memref<112x128xf32>) -> memref<112x128xf32> {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    %from = arith.addi %b, %s : index
    %middle = arith.addi %e, %s : index
    %to = arith.addi %e, %t : index
    tile.for %m = %from to %middle by m {
      %v = tile.load %x[%m, :]
      %i = tile.indices %m
      tile.scatter %v, %out[%i, :]
    }
    tile.for %n = %middle to %to by n {
      %w = tile.load %x[%n, :]
      %j = tile.indices %n
      tile.scatter %w, %out[%j, :]
    }
  }
  return %out : memref<112x128xf32>
}
// CHECK-LABEL: func.func @both
// CHECK:           tile.store %v, %out[%m, :]
// CHECK:           tile.store %w, %out[%n, :]
