// Arrays of single elements, of which many lanes find some, are copied to longer ones that are matrices.

// RUN: tile-opt %s --pad-elements | filecheck %s
// RUN: tile-opt %s --pad-elements --explain 2>&1 >/dev/null | filecheck %s --check-prefix=EXPLAIN
// RUN: tile-opt %s --pad-elements="order=rows" | filecheck %s --check-prefix=ROWS
// RUN: not tile-opt %s --pad-elements="order=whole" 2>&1 | filecheck %s --check-prefix=ORDER --match-full-lines
// ORDER: {{.*}}/pad-elements.mlir:1:1: error: pad-elements: order=whole; auto, inner, outer, rows are accepted
// ROWS-NOT: padded

// What was filled needs no copy before. 51,200 are 400 rows of 128; a copy goes through them in two steps.
func.func @counts(%ids: memref<65536xi32>) -> memref<50257xi32> {
  %out = tile.full 7 : memref<50257xi32>
  tile.grid %m = 0 to 65536 by m:1024 {
    %i = tile.load %ids[%m]
    %one = tile.splat 1 : tensor<1024xi32, #tile.spans<m>>
    tile.atomic_rmw add %one, %out[%i + 3] drop
  }
  return %out : memref<50257xi32>
}
// CHECK-LABEL: func.func @counts
// CHECK-NEXT:    %out = tile.full 7 : memref<50257xi32>
// CHECK-NEXT:    %out_padded = tile.full 7 : memref<51200xi32>
// CHECK-NEXT:    tile.grid %m = 0 to 65536 by m:1024 {
// CHECK:           tile.atomic_rmw add %one, %out_padded[%i + 3] drop
// CHECK:         tile.grid %out_lanes = 0 to 50257 by out_lanes:32768 {
// CHECK-NEXT:      %copied = tile.load %out_padded[%out_lanes]
// CHECK-NEXT:      tile.store %copied, %out[%out_lanes]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out
// EXPLAIN: pad-elements.mlir:16:5: note: pad-elements: it accesses a copy of 51200 elements

// What is only read is not copied back. Rows are copied together: blocks of 32, or all where they are fewer.
func.func @gathered(%x: memref<60x1001xf32>, %y: memref<6x1001xf32>, %ids: memref<60x65536xi32>)
    -> memref<60x65536xf32> {
  %out = tile.empty : memref<60x65536xf32>
  tile.grid %g = 0 to 60, %m = 0 to 65536 by m:1024 {
    %i = tile.load %ids[%g, %m]
    %v = tile.gather %x[%g, %i]
    %w = tile.gather %y[5, %i]
    %sum = arith.addf %v, %w : tensor<1024xf32, #tile.spans<m>>
    tile.store %sum, %out[%g, %m]
  }
  return %out : memref<60x65536xf32>
}
// CHECK-LABEL: func.func @gathered
// CHECK:         %x_padded = tile.full 0.0 : memref<60x1024xf32>
// CHECK-NEXT:    tile.grid %x_rows = 0 to 60 by x_rows:32, %x_lanes = 0 to 1001 by x_lanes:1024 {
// CHECK-NEXT:      %copied = tile.load %x[%x_rows, %x_lanes]
// CHECK-NEXT:      tile.store %copied, %x_padded[%x_rows, %x_lanes]
// CHECK-NEXT:    }
// CHECK-NEXT:    %y_padded = tile.full 0.0 : memref<6x1024xf32>
// CHECK-NEXT:    tile.grid %y_lanes = 0 to 1001 by y_lanes:1024 {
// CHECK-NEXT:      %copied_1 = tile.load %y[:, %y_lanes]
// CHECK-NEXT:      tile.store %copied_1, %y_padded[:, %y_lanes]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.grid %g = 0 to 60, %m = 0 to 65536 by m:1024 {
// CHECK:           tile.gather %x_padded[%g, %i]
// CHECK:         }
// CHECK-NEXT:    func.return %out

// A second grid that updates an array finds what the first one did; a view is copied as the array it shows.
// Lanes that a scatter drops, of which two may have one position, name no element of the copy either.
func.func @twice(%ids: memref<65536xi32>, %x: memref<65536xf32>) -> memref<7x143xf32> {
  %out = tile.empty : memref<7x143xf32>
  %flat = tile.view %out : memref<7x143xf32> to memref<1001xf32>
  tile.grid %m = 0 to 65536 by m:1024 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.scatter %v, %flat[%i] drop
  }
  tile.grid %n = 0 to 65536 by n:1024 {
    %i = tile.load %ids[%n]
    %v = tile.load %x[%n]
    tile.atomic_rmw add %v, %flat[%i] drop
  }
  return %out : memref<7x143xf32>
}
// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %out = tile.full 0.0 : memref<7x143xf32>
// CHECK-NEXT:    %flat = tile.view %out
// CHECK-NEXT:    %flat_padded = tile.full 0.0 : memref<1024xf32>
// CHECK-NEXT:    tile.grid %flat_lanes =
// CHECK:         tile.grid %m =
// CHECK:           [[SHORT:%.*]] = tile.splat 1001
// CHECK-NEXT:      [[LONG:%.*]] = tile.splat 1024
// CHECK-NEXT:      [[INSIDE:%.*]] = tile.compare lt %i, [[SHORT]]
// CHECK-NEXT:      [[KEPT:%.*]] = tile.select [[INSIDE]], %i, [[LONG]]
// CHECK-NEXT:      tile.scatter %v, %flat_padded{{\[}}[[KEPT]]] drop
// CHECK:         tile.grid %flat_lanes2 =
// CHECK:           tile.store %copied_1, %flat[%flat_lanes2]
// CHECK:         %flat_padded_1 = tile.full 0.0 : memref<1024xf32>
// CHECK-NEXT:    tile.grid %flat_lanes3 =
// CHECK:         tile.grid %n =
// CHECK:           tile.atomic_rmw add %{{.*}}, %flat_padded_1[%{{.*}}] drop

// Few lanes; an array that is a good matrix already, or is accessed otherwise too, or is of any length.
func.func @alone(%ids: memref<65536xi32>, %few: memref<1001xf32>, %good: memref<504xf32>,
    %both: memref<1001xf32>, %any: memref<?x1001xf32>) {
  tile.grid %m = 0 to 65536 by m:1024 {
    %i = tile.load %ids[%m]
    %a = tile.gather %good[%i]
    tile.atomic_rmw add %a, %any[0, %i]
    tile.scatter %a, %both[%i]
    %b = tile.gather %both[%i]
    tile.atomic_rmw max %b, %few[%i]
  }
  tile.grid %n = 0 to 4096 by n:1024 {
    %i = tile.load %ids[%n]
    %b = tile.gather %few[%i]
    tile.scatter %b, %good[%i]
  }
  return
}
// CHECK-LABEL: func.func @alone
// CHECK-NOT:     padded
