// What the verifier and the parser of allocations, segments and accesses refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @inner_extent_unknown(%n: index) {
  %x = tile.empty (%n) : memref<?x?xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:6:3: error: tile.empty of memref<?x?xf32>: only the leading extent of an array may be `?`

// -----

func.func @no_extent() {
  %x = tile.empty : memref<?x8xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:14:3: error: tile.empty of memref<?x8xf32> takes its `?` from `like(%array)` or from `(%extent)`, and has neither

// -----

func.func @extent_of_a_static_array(%n: index) {
  %x = tile.full 0.0 (%n) : memref<4x8xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:22:3: error: tile.full of memref<4x8xf32>, whose leading extent is not `?`, takes no `like(%array)` or `(%extent)`

// -----

func.func @extent_from_a_static_array(%y: memref<4x8xf32>) {
  %x = tile.empty like(%y) : memref<?x8xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:30:3: error: tile.empty takes its `?` from memref<4x8xf32>, whose leading extent is not `?`

// -----

func.func @empty_tensor() {
  %x = tile.empty : tensor<4x8xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:38:3: error: result 'array' at position 0 does not verify: tensor<4x8xf32> should be of base attribute memref

// -----

func.func @full_tensor() {
  %x = tile.full 0.0 : tensor<4x8xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:47:3: error: tile.full makes a memref, not a value of type tensor<4x8xf32>

// -----

func.func @fill_of_another_type() {
  %x = "tile.full"() <{operandSegmentSizes = array<i32: 0, 0>, value = 0 : i32}> : () -> memref<4xf32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:54:3: error: tile.full fills memref<4xf32> with a constant of type i32; the element type is needed

// -----

func.func @fill_that_does_not_fit() {
  %x = tile.full 0.5 : memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:62:3: error: the constant 0.5 is not of type i32; use a float type or an integer

// -----

func.func @segment_at_two_indices(%b: memref<8xi32>, %e: memref<8xi32>, %g: index, %h: index) {
  %begin, %end = tile.segment %b[%g] to %e[%h]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:71:3: error: tile.segment takes begin and end at the same index

// -----

func.func @segment_of_floats(%b: memref<9xf32>, %g: index) {
  %begin, %end = tile.segment %b[%g]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:78:3: error: tile.segment reads memref<9xf32>; a memref of rank 1 of i32 or i64 is needed

// -----

func.func @segment_of_rank_2(%b: memref<8xi32>, %e: memref<8x1xi32>, %g: index) {
  %begin, %end = tile.segment %b[%g] to %e[%g]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:86:3: error: tile.segment reads memref<8x1xi32>; a memref of rank 1 of i32 or i64 is needed

// -----

func.func @not_an_array(%x: tensor<8xf32>) {
  %v = tile.load %x[0]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:94:18: error: only a memref can be accessed, and this is of type tensor<8xf32>

// -----

func.func @too_few_indices(%x: memref<8x8xf32>) {
  %v = tile.load %x[0]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:102:18: error: 1 indices for an array of rank 2; give one for each dimension

// -----

func.func @too_many_indices_generic(%x: memref<8xf32>) {
  %v = "tile.load"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1, 0>, kinds = array<i64: 1, 1>, shifts = array<i64: 0, 0>}> : (memref<8xf32>) -> f32
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:110:3: error: tile.load gives 2 indices to an array of rank 1; give one for each dimension

// -----

func.func @operands_for_the_window(%x: memref<8xf32>) {
  %v = "tile.load"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1, 0>, kinds = array<i64: 2>, shifts = array<i64: 0>}> : (memref<8xf32>) -> f32
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:118:3: error: tile.load has 0 indices where its window needs 1

// -----

func.func @all_of_an_unknown_extent(%x: memref<?x8xf32>) {
  %v = tile.load %x[:, 0]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:126:3: error: tile.load takes all of dimension 0, whose extent is `?`; index it by a tile axis

// -----

func.func @index_past_the_end(%x: memref<8x4xf32>) {
  %v = tile.load %x[0, 4]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:134:3: error: tile.load index 4 is outside dimension 1 of extent 4

// -----

func.func @negative_index(%x: memref<8x4xf32>) {
  %v = tile.load %x[-1, 0]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:142:3: error: tile.load index -1 is outside dimension 0 of extent 8

// -----

func.func @index_type(%x: memref<8xf32>, %i: f32) {
  %v = tile.load %x[%i]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:150:3: error: tile.load indexes dimension 0 by a value of type f32; an index or a !tile.span is needed

// -----

func.func @shift_type(%x: memref<8xf32>, %i: index, %s: i32) {
  %v = tile.load %x[%i + %s]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:158:3: error: tile.load shifts dimension 0 by a value of type i32; an index is needed

// -----

func.func @load_of_another_type(%x: memref<8xf32>) {
  %v = "tile.load"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1, 0>, kinds = array<i64: 1>, shifts = array<i64: 0>}> : (memref<8xf32>) -> i32
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:166:3: error: tile.load of a f32 window results in i32

// -----

func.func @mask_without_other(%x: memref<8xf32>, %p: i1) {
  %v = "tile.load"(%p, %x) <{operandSegmentSizes = array<i32: 1, 0, 1, 0>, kinds = array<i64: 1>, shifts = array<i64: 0>}> : (i1, memref<8xf32>) -> f32
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:174:3: error: tile.load needs both `mask` and `other`, or neither

// -----

func.func @mask_of_another_shape(%x: memref<8xf32>, %p: i1, %z: f32) {
  %v = tile.load %x[:] mask %p other %z
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:182:3: error: tile.load has a mask of type i1; tensor<8xi1> is needed

// -----

func.func @other_of_another_type(%x: memref<8xf32>, %p: tensor<8xi1>, %z: i32) {
  %v = tile.load %x[:] mask %p other %z
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:190:3: error: tile.load takes `other` of type i32; tensor<8xf32> or its element type is needed

// -----

func.func @store_of_another_shape(%x: memref<8xf32>, %v: tensor<4xf32>) {
  tile.store %v, %x[:]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:198:3: error: tile.store puts a value of type tensor<4xf32> into a window of tensor<8xf32>; it needs tensor<8xf32>

// -----

func.func @store_of_another_span(%x: memref<8x8xf32>) {
  tile.grid %m = 0 to 8 by m, %n = 0 to 8 by n {
    %v = tile.splat 0.0 : tensor<?xf32, #tile.spans<n>>
    tile.store %v, %x[0, %m]
  }
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:208:5: error: tile.store puts a value of type tensor<?xf32, #tile.spans<n>> into a window of tensor<?xf32, #tile.spans<m>>; it needs tensor<?xf32, #tile.spans<m>>

// -----

func.func @store_of_integers_as_floats(%x: memref<8xf32>, %v: tensor<8xi32>) {
  tile.store %v, %x[:]
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:217:3: error: tile.store does not convert i32 to f32; use tile.cast first

// -----

func.func @store_mask(%x: memref<8xf32>, %v: tensor<8xf32>, %p: tensor<4xi1>) {
  tile.store %v, %x[:] mask %p
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:225:3: error: tile.store has a mask of type tensor<4xi1>; tensor<8xi1> is needed

// -----

func.func @load_placement(%x: memref<8xf32>) {
  %v = "tile.load"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1, 0>, kinds = array<i64: 1>, shifts = array<i64: 0>, placement = "both"}> : (memref<8xf32>) -> f32
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:233:3: error: tile.load is `both`; it is `resident`, `stream` or neither

// -----

func.func @store_placement(%x: memref<8xf32>, %v: f32) {
  "tile.store"(%v, %x) <{operandSegmentSizes = array<i32: 1, 0, 1, 0>, kinds = array<i64: 1>, shifts = array<i64: 0>, placement = "vmem"}> : (f32, memref<8xf32>) -> ()
  return
}
// CHECK: {{.*}}/invalid-arrays.mlir:241:3: error: tile.store is `vmem`; it is `resident`, `stream` or neither
