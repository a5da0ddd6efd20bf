// RUN: tile-opt %s --expand-gathers="order=rows" --split-input-file | filecheck %s
// RUN: tile-opt %s --expand-gathers="order=rows" --split-input-file --explain 2>&1 | filecheck %s --check-prefix NOTE

// Lanes go one by one: values lose a dimension, positions are single numbers.
// CHECK-LABEL: func.func @added(
// CHECK-NEXT:    tile.grid %m = 0 to 64, %n = 0 to 256 by n:128 {
// CHECK-NEXT:      %id = tile.load %ids[%m]
// CHECK-NEXT:      %i = arith.index_cast %m : index to i32
// CHECK-NEXT:      %sum = arith.addi %id, %i : i32
// CHECK-NEXT:      %v = tile.load %x[%m, %n]
// CHECK-NEXT:      %w = tile.cast %v to f32
// CHECK-NEXT:      %top = tile.reduce max %w dims [0]
// CHECK-NEXT:      %wide = tile.broadcast %top dims [] : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      %d = arith.subf %w, %wide : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      %0 = arith.index_cast %sum : i32 to index
// CHECK-NEXT:      tile.atomic_rmw min %d, %out[%0, %n]
// CHECK-NEXT:      %1 = arith.index_cast %sum : i32 to index
// CHECK-NEXT:      %g = tile.load %x[%1, %n]
// CHECK-NEXT:      tile.store %g, %y[%m, %n]
// CHECK-NEXT:      %2 = arith.index_cast %id : i32 to index
// CHECK-NEXT:      tile.atomic_rmw exchange %g, %z[%2, %n] unique
// NOTE: expand-gathers-rows.mlir:[[#]]:5: note: expand-gathers: the grid goes through its positions one by one
func.func @added(%x: memref<64x256xbf16>, %ids: memref<64xi32>, %out: memref<70x256xf32>, %y: memref<64x256xbf16>, %z: memref<64x256xbf16>) -> (memref<70x256xf32>, memref<64x256xbf16>, memref<64x256xbf16>) {
  tile.grid %m = 0 to 64 by m:32, %n = 0 to 256 by n:128 {
    %id = tile.load %ids[%m]
    %i = tile.indices %m
    %sum = arith.addi %id, %i : tensor<32xi32, #tile.spans<m>>
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %top = tile.reduce max %w dims [1]
    %wide = tile.broadcast %top dims [0] : tensor<32x128xf32, #tile.spans<m, n>>
    %d = arith.subf %w, %wide : tensor<32x128xf32, #tile.spans<m, n>>
    tile.atomic_rmw min %d, %out[%sum, %n]
    %g = tile.gather %x[%sum, %n]
    tile.store %g, %y[%m, %n]
    tile.scatter %g, %z[%id, %n]
  }
  return %out, %y, %z : memref<70x256xf32>, memref<64x256xbf16>, memref<64x256xbf16>
}

// -----

// Rows at positions that are loaded as they are need no step of their own, also where lanes mix.
// CHECK-LABEL: func.func @within(
// CHECK:         tile.grid %m = 0 to 64 by m:32 {
// CHECK:           %sum = tile.scan add %v dim 0
// CHECK-NEXT:      tile.atomic_rmw add %sum, %out[%id, :] rows
// CHECK-NEXT:      tile.atomic_rmw max %sum, %most[%id, :] rows
// NOTE: note: expand-gathers: rows are combined one by one with those of a resident array
func.func @within(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<70x128xf32>, %most: memref<70x128xbf16>) -> (memref<70x128xf32>, memref<70x128xbf16>) {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    %sum = tile.scan add %v dim 0
    tile.atomic_rmw add %sum, %out[%id, :]
    tile.atomic_rmw max %sum, %most[%id, :]
  }
  return %out, %most : memref<70x128xf32>, memref<70x128xbf16>
}

// -----

// What combines lanes keeps the tiles.
// CHECK-LABEL: func.func @mixed(
// CHECK:         tile.dot
// NOTE: note: expand-gathers: not one by one: tile.scan at {{.*}} combines lanes of m
func.func @mixed(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<70x128xf32>) -> memref<70x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %i = tile.indices %m
    %at = arith.addi %id, %i : tensor<32xi32, #tile.spans<m>>
    %v = tile.load %x[%m, :]
    %sum = tile.scan add %v dim 0
    tile.atomic_rmw add %sum, %out[%at, :]
  }
  return %out : memref<70x128xf32>
}

