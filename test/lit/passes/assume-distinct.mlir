// RUN: tile-opt %s --assume-distinct --classify-axes | filecheck %s
// RUN: tile-opt %s --assume-distinct --explain 2>&1 | filecheck %s --check-prefix=WHY

// Nothing but loaded positions tells iterations apart: a page and a row of it do together.
// CHECK-LABEL: func.func @paged
// CHECK:         %page_1, %row_1 = tile.distinct %page, %row
// CHECK-NEXT:    tile.store %v, %cache[%page_1, %row_1, :, :]
// CHECK-NEXT:  }
// WHY: assume-distinct: positions of %cache are taken to differ from iteration to iteration, which nothing else tells apart
func.func @paged(%x: memref<8x4x128xf32>, %pages: memref<8xi32>, %rows: memref<8xi32>,
                 %cache: memref<64x16x4x128xf32>) {
  tile.grid %i = 0 to 8 {
    %v = tile.load %x[%i, :, :]
    %p = tile.load %pages[%i]
    %page = arith.index_cast %p : i32 to index
    %r = tile.load %rows[%i]
    %row = arith.index_cast %r : i32 to index
    tile.store %v, %cache[%page, %row, :, :]
  }
  return
}

// What is read there first is the same part, wherever its position is loaded once more.
// CHECK-LABEL: func.func @updated
// CHECK:         %a_1 = tile.distinct %a
// CHECK-NEXT:    %old = tile.load %cache[%a_1, :]
// CHECK:         tile.store %old, %cache[%a_1, :]
func.func @updated(%slots: memref<8xi32>, %cache: memref<64x128xf32>) {
  tile.grid %i = 0 to 8 {
    %p = tile.load %slots[%i]
    %a = arith.index_cast %p : i32 to index
    %old = tile.load %cache[%a, :]
    %q = tile.load %slots[%i]
    %b = arith.index_cast %q : i32 to index
    tile.store %old, %cache[%b, :]
  }
  return
}

// Under a condition only iterations that get there have positions of their own.
// CHECK-LABEL: func.func @some
// CHECK:         scf.if %there {
// CHECK-NEXT:      %slot_1 = tile.distinct %slot
// CHECK-NEXT:      tile.store %v, %cache[%slot_1, :]
func.func @some(%x: memref<8x128xf32>, %slots: memref<8xi32>, %cache: memref<64x128xf32>) {
  tile.grid %i = 0 to 8 {
    %v = tile.load %x[%i, :]
    %p = tile.load %slots[%i]
    %zero = tile.splat 0 : i32
    %there = tile.compare ge %p, %zero
    %slot = arith.index_cast %p : i32 to index
    scf.if %there {
      tile.store %v, %cache[%slot, :]
    }
  }
  return
}

// The batch tells iterations apart, whose lengths may be equal.
// CHECK-LABEL: func.func @appended
// CHECK-NOT:     tile.distinct
func.func @appended(%x: memref<8x128xf32>, %lens: memref<8xi32>, %cache: memref<8x64x128xf32>) {
  tile.grid %i = 0 to 8 {
    %v = tile.load %x[%i, :]
    %n = tile.load %lens[%i]
    %end = arith.index_cast %n : i32 to index
    tile.store %v, %cache[%i, %end, :]
  }
  return
}
