// Accesses at computed positions compare the rows of the array, a block at a time, with the positions.

// RUN: tile-opt %s --expand-gathers="rows=256" | filecheck %s
// RUN: tile-opt %s --expand-gathers="order=inner rows=16" | filecheck %s --check-prefix=INNER
// RUN: tile-opt %s --expand-gathers="order=outer rows=256" | filecheck %s --check-prefix=OUTER

// The element that a lane names is selected; the mask chooses afterwards.
func.func @elements_gathered(%x: memref<600xf32>, %ids: memref<64xi32>) -> memref<64xf32> {
  %out = tile.empty : memref<64xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %none = tile.splat 0 : tensor<32xi32, #tile.spans<m>>
    %p = tile.compare ge %id, %none
    %other = tile.splat 7.0 : tensor<32xf32, #tile.spans<m>>
    %v = tile.gather %x[%id + 1] mask %p other %other
    tile.store %v, %out[%m]
  }
  return %out : memref<64xf32>
}
// CHECK-LABEL: func.func @elements_gathered
// CHECK:           %v = tile.splat 0.0 : tensor<32xf32, #tile.spans<m>>
// CHECK-NEXT:      %v_1 = tile.for %x_rows = 0 to 600 by x_rows:256 iter_args(%v_2 = %v) {
// CHECK-NEXT:        [[X:%[0-9]+]] = tile.load %x[%x_rows]
// CHECK-NEXT:        [[ROWS:%[0-9]+]] = tile.indices %x_rows
// CHECK-NEXT:        [[ONE:%[0-9]+]] = tile.splat 1 : tensor<32xi32, #tile.spans<m>>
// CHECK-NEXT:        [[ID:%[0-9]+]] = arith.addi %id, [[ONE]]
// CHECK-NEXT:        [[LEFT:%[0-9]+]] = tile.broadcast [[ROWS]] dims [0] : tensor<256x32xi32, #tile.spans<x_rows, m>>
// CHECK-NEXT:        [[RIGHT:%[0-9]+]] = tile.broadcast [[ID]] dims [1] : tensor<256x32xi32, #tile.spans<x_rows, m>>
// CHECK-NEXT:        %hits = tile.compare eq [[LEFT]], [[RIGHT]]
// CHECK-NEXT:        [[WIDE:%[0-9]+]] = tile.broadcast [[X]] dims [0]
// CHECK-NEXT:        [[ZERO:%[0-9]+]] = tile.splat 0.0
// CHECK-NEXT:        [[NAMED:%[0-9]+]] = tile.select %hits, [[WIDE]], [[ZERO]]
// CHECK-NEXT:        [[FOUND:%[0-9]+]] = tile.reduce add [[NAMED]] dims [0]
// CHECK-NEXT:        [[NEXT:%[0-9]+]] = arith.addf %v_2, [[FOUND]]
// CHECK-NEXT:        tile.yield [[NEXT]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %v_3 = tile.select %p, %v_1, %other
// CHECK-NEXT:      tile.store %v_3, %out[%m]
// INNER-LABEL: func.func @elements_gathered
// INNER:           tile.for %x_rows = 0 to 600 by x_rows:16

// Rows are multiplied by ones and zeros: integers byte by byte, as each byte is exact in bf16.
func.func @rows_gathered(%x: memref<?x128xi8>, %ids: memref<64xi32>) -> memref<64x128xi8> {
  %out = tile.empty : memref<64x128xi8>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<64x128xi8>
}
// CHECK-LABEL: func.func @rows_gathered
// CHECK:         [[EXTENT:%[0-9]+]] = memref.dim %x
// CHECK-NEXT:    tile.grid
// CHECK:           tile.for %x_rows = 0 to [[EXTENT]] by x_rows:256
// CHECK:             [[HITS:%[0-9]+]] = tile.select %hits
// CHECK:             [[ONES:%[0-9]+]] = tile.cast [[HITS]] to bf16
// CHECK:             [[WHOLE:%[0-9]+]] = tile.cast {{%[0-9]+}} to i32
// CHECK:             [[LOW:%[0-9]+]] = arith.andi [[WHOLE]]
// CHECK-NEXT:        [[BYTE:%[0-9]+]] = tile.cast [[LOW]] to bf16
// CHECK-COUNT-3:     arith.shrui [[WHOLE]]
// CHECK-NOT:         arith.shrui
// CHECK:             tile.dot [[ONES]], [[BYTE]] contract [0] x [0]
// CHECK-COUNT-3:     tile.dot [[ONES]]
// CHECK:           tile.cast %v_1 to i8