// -----

// NOTE: note: expand-gathers: not one by one: a mask or `drop` may keep positions of tile.atomic_rmw at {{.*}} inside the array
func.func @dropped(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<70x128xf32>) -> memref<70x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :] drop
  }
  return %out : memref<70x128xf32>
}

// -----

// NOTE: note: expand-gathers: not one by one: lanes of m are the last dimension of tile.load at {{.*}}, whose elements are not copied one by one
func.func @turned(%x: memref<128x64xf32>, %ids: memref<64xi32>, %out: memref<70x128xf32>) -> memref<70x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %i = tile.indices %m
    %at = arith.addi %id, %i : tensor<32xi32, #tile.spans<m>>
    %v = tile.load %x[:, %m]
    %t = tile.transpose %v [1, 0]
    tile.atomic_rmw add %t, %out[%at, :]
  }
  return %out : memref<70x128xf32>
}

// -----

// A lane alone is no tile that could be asked where it begins.
// NOTE: note: expand-gathers: not one by one: tile.bound at {{.*}} is not done lane by lane
func.func @asked(%ids: memref<64xi32>, %out: memref<70x128xf32>, %x: memref<64x128xf32>) -> memref<70x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %i = tile.indices %m
    %at = arith.addi %id, %i : tensor<32xi32, #tile.spans<m>>
    %b = tile.bound begin %m
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%at, :]
  }
  return %out : memref<70x128xf32>
}

// -----

// Rows that are read are copied by themselves, a mask of theirs chooses before and after.
// CHECK-LABEL: func.func @copied(
// CHECK:           %v = tile.splat 0 : tensor<32xi32, #tile.spans<m>>
// CHECK-NEXT:      %v_1 = tile.select %p, %id, %v
// CHECK-NEXT:      %v_2 = tile.gather %x[%v_1, :] rows
// CHECK-NEXT:      %v_3 = tile.select %wide, %v_2, %other
// CHECK-NEXT:      %w = tile.splat 1 : tensor<32xi32, #tile.spans<m>>
// CHECK-NEXT:      %w_1 = arith.addi %id, %w : tensor<32xi32, #tile.spans<m>>
// CHECK-NEXT:      %w_2 = tile.gather %x[%w_1, :] rows
// CHECK:           %planes = tile.gather %y[%id, :, :] rows
// NOTE: note: expand-gathers: rows are copied one by one from where the array is
func.func @copied(%x: memref<70x128xf32>, %y: memref<70x2x128xbf16>, %ids: memref<64xi32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %zero = tile.splat 0 : tensor<32xi32, #tile.spans<m>>
    %p = tile.compare ge %id, %zero
    %wide = tile.broadcast %p dims [0] : tensor<32x128xi1, #tile.spans<m, _>>
    %other = tile.splat 1.0 : tensor<32x128xf32, #tile.spans<m, _>>
    %v = tile.gather %x[%id, :] mask %wide other %other
    %w = tile.gather %x[%id + 1, :]
    %planes = tile.gather %y[%id, :, :]
    "test.op"(%planes) : (tensor<32x2x128xbf16, #tile.spans<m, _, _>>) -> ()
    %sum = arith.addf %v, %w : tensor<32x128xf32, #tile.spans<m, _>>
    tile.store %sum, %out[%m, :]
  }
  return %out : memref<64x128xf32>
}

// -----

// What cannot be copied so is looked for in the array, or goes one by one.
// CHECK-LABEL: func.func @not_copied(
// CHECK:           tile.grid %m = 0 to 64 {
// CHECK:           tile.load %x[%0, :]
// NOTE: expand-gathers-rows.mlir:[[#]]:5: note: expand-gathers: not row by row in a step: neither rows nor tiles of 8 rows of bf16[7, 128] can be copied
func.func @not_copied(%x: memref<7x128xbf16>, %ids: memref<64xi32>) -> memref<64x128xbf16> {
  %out = tile.empty : memref<64x128xbf16>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<64x128xbf16>
}

// -----

// NOTE: note: expand-gathers: not row by row in a step: the array is on the chip, or the kernel writes to it
func.func @written(%x: memref<64x128xf32>, %ids: memref<64xi32>) -> memref<64x128xf32> {
  %out = tile.full 0.0 : memref<64x128xf32>
  tile.grid %g = 0 to 1 {
    tile.for %m = 0 to 64 by m:32 {
      %id = tile.load %ids[%m]
      %v = tile.gather %out[%id, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<64x128xf32>
}
