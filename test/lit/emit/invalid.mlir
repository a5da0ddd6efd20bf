// What cannot be printed for Pallas, and what is said about it.

// RUN: tile-opt -t pallas %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// Only the pallas dialect and arithmetic are printed.
func.func @f(%x: memref<8xf32>) -> memref<8xf32> {
  %y = tile.full 0.0 : memref<8xf32>
  return %y : memref<8xf32>
}
// CHECK: {{.*}}/invalid.mlir:7:3: error: tile.full cannot be printed for Pallas around kernels; there it can be arithmetic on index

// -----

// A lane-mixing operation that has to be expanded.
func.func @f(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %y = pallas.call "k" {
    %x_ref = pallas.in_space %x vmem
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %v = pallas.load %x_ref
    %s = tile.scan add %v dim 1
    pallas.store %s, %y_ref
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}
// CHECK: {{.*}}/invalid.mlir:20:5: error: tile.scan cannot be printed for Pallas in a kernel

// -----

// An element type that a TPU does not have.
func.func @f(%x: memref<8xf64>) -> memref<8xf64> {
  return %x : memref<8xf64>
}
// CHECK: {{.*}}/invalid.mlir:30:1: error: func.func: a TPU kernel cannot hold f64; f32, bf16, f16, i1, i8, i16, i32 are fine

// -----

// A function passes arrays.
func.func @f(%n: index) -> index {
  return %n : index
}
// CHECK: {{.*}}/invalid.mlir:38:1: error: f takes or returns a index; only arrays, memrefs without a space, can be

// -----

// A scalar that is known when the kernel starts is not in the kernel's reach.
func.func @f(%n: memref<1xi32>) -> memref<1xi32> {
  %c0 = arith.constant 0 : index
  %steps = pallas.scalar %n
  %most = arith.maxsi %steps, %c0 : index
  %y = pallas.call "k" {
    %y_ref = pallas.out_space smem : memref<1xi32>
    %most_32 = arith.index_cast %most : index to i32
    pallas.store %most_32, %y_ref[0]
  } : memref<1xi32>
  return %y : memref<1xi32>
}
// CHECK: {{.*}}/invalid.mlir:52:5: error: arith.index_cast uses a scalar that is known only when the kernel starts; prefetch its array

// -----

// It cannot be the extent of an array either.
func.func @f(%n: memref<1xi32>) -> memref<?xi32> {
  %steps = pallas.scalar %n
  %y = pallas.full 0 extent %steps : memref<?xi32>
  return %y : memref<?xi32>
}
// CHECK: {{.*}}/invalid.mlir:64:3: error: pallas.full has an extent that is known only when a kernel starts; an array's shape must be known before

// -----

// Nor the limit of segments, which are checked before.
func.func @f(%n: memref<1xi32>, %o: memref<4xi32>) -> memref<1xi32> {
  %steps = pallas.scalar %n
  pallas.check_segments %o limit %steps
  return %n : memref<1xi32>
}
// CHECK: {{.*}}/invalid.mlir:74:3: error: pallas.check_segments has a limit that is known only when a kernel starts

// -----

// Shapes are not computed with a division that rounds towards zero.
func.func @f(%x: memref<?xf32>) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %half = arith.divsi %n, %c2 : index
  %y = pallas.full 0.0 extent %half : memref<?xf32>
  return %y : memref<?xf32>
}
// CHECK: {{.*}}/invalid.mlir:86:3: error: arith.divsi cannot be printed for Pallas around kernels; there it can be arithmetic on index

// -----

// Comparisons are signed.
func.func @f(%x: memref<2xi32>) -> memref<1xi32> {
  %y = pallas.call "k" {
    %x_ref = pallas.in_space %x smem
    %y_ref = pallas.out_space smem : memref<1xi32>
    %a = pallas.load %x_ref[0]
    %b = pallas.load %x_ref[1]
    %less = arith.cmpi ult, %a, %b : i32
    %one = arith.select %less, %a, %b : i32
    pallas.store %one, %y_ref[0]
  } : memref<1xi32>
  return %y : memref<1xi32>
}
// CHECK: {{.*}}/invalid.mlir:101:5: error: arith.cmpi compares as unsigned or not at all; a kernel compares signed integers and floats

