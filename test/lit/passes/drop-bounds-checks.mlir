// Which kernels are compiled without checks of their copies, and what keeps them on the others.

// RUN: tile-opt %s --drop-bounds-checks | filecheck %s
// RUN: tile-opt %s --drop-bounds-checks | tile-opt --drop-bounds-checks | filecheck %s
// RUN: tile-opt %s --drop-bounds-checks -t pallas | filecheck %s --check-prefix PALLAS
// RUN: tile-opt %s --drop-bounds-checks --explain 2>&1 >/dev/null | filecheck %s --check-prefix KEPT

// KEPT:      {{.*}}:81:7: note: drop-bounds-checks: past keeps its checks: %x_ref may be left at the end of dimension 0, whose extent is 100
// KEPT-NEXT: {{.*}}:95:7: note: drop-bounds-checks: unknown keeps its checks: %x_ref may be left at the end of dimension 0, whose extent is known only at run time
// KEPT-NEXT: {{.*}}:136:7: note: drop-bounds-checks: given_rows keeps its checks: %x_ref may be left at the end of dimension 0, whose extent is 100
// KEPT-NEXT: {{.*}}:161:5: note: drop-bounds-checks: listed keeps its checks: %y may be left at the end of dimension 0, whose extent is 100

// What is loaded may be below 0, and is not then; it is at most 11, the number of the last
// whole tile of 8 rows. Slots are below 4.
// CHECK-LABEL: func.func @carried
// CHECK-NEXT:  pallas.call "carried" unchecked {
// CHECK:         %[[PLACE:.*]] = arith.maxsi %row, %{{.*}} : index
// CHECK-NEXT:    pallas.copy_start %x_ref[ds(%[[PLACE]], 8), :], %buffer[%slot, :, :], %sems[%slot]
// CHECK-NEXT:    pallas.copy_wait %x_ref[ds(%row, 8), :], %buffer[%slot, :, :], %sems[%slot]
// PALLAS:      disable_bounds_checks=True,
func.func @carried(%x: memref<100x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %y = pallas.call "carried" {
    %o_ref = pallas.in_space %o smem
    %x_ref = pallas.in_space %x any
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %buffer = pallas.scratch : memref<4x8x128xf32, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<4x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %c11 = arith.constant 11 : index
    %n = pallas.fori %i = 0 to 9 iter_args(%slot = %c0) {
      %begin = pallas.load %o_ref[%i]
      %at = arith.index_cast %begin : i32 to index
      %tile = arith.minsi %at, %c11 : index
      %row = arith.muli %tile, %c8 : index
      pallas.copy_start %x_ref[ds(%row, 8), :], %buffer[%slot, :, :], %sems[%slot]
      pallas.copy_wait %x_ref[ds(%row, 8), :], %buffer[%slot, :, :], %sems[%slot]
      %next = arith.addi %slot, %c1 : index
      %turned = arith.andi %next, %c3 : index
      pallas.yield %turned
    }
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}

// Of the last tile only what there is is copied, with what lies in the same tile of memory.
// CHECK-LABEL: func.func @tail
// CHECK-NEXT:  pallas.call "tail" unchecked {
func.func @tail(%x: memref<100x128xf32>) -> memref<8x128xf32> {
  %y = pallas.call "tail" {
    %x_ref = pallas.in_space %x any
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %buffer = pallas.scratch : memref<16x128xf32, #pallas.space<vmem>>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    %c16 = arith.constant 16 : index
    %c104 = arith.constant 104 : index
    pallas.fori %i = 0 to 7 {
      %row = arith.muli %i, %c16 : index
      %rest = arith.subi %c104, %row : index
      %least = arith.minsi %rest, %c16 : index
      %size = pallas.multiple_of %least by 8
      pallas.copy_start %x_ref[ds(%row, %size), :], %buffer[ds(0, %size), :], %sem
    }
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}

// The thirteenth tile of 8 rows ends with the last tile of memory, the fourteenth behind it.
// CHECK-LABEL: func.func @past
// CHECK-NEXT:  pallas.call "past" {
func.func @past(%x: memref<100x128xf32>) -> memref<8x128xf32> {
  %y = pallas.call "past" {
    %x_ref = pallas.in_space %x any
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    %c8 = arith.constant 8 : index
    pallas.fori %i = 0 to 14 {
      %row = arith.muli %i, %c8 : index
      pallas.copy_start %x_ref[ds(%row, 8), :], %y_ref, %sem
    }
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}

// CHECK-LABEL: func.func @unknown
// CHECK-NEXT:  pallas.call "unknown" {
func.func @unknown(%x: memref<?x128xf32>) -> memref<8x128xf32> {
  %y = pallas.call "unknown" {
    %x_ref = pallas.in_space %x any
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    pallas.fori %i = 0 to 2 {
      pallas.copy_start %x_ref[ds(%i, 8), :], %y_ref, %sem
    }
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}

// An index from a list of the program's own is one of the array; one that the caller gives may be any.
// CHECK-LABEL: func.func @from_lists
// CHECK:       pallas.call "listed_rows" unchecked {
// CHECK:           %[[LOW:.*]] = arith.maxsi %at, %{{.*}} : index
// CHECK:           %[[ROW:.*]] = arith.minsi %[[LOW]], %c99 : index
// CHECK-NEXT:      pallas.copy_start %x_ref[%[[ROW]], :, :], %y_ref, %sem
// CHECK:       pallas.call "given_rows" {
func.func @from_lists(%x: memref<100x8x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %list = pallas.call "list" {
    %o_ref = pallas.in_space %o smem
    %list_ref = pallas.out_space smem : memref<9xi32>
    pallas.fori %i = 0 to 9 {
      %v = pallas.load %o_ref[%i]
      pallas.store %v, %list_ref[%i]
    }
  } : memref<9xi32>
  %y = pallas.call "listed_rows" {
    %list_ref = pallas.in_space %list smem
    %x_ref = pallas.in_space %x any
    %y_ref = pallas.out_space vmem : memref<8x128xf32>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    pallas.fori %i = 0 to 9 {
      %row = pallas.load %list_ref[%i]
      %at = arith.index_cast %row : i32 to index
      pallas.copy_start %x_ref[%at, :, :], %y_ref, %sem
    }
  } : memref<8x128xf32>
  %z = pallas.call "given_rows" {
    %o_ref = pallas.in_space %o smem
    %x_ref = pallas.in_space %x any
    %z_ref = pallas.out_space vmem : memref<8x128xf32>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    pallas.fori %i = 0 to 9 {
      %row = pallas.load %o_ref[%i]
      %at = arith.index_cast %row : i32 to index
      pallas.copy_start %x_ref[%at, :, :], %z_ref, %sem
    }
  } : memref<8x128xf32>
  return %y : memref<8x128xf32>
}

// Blocks of windows: by the position in the grid, and by a list.
// CHECK-LABEL: func.func @windows
// CHECK-NEXT:  pallas.call "windows" grid [arbitrary 13] unchecked {
// CHECK:       pallas.call "listed" grid [arbitrary 13] {
func.func @windows(%x: memref<100x128xf32>, %o: memref<13xi32>) -> memref<100x128xf32> {
  %y = pallas.call "windows" grid [arbitrary 13] {
    %x_ref = pallas.in %x block [8, 128] map (%i) {
      %c0 = arith.constant 0 : index
      pallas.yield %i, %c0
    }
    %y_ref = pallas.out block [8, 128] map (%i) {
      %c0 = arith.constant 0 : index
      pallas.yield %i, %c0
    } : memref<100x128xf32>
    %v = pallas.load %x_ref
    pallas.store %v, %y_ref
  } : memref<100x128xf32>
  %z = pallas.call "listed" grid [arbitrary 13] {
    %o_ref = pallas.prefetch %o
    %y_in = pallas.in %y block [8, 128] map (%i) {
      %c0 = arith.constant 0 : index
      %tile = pallas.load %o_ref[%i]
      %at = arith.index_cast %tile : i32 to index
      pallas.yield %at, %c0
    }
    %z_ref = pallas.out block [8, 128] map (%i) {
      %c0 = arith.constant 0 : index
      pallas.yield %i, %c0
    } : memref<100x128xf32>
    %v = pallas.load %y_in
    pallas.store %v, %z_ref
  } : memref<100x128xf32>
  return %z : memref<100x128xf32>
}