// The sum of the rows that name one row. Where a lane is not finite the product has a NaN, or an infinity; then
// only the finite ones are multiplied, and the others counted. One block of rows is an axis of the grid; asked
// for, it is a loop in each cell.
func.func @rows_added(%x: memref<64x128xbf16>, %ids: memref<64xi32>, %out: memref<40x128xbf16>) -> memref<40x128xbf16> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<40x128xbf16>
}
// CHECK-LABEL: func.func @rows_added
// CHECK:         tile.grid %m = 0 to 64 by m:32, %out_rows = 0 to 40 by out_rows:40 {
// CHECK:           %hits = tile.compare eq
// CHECK:           [[ONES:%[0-9]+]] = tile.cast {{%[0-9]+}} to bf16
// CHECK-NEXT:      [[SUM:%[0-9]+]] = tile.dot [[ONES]], %v
// CHECK-NEXT:      [[COLUMNS:%[0-9]+]] = tile.reduce add [[SUM]] dims [0]
// CHECK:           [[NAN:%[0-9]+]] = tile.reduce add {{%[0-9]+}} dims [0]
// CHECK:           [[STRANGE:%[0-9]+]] = arith.cmpf une, [[NAN]]
// CHECK-NEXT:      [[ALL:%[0-9]+]] = scf.if [[STRANGE]]
// CHECK-NEXT:        [[WIDE:%[0-9]+]] = tile.cast %v to f32
// CHECK-NEXT:        [[REST:%[0-9]+]] = arith.subf [[WIDE]], [[WIDE]]
// CHECK-NEXT:        [[ZERO:%[0-9]+]] = tile.splat 0.0
// CHECK-NEXT:        [[FINITE:%[0-9]+]] = tile.compare eq [[REST]], [[ZERO]]
// CHECK-NEXT:        [[NONE:%[0-9]+]] = tile.splat 0.0
// CHECK-NEXT:        [[CLEAN:%[0-9]+]] = tile.select [[FINITE]], %v, [[NONE]]
// CHECK:             tile.dot {{%[0-9]+}}, [[CLEAN]]
// CHECK:           } else {
// CHECK-NEXT:        scf.yield [[SUM]]
// CHECK:           tile.atomic_rmw add [[ALL]], %out[%out_rows, :]
// INNER-LABEL: func.func @rows_added
// INNER:         tile.grid %m = 0 to 64 by m:32 {
// INNER:           tile.for %out_rows = 0 to 40 by out_rows:16 {

// What was bf16 is multiplied as such, in one pass; an f32 is three of them.
func.func @wider_added(%x: memref<64x128xbf16>, %y: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<40x128xf32>, %other: memref<40x128xf32>) -> (memref<40x128xf32>, memref<40x128xf32>) {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    %wide = tile.cast %v to f32
    tile.atomic_rmw add %wide, %out[%id, :]
    %w = tile.load %y[%m, :]
    tile.atomic_rmw add %w, %other[%id, :]
  }
  return %out, %other : memref<40x128xf32>, memref<40x128xf32>
}
// CHECK-LABEL: func.func @wider_added
// CHECK:             tile.dot {{%[0-9]+}}, %v
// CHECK-NOT:         tile.dot {{.*}} precision highest
// CHECK:             scf.if
// CHECK:             } else {
// CHECK:             [[PARTS:%[0-9]+]] = tile.cast %w to bf16
// CHECK-COUNT-3:     tile.dot {{%[0-9]+}}, {{%[0-9]+}}{{$}}
// CHECK:             arith.cmpf une
// CHECK:             arith.mulf %{{[0-9]+}}, {{%[0-9]+}} : tensor<32x128xf32
// CHECK-COUNT-3:     tile.dot {{%[0-9]+}}, {{%[0-9]+}}{{$}}
// CHECK-NOT:         precision highest

