// RUN: tile-opt %s --resolve-views --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @two_shapes(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  tile.grid %m = 0 to 8 by m:8 {
    %v = tile.load %flat[0]
    %w = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<m, _>>
    tile.store %w, %x[%m, :]
  }
  return %x : memref<8x128xf32>
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:8:5: error: resolve-views: the tile.store here takes %x as memref<8x128xf32> and the tile.load at {{.*}}/resolve-views-invalid.mlir:6:5 as memref<1024xf32>; what a kernel writes it can access in one shape only, its dimensions in any order

// -----

func.func @stored_in_two_shapes() -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  %flat = tile.view %out : memref<8x128xf32> to memref<1024xf32>
  %t = tile.view %flat : memref<1024xf32> to memref<128x8xf32>
  %turned = tile.view %t permute [1, 0] : memref<128x8xf32> to memref<8x128xf32>
  tile.grid %m = 0 to 8 by m:8 {
    %w = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<m, _>>
    tile.store %w, %out[%m, :]
    tile.store %w, %turned[%m, :]
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:23:5: error: resolve-views: the tile.store here takes %out as memref<8x128xf32> and the tile.store at {{.*}}/resolve-views-invalid.mlir:24:5 as memref<128x8xf32>; what a kernel writes it can access in one shape only, its dimensions in any order

// -----

func.func @segments(%o: memref<9x1xi32>) {
  %offsets = tile.view %o : memref<9x1xi32> to memref<9xi32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
  }
  return
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:35:5: error: resolve-views: tile.segment takes %o as a view; views can be loaded, stored and updated, and this takes the array itself

// -----

func.func @schedule(%x: memref<8x128xf32>) {
  %t = tile.view %x permute [1, 0] : memref<8x128xf32> to memref<128x8xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 128 by m:128 parallel
    %w = tile.window read %t[%m, :]
  }
  return
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:47:5: error: resolve-views: tile.window takes %x as a view; views can be loaded, stored and updated, and this takes the array itself

// -----

func.func @extent_of_any_dimension(%x: memref<8x128xf32>, %n: index) {
  %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  %d = memref.dim %flat, %n : memref<1024xf32>
  return
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:57:3: error: resolve-views: memref.dim of memref<1024xf32>, a view or an array that has views; it takes a literal dimension, 0 to 0

// -----

func.func @extent_of_no_dimension(%x: memref<8x128xf32>) {
  %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  %two = arith.constant 2 : index
  %d = memref.dim %x, %two : memref<8x128xf32>
  return
}
// CHECK: {{.*}}/resolve-views-invalid.mlir:67:3: error: resolve-views: memref.dim of memref<8x128xf32>, a view or an array that has views; it takes a literal dimension, 0 to 1
