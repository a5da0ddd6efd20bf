// What the verifier and the parser of operations that mix lanes refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @dot_of_four(%a: tensor<8x8xf32>) {
  %v = tile.dot %a, %a, %a, %a
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:6:17: error: tile.dot has 4 operands; it takes lhs, rhs and an optional acc

// -----

func.func @dot_over_two_dimensions(%a: tensor<8x8xf32>) {
  %v = tile.dot %a, %a contract [0, 1] x [0, 1]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:14:17: error: tile.dot contracts one dimension of each operand

// -----

func.func @dot_of_two_ranks(%a: tensor<2x8x8xf32>, %b: tensor<8x8xf32>) {
  %v = tile.dot %a, %b
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:22:17: error: tile.dot multiplies tensor<2x8x8xf32> by tensor<8x8xf32>; two of rank 2, or two of rank 3 whose first dimension is a batch, are needed

// -----

func.func @dot_over_two_extents(%a: tensor<8x4xf32>, %b: tensor<8x8xf32>) {
  %v = tile.dot %a, %b
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:30:17: error: tile.dot sums over dimension 1 of tensor<8x4xf32> and 0 of tensor<8x8xf32>; their extents and spans must be the same

// -----

func.func @dot_over_two_spans() {
  tile.grid %k = 0 to 64 by k, %l = 0 to 64 by l {
    %a = tile.splat 0.0 : tensor<8x?xf32, #tile.spans<_, k>>
    %b = tile.splat 0.0 : tensor<?x8xf32, #tile.spans<l, _>>
    %v = tile.dot %a, %b
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:41:19: error: tile.dot sums over dimension 1 of tensor<8x?xf32, #tile.spans<_, k>> and 0 of tensor<?x8xf32, #tile.spans<l, _>>; their extents and spans must be the same

// -----

func.func @dot_of_two_types(%a: tensor<8x8xf32>, %b: tensor<8x8xbf16>) {
  %v = tile.dot %a, %b
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:50:17: error: tile.dot multiplies f32 by bf16; cast one of them

// -----

func.func @dot_onto_another_type(%a: tensor<8x8xf32>, %c: tensor<8x4xf32>) {
  %v = tile.dot %a, %a, %c
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:58:3: error: tile.dot adds a product of type tensor<8x8xf32> to an acc of type tensor<8x4xf32>; make them equal

// -----

func.func @dot_of_another_type(%a: tensor<8x8xf32>) {
  %v = "tile.dot"(%a, %a) <{contract = array<i64: 1, 0>, precision = #tile.precision default}> : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xbf16>
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:66:3: error: tile.dot results in tensor<8x8xf32>, not tensor<8x8xbf16>

// -----

func.func @reduce_over_nothing(%a: tensor<8x8xf32>) {
  %v = tile.reduce add %a dims []
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:74:3: error: tile.reduce over dims [] of tensor<8x8xf32>; give ascending dimensions

// -----

func.func @reduce_out_of_order(%a: tensor<8x8xf32>) {
  %v = tile.reduce add %a dims [1, 0]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:82:3: error: tile.reduce over dims [1, 0] of tensor<8x8xf32>; give ascending dimensions

// -----

func.func @reduce_past_the_rank(%a: tensor<8x8xf32>) {
  %v = tile.reduce add %a dims [2]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:90:3: error: tile.reduce over dims [2] of tensor<8x8xf32>; give ascending dimensions

// -----

func.func @bitwise_reduction_of_floats(%a: tensor<8x8xf32>) {
  %v = tile.reduce xor %a dims [1]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:98:3: error: `xor` combines integers, not f32

// -----

func.func @reduction_of_indices(%a: tensor<8xindex>) {
  %v = tile.reduce add %a dims [0]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:106:3: error: `add` combines floats or integers, not index

// -----

func.func @reduce_of_another_type(%a: tensor<8x8xf32>) {
  %v = "tile.reduce"(%a) <{kind = #tile.combine add, dims = array<i64: 0>}> : (tensor<8x8xf32>) -> f32
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:114:3: error: tile.reduce results in tensor<8xf32>, not f32

// -----

func.func @scan_past_the_rank(%a: tensor<8x8xf32>) {
  %v = tile.scan add %a dim 2
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:122:3: error: tile.scan along dimension 2 of tensor<8x8xf32>

// -----

func.func @scan_of_another_type(%a: tensor<8x8xf32>) {
  %v = tile.scan add %a dim 1 : tensor<8x8xi32>
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:130:3: error: tile.scan of tensor<8x8xf32> cannot result in tensor<8x8xi32>

// -----

func.func @scan_that_names_another_dimension(%a: tensor<8x8xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.scan add %a dim 1 : tensor<8x8xf32, #tile.spans<m, _>>
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:139:5: error: tile.scan of tensor<8x8xf32> cannot result in tensor<8x8xf32, #tile.spans<m, _>>

// -----

func.func @bitwise_scan_of_floats(%a: tensor<8x8xf32>) {
  %v = tile.scan and %a dim 1
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:148:3: error: `and` combines integers, not f32

// -----

func.func @fill_outside_no_span_of_it(%a: tensor<8xf32>, %z: f32) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.fill %a outside %m with %z
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:157:20: error: tile.fill outside a !tile.span<m:8> of a value of type tensor<8xf32>, which must have one dimension of that span, or several and `dim` for one of them

// -----

func.func @fill_with_another_type(%z: i32) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.splat 0.0 : tensor<8xf32, #tile.spans<m>>
    %v = tile.fill %a outside %m with %z
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:168:5: error: tile.fill fills tensor<8xf32> with a value of type i32

// -----

func.func @fill_of_another_type(%z: f32) {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.splat 0.0 : tensor<8xf32, #tile.spans<m>>
    %v = "tile.fill"(%a, %m, %z) : (tensor<8xf32, #tile.spans<m>>, !tile.span<m:8>, f32) -> tensor<8xf32, #tile.spans<m>>
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:179:5: error: tile.fill results in tensor<8xf32>, not tensor<8xf32, #tile.spans<m>>

// -----

func.func @dot_of_rank_4(%a: tensor<2x2x8x8xf32>) {
  %v = tile.dot %a, %a contract [3] x [2]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:188:17: error: tile.dot multiplies tensor<2x2x8x8xf32> by tensor<2x2x8x8xf32>; two of rank 2, or two of rank 3 whose first dimension is a batch, are needed

// -----

func.func @dot_over_the_batch(%a: tensor<2x8x8xf32>) {
  %v = tile.dot %a, %a contract [2] x [0]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:196:17: error: tile.dot contracts dimension 0 of tensor<2x8x8xf32>; one of its last two, 1 or 2, is needed

// -----

func.func @dot_over_no_dimension(%a: tensor<8x8xf32>) {
  %v = tile.dot %a, %a contract [2] x [0]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:204:17: error: tile.dot contracts dimension 2 of tensor<8x8xf32>; one of its last two, 0 or 1, is needed

// -----

func.func @dot_of_two_batches(%a: tensor<2x8x8xf32>, %b: tensor<3x8x8xf32>) {
  %v = tile.dot %a, %b contract [2] x [1]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:212:17: error: tile.dot multiplies batches tensor<2x8x8xf32> and tensor<3x8x8xf32>; the extents and spans of their first dimensions must be the same

// -----

func.func @dot_of_batches_of_two_spans() {
  tile.grid %b = 0 to 64 by b, %c = 0 to 64 by c {
    %l = tile.splat 0.0 : tensor<?x8x8xf32, #tile.spans<b, _, _>>
    %r = tile.splat 0.0 : tensor<?x8x8xf32, #tile.spans<c, _, _>>
    %v = tile.dot %l, %r contract [2] x [1]
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:223:19: error: tile.dot multiplies batches tensor<?x8x8xf32, #tile.spans<b, _, _>> and tensor<?x8x8xf32, #tile.spans<c, _, _>>; the extents and spans of their first dimensions must be the same

// -----

func.func @dot_of_a_batch_onto_another_type(%a: tensor<2x8x8xf32>, %c: tensor<8x8xf32>) {
  %v = tile.dot %a, %a, %c contract [2] x [1]
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:232:3: error: tile.dot adds a product of type tensor<2x8x8xf32> to an acc of type tensor<8x8xf32>; make them equal

// -----

func.func @whole_along_no_span_of_it(%a: tensor<8xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.whole %a along %m
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:241:21: error: tile.whole along a !tile.span<m:8> of a value of type tensor<8xf32>, which must have one dimension of that span, or several and `dim` for one of them

// -----

func.func @whole_of_another_type() {
  tile.grid %m = 0 to 64 by m:8 {
    %a = tile.splat 0.0 : tensor<8xf32, #tile.spans<m>>
    %v = "tile.whole"(%a, %m) : (tensor<8xf32, #tile.spans<m>>, !tile.span<m:8>) -> tensor<8xf32, #tile.spans<m>>
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:252:5: error: tile.whole results in tensor<8xf32>, not tensor<8xf32, #tile.spans<m>>

// -----

func.func @associative_past_the_rank(%a: tensor<8x8xf32>) {
  %v = tile.associative_scan %a dim 2 {
  ^bb0(%a0: f32, %a1: f32):
    tile.yield %a1
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:261:3: error: tile.associative_scan along dimension 2 of tensor<8x8xf32>

// -----

func.func @associative_of_two_shapes(%a: tensor<8x8xf32>, %b: tensor<8xf32>) {
  %v, %w = tile.associative_scan %a, %b dim 0 {
  ^bb0(%a0: f32, %b0: f32, %a1: f32, %b1: f32):
    tile.yield %a1, %b1
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:272:3: error: tile.associative_scan of tensor<8x8xf32> and tensor<8xf32>; give them one shape

// -----

func.func @associative_of_halves(%a: tensor<8x8xbf16>) {
  %v = tile.associative_scan %a dim 0 {
  ^bb0(%a0: bf16, %a1: bf16):
    tile.yield %a1
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:283:3: error: tile.associative_scan of tensor<8x8xbf16>; f32 and i32 are accepted

// -----

func.func @associative_of_one_lane(%a: tensor<8x8xf32>) {
  %v = tile.associative_scan %a dim 0 {
  ^bb0(%a0: f32):
    tile.yield %a0
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:294:3: error: the body of tile.associative_scan takes (f32) twice

// -----

func.func @associative_that_yields_nothing(%a: tensor<8x8xf32>) {
  %v = tile.associative_scan %a dim 0 {
  ^bb0(%a0: f32, %a1: f32):
    tile.yield
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:305:3: error: the body of tile.associative_scan yields (f32)

// -----

func.func @associative_that_reduces(%a: tensor<8x8xf32>) {
  %v = tile.associative_scan %a dim 0 {
  ^bb0(%a0: f32, %a1: f32):
    %t = tile.broadcast %a0 dims [] : tensor<8xf32>
    tile.yield %a1
  }
  return
}
// CHECK: {{.*}}/invalid-mixing.mlir:316:3: error: tile.broadcast in the body of tile.associative_scan, which combines single lanes
