// What the verifier and the parser of operations on values refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @half_an_integer() {
  %v = tile.splat 0.5 : tensor<8xi32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:6:3: error: the constant 0.5 is not of type i32; use a float type or an integer

// -----

func.func @splat_of_another_type() {
  %v = "tile.splat"() <{value = 1 : i32}> : () -> tensor<8xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:14:3: error: tile.splat fills tensor<8xf32> with a constant of type i32

// -----

func.func @indices_of_an_index() {
  tile.grid %g = 0 to 8 {
    %v = tile.indices %g
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:23:23: error: tile.indices takes a span, and this is of type index

// -----

func.func @indices_of_another_type() {
  tile.grid %m = 0 to 8 by m {
    %v = "tile.indices"(%m) : (!tile.span<m>) -> tensor<?xi64, #tile.spans<m>>
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:33:5: error: tile.indices of a !tile.span<m> results in tensor<?xi32, #tile.spans<m>>

// -----

func.func @compare_of_two_types(%a: tensor<8xf32>, %b: tensor<8xi32>) {
  %p = tile.compare lt %a, %b
  return
}
// CHECK: {{.*}}/invalid-values.mlir:42:3: error: tile.compare compares tensor<8xf32> with tensor<8xi32> into tensor<8xi1>; equal types and tensor<8xi1> are needed

// -----

func.func @select_by_another_shape(%p: i1, %a: tensor<8xf32>) {
  %v = tile.select %p, %a, %a
  return
}
// CHECK: {{.*}}/invalid-values.mlir:50:3: error: tile.select chooses by i1 between tensor<8xf32> and tensor<8xf32>; tensor<8xi1> and two equal types are needed

// -----

func.func @select_of_two_types(%p: tensor<8xi1>, %a: tensor<8xf32>, %b: tensor<8xi32>) {
  %v = tile.select %p, %a, %b
  return
}
// CHECK: {{.*}}/invalid-values.mlir:58:3: error: tile.select chooses by tensor<8xi1> between tensor<8xf32> and tensor<8xi32>; tensor<8xi1> and two equal types are needed

// -----

func.func @cast_of_an_index(%i: index) {
  %v = tile.cast %i to i32
  return
}
// CHECK: {{.*}}/invalid-values.mlir:66:3: error: tile.cast converts floats and integers, not index

// -----

func.func @cast_that_reshapes(%a: tensor<8xf32>) {
  %v = "tile.cast"(%a) : (tensor<8xf32>) -> tensor<4xbf16>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:74:3: error: tile.cast of tensor<8xf32> cannot result in tensor<4xbf16>

// -----

func.func @broadcast_dims(%a: tensor<8xf32>) {
  %v = tile.broadcast %a dims [0, 1] : tensor<8x4xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:82:3: error: tile.broadcast of tensor<8xf32> to tensor<8x4xf32> has dims [0, 1]; one ascending target dimension for each dimension of the operand is needed

// -----

func.func @broadcast_into_another_extent(%a: tensor<8xf32>) {
  %v = tile.broadcast %a dims [1] : tensor<8x4xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:90:3: error: tile.broadcast puts tensor<8xf32> into dimensions [1] of tensor<8x4xf32>: tensor<4xf32>

// -----

func.func @transpose_of_another_rank(%a: tensor<8x4xf32>) {
  %v = tile.transpose %a [0]
  return
}
// CHECK: {{.*}}/invalid-values.mlir:98:26: error: [0] does not permute the dimensions of tensor<8x4xf32>

// -----

func.func @transpose_no_permutation(%a: tensor<8x4xf32>) {
  %v = "tile.transpose"(%a) <{perm = array<i64: 0, 0>}> : (tensor<8x4xf32>) -> tensor<8x8xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:106:3: error: tile.transpose [0, 0] does not permute tensor<8x4xf32>

// -----

func.func @transpose_of_another_type(%a: tensor<8x4xf32>) {
  %v = "tile.transpose"(%a) <{perm = array<i64: 1, 0>}> : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:114:3: error: tile.transpose results in tensor<4x8xf32>

// -----

func.func @reshape_of_another_size(%a: tensor<8x4xf32>) {
  %v = tile.reshape %a : tensor<31xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:122:3: error: tile.reshape of tensor<8x4xf32> to tensor<31xf32>: spans must lead or be last and stay, and the other extents must have the same product

// -----

func.func @reshape_that_loses_a_span() {
  tile.grid %m = 0 to 64 by m:16 {
    %a = tile.splat 0.0 : tensor<16x4xf32, #tile.spans<m, _>>
    %v = tile.reshape %a : tensor<64xf32>
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:132:5: error: tile.reshape of tensor<16x4xf32, #tile.spans<m, _>> to tensor<64xf32>: spans must lead or be last and stay, and the other extents must have the same product

// -----

func.func @reshape_around_a_span() {
  tile.grid %m = 0 to 64 by m:16 {
    %a = tile.splat 0.0 : tensor<4x16x2xf32, #tile.spans<_, m, _>>
    %v = tile.reshape %a : tensor<2x2x16x2xf32, #tile.spans<_, _, m, _>>
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:143:5: error: tile.reshape of tensor<4x16x2xf32, #tile.spans<_, m, _>> to tensor<2x2x16x2xf32, #tile.spans<_, _, m, _>>: spans must lead or be last and stay, and the other extents must have the same product

// -----

func.func @concatenate_along_a_span() {
  tile.grid %m = 0 to 64 by m {
    %a = tile.splat 0.0 : tensor<?x4xf32, #tile.spans<m, _>>
    %v = tile.concatenate %a, %a dim 0
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:154:27: error: tile.concatenate along dimension 0 of tensor<?x4xf32, #tile.spans<m, _>>; a dimension without a span is needed

// -----

func.func @concatenate_of_two_shapes(%a: tensor<8x4xf32>, %b: tensor<4x4xf32>) {
  %v = tile.concatenate %a, %b dim 1
  return
}
// CHECK: {{.*}}/invalid-values.mlir:163:25: error: tile.concatenate of tensor<8x4xf32> and tensor<4x4xf32>: all but dimension 1 must agree

// -----

func.func @concatenate_of_another_type(%a: tensor<8x4xf32>) {
  %v = "tile.concatenate"(%a, %a) <{dim = 1 : i64}> : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:171:3: error: tile.concatenate cannot result in tensor<8x4xf32>

// -----

func.func @slice_along_a_span() {
  tile.grid %m = 0 to 64 by m {
    %a = tile.splat 0.0 : tensor<?x4xf32, #tile.spans<m, _>>
    %v = tile.slice %a dim 0 from 0 size 1
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:181:21: error: tile.slice along dimension 0 of tensor<?x4xf32, #tile.spans<m, _>>; a dimension without a span is needed

// -----

func.func @slice_past_the_end(%a: tensor<8x4xf32>) {
  %v = tile.slice %a dim 1 from 2 size 3
  return
}
// CHECK: {{.*}}/invalid-values.mlir:190:19: error: tile.slice takes 2 to 5 of dimension 1, whose extent is 4

// -----

func.func @slice_of_another_type(%a: tensor<8x4xf32>) {
  %v = "tile.slice"(%a) <{dim = 1 : i64, begin = 0 : i64, size = 2 : i64}> : (tensor<8x4xf32>) -> tensor<8x3xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:198:3: error: tile.slice cannot result in tensor<8x3xf32>

// -----

func.func @bound_of_an_index(%n: index) {
  %b = tile.bound begin %n
  return
}
// CHECK: {{.*}}/invalid-values.mlir:206:25: error: tile.bound asks about a span, and this is of type index

// -----

func.func @middle() {
  tile.grid %m = 0 to 64 by m {
    %b = tile.bound middle %m
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:215:21: error: Expected `begin`, `end`, or `size`.

// -----

func.func @every_lane_past_the_end(%a: tensor<8x4xf32>) {
  %v = tile.strided_slice %a from 4 step 2
  return
}
// CHECK: {{.*}}/invalid-values.mlir:224:27: error: tile.strided_slice takes lanes from 4 on in steps of 2 of tensor<8x4xf32>; a lane of its last dimension and a step of 1 or more are needed

// -----

func.func @every_lane_of_a_span() {
  tile.grid %m = 0 to 64 by m {
    %a = tile.splat 0.0 : tensor<4x?xf32, #tile.spans<_, m>>
    %v = tile.strided_slice %a from 0 step 2
  }
  return
}
// CHECK: {{.*}}/invalid-values.mlir:234:29: error: tile.strided_slice of tensor<4x?xf32, #tile.spans<_, m>>; a last dimension without a span is needed

// -----

func.func @every_lane_of_another_type(%a: tensor<8x4xf32>) {
  %v = "tile.strided_slice"(%a) <{begin = 0 : i64, step = 2 : i64}> : (tensor<8x4xf32>) -> tensor<8x3xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:243:3: error: tile.strided_slice cannot result in tensor<8x3xf32>

// -----

func.func @interleave_of_two_types(%a: tensor<8x4xf32>, %b: tensor<8x5xf32>) {
  %v = tile.interleave %a, %b
  return
}
// CHECK: {{.*}}/invalid-values.mlir:251:24: error: tile.interleave of tensor<8x4xf32> and tensor<8x5xf32>: their types must be one

// -----

func.func @interleave_of_another_type(%a: tensor<8x4xf32>) {
  %v = "tile.interleave"(%a, %a) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x7xf32>
  return
}
// CHECK: {{.*}}/invalid-values.mlir:259:3: error: tile.interleave cannot result in tensor<8x7xf32>
