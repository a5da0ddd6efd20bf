// Single elements are added to, and scattered to, in rows: by products of comparisons with rows and places.

// RUN: tile-opt %s --fold-updates | filecheck %s
// RUN: tile-opt %s --fold-updates="order=outer" | filecheck %s --check-prefix=OUTER
// RUN: tile-opt %s --fold-updates="order=rows" | filecheck %s --check-prefix=ROWS
// RUN: tile-opt %s --fold-updates --explain 2>&1 >/dev/null | filecheck %s --check-prefix=EXPLAIN
// RUN: not tile-opt %s --fold-updates="order=whole" 2>&1 | filecheck %s --check-prefix=ORDER --match-full-lines
// ORDER: {{.*}}/fold-updates.mlir:1:1: error: fold-updates: order=whole; auto, inner, outer, rows are accepted
// ROWS-NOT: tile.dot

// Ones take one product, as they have one byte.
func.func @histogram(%ids: memref<64xi32>) -> memref<256xi32> {
  %out = tile.full 0 : memref<256xi32>
  tile.grid %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %one = tile.splat 1 : tensor<32xi32, #tile.spans<m>>
    tile.atomic_rmw add %one, %out[%i + 3] drop
  }
  return %out : memref<256xi32>
}
// CHECK-LABEL: func.func @histogram
// CHECK:         [[OUT:%[a-z0-9_]+]] = tile.view %out : memref<256xi32> to memref<16x16xi32>
// CHECK:         [[IDS:%[0-9]+]] = arith.addi %i, {{.*}}
// CHECK:         [[PLACE:%[0-9]+]] = arith.andi [[IDS]], {{.*}}
// CHECK:         [[ROW:%[0-9]+]] = arith.shrsi [[IDS]], {{.*}}
// CHECK:         [[HERE:%[0-9]+]] = tile.broadcast [[ROW]] dims [1] : tensor<16x32xi32, #tile.spans<_, m>>
// CHECK-NEXT:    [[HITS:%hits[0-9_]*]] = tile.compare eq {{%[0-9]+}}, [[HERE]]
// CHECK:         [[THERE:%[0-9]+]] = tile.broadcast [[PLACE]] dims [1] : tensor<16x32xi32, #tile.spans<_, m>>
// CHECK-NEXT:    [[PLACES:%hits[0-9_]*]] = tile.compare eq {{%[0-9]+}}, [[THERE]]
// CHECK:         [[VALUES:%[0-9]+]] = tile.select [[HITS]]
// CHECK-NEXT:    [[NARROW:%[0-9]+]] = tile.cast [[VALUES]] to bf16
// CHECK:         [[ONES:%[0-9]+]] = tile.select [[PLACES]]
// CHECK-NEXT:    [[ONE:%[0-9]+]] = tile.cast [[ONES]] to bf16
// CHECK-NEXT:    [[SUM:%[0-9]+]] = tile.dot [[NARROW]], [[ONE]] contract [1] x [1]
// CHECK-NEXT:    [[PART:%[0-9]+]] = tile.cast [[SUM]] to i32
// CHECK-NEXT:    tile.atomic_rmw add [[PART]], [[OUT]][:, :]
// EXPLAIN: fold-updates.mlir:{{[0-9]+}}:5: note: fold-updates: its elements are in rows of 16

// A mask keeps lanes out of both products of a scatter; the array is filled where nothing has been stored.
func.func @scattered(%ids: memref<64xi32>, %x: memref<64xf32>, %flags: memref<64xi1>) -> memref<3x384xf32> {
  %out = tile.empty : memref<3x384xf32>
  tile.grid %g = 0 to 3, %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m]
    %p = tile.load %flags[%m]
    tile.scatter %v, %out[%g, %i] mask %p
  }
  return %out : memref<3x384xf32>
}
// CHECK-LABEL: func.func @scattered
// CHECK:         %out = tile.full 0.0 : memref<3x384xf32>
// CHECK-NEXT:    [[OUT:%[a-z0-9_]+]] = tile.view %out : memref<3x384xf32> to memref<3x24x16xf32>
// CHECK:         [[MASK:%[0-9]+]] = tile.broadcast %p dims [1] : tensor<72x32xi1, #tile.spans<_, m>>
// CHECK-NEXT:    [[NAMED:%[0-9]+]] = arith.andi %hits{{[0-9_]*}}, [[MASK]]
// CHECK:         [[THREE:%[0-9]+]] = tile.select [[NAMED]]
// CHECK-NEXT:    [[NARROW:%[0-9]+]] = tile.cast [[THREE]] to bf16
// CHECK:         [[SUMS:%[0-9]+]] = tile.dot [[NARROW]], {{%[0-9]+}} contract [1] x [1]
// CHECK-NEXT:    [[STACK:%[0-9]+]] = tile.reshape [[SUMS]] : tensor<3x24x16xf32>
// CHECK-NEXT:    [[SUM:%[0-9]+]] = tile.reduce add [[STACK]] dims [0]
// CHECK:         [[PART:%[0-9]+]] = scf.if
// CHECK:           scf.yield [[SUM]]
// CHECK:         arith.andi %hits{{[0-9_]*}}
// CHECK:         [[MET:%[0-9]+]] = tile.dot
// CHECK:         [[SOME:%[0-9]+]] = tile.compare gt [[MET]]
// CHECK-NEXT:    tile.atomic_rmw exchange [[PART]], [[OUT]][%g, :, :] mask [[SOME]] unique

