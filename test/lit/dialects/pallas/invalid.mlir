// What the verifiers and parsers of the dialect say, where it is wrong.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// A block has an extent for each dimension of the array.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8] map (%m) -> (%m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:9:5: error: pallas.in has a block of 1 extents for an array of rank 2, memref<64x128xf32>; give one for each dimension, `_` for one that the window drops

// -----

// Extents are positive.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 0] map (%m) -> (%m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:21:5: error: pallas.in has a block [8, 0]; extents are 1 or more

// -----

// So is the number of buffers.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] buffers 0 map (%m) -> (%m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:33:5: error: pallas.in has 0 buffers; 1 or more are needed

// -----

// A grid has two buffers at most.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] buffers 3 map (%m) -> (%m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:45:5: error: pallas.in has 3 buffers; a grid has 1 or 2, the inputs of a pallas.emit_pipeline can have more

// -----

// Only an emit_pipeline moves bounded blocks.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [bounded 8, 128] map (%m) -> (%m, %m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:57:5: error: pallas.in has a bounded dimension; only a pallas.emit_pipeline can move such a block

// -----

// One dimension can be bounded.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [bounded 8, bounded 128] map (%m) -> (%m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:69:5: error: a block has bounded dimensions [0, 1]; one at most can be

// -----

// An index map has an argument for each dimension of the grid.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m, %n) -> (%m, %n)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:81:5: error: pallas.in has an index map of 2 arguments under a grid of 1 dimensions; give one for each

// -----

// An index map has a result for each dimension of the array.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:93:5: error: pallas.in has an index map of 1 results where its block needs 2; give one for each dimension of the array, start and size for a bounded one

// -----

// Results of an index map are indices.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) {
      %i = arith.constant 0 : i32
      pallas.yield %m, %i
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:105:5: error: pallas.in has an index map with a result of type i32; an index is needed

// -----

// So are its arguments.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = "pallas.in"(%x) <{block = array<i64: 8, 128>}> ({
    ^bb0(%i: i32):
      %zero = arith.constant 0 : index
      "pallas.yield"(%zero, %zero) : (index, index) -> ()
    }) : (memref<64x128xf32>) -> memref<8x128xf32, #pallas.space<vmem>>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:120:5: error: pallas.in has an index map with an argument of type i32; an index is needed

// -----

// An index map holds scalar arithmetic.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) {
      %n = pallas.program_id 0
      pallas.yield %m, %n
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:136:5: error: pallas.in has pallas.program_id in its index map; only arith and pallas.load can be, and what compares, chooses and converts scalars

// -----

// The short form of a map yields its arguments.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %n)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:151:59: error: %n is no argument of this index map

// -----

// An index map ends with a yield.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = "pallas.in"(%x) <{block = array<i64: 8, 128>}> ({
    ^bb0(%m: index):
      "test.termop"() : () -> ()
    }) : (memref<64x128xf32>) -> memref<8x128xf32, #pallas.space<vmem>>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:163:5: error: pallas.in has a region that does not end with pallas.yield

// -----

// A reference has the block's shape.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = "pallas.in"(%x) <{block = array<i64: 8, 128>}> ({
    ^bb0(%m: index):
      "pallas.yield"(%m, %m) : (index, index) -> ()
    }) : (memref<64x128xf32>) -> memref<8x64xf32, #pallas.space<vmem>>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:178:5: error: pallas.in results in memref<8x128xf32, #pallas.space<vmem>>, not memref<8x64xf32, #pallas.space<vmem>>

// -----

// An operand of a kernel is an array, not a reference.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %again = pallas.prefetch %x_ref
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:194:5: error: pallas.prefetch takes an array without a memory space, not a memref<8x128xf32, #pallas.space<vmem>>

// -----

// And not a scalar.
func.func @f(%n: index) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %n_ref = pallas.prefetch %n
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:206:5: error: a reference points into an array, a memref, and this is index

// -----

// Operands belong to a call.
func.func @f(%x: memref<64x128xf32>) {
  %x_ref = pallas.prefetch %x
  return
}
// CHECK: {{.*}}/invalid.mlir:216:3: error: pallas.prefetch stands in func.func; it belongs directly in a pallas.call

// -----

// They come first.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %m = pallas.program_id 0
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:225:3: error: pallas.call has pallas.in after pallas.program_id; operands and scratch come first

