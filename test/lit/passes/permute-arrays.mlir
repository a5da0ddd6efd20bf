// What kernels index one by one is moved out of the tiles of memory.

// RUN: tile-opt %s --permute-arrays | filecheck %s

// Of four dimensions the heads go before the first tiled one. A fill stays one; a shifted index and a mask do not
// matter.
func.func @heads(%x: memref<2x64x4x128xf32>, %groups: memref<8xi32>) -> (memref<64x8x128xf32>, memref<64x8x128xf32>) {
  %out = tile.empty : memref<64x8x128xf32>
  %other = tile.full 2.0 : memref<64x8x128xf32>
  tile.grid %b = 0 to 2, %h = 0 to 4, %m = 0 to 64 by m:16 {
    %v = tile.load %x[%b, %m, %h, :]
    %twice = arith.addi %h, %h : index
    tile.store %v, %out[%m, %twice + 1, :]
    %g = tile.load %groups[%h]
    %group = arith.index_cast %g : i32 to index
    tile.store %v, %other[%m, %group, :]
  }
  return %out, %other : memref<64x8x128xf32>, memref<64x8x128xf32>
}
// CHECK-LABEL: func.func @heads
// CHECK-NEXT:    %x_1 = tile.view %x permute [0, 2, 1, 3] : memref<2x64x4x128xf32> to memref<2x4x64x128xf32>
// CHECK-NEXT:    %out = tile.empty : memref<8x64x128xf32>
// CHECK-NEXT:    %other = tile.full 2.0 : memref<8x64x128xf32>
// CHECK:           %v = tile.load %x_1[%b, %h, %m, :]
// CHECK:           tile.store %v, %out[%twice + 1, %m, :]
// CHECK:           tile.store %v, %other[%group, %m, :]
// CHECK:         %out_1 = tile.view %out permute [1, 0, 2] : memref<8x64x128xf32> to memref<64x8x128xf32>
// CHECK-NEXT:    %other_1 = tile.view %other permute [1, 0, 2] : memref<8x64x128xf32> to memref<64x8x128xf32>
// CHECK-NEXT:    func.return %out_1, %other_1

// What stays: an argument that is written, few heads, an extent that is known at run time, a row that is always the
// same, heads of which some access takes all, and no tiled dimension outside of them.
// CHECK-LABEL: func.func @stays
// CHECK-NOT:     tile.view
func.func @stays(%written: memref<64x8x128xf32>, %few: memref<64x3x128xf32>, %any: memref<?x8x128xf32>,
                 %one: memref<64x8x128xf32>, %all: memref<64x8x128xf32>, %outer: memref<8x8x128xf32>) {
  tile.grid %h = 0 to 3, %m = 0 to 64 by m:16 {
    %a = tile.load %few[%m, %h, :]
    %b = tile.load %any[%m, %h, :]
    %c = tile.load %one[%m, 5, :]
    %d = tile.load %all[%m, %h, :]
    %e = tile.load %all[%m, :, :]
    %f = tile.load %outer[%h, %h, :]
    tile.store %a, %written[%m, %h, :]
  }
  return
}
