// Positions in a flattened array become windows of the array that it was, or of a view that has its rows.

// RUN: tile-opt %s --choose-blocks="m=16 n=128" --raise-gathers | filecheck %s
// RUN: tile-opt %s --choose-blocks="m=16 n=128" --raise-gathers --explain 2>&1 >/dev/null | filecheck %s --check-prefix=NOTES --match-full-lines

// Rows of 200 from the 3rd on; what is scattered goes to the array itself, which nothing accesses otherwise.
func.func @rows(%x: memref<45x200xf32>) -> memref<40x200xf32> {
  %flat = tile.view %x : memref<45x200xf32> to memref<9000xf32>
  %out = tile.empty : memref<40x200xf32>
  %flat_out = tile.view %out : memref<40x200xf32> to memref<8000xf32>
  tile.grid %m = 0 to 40 by m, %n = 0 to 200 by n {
    %i = tile.indices %m
    %j = tile.indices %n
    %rows = tile.broadcast %i dims [0] : tensor<?x?xi32, #tile.spans<m, n>>
    %columns = tile.broadcast %j dims [1] : tensor<?x?xi32, #tile.spans<m, n>>
    %row = tile.splat 200 : tensor<?x?xi32, #tile.spans<m, n>>
    %begins = arith.muli %rows, %row : tensor<?x?xi32, #tile.spans<m, n>>
    %p = arith.addi %begins, %columns : tensor<?x?xi32, #tile.spans<m, n>>
    %v = tile.gather %flat[%p + 600]
    tile.scatter %v, %flat_out[%p]
  }
  return %out : memref<40x200xf32>
}
// CHECK-LABEL: func.func @rows
// CHECK:         %v = tile.load %x[%m + 3, %n]
// CHECK-NEXT:    tile.store %v, %out[%m, %n]

// An argument that is flat is viewed in rows. Columns first, which a transposition puts back.
func.func @columns(%x: memref<12800xf32>) -> memref<128x100xf32> {
  %out = tile.empty : memref<128x100xf32>
  tile.grid %n = 0 to 128 by n, %m = 0 to 100 by m {
    %i = tile.indices %m
    %j = tile.indices %n
    %rows = tile.broadcast %i dims [1] : tensor<?x?xi32, #tile.spans<n, m>>
    %columns = tile.broadcast %j dims [0] : tensor<?x?xi32, #tile.spans<n, m>>
    %row = tile.splat 128 : tensor<?x?xi32, #tile.spans<n, m>>
    %begins = arith.muli %rows, %row : tensor<?x?xi32, #tile.spans<n, m>>
    %p = arith.addi %begins, %columns : tensor<?x?xi32, #tile.spans<n, m>>
    %v = tile.gather %x[%p]
    tile.store %v, %out[%n, %m]
  }
  return %out : memref<128x100xf32>
}
// CHECK-LABEL: func.func @columns
// CHECK-NEXT:    %x_1 = tile.view %x : memref<12800xf32> to memref<100x128xf32>
// CHECK:         %v = tile.load %x_1[%m, %n]
// CHECK-NEXT:    %v_1 = tile.transpose %v [1, 0]
// CHECK-NEXT:    tile.store %v_1, %out[%n, %m]

// Three dimensions, of which one is an index, and one that a lane's position does not depend on.
func.func @heads(%x: memref<40x4x128xf32>) -> memref<4x40x2x128xf32> {
  %flat = tile.view %x : memref<40x4x128xf32> to memref<20480xf32>
  %out = tile.empty : memref<4x40x2x128xf32>
  tile.grid %h = 0 to 4, %m = 0 to 40 by m {
    %i = tile.indices %m
    %row = tile.splat 512 : tensor<?xi32, #tile.spans<m>>
    %begins = arith.muli %i, %row : tensor<?xi32, #tile.spans<m>>
    %h0 = arith.index_cast %h : index to i32
    %size = arith.constant 128 : i32
    %h1 = arith.muli %h0, %size : i32
    %head = tile.broadcast %h1 dims [] : tensor<?xi32, #tile.spans<m>>
    %base = arith.addi %begins, %head : tensor<?xi32, #tile.spans<m>>
    tile.for %n = 0 to 128 by n {
      %j = tile.indices %n
      %bases = tile.broadcast %base dims [0] : tensor<?x2x?xi32, #tile.spans<m, _, n>>
      %lanes = tile.broadcast %j dims [2] : tensor<?x2x?xi32, #tile.spans<m, _, n>>
      %p = arith.addi %bases, %lanes : tensor<?x2x?xi32, #tile.spans<m, _, n>>
      %v = tile.gather %flat[%p]
      tile.store %v, %out[%h, %m, :, %n]
    }
  }
  return %out : memref<4x40x2x128xf32>
}
// CHECK-LABEL: func.func @heads
// CHECK:         [[V:%[a-z0-9_]+]] = tile.load %x[%m, %h, %n]
// CHECK-NEXT:    tile.broadcast [[V]] dims [0, 2] : tensor<16x2x128xf32, #tile.spans<m, _, n>>

