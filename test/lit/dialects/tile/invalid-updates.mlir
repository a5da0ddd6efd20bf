// What the verifier and the parser of atomics, gathers, scatters and arrays on the chip refuse.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @another_shape(%out: memref<8xf32>, %v: tensor<4xf32>) {
  tile.atomic_rmw add %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:6:3: error: tile.atomic_rmw puts a value of type tensor<4xf32> into a window of tensor<8xf32>; it needs tensor<8xf32>

// -----

func.func @another_kind(%out: memref<8xf32>, %v: tensor<8xi32>) {
  tile.atomic_rmw add %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:14:3: error: tile.atomic_rmw does not convert i32 to f32; use tile.cast first

// -----

func.func @unknown_kind(%out: memref<8xf32>, %v: tensor<8xf32>) {
  tile.atomic_rmw mul %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:22:19: error: Expected `add`, `max`, `min`, `and`, `or`, `xor`, `exchange`, or `compare_exchange`.

// -----

func.func @bits_of_floats(%out: memref<8xf32>, %v: tensor<8xf32>) {
  tile.atomic_rmw xor %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:30:3: error: tile.atomic_rmw xor combines integers, not f32

// -----

func.func @sum_of_flags(%out: memref<8xi1>, %v: tensor<8xi1>) {
  tile.atomic_rmw add %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:38:3: error: tile.atomic_rmw add combines numbers, not i1; use and, or or xor

// -----

func.func @greatest_flag(%out: memref<8xi1>, %v: tensor<8xi1>) {
  tile.atomic_rmw max %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:46:3: error: tile.atomic_rmw max combines numbers, not i1; use and, or or xor

// -----

func.func @nothing_expected(%out: memref<8xi32>, %v: tensor<8xi32>) {
  tile.atomic_rmw compare_exchange %v, %out[:]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:54:3: error: tile.atomic_rmw compare_exchange has no `expected`; compare_exchange takes one and nothing else does

// -----

func.func @expected_by_a_sum(%out: memref<8xi32>, %v: tensor<8xi32>) {
  tile.atomic_rmw add %v, %out[:] expected %v
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:62:3: error: tile.atomic_rmw add has an `expected`; compare_exchange takes one and nothing else does

// -----

func.func @expects_another_type(%out: memref<8xbf16>, %v: tensor<8xf32>, %e: tensor<8xbf16>) {
  tile.atomic_rmw compare_exchange %v, %out[:] expected %e
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:70:3: error: tile.atomic_rmw puts tensor<8xf32> where it expects tensor<8xbf16>; the types must agree

// -----

func.func @mask(%out: memref<8xi32>, %v: tensor<8xi32>, %p: i1) {
  tile.atomic_rmw add %v, %out[:] mask %p
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:78:3: error: tile.atomic_rmw has a mask of type i1; tensor<8xi1> is needed

// -----

func.func @old_of_another_type(%out: memref<8xbf16>, %v: tensor<8xf32>) {
  %o = "tile.atomic_rmw"(%v, %out) <{kind = #tile.rmw add, kinds = array<i64: 0>, shifts = array<i64: 0>, operandSegmentSizes = array<i32: 1, 0, 0, 1, 0>}> : (tensor<8xf32>, memref<8xbf16>) -> tensor<8xbf16>
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:86:3: error: tile.atomic_rmw of tensor<8xf32> results in tensor<8xbf16>

// -----

func.func @outside(%out: memref<8x4xf32>, %v: tensor<8xf32>) {
  tile.atomic_rmw add %v, %out[:, 4]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:94:3: error: tile.atomic_rmw index 4 is outside dimension 1 of extent 4

// -----

func.func @nothing_to_drop(%out: memref<8xf32>, %v: f32, %i: i32) {
  tile.atomic_rmw add %v, %out[%i] drop
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:102:3: error: tile.atomic_rmw with `drop` indexes no dimension by a tile of integers; leave `drop` out

// -----

func.func @old_at_positions(%out: memref<8xf32>, %v: tensor<4xf32>, %ids: tensor<4xi32>) {
  %o = tile.atomic_rmw add %v, %out[%ids] old
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:110:3: error: tile.atomic_rmw add with `old` at positions from a tile of integers: lanes of one position have no order; index by spans, or use add, max, min, and, or, xor without `old`

// -----

func.func @exchange_at_positions(%out: memref<8xf32>, %v: tensor<4xf32>, %ids: tensor<4xi32>) {
  tile.atomic_rmw exchange %v, %out[%ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:118:3: error: tile.atomic_rmw exchange at positions from a tile of integers: lanes of one position have no order; index by spans, or use add, max, min, and, or, xor without `old`

// -----

func.func @two_tiles_of_positions(%out: memref<8x8xf32>, %v: tensor<4x4xf32>, %ids: tensor<4xi32>) {
  tile.atomic_rmw add %v, %out[%ids, %ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:126:3: error: tile.atomic_rmw indexes two dimensions by tiles of integers; one is accepted

// -----

func.func @positions_are_floats(%out: memref<8xf32>, %v: tensor<4xf32>) {
  tile.atomic_rmw add %v, %out[%v]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:134:3: error: tile.atomic_rmw indexes dimension 0 by a value of type tensor<4xf32>; an index, a !tile.span or a tile of integers is needed

// -----

func.func @positions_of_another_shape(%out: memref<8x16xf32>, %v: tensor<4x16xf32>, %ids: tensor<5xi32>) {
  tile.atomic_rmw add %v, %out[%ids, :]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:142:3: error: tile.atomic_rmw puts a value of type tensor<4x16xf32> into a window of tensor<5x16xf32>; it needs tensor<5x16xf32>

// -----

func.func @shifted_by_a_tile(%out: memref<8xf32>, %v: f32, %i: index, %ids: tensor<4xi32>) {
  tile.atomic_rmw add %v, %out[%i + %ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:150:3: error: tile.atomic_rmw shifts dimension 0 by a value of type tensor<4xi32>; an index is needed

// -----

func.func @load_at_positions(%x: memref<8xf32>, %ids: tensor<4xi32>) {
  %v = tile.load %x[%ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:158:3: error: tile.load indexes dimension 0 by a value of type tensor<4xi32>; an index or a !tile.span is needed

// -----

func.func @store_at_positions(%x: memref<8xf32>, %v: tensor<4xf32>, %ids: tensor<4xi32>) {
  tile.store %v, %x[%ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:166:3: error: tile.store indexes dimension 0 by a value of type tensor<4xi32>; an index or a !tile.span is needed

// -----

func.func @gather_of_a_window(%x: memref<8x16xf32>, %i: i32) {
  %v = tile.gather %x[%i, :]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:174:3: error: tile.gather indexes no dimension by a tile of integers; use tile.load

// -----

func.func @gather_by_two_tiles(%x: memref<8x16xf32>, %ids: tensor<4xi32>) {
  %v = tile.gather %x[%ids, %ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:182:3: error: tile.gather indexes two dimensions by tiles of integers; one is accepted

// -----

func.func @gather_with_half_a_mask(%x: memref<8xf32>, %ids: tensor<4xi32>, %p: tensor<4xi1>) {
  %v = "tile.gather"(%p, %x, %ids) <{operandSegmentSizes = array<i32: 1, 0, 1, 1>, kinds = array<i64: 2>, shifts = array<i64: 0>}> : (tensor<4xi1>, memref<8xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:190:3: error: tile.gather needs both `mask` and `other`, or neither

// -----

func.func @gather_of_another_type(%x: memref<8xf32>, %ids: tensor<4xi32>) {
  %v = "tile.gather"(%x, %ids) <{operandSegmentSizes = array<i32: 0, 0, 1, 1>, kinds = array<i64: 2>, shifts = array<i64: 0>}> : (memref<8xf32>, tensor<4xi32>) -> tensor<8xf32>
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:198:3: error: tile.gather of a tensor<4xf32> window results in tensor<8xf32>

// -----

func.func @gather_mask(%x: memref<8x16xf32>, %ids: tensor<4xi32>, %p: tensor<4xi1>, %z: f32) {
  %v = tile.gather %x[%ids, :] mask %p other %z
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:206:3: error: tile.gather has a mask of type tensor<4xi1>; tensor<4x16xi1> is needed

// -----

func.func @scatter_of_a_window(%x: memref<8x16xf32>, %v: tensor<16xf32>, %i: i32) {
  tile.scatter %v, %x[%i, :]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:214:3: error: tile.scatter indexes no dimension by a tile of integers; use tile.store

// -----

func.func @scatter_of_another_shape(%x: memref<8x16xf32>, %v: tensor<16x4xf32>, %ids: tensor<4xi32>) {
  tile.scatter %v, %x[%ids, :]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:222:3: error: tile.scatter puts a value of type tensor<16x4xf32> into a window of tensor<4x16xf32>; it needs tensor<4x16xf32>

// -----

func.func @scatter_of_another_kind(%x: memref<8xi32>, %v: tensor<4xf32>, %ids: tensor<4xi32>) {
  tile.scatter %v, %x[%ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:230:3: error: tile.scatter does not convert f32 to i32; use tile.cast first

// -----

func.func @scatter_mask(%x: memref<8x16xf32>, %v: tensor<4x16xf32>, %ids: tensor<4xi32>, %p: tensor<4xi1>) {
  tile.scatter %v, %x[%ids, :] mask %p
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:238:3: error: tile.scatter has a mask of type tensor<4xi1>; tensor<4x16xi1> is needed

// -----

func.func @scatter_into_all(%x: memref<?x16xf32>, %v: tensor<?x4xf32>, %ids: tensor<4xi32>) {
  tile.scatter %v, %x[:, %ids]
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:246:3: error: tile.scatter takes all of dimension 0, whose extent is `?`; index it by a tile axis

// -----

func.func @local_without_a_size() {
  %l = tile.local : memref<?x128xf32>
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:254:3: error: tile.local of memref<?x128xf32>: on-chip memory has a size; give each dimension an extent

// -----

func.func @local_tensor() {
  %l = tile.local : tensor<8x128xf32>
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:262:3: error: result 'array' at position 0 does not verify: tensor<8x128xf32> should be of base attribute memref

// -----

func.func @rows_in_place(%out: memref<8xf32>, %v: tensor<8xf32>) {
  tile.atomic_rmw add %v, %out[:] rows
  return
}
// CHECK: {{.*}}error: tile.atomic_rmw with `rows` indexes no dimension by a tile of integers, or has a mask or `drop`; every lane has a row of its own, so leave `rows` out

// -----

func.func @gather_of_shifted_rows(%x: memref<8x16xf32>, %ids: tensor<4xi32>) {
  %v = tile.gather %x[%ids + 1, :] rows
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:278:3: error: tile.gather with `rows` takes no rows of an array, `%x[%ids, :]`, nor whole planes, `%x[%ids, :, :]`, or has a mask; leave `rows` out

// -----

func.func @too_few_runs(%i: index) {
  tile.grid %t = 0 to 300 by t:32 {
    %ids = tile.runs %i by 16 of %t
  }
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:287:5: error: tile.runs has 1 runs of 16 lanes for a span of 32; as many as the span has are accepted, once --choose-blocks has bound its size

// -----

func.func @buffers_of_any_rows(%x: memref<8x16xf32>, %ids: tensor<4xi32>) {
  %v = tile.gather %x[%ids, :] rows buffers 2
  return
}
// CHECK: {{.*}}/invalid-updates.mlir:296:3: error: tile.gather with `buffers` has no `rows`, or other positions than those of a tile.runs; leave `buffers` out
