// What the verifier and the parser of views refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @in_a_grid(%x: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  }
  return
}
// CHECK: {{.*}}/invalid-views.mlir:7:5: error: tile.view stands inside another operation; make it before the grid

// -----

func.func @another_number(%x: memref<8x128xf32>) {
  %v = tile.view %x : memref<8x128xf32> to memref<1000xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:16:3: error: tile.view of memref<8x128xf32> to memref<1000xf32>: both need the same number of elements; if the leading extent is `?`, it stays, and the others have the same product

// -----

func.func @unknown_to_known(%x: memref<?x128xf32>) {
  %v = tile.view %x : memref<?x128xf32> to memref<8x128xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:24:3: error: tile.view of memref<?x128xf32> to memref<8x128xf32>: both need the same number of elements; if the leading extent is `?`, it stays, and the others have the same product

// -----

func.func @folded_into_the_rows(%x: memref<?x128xf32>) {
  %v = tile.view %x : memref<?x128xf32> to memref<?xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:32:3: error: tile.view of memref<?x128xf32> to memref<?xf32>: both need the same number of elements; if the leading extent is `?`, it stays, and the others have the same product

// -----

func.func @unknown_inside(%x: memref<?x128xf32>) {
  %v = tile.view %x : memref<?x128xf32> to memref<128x?xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:40:3: error: tile.view of memref<?x128xf32> to memref<128x?xf32>: only the leading extent of an array may be `?`

// -----

func.func @rows_moved_away(%x: memref<?x128xf32>) {
  %v = tile.view %x permute [1, 0] : memref<?x128xf32> to memref<128x?xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:48:3: error: tile.view of memref<?x128xf32> to memref<128x?xf32>: only the leading extent of an array may be `?`

// -----

func.func @no_permutation(%x: memref<8x128xf32>) {
  %v = tile.view %x permute [0, 0] : memref<8x128xf32> to memref<8x8xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:56:3: error: tile.view permute [0, 0] does not permute the dimensions of memref<8x128xf32>

// -----

func.func @another_shape(%x: memref<8x128xf32>) {
  %v = tile.view %x permute [1, 0] : memref<8x128xf32> to memref<8x128xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:64:3: error: tile.view permute [1, 0] of memref<8x128xf32> is no memref<8x128xf32>

// -----

func.func @another_element(%x: memref<8x128xf32>) {
  %v = tile.view %x : memref<8x128xf32> to memref<8x128xi32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:72:3: error: tile.view of memref<8x128xf32> to memref<8x128xi32>: a view has the element type of its array

// -----

func.func @called_otherwise(%x: memref<8x128xf32>) {
  %v = tile.view %x : memref<8x12xf32> to memref<96xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:80:18: error: tile.view of a value of type memref<8x128xf32>, which is called memref<8x12xf32>

// -----

func.func @no_array(%x: f32) {
  %v = tile.view %x : f32 to memref<1xf32>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:88:3: error: operand 'array' at position 0 does not verify: f32 should be of base attribute memref

// -----

func.func @converted_in_a_grid(%x: memref<8x128xi1>) {
  tile.grid %g = 0 to 8 {
    %v = tile.convert %x : memref<8x128xi1> to memref<8x128xi8>
  }
  return
}
// CHECK: {{.*}}/invalid-views.mlir:97:5: error: tile.convert stands inside another operation; make it before the grid

// -----

func.func @converted_to_another_shape(%x: memref<8x128xi1>) {
  %v = "tile.convert"(%x) : (memref<8x128xi1>) -> memref<1024xi8>
  return
}
// CHECK: {{.*}}/invalid-views.mlir:106:3: error: tile.convert of memref<8x128xi1> to memref<1024xi8>: shapes differ