// -----

// An extent is given where it is `?` …
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem : memref<?xi32>
  } : memref<?xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:239:5: error: pallas.out_space makes a memref<?xi32>; `extent` must be given for a `?`, and only then

// -----

// … and only there.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem extent %n : memref<4xi32>
  } : memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:250:5: error: pallas.out_space makes a memref<4xi32>; `extent` must be given for a `?`, and only then

// -----

// One extent at most can be `?`.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem : memref<?x?xi32>
  } : memref<?x?xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:261:5: error: pallas.out_space makes a memref<?x?xi32>; one extent at most can be `?`

// -----

// An output is an array.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem : memref<4xi32, #pallas.space<smem>>
  } : memref<4xi32, #pallas.space<smem>>
  return
}
// CHECK: {{.*}}/invalid.mlir:272:5: error: pallas.out_space makes an array, and memref<4xi32, #pallas.space<smem>> has a memory space

// -----

// An output's type is a memref.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem : i32
  } : memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:283:34: error: a memref is needed, and this is i32

// -----

// An alias has the output's type.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space any alias %x : memref<64x256xf32>
  } : memref<64x256xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:294:5: error: pallas.out_space makes a memref<64x256xf32> from a memref<64x128xf32>; an alias must be of the same type

// -----

// What is in scalar memory has no alias.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o = pallas.out_space smem alias %x : memref<64x128xf32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:305:5: error: pallas.out_space has an alias in smem; only one in `any` can have it

// -----

// Contents before the first step come with an alias.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o, %i = "pallas.out"() <{kind = memref<8x128xf32>, block = array<i64: 8, 128>, operandSegmentSizes = array<i32: 0, 0>}> ({
      %zero = arith.constant 0 : index
      "pallas.yield"(%zero, %zero) : (index, index) -> ()
    }) : () -> (memref<8x128xf32, #pallas.space<vmem>>, memref<8x128xf32, #pallas.space<vmem>>)
  } : memref<8x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:316:5: error: pallas.out has `init` exactly where it has an alias

// -----

// Scratch is on the chip.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %s = pallas.scratch : memref<8x128xf32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:331:5: error: pallas.scratch makes a memref<8x128xf32>; a static shape in #pallas.space<vmem> or <smem> is needed

// -----

// Scratch has a static shape.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %s = pallas.scratch : memref<?x128xf32, #pallas.space<vmem>>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:343:5: error: pallas.scratch makes a memref<?x128xf32, #pallas.space<vmem>>; a static shape in #pallas.space<vmem> or <smem> is needed

// -----