// Of more than 256 rows a loop goes through blocks, or the grid.
func.func @blocks(%ids: memref<64xi32>, %x: memref<64xbf16>, %out: memref<65536xbf16>) -> memref<65536xbf16> {
  tile.grid %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw add %v, %out[%i]
  }
  return %out : memref<65536xbf16>
}
// CHECK-LABEL: func.func @blocks
// CHECK:         [[OUT:%[a-z0-9_]+]] = tile.view %out : memref<65536xbf16> to memref<512x128xbf16>
// CHECK:         tile.grid %m = 0 to 64 by m:32 {
// CHECK:           tile.for %out_rows = 0 to 512 by out_rows:256 {
// CHECK:             tile.atomic_rmw add {{%[0-9]+}}, [[OUT]][%out_rows, :]
// OUTER-LABEL: func.func @blocks
// OUTER:         tile.grid %m = 0 to 64 by m:32, %out_rows = 0 to 512 by out_rows:256 {
// EXPLAIN: fold-updates.mlir:{{[0-9]+}}:5: note: fold-updates: %out is whole for each tile of positions

// Left alone: few elements, extremes, an array that the grid also updates in windows, and one that has elements
// updated in two shapes.
func.func @left(%ids: memref<64xi32>, %x: memref<64xf32>, %few: memref<128xf32>, %most: memref<512xf32>, %both: memref<512xf32>, %odd: memref<1001xf32>, %shapes: memref<512xf32>) -> (memref<128xf32>, memref<512xf32>, memref<512xf32>, memref<1001xf32>, memref<512xf32>) {
  %view = tile.view %shapes : memref<512xf32> to memref<2x256xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw add %v, %few[%i]
    tile.atomic_rmw max %v, %most[%i]
    tile.atomic_rmw add %v, %both[%i]
    tile.atomic_rmw add %v, %both[%m]
    tile.atomic_rmw add %v, %odd[%i]
    tile.atomic_rmw add %v, %shapes[%i]
    tile.atomic_rmw add %v, %view[1, %i]
  }
  return %few, %most, %both, %odd, %shapes : memref<128xf32>, memref<512xf32>, memref<512xf32>, memref<1001xf32>, memref<512xf32>
}
// CHECK-LABEL: func.func @left
// CHECK:         tile.atomic_rmw add %v, %few[%i]
// CHECK-NEXT:    tile.atomic_rmw max %v, %most[%i]
// CHECK-NEXT:    tile.atomic_rmw add %v, %both[%i]
// CHECK-NEXT:    tile.atomic_rmw add %v, %both[%m]
// CHECK-NEXT:    tile.atomic_rmw add %v, %odd[%i]
// CHECK-NEXT:    tile.atomic_rmw add %v, %shapes[%i]
// CHECK-NEXT:    tile.atomic_rmw add %v, %view[1, %i]

// A byte of each of so many lanes may not be a number of 24 bits.
func.func @long(%ids: memref<70000xi32>, %x: memref<70000xi32>, %out: memref<512xi32>, %counts: memref<512xi32>) -> (memref<512xi32>, memref<512xi32>) {
  tile.grid %m = 0 to 70000 by m:70000 {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m]
    %one = tile.splat 1 : tensor<70000xi32, #tile.spans<m>>
    tile.atomic_rmw add %v, %out[%i]
    tile.atomic_rmw add %one, %counts[%i]
  }
  return %out, %counts : memref<512xi32>, memref<512xi32>
}
// CHECK-LABEL: func.func @long
// CHECK:         tile.atomic_rmw add %v, %out[%i]
// CHECK:         tile.dot