// Columns that may run on into the next row are no window; nor is an array that the kernel writes in
// another shape, or one whose extent is no multiple of the rows.
func.func @no_rows(%x: memref<9000xf32>, %y: memref<9001xf32>, %shift: memref<1xi32>) -> memref<41x200xf32> {
  %out = tile.full 0.0 : memref<41x200xf32>
  %flat_out = tile.view %out : memref<41x200xf32> to memref<8200xf32>
  tile.grid %m = 0 to 40 by m, %n = 0 to 200 by n {
    %i = tile.indices %m
    %j = tile.indices %n
    %rows = tile.broadcast %i dims [0] : tensor<?x?xi32, #tile.spans<m, n>>
    %columns = tile.broadcast %j dims [1] : tensor<?x?xi32, #tile.spans<m, n>>
    %row = tile.splat 200 : tensor<?x?xi32, #tile.spans<m, n>>
    %begins = arith.muli %rows, %row : tensor<?x?xi32, #tile.spans<m, n>>
    %p = arith.addi %begins, %columns : tensor<?x?xi32, #tile.spans<m, n>>
    %v = tile.gather %x[%p + 1]
    %w = tile.gather %y[%p]
    %s = tile.load %shift[0]
    %by = tile.broadcast %s dims [] : tensor<?x?xi32, #tile.spans<m, n>>
    %q = arith.addi %p, %by : tensor<?x?xi32, #tile.spans<m, n>>
    %u = tile.gather %x[%q]
    tile.scatter %u, %flat_out[%p]
    %last = tile.load %flat_out[8199]
  }
  return %out : memref<41x200xf32>
}
// NOTES: {{.*}}/raise-gathers-views.mlir:91:5: note: raise-gathers: tile.gather keeps its computed positions: they may run on into the next row of 200: from 1 to 200
// NOTES-NEXT: {{.*}}/raise-gathers-views.mlir:92:5: note: raise-gathers: tile.gather keeps its computed positions: an extent of 9001 is not made of parts of 200, 1
// NOTES-NEXT: {{.*}}/raise-gathers-views.mlir:96:5: note: raise-gathers: tile.gather keeps its computed positions: what is added in a row of 200 is not known to stay there
// NOTES-NEXT: {{.*}}/raise-gathers-views.mlir:97:5: note: raise-gathers: tile.scatter keeps its computed positions: %flat_out is written, and {{.*}}/raise-gathers-views.mlir:98:5 accesses it in another shape

// A promise of no more columns than a row has is enough.
func.func @promised(%rows: memref<45x200xf32>, %widths: memref<40xi32>) -> memref<40x200xf32> {
  %x = tile.view %rows : memref<45x200xf32> to memref<9000xf32>
  %out = tile.full 0.0 : memref<40x200xf32>
  tile.grid %g = 0 to 40 {
    %l = tile.load %widths[%g]
    %width = arith.index_cast %l : i32 to index
    tile.for %n = 0 to %width by n max 200 {
      %i = arith.index_cast %g : index to i32
      %r = tile.broadcast %i dims [] : tensor<?xi32, #tile.spans<n>>
      %row = tile.splat 200 : tensor<?xi32, #tile.spans<n>>
      %begins = arith.muli %r, %row : tensor<?xi32, #tile.spans<n>>
      %j = tile.indices %n
      %p = arith.addi %begins, %j : tensor<?xi32, #tile.spans<n>>
      %v = tile.gather %x[%p]
      tile.store %v, %out[%g, %n]
    }
  }
  return %out : memref<40x200xf32>
}
// CHECK-LABEL: func.func @promised
// CHECK:         tile.load %rows[%g, %n]