// Results are the outputs.
func.func @f() {
  %out = pallas.call "k" {
    %o = pallas.out_space smem : memref<4xi32>
  } : memref<8xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:353:3: error: pallas.call results in (memref<8xi32>) where its outputs are (memref<4xi32>); one result for each output, and one at least, is needed

// -----

// A kernel has an output.
func.func @f() {
  pallas.call "k" {
    %zero = arith.constant 0 : index
  }
  return
}
// CHECK: {{.*}}/invalid.mlir:364:3: error: pallas.call results in () where its outputs are (); one result for each output, and one at least, is needed

// -----

// A grid has no negative dimension.
func.func @f() {
  %out = pallas.call "k" grid [parallel -1] {
    %o = pallas.out_space smem : memref<4xi32>
  } : memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:375:3: error: pallas.call has a grid dimension of -1 steps; 0 or more are needed

// -----

// Each dimension has semantics.
func.func @f() {
  %out = "pallas.call"() <{kernel_name = "k", static_grid = array<i64: 1, 2>, semantics = [#pallas<semantics parallel>]}> ({
    %o = pallas.out_space smem : memref<4xi32>
  }) : () -> memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:386:3: error: pallas.call has a grid of 2 dimensions and 1 semantics; give one for each

// -----

// A dimension that is a value has an operand.
func.func @f(%n: index) {
  %out = "pallas.call"(%n) <{kernel_name = "k", static_grid = array<i64: 1>, semantics = [#pallas<semantics parallel>]}> ({
    %o = pallas.out_space smem : memref<4xi32>
  }) : (index) -> memref<4xi32>
  return
}
// CHECK: {{.*}}/invalid.mlir:397:3: error: pallas.call has 1 operands for the 0 of its numbers that are values

// -----

// Kernels do not call kernels.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %inner = pallas.call "inner" {
      %p = pallas.out_space smem : memref<4xi32>
    } : memref<4xi32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:410:5: error: pallas.call stands in a kernel; it is about whole arrays, move it before the pallas.call

// -----

// Every lane of a value in a kernel is defined.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %v = "test.op"() : () -> tensor<8xf32, #tile.spans<m>>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:422:3: error: pallas.call holds a tensor<8xf32, #tile.spans<m>>, made by test.op; in a kernel every lane is defined, so a value has no spans

// -----

// A pipeline's windows are of arrays that stay where they are.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    pallas.emit_pipeline grid [4] {
      %r = pallas.pipe_in %x_ref block [8, 128] map (%i) -> (%i, %i)
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:438:7: error: pallas.pipe_in moves blocks of a memref<8x128xf32, #pallas.space<vmem>>; a reference in `any` is needed

// -----

// Outputs of a pipeline have two buffers at most.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_hbm = pallas.in_space %x any
    pallas.emit_pipeline grid [4] {
      %r = pallas.pipe_out %x_hbm block [8, 128] buffers 3 map (%i) -> (%i, %i)
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:453:7: error: pallas.pipe_out has 3 buffers; an output has 1 or 2, an input can have more

// -----

// Windows come before the body of a pipeline.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_hbm = pallas.in_space %x any
    pallas.emit_pipeline grid [4] {
      %s = pallas.program_id 0
      %r = pallas.pipe_in %x_hbm block [8, 128] map (%i) -> (%i, %i)
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:467:5: error: pallas.emit_pipeline has pallas.pipe_in after pallas.program_id; operands and scratch come first

// -----

// They belong to a pipeline.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_hbm = pallas.in_space %x any
    %r = pallas.pipe_in %x_hbm block [8, 128] map (%i) -> (%i, %i)
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:483:5: error: pallas.pipe_in stands in pallas.call; it belongs directly in a pallas.emit_pipeline

// -----

// A bounded dimension takes a start and a size.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_hbm = pallas.in_space %x any
    pallas.emit_pipeline grid [4] {
      %r = pallas.pipe_in %x_hbm block [bounded 8, 128] map (%i) -> (%i, %i)
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:497:7: error: pallas.pipe_in has an index map of 2 results where its block needs 3; give one for each dimension of the array, start and size for a bounded one

// -----

// A pipeline has a grid.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    pallas.emit_pipeline grid [] {
      %zero = arith.constant 0 : index
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:510:5: error: pallas.emit_pipeline has no grid; give it one dimension at least

// -----

// A pipeline runs in a kernel.
func.func @f() {
  pallas.emit_pipeline grid [4] {
    %zero = arith.constant 0 : index
  }
  return
}
// CHECK: {{.*}}/invalid.mlir:522:3: error: pallas.emit_pipeline stands outside a kernel; move it into a pallas.call

// -----

// Arrays outside the chip are not loaded from.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_hbm = pallas.in_space %x any
    %v = pallas.load %x_hbm
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:536:5: error: pallas.load accesses a memref<64x128xf32, #pallas.space<any>>; only on-chip memory can be, #pallas.space<vmem> or <smem>

// -----

// Neither are arrays of the host level.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %v = pallas.load %x
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:548:5: error: pallas.load accesses a memref<64x128xf32>; only on-chip memory can be, #pallas.space<vmem> or <smem>

// -----

// A load has an index for each dimension.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref[0]
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:561:5: error: pallas.load gives 1 indices to a memref<8x128xf32, #pallas.space<vmem>>; give one for each of its 2 dimensions, or none for all of it

// -----

// An index is inside the reference …
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref[8, :]
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:574:5: error: pallas.load takes 8 to 9 of dimension 0, whose extent is 8

// -----

// … and so is a slice.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref[ds(4, 8), :]
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:587:5: error: pallas.load takes 4 to 12 of dimension 0, whose extent is 8

// -----

// All of a dimension `?` is unknown.
func.func @f(%t: memref<?xi32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %t_ref = pallas.prefetch %t
    %v = pallas.load %t_ref
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:600:5: error: pallas.load takes all of dimension 0, whose extent is `?`

// -----

// A load results in the window's type.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = "pallas.load"(%x_ref) <{static_numbers = array<i64>}> : (memref<8x128xf32, #pallas.space<vmem>>) -> tensor<8x64xf32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:613:5: error: pallas.load results in tensor<8x128xf32>, not tensor<8x64xf32>

// -----

// A store takes the window's type.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %v = "test.op"() : () -> tensor<8x64xf32>
    pallas.store %v, %o
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:626:5: error: pallas.store puts a tensor<8x64xf32> where a tensor<8x128xf32> is needed

// -----

// Inputs are not written.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref
    pallas.store %v, %x_ref
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:640:5: error: pallas.store writes into an input; only outputs and scratch can be written

// -----

// Neither are the first contents of an output.
func.func @f(%x: memref<64x128xf32>, %n: index) {
  %out = pallas.call "k" {
    %o, %old = pallas.out block [64, 128] alias %x map () {
      %zero = arith.constant 0 : index
      pallas.yield %zero, %zero
    } : memref<64x128xf32>
    %v = pallas.load %o
    pallas.store %v, %old
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:656:5: error: pallas.store writes into an input; only outputs and scratch can be written

// -----

// A reference is used in a kernel.
func.func @f(%ref: memref<8x128xf32, #pallas.space<vmem>>) {
  %v = pallas.load %ref
  return
}
// CHECK: {{.*}}/invalid.mlir:666:3: error: pallas.load stands outside a kernel; move it into a pallas.call

// -----

// A grid has the dimension that is asked about.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %m = pallas.program_id 1
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:677:5: error: pallas.program_id asks about dimension 1 of a grid of 1; dimensions are counted from 0

// -----

// A step is one of a kernel.
func.func @f() {
  %m = pallas.program_id 0
  return
}
// CHECK: {{.*}}/invalid.mlir:687:3: error: pallas.program_id stands outside a kernel; move it into a pallas.call

// -----

// An iota makes 32-bit integers.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %i = pallas.iota dim 0 : tensor<8xf32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:698:30: error: pallas.iota makes a tensor of i32, not tensor<8xf32>

// -----

// An iota runs along a dimension that it has.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %i = pallas.iota dim 2 : tensor<8x128xi32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:710:5: error: pallas.iota works along dimension 2 of a tensor<8x128xi32>

// -----

// A roll is by 0 or more.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref
    %r = pallas.roll %v by -1 dim 0
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:724:5: error: pallas.roll by -1 of a tensor<8x128xf32> to a tensor<8x128xf32>; a shift of 0 or more and equal types are needed

// -----

// A yield ends what yields.
func.func @f() {
  pallas.yield
}
// CHECK: {{.*}}/invalid.mlir:734:3: error: pallas.yield stands in func.func; it ends an index map, a cond or a fori

// -----

// The regions of a cond yield the same types.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %p = "test.op"() : () -> i1
    %i = arith.constant 0 : i32
    %f = arith.constant 0.0 : f32
    %c = pallas.cond %p {
      pallas.yield %i
    } else {
      pallas.yield %f
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:747:5: error: pallas.cond results in (i32) and a region yields (f32); the types must agree

// -----

// A loop yields what it carries.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %p = "test.op"() : () -> i1
    %i = arith.constant 0 : i32
    %f = arith.constant 0.0 : f32
    %c = pallas.fori %k = 0 to 4 iter_args(%a = %i) {
      pallas.yield %f
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:766:5: error: pallas.fori yields (f32) where its iter_args start as (i32); the types must agree

// -----

// A loop has a begin and an end.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    "pallas.fori"() <{static_bounds = array<i64: 1>, operandSegmentSizes = array<i32: 0, 0>}> ({
    ^bb0(%i: index):
      "pallas.yield"() : () -> ()
    }) : () -> ()
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:780:5: error: pallas.fori has 1 bounds; it takes a begin and an end

// -----

// A loop counts by an index.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    "pallas.fori"() <{static_bounds = array<i64: 0, 1>, operandSegmentSizes = array<i32: 0, 0>}> ({
    ^bb0(%i: i32):
      "pallas.yield"() : () -> ()
    }) : () -> ()
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:795:5: error: pallas.fori has an induction value of type i32; an index is needed

// -----

// Conditions are for kernels.
func.func @f(%p: i1) {
  pallas.when %p {
    %zero = arith.constant 0 : index
  }
  return
}
// CHECK: {{.*}}/invalid.mlir:808:3: error: pallas.when stands outside a kernel; move it into a pallas.call

// -----

// Arrays are made around kernels.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %a = pallas.full 0.0 : memref<8xf32>
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:821:5: error: pallas.full stands in a kernel; it is about whole arrays, move it before the pallas.call

// -----

// A constant is of the element type.
func.func @f(%x: memref<64x128xf32>, %t: memref<4xi32>, %n: index) {
  %a = "pallas.full"() <{value = 0 : i32}> : () -> memref<8xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:831:3: error: pallas.full fills memref<8xf32> with a i32

// -----

// A reshape keeps the number of elements.
func.func @f(%x: memref<64x128xf32>, %t: memref<4xi32>, %n: index) {
  %a = pallas.reshape %x : memref<64x64xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:840:3: error: pallas.reshape of memref<64x128xf32> to memref<64x64xf32>; the same element type and number of elements is needed

// -----

// Segments are of 32-bit integers.
func.func @f(%x: memref<64x128xf32>, %t: memref<4xi32>, %n: index) {
  pallas.check_segments %x limit %n
  return
}
// CHECK: {{.*}}/invalid.mlir:849:3: error: pallas.check_segments reads a memref<64x128xf32>; an i32 array of rank 1 is needed

// -----

// A scalar is the one element.
func.func @f(%x: memref<64x128xf32>, %t: memref<4xi32>, %n: index) {
  %a = pallas.scalar %t
  return
}
// CHECK: {{.*}}/invalid.mlir:858:3: error: pallas.scalar reads a memref<4xi32>; memref<i32> or memref<1xi32> is needed

// -----

// A transposition names every dimension once.
func.func @f(%x: memref<64x128xf32>) {
  %a = pallas.transpose %x [0, 0]
  return
}
// CHECK: {{.*}}/invalid.mlir:867:28: error: [0, 0] does not permute the dimensions of memref<64x128xf32>

// -----

func.func @f(%x: memref<64x128xf32>) {
  %a = "pallas.transpose"(%x) <{perm = array<i64: 1>}> : (memref<64x128xf32>) -> memref<128x64xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:875:3: error: pallas.transpose [1] does not permute memref<64x128xf32>

// -----

func.func @f(%x: memref<64x128xf32>) {
  %a = "pallas.transpose"(%x) <{perm = array<i64: 1, 0>}> : (memref<64x128xf32>) -> memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:883:3: error: pallas.transpose results in memref<128x64xf32>, not memref<64x128xf32>

// -----

// Each element that is taken has a position.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %x_ref = pallas.in %x block [8, 128] map (%m) -> (%m, %m)
    %v = pallas.load %x_ref
    %ids = pallas.iota dim 1 : tensor<8x64xi32>
    %r = pallas.take %v at %ids dim 1
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:897:5: error: pallas.take of a tensor<8x128xf32> at a tensor<8x64xi32> to a tensor<8x128xf32>; a position of type i32 for each element, and equal types are needed

// -----

// What is written out has a number of iterations that is known.
func.func @f(%x: memref<64x128xf32>) {
  %out = pallas.call "k" grid [parallel 4] {
    %o = pallas.out block [8, 128] map (%m) -> (%m, %m) : memref<64x128xf32>
    %n = pallas.program_id 0
    pallas.fori %k = 0 to %n unroll 8 {
    }
  } : memref<64x128xf32>
  return
}
// CHECK: {{.*}}/invalid.mlir:910:5: error: pallas.fori with `unroll` has a bound that is no literal, or unrolls less than 1; from a literal to a literal, and 1 or more, are accepted

// -----

// In a grid all of a block's position is in elements, or none of it.
func.func @some_in_elements(%x: memref<64x128xf32>) -> memref<8x128xf32> {
  %y = pallas.call "f" grid [parallel 8] {
    %x_ref = pallas.in %x block [element 8, 128] map (%m) -> (%m, %m)
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}
// CHECK: {{.*}}/invalid.mlir:922:5: error: pallas.in has its position in elements in some dimensions; a grid takes it in all, or in none

// -----

func.func @converted_shape(%x: memref<64x128xf32>) {
  %a = "pallas.convert"(%x) : (memref<64x128xf32>) -> memref<128x64xi8>
  return
}
// CHECK: {{.*}}/invalid.mlir:932:3: error: pallas.convert of memref<64x128xf32> to memref<128x64xi8>: shapes differ