// -----

// A constant has one value in all lanes.
func.func @f() -> memref<2xi32> {
  %y = pallas.call "k" {
    %y_ref = pallas.out_space vmem : memref<2xi32>
    %v = arith.constant dense<[1, 2]> : tensor<2xi32>
    pallas.store %v, %y_ref
  } : memref<2xi32>
  return %y : memref<2xi32>
}
// CHECK: {{.*}}/invalid.mlir:115:5: error: arith.constant holds different elements, which a kernel cannot; load them from an array

// -----

// Bits are not counted as numbers by chance.
func.func @f(%x: memref<2xi8>) -> memref<2xi32> {
  %y = pallas.call "k" {
    %x_ref = pallas.in_space %x smem
    %y_ref = pallas.out_space smem : memref<2xi32>
    %v = pallas.load %x_ref[0]
    %w = arith.extui %v : i8 to i32
    pallas.store %w, %y_ref[0]
  } : memref<2xi32>
  return %y : memref<2xi32>
}
// CHECK: {{.*}}/invalid.mlir:130:5: error: arith.extui reads i8 as unsigned, which a kernel cannot; only an i1 can be

// -----

func.func @f(%x: memref<2xi32>) -> memref<2xi32> {
  %y = pallas.call "k" {
    %x_ref = pallas.in_space %x smem
    %y_ref = pallas.out_space smem : memref<2xi32>
    %v = pallas.load %x_ref[0]
    %odd = arith.trunci %v : i32 to i1
    %w = arith.select %odd, %v, %v : i32
    pallas.store %w, %y_ref[0]
  } : memref<2xi32>
  return %y : memref<2xi32>
}
// CHECK: {{.*}}/invalid.mlir:144:5: error: arith.trunci to i1 takes the lowest bit, which a kernel cannot; `tile.cast` asks for not zero

// -----

// A module holds functions …
"test.op"() : () -> ()
// CHECK: {{.*}}/invalid.mlir:155:1: error: test.op cannot be printed for Pallas; a module holds functions with a body

// -----

// … one at least …
builtin.module {}
// CHECK: {{.*}}/invalid.mlir:161:1: error: there is no function to print for Pallas

// -----

// … without branches.
func.func @f(%x: memref<2xi32>) -> memref<2xi32> {
  cf.br ^next
^next:
  return %x : memref<2xi32>
}
// CHECK: {{.*}}/invalid.mlir:167:1: error: f has 2 blocks; it can be printed if it has one

// -----

// Operations with regions of other dialects have to be converted first.
func.func @f(%x: memref<2xi32>) -> memref<2xi32> {
  %y = pallas.call "k" {
    %y_ref = pallas.out_space smem : memref<2xi32>
    %p = arith.constant true
    scf.if %p {
      %zero = arith.constant 0 : i32
      pallas.store %zero, %y_ref[0]
    }
  } : memref<2xi32>
  return %y : memref<2xi32>
}
// CHECK: {{.*}}/invalid.mlir:181:5: error: scf.if cannot be printed for Pallas in a kernel

// -----

// What no TPU kernel can reduce has to be expanded first.
func.func @f(%x: memref<8x128xf32>) -> memref<128xf32> {
  %y = pallas.call "k" {
    %x_ref = pallas.in_space %x vmem
    %y_ref = pallas.out_space vmem : memref<128xf32>
    %v = pallas.load %x_ref
    %p = tile.reduce mul %v dims [0]
    pallas.store %p, %y_ref
  } : memref<128xf32>
  return %y : memref<128xf32>
}
// CHECK: {{.*}}/invalid.mlir:198:5: error: tile.reduce mul of f32 is nothing that the TPU compiler has; it has add, max and min of numbers, and `and` and `or` of i1
