// Arrays become values, and a view of one is a copy of what it holds by then.

// RUN: tile-opt %s --convert-tile-to-pallas --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @view_from_before(%x: memref<4x128xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<4x128xf32>
  %flat = tile.view %out : memref<4x128xf32> to memref<512xf32>
  tile.pipeline grid {
    %xw = tile.window read %x[:, :]
    %ow = tile.window write %out[:, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %flat : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-views-invalid.mlir:14:3: error: convert-tile-to-pallas: func.return takes %flat, the array that is written as %out; run --resolve-views first

// -----

func.func @view_of_a_view(%x: memref<4x128xf32>) -> memref<4x128xf32> {
  %flat = tile.view %x : memref<4x128xf32> to memref<512xf32>
  tile.pipeline grid {
    %w = tile.window write %flat[:]
    %v = tile.get %w
    tile.set %v, %w
  }
  %again = tile.view %x permute [1, 0] : memref<4x128xf32> to memref<128x4xf32>
  return %x : memref<4x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-views-invalid.mlir:27:3: error: convert-tile-to-pallas: tile.view takes %x, the array that is written as %flat; run --resolve-views first

// -----

func.func @not_returned(%x: memref<512xf32>, %out: memref<4x128xf32>) {
  %flat = tile.view %out : memref<4x128xf32> to memref<512xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %flat[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-views-invalid.mlir:39:5: error: convert-tile-to-pallas: the argument %out is written but not returned; an array of JAX does not change, so return it

// -----

func.func @never_written() -> memref<512xf32> {
  %out = tile.empty : memref<4x128xf32>
  %flat = tile.view %out : memref<4x128xf32> to memref<512xf32>
  return %flat : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-views-invalid.mlir:51:3: error: convert-tile-to-pallas: %out is viewed but never written
