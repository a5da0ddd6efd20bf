// Whether steps come back to a block that others have left follows from the order of its positions.
// RUN: tile-opt %s --split-unaligned-loops | filecheck %s
// RUN: tile-opt %s --split-unaligned-loops --explain 2>&1 >/dev/null | filecheck %s --match-full-lines --check-prefix=WHY

// Two workers take every second segment each: neighbours share a tile of memory, and are not next to each other.
func.func @segments_in_turn(%x: memref<64x128xf32>, %o: memref<5xi32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  tile.pipeline grid {
    %worker = tile.axis 0 to 2 ordered
    %turn = tile.axis 0 to 2 ordered
    %two = arith.constant 2 : index
    %t = arith.muli %turn, %two : index
    %g = arith.addi %t, %worker : index
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:8 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @segments_in_turn(
// CHECK:       %ow = tile.window write %out[%m, :] fetch [64, 128]
// WHY: {{.*}}/split-unaligned-loops-order.mlir:17:5: note: split-unaligned-loops: %out is copied in blocks of 64 x 128 for tiles of 8 x 128: steps of axis worker ({{.*}}/split-unaligned-loops-order.mlir:9:5) come back to blocks of 8 x 128 that others have left

// In the order of their numbers they are left for good.
func.func @segments_in_order(%x: memref<64x128xf32>, %o: memref<5xi32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  tile.pipeline grid {
    %worker = tile.axis 0 to 2 ordered
    %turn = tile.axis 0 to 2 ordered
    %two = arith.constant 2 : index
    %t = arith.muli %worker, %two : index
    %g = arith.addi %t, %turn : index
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:8 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @segments_in_order(
// CHECK:       %ow = tile.window write %out[%m, :]{{$}}

// A matrix for each index that is loaded, perhaps the same twice.
func.func @loaded(%x: memref<6x8x128xf32>, %ids: memref<6xi32>) -> memref<4x8x128xf32> {
  %out = tile.empty : memref<4x8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 6 ordered
    %id = tile.load %ids[%g]
    %i = arith.index_cast %id : i32 to index
    %xw = tile.window read %x[%g, :, :]
    %ow = tile.window write %out[%i, :, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<4x8x128xf32>
}
// CHECK-LABEL: func.func @loaded(
// CHECK:       %ow = tile.window write %out[%i, :, :] fetch [4, 8, 128]
// WHY: {{.*}}/split-unaligned-loops-order.mlir:56:5: note: split-unaligned-loops: %out is copied in blocks of 4 x 8 x 128 for tiles of 1 x 8 x 128: steps of axis g ({{.*}}/split-unaligned-loops-order.mlir:52:5) come back to blocks of 1 x 8 x 128 that others have left