// Positions in the second dimension: the value comes first in the product, so that none is transposed.
func.func @lanes_added(%x: memref<128x64xi32>, %ids: memref<64xi32>, %out: memref<128x600xi32>) -> memref<128x600xi32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[:, %m]
    tile.atomic_rmw add %v, %out[:, %id]
  }
  return %out : memref<128x600xi32>
}
// CHECK-LABEL: func.func @lanes_added
// CHECK:         tile.grid %m = 0 to 64 by m:32 {
// CHECK:           tile.for %out_rows = 0 to 600 by out_rows:256 {
// CHECK:             [[HITS:%[0-9]+]] = tile.select %hits
// CHECK:             [[ONES:%[0-9]+]] = tile.cast [[HITS]] to bf16
// CHECK:             [[LOW:%[0-9]+]] = arith.andi %v
// CHECK-NEXT:        [[BYTE:%[0-9]+]] = tile.cast [[LOW]] to bf16
// CHECK:             tile.dot [[BYTE]], [[ONES]] contract [1] x [1]
// CHECK:             tile.atomic_rmw add {{%[0-9]+}}, %out[:, %out_rows]
// OUTER-LABEL: func.func @lanes_added
// OUTER:         tile.grid %m = 0 to 64 by m:32, %out_rows = 0 to 600 by out_rows:256 {
// OUTER-NOT:       tile.for
// OUTER:           tile.atomic_rmw add {{%[0-9]+}}, %out[:, %out_rows]

// Narrow integers are compared as the array would hold them; a row that no lane names gets the identity.
func.func @most(%x: memref<64xi32>, %ids: memref<64xi32>, %out: memref<600xi8>) -> memref<600xi8> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw max %v, %out[%id]
  }
  return %out : memref<600xi8>
}
// CHECK-LABEL: func.func @most
// CHECK:             [[HELD:%[0-9]+]] = tile.cast %v to i8
// CHECK-NEXT:        [[KEPT:%[0-9]+]] = tile.cast [[HELD]] to i32
// CHECK-NEXT:        [[LANES:%[0-9]+]] = tile.broadcast [[KEPT]] dims [1]
// CHECK-NEXT:        [[NONE:%[0-9]+]] = tile.splat -128
// CHECK-NEXT:        [[NAMED:%[0-9]+]] = tile.select %hits, [[LANES]], [[NONE]]
// CHECK-NEXT:        [[MOST:%[0-9]+]] = tile.reduce max [[NAMED]] dims [1]
// CHECK-NEXT:        tile.atomic_rmw max [[MOST]], %out[%out_rows]

// What is scattered is written where a lane names the row; two arrays of one grid are whole in each cell.
func.func @scattered(%x: memref<64xbf16>, %ids: memref<64xi32>, %out: memref<600xbf16>, %other: memref<600xbf16>) -> (memref<600xbf16>, memref<600xbf16>) {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.scatter %v, %out[%id]
    tile.scatter %v, %other[%id]
  }
  return %out, %other : memref<600xbf16>, memref<600xbf16>
}
// CHECK-LABEL: func.func @scattered
// CHECK:           tile.for %out_rows = 0 to 600 by out_rows:256 {
// CHECK:             [[PART:%[0-9]+]] = tile.reduce add
// CHECK:             [[MET:%[0-9]+]] = tile.reduce add
// CHECK-NEXT:        [[ZERO:%[0-9]+]] = tile.splat 0.0
// CHECK-NEXT:        [[SOME:%[0-9]+]] = tile.compare gt [[MET]], [[ZERO]]
// CHECK-NEXT:        tile.atomic_rmw exchange [[PART]], %out[%out_rows] mask [[SOME]] unique
// CHECK:           tile.for %other_rows = 0 to 600 by other_rows:256 {
// OUTER-LABEL: func.func @scattered
// OUTER:         tile.grid %m = 0 to 64 by m:32 {
// OUTER:           tile.for %out_rows

// Each element of a small table is selected where positions of rank 2 name it.
// CHECK-LABEL: func.func @table
// CHECK:           %[[TABLE:.*]] = tile.load %codes[:]
// CHECK:           %[[FOUND:.*]] = tile.splat 0.0 : tensor<32x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %[[ZERO:.*]] = tile.splat 0 : tensor<32x8xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %[[HERE:.*]] = tile.compare eq %id, %[[ZERO]]
// CHECK-NEXT:      %[[ONE:.*]] = tile.slice %[[TABLE]] dim 0 from 0 size 1
// CHECK-NEXT:      %[[WIDE:.*]] = tile.broadcast %[[ONE]] dims [1] : tensor<32x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %[[NEXT:.*]] = tile.select %[[HERE]], %[[WIDE]], %[[FOUND]]
// CHECK:           tile.slice %[[TABLE]] dim 0 from 1 size 1
// CHECK:           tile.store
func.func @table(%codes: memref<2xf32>, %ids: memref<64x8xi32>) -> memref<64x8xf32> {
  %out = tile.empty : memref<64x8xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m, :]
    %v = tile.gather %codes[%id]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<64x8xf32>
}
