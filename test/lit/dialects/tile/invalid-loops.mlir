// What the verifier and the parser of loops and axes refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @bound_type(%n: i32) {
  tile.grid %m = 0 to %n by m {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:6:3: error: tile.grid axis m has a bound of type i32; an index is needed

// -----

func.func @begin_after_end() {
  tile.grid %g = 8 to 4 {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:15:3: error: tile.grid axis g runs from 8 to 4; begin must not exceed end

// -----

func.func @axis_type() {
  "tile.grid"() <{static_bounds = array<i64: 0, 4>, limits = array<i64: -1>}> ({
  ^bb0(%g: i32):
    tile.yield
  }) : () -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:24:3: error: tile.grid axis is of type i32; index or !tile.span is needed

// -----

func.func @empty_block() {
  tile.grid %m = 0 to 64 by m:0 {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:35:3: error: tile.grid axis m has a block of 0; 1 or more is needed

// -----

func.func @nested_name() {
  tile.grid %m = 0 to 64 by m {
    tile.for %r = 0 to 8 by m {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:45:5: error: tile.for names an axis m inside another axis m; nested axes need distinct names

// -----

func.func @no_axis_around() {
  %zero = tile.splat 0.0 : tensor<?x8xf32, #tile.spans<m, _>>
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:55:3: error: tile.splat makes a tensor<?x8xf32, #tile.spans<m, _>>, and no axis m is around it

// -----

func.func @lanes_of_another_number() {
  tile.grid %m = 0 to 64 by m:16 {
    %zero = tile.splat 0.0 : tensor<?x8xf32, #tile.spans<m, _>>
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:64:5: error: tile.splat makes a tensor<?x8xf32, #tile.spans<m, _>>: ? lanes of m, whose span has 16

// -----

func.func @arguments_for_axes() {
  "tile.grid"() <{static_bounds = array<i64: 0, 4, 0, 4>, limits = array<i64: -1, -1>}> ({
  ^bb0(%g: index):
    tile.yield
  }) : () -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:73:3: error: tile.grid has bounds for 2 axes and 1 arguments

// -----

func.func @bounds_for_axes() {
  "tile.grid"() <{static_bounds = array<i64: 0>, limits = array<i64: -1>}> ({
  ^bb0(%g: index):
    tile.yield
  }) : () -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:84:3: error: tile.grid has 1 static bounds, 0 of them dynamic, for 1 axes and 0 bound operands; an axis takes two bounds, a dynamic one an operand

// -----

func.func @two_of_one_name() {
  tile.grid %m = 0 to 64 by m, %r = 0 to 64 by m {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:95:3: error: tile.grid has two axes m; give them distinct names

// -----

func.func @some_orders() {
  tile.grid %m = 0 to 64 by m parallel, %n = 0 to 64 by n {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:104:59: error: mark every axis `parallel` or `ordered`, or none

// -----

func.func @yield_of_nothing_known() {
  tile.grid %g = 0 to 8 {
    tile.yield %sum
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:114:16: error: value %sum is used before its definition

// -----

func.func @grid_that_yields(%x: f32) {
  tile.grid %g = 0 to 8 {
    tile.yield %x
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:123:3: error: tile.grid yields nothing; store what its iterations compute

// -----

func.func @grid_without_yield() {
  "tile.grid"() <{static_bounds = array<i64: 0, 4>, limits = array<i64: -1>}> ({
  ^bb0(%g: index):
    "test.termop"() : () -> ()
  }) : () -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:133:3: error: 'tile.grid' terminates with operation test.termop instead of tile.yield

// -----

func.func @for_of_two_axes() {
  "tile.for"() <{operandSegmentSizes = array<i32: 0, 0>, static_bounds = array<i64: 0, 4, 0, 4>, limits = array<i64: -1, -1>}> ({
  ^bb0(%g: index, %h: index):
    tile.yield
  }) : () -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:144:3: error: tile.for has 2 axes; it takes one

// -----

func.func @carries_another_type(%x: f32) {
  %r = "tile.for"(%x) <{operandSegmentSizes = array<i32: 1, 0>, static_bounds = array<i64: 0, 4>, limits = array<i64: -1>}> ({
  ^bb0(%g: index, %a: i32):
    tile.yield %x
  }) : (f32) -> f32
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:155:3: error: tile.for carries (i32) where its iter_args start as (f32); the types must agree

// -----

func.func @yields_another_number(%x: f32) {
  %r = tile.for %g = 0 to 8 iter_args(%a = %x) {
    tile.yield
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:166:3: error: tile.for yields () where its iter_args start as (f32); the types must agree

// -----

func.func @yields_another_type(%x: f32, %y: i32) {
  %r = tile.for %g = 0 to 8 iter_args(%a = %x) {
    tile.yield %y
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:176:3: error: tile.for yields (i32) where its iter_args start as (f32); the types must agree

// -----

func.func @results_in_another_type(%x: f32) {
  %r = "tile.for"(%x) <{operandSegmentSizes = array<i32: 1, 0>, static_bounds = array<i64: 0, 4>, limits = array<i64: -1>}> ({
  ^bb0(%g: index, %a: f32):
    tile.yield %a
  }) : (f32) -> i32
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:186:3: error: tile.for results in (i32) where its iter_args start as (f32); the types must agree

// -----

func.func @used_before_its_definition() {
  tile.grid %g = 0 to %n {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:197:23: error: value %n is used before its definition

// -----

func.func @mean_of_known() {
  tile.grid %m = 0 to 64 by m mean 12 {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:206:3: error: tile.grid axis m runs from 0 to 64 and has a mean of 12; only an extent known at run time takes one

// -----

func.func @mean_above_max(%n: index) {
  tile.grid %m = 0 to %n by m max 8 mean 12 {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:215:3: error: tile.grid axis m has a mean of 12 and a max of 8; a mean up to the max is needed

// -----

func.func @means_of_others(%n: index) {
  "tile.grid"(%n) <{static_bounds = array<i64: 0, -9223372036854775808>, limits = array<i64: -1>, means = array<i64: 1, 2>}> ({
  ^bb0(%g: index):
    tile.yield
  }) : (index) -> ()
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:224:3: error: tile.grid has 2 means for 1 axes; give one for each

// -----

func.func @exact_of_any_size() {
  tile.grid %m = 3 to 64 by m exact {
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:235:3: error: tile.grid axis m is exact, and its block has no size; a range in blocks of a number can be exact

// -----

func.func @exact_and_jagged(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p:8 {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k:8 of p exact {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:246:5: error: tile.for axis k is exact, and it is jagged; a range in blocks of a number can be exact

// -----

func.func @exact_in_a_pipeline() {
  tile.pipeline grid {
    %m = tile.axis 0 to 8 by m:4 exact ordered
  }
  return
}
// CHECK: {{.*}}/invalid-loops.mlir:257:{{[0-9]+}}: error: an axis of a pipeline is exact unless it is `aligned`
