// What is said about copies, semaphores, multiples and rolls that are wrong.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// What is kept of the two sides has the same sizes.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, 16), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:16:5: error: pallas.copy_start copies 16x128xf32 to 8x128xf32; the sizes and the element types must agree

// -----

// … the same rank.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, 8), :], %buffer[:, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:35:5: error: pallas.copy_start copies 8x128xf32 to 2x8x128xf32; the sizes and the element types must agree

// -----

// … the same elements.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_wait %x_hbm[ds(0, 8), :], %half[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:54:5: error: pallas.copy_wait copies 8x128xf32 to 8x128xbf16; the sizes and the element types must agree

// -----

// A size that is a value has its like on the other side.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, %i), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:73:5: error: pallas.copy_start copies ?x128xf32 to 8x128xf32; the sizes and the element types must agree

// -----

// The source is in its bounds.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(28, 8), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:92:5: error: pallas.copy_start takes 28 to 36 of dimension 0, whose extent is 32

// -----

// … the destination too,
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %buffer[0, :, :], %o[ds(-8, 8), :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:111:5: error: pallas.copy_start takes -8 to 0 of dimension 0, whose extent is 32

// -----

// … and the semaphore.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, 8), :], %buffer[0, :, :], %sems[2]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:130:5: error: pallas.copy_start takes 2 to 3 of dimension 0, whose extent is 2

// -----

// A size is at most the extent, wherever it starts.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(%i, 64), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:149:5: error: pallas.copy_start takes 64 elements of dimension 0, whose extent is 32

// -----

// Each dimension of a side is indexed.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[0], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:168:5: error: pallas.copy_start gives 1 indices to a memref<32x128xf32, #pallas.space<any>>; give one for each of its 2 dimensions, or none for all of it

// -----

// A copy has one semaphore.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, 8), :], %buffer[0, :, :], %sems
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:187:5: error: pallas.copy_start signals one semaphore of a memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>; give an index for each of its dimensions, 1

// -----

// … not a slice of them.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(0, 8), :], %buffer[0, :, :], %sems[ds(0, 1)]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:206:5: error: pallas.copy_start signals one semaphore of a memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>; give an index for each of its dimensions, 1

// -----

// It is a semaphore.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_wait %x_hbm[ds(0, 8), :], %buffer[0, :, :], %t_ref[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:225:5: error: pallas.copy_wait signals a memref<2xi32, #pallas.space<smem>>; !pallas.dma_semaphore in #pallas.space<semaphore> is needed

// -----

// Semaphores are not copied,
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %sems[0], %sems[1], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:244:5: error: pallas.copy_start copies from or to a memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>; a reference in #pallas.space<any>, <vmem> or <smem> is needed

// -----

// … and no arrays that no reference points to.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x[ds(0, 8), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:263:5: error: pallas.copy_start copies from or to a memref<32x128xf32>; a reference in #pallas.space<any>, <vmem> or <smem> is needed

// -----

// Inputs are not written.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %buffer[0, :, :], %x_hbm[ds(0, 8), :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:282:5: error: pallas.copy_start writes into an input; only outputs and scratch can be written

// -----

// A slice has elements.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.copy_start %x_hbm[ds(%i, 0), :], %buffer[0, :, :], %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:301:5: error: a `ds` has 0 elements; 1 or more are needed

// -----

// In the generic form each dimension has a start and a size.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    "pallas.copy_start"(%x_hbm, %buffer, %sems, %i) <{static_source = array<i64: 0>, static_destination = array<i64>, static_semaphore = array<i64: -9223372036854775808, 0>, operandSegmentSizes = array<i32: 1, 0, 1, 0, 1, 1>}> : (memref<32x128xf32, #pallas.space<any>>, memref<2x8x128xf32, #pallas.space<vmem>>, memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>, index) -> ()
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:320:5: error: pallas.copy_start has 1 numbers; a dimension has two, start and size

// -----

// … and a value for each number that is one.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    "pallas.copy_start"(%x_hbm, %buffer, %sems, %i) <{static_source = array<i64>, static_destination = array<i64>, static_semaphore = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 1, 0, 1, 1>}> : (memref<32x128xf32, #pallas.space<any>>, memref<2x8x128xf32, #pallas.space<vmem>>, memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>, index) -> ()
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:339:5: error: pallas.copy_start has 1 operands for the 0 of its numbers that are values

// -----

// A load has a size that is known.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = pallas.load %buffer[0, ds(0, %i), :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:358:5: error: pallas.load has a `ds` whose size is a value; only copies can have one

// -----

// … and so has a store.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    pallas.store %v, %buffer[0, ds(0, %i), :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:377:5: error: pallas.store has a `ds` whose size is a value; only copies can have one

// -----

// A slice is not longer than the dimension.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = pallas.load %buffer[0, ds(%i, 16), :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:396:5: error: pallas.load takes 16 elements of dimension 1, whose extent is 8

// -----

// A semaphore is not loaded.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = pallas.load %sems[0]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:415:5: error: pallas.load accesses a memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>; only on-chip memory can be, #pallas.space<vmem> or <smem>

// -----

// A divisor is 1 or more.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = pallas.multiple_of %i by 0
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:434:5: error: pallas.multiple_of has the divisor 0; 1 or more is needed

// -----

// A roll is by one number.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = "pallas.roll"(%v) <{static_shift = array<i64: 1, 2>, dim = 0 : i64}> : (tensor<8x128xf32>) -> tensor<8x128xf32>
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:453:5: error: pallas.roll has 2 shifts; it takes one

// -----

// … of the value's type.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
    %w = "pallas.roll"(%v, %i) <{static_shift = array<i64: -9223372036854775808>, dim = 0 : i64}> : (tensor<8x128xf32>, index) -> tensor<8x64xf32>
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:472:5: error: pallas.roll by an index of a tensor<8x128xf32> to a tensor<8x64xf32>; a shift of 0 or more and equal types are needed

// -----

// Semaphores are scratch in a space of their own,
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %w = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<vmem>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:489:5: error: pallas.scratch makes a memref<2x!pallas.dma_semaphore, #pallas.space<vmem>>; a static shape in #pallas.space<semaphore> is needed

// -----

// … which is for nothing else,
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %w = pallas.scratch : memref<2xi32, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:508:5: error: pallas.scratch makes a memref<2xi32, #pallas.space<semaphore>>; a static shape in #pallas.space<vmem> or <smem> is needed

// -----

// … and their number is known.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %w = pallas.scratch : memref<?x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:527:5: error: pallas.scratch makes a memref<?x!pallas.dma_semaphore, #pallas.space<semaphore>>; a static shape in #pallas.space<semaphore> is needed

// -----

// No input is there,
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %w = pallas.in_space %t semaphore
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:546:5: error: pallas.in_space puts an array where semaphores are; vmem, smem or any is needed

// -----

// … nor an output.
func.func @f(%x: memref<32x128xf32>, %t: memref<2xi32>) {
  %out = pallas.call "k" {
    %x_hbm = pallas.in_space %x any
    %t_ref = pallas.in_space %t smem
    %o = pallas.out_space any : memref<32x128xf32>
    %buffer = pallas.scratch : memref<2x8x128xf32, #pallas.space<vmem>>
    %half = pallas.scratch : memref<2x8x128xbf16, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %w = pallas.out_space semaphore : memref<2xi32>
    %i = arith.constant 0 : index
    %v = pallas.load %buffer[%i, :, :]
  } : memref<32x128xf32>
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:565:5: error: pallas.out_space puts an array where semaphores are; vmem, smem or any is needed

// -----

// A promise is made in a kernel.
func.func @f(%i: index) {
  %w = pallas.multiple_of %i by 8
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:577:3: error: pallas.multiple_of stands outside a kernel; move it into a pallas.call

// -----

// … and so is a copy.
func.func @f(%a: memref<8xf32, #pallas.space<any>>, %b: memref<8xf32, #pallas.space<vmem>>,
    %sem: memref<!pallas.dma_semaphore, #pallas.space<semaphore>>) {
  pallas.copy_wait %a, %b, %sem
  return
}
// CHECK: {{.*}}/copies-invalid.mlir:587:3: error: pallas.copy_wait stands outside a kernel; move it into a pallas.call
