// Copies and what they need, in their own syntax, and that the generic form reads back as the same.

// RUN: tile-opt %s | filecheck %s
// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

// CHECK-LABEL: func.func @copies
func.func @copies(%x: memref<?x32x128xf32>, %t: memref<4xi32>, %n: index) -> memref<?x32x128xf32> {
  %out = pallas.call "copies" {
    // CHECK: %x_hbm = pallas.in_space
    %x_hbm = pallas.in_space %x any
    %t_hbm = pallas.in_space %t any
    %out_hbm = pallas.out_space any extent %n : memref<?x32x128xf32>
    %buffer = pallas.scratch : memref<2x2x8x128xf32, #pallas.space<vmem>>
    %table = pallas.scratch : memref<4xi32, #pallas.space<smem>>
    // CHECK: %sems = pallas.scratch : memref<2x4x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %sems = pallas.scratch : memref<2x4x!pallas.dma_semaphore, #pallas.space<semaphore>>
    // CHECK-NEXT: %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    // CHECK-NEXT: pallas.copy_start %t_hbm, %table, %sem
    pallas.copy_start %t_hbm, %table, %sem
    // CHECK-NEXT: pallas.copy_wait %t_hbm, %table, %sem
    pallas.copy_wait %t_hbm, %table, %sem
    // CHECK-NEXT: %t0 = pallas.load %table[0]
    %t0 = pallas.load %table[0]
    // CHECK-NEXT: %i = arith.index_cast
    %i = arith.index_cast %t0 : i32 to index
    // CHECK-NEXT: %row = pallas.multiple_of %i by 8
    %row = pallas.multiple_of %i by 8
    // CHECK-NEXT: pallas.copy_start %x_hbm[%i, ds(%row, 8), :], %buffer[%i, 1, :, :], %sems[0, %i]
    pallas.copy_start %x_hbm[%i, ds(%row, 8), :], %buffer[%i, 1, :, :], %sems[0, %i]
    // CHECK-NEXT: pallas.copy_wait %x_hbm[%i, ds(%row, 8), :], %buffer[%i, 1, :, :], %sems[0, %i]
    pallas.copy_wait %x_hbm[%i, ds(%row, 8), :], %buffer[%i, 1, :, :], %sems[0, %i]
    // CHECK-NEXT: %v = pallas.load %buffer[%i, 1, ds(%row, 4), ds(0, 128)]
    %v = pallas.load %buffer[%i, 1, ds(%row, 4), ds(0, 128)]
    // CHECK-NEXT: %turned = pallas.roll %v by %i dim 1
    %turned = pallas.roll %v by %i dim 1
    // CHECK-NEXT: pallas.store %turned, %buffer[0, %i, ds(4, 4), :]
    pallas.store %turned, %buffer[0, %i, ds(4, 4), :]
    // CHECK-NEXT: pallas.copy_start %buffer[0, 0, ds(%row, %i), :], %out_hbm[2, ds(0, %i), :], %sems[%i, 3]
    pallas.copy_start %buffer[0, 0, ds(%row, %i), :], %out_hbm[2, ds(0, %i), :], %sems[%i, 3]
    // CHECK-NEXT: pallas.copy_wait %buffer[0, 0, ds(%row, %i), :], %out_hbm[2, ds(0, %i), :], %sems[%i, 3]
    pallas.copy_wait %buffer[0, 0, ds(%row, %i), :], %out_hbm[2, ds(0, %i), :], %sems[%i, 3]
  } : memref<?x32x128xf32>
  return %out : memref<?x32x128xf32>
}
