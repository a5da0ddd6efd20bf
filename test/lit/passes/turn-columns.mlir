// RUN: tile-opt %s --turn-columns | filecheck %s
// RUN: tile-opt %s --turn-columns --explain 2>&1 >/dev/null | filecheck %s --check-prefix=EXPLAIN
// RUN: tile-opt %s --turn-columns --resolve-views | filecheck %s --check-prefix=RESOLVED

// Columns that are read and stored are rows of what the kernel sees.
// CHECK-LABEL: func.func @widths
// CHECK-NEXT:    %boxes_1 = tile.view %boxes permute [1, 0] : memref<65536x4xf32> to memref<4x65536xf32>
// CHECK-NEXT:    %out = tile.full 0.0 : memref<3x65536xf32>
// CHECK:           %left = tile.load %boxes_1[0, %r]
// CHECK-NEXT:      %right = tile.load %boxes_1[2, %r]
// CHECK:           tile.store %width, %out[1, %r]
// CHECK:         %[[OUT:.*]] = tile.view %out permute [1, 0] : memref<3x65536xf32> to memref<65536x3xf32>
// CHECK-NEXT:    func.return %[[OUT]]
// EXPLAIN:     turn-columns.mlir:24:5: note: turn-columns: the host transposes a memref<65536x4xf32> to memref<4x65536xf32>
// EXPLAIN:     turn-columns: the host transposes a memref<3x65536xf32> to memref<65536x3xf32>
// RESOLVED-LABEL: func.func @widths
// RESOLVED:         %left = tile.load %boxes_1[0, %r]
// RESOLVED:         tile.store %width, %out[1, %r]
// RESOLVED:         %[[OUT:.*]] = tile.view %out permute [1, 0] : memref<3x65536xf32> to memref<65536x3xf32>
func.func @widths(%boxes: memref<65536x4xf32>) -> memref<65536x3xf32> {
  %out = tile.full 0.0 : memref<65536x3xf32>
  tile.grid %r = 0 to 65536 by r:2048 {
    %left = tile.load %boxes[%r, 0]
    %right = tile.load %boxes[%r, 2]
    %width = arith.subf %right, %left : tensor<2048xf32, #tile.spans<r>>
    tile.store %width, %out[%r, 1]
  }
  return %out : memref<65536x3xf32>
}

// So are those of a number that a loop gives, and of arrays of higher rank.
// CHECK-LABEL: func.func @channels
// CHECK:           %v = tile.load %image_1[%c, %y, %x]
func.func @channels(%image: memref<64x128x3xf32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  tile.grid %y = 0 to 64 by y:8, %x = 0 to 128 by x:128 {
    %zero = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<y, x>>
    %sum = tile.for %c = 0 to 3 iter_args(%a = %zero) {
      %v = tile.load %image[%y, %x, %c]
      %b = arith.addf %a, %v : tensor<8x128xf32, #tile.spans<y, x>>
      tile.yield %b
    }
    tile.store %sum, %out[%y, %x]
  }
  return %out : memref<64x128xf32>
}

// Rows that are taken as a whole somewhere, of segments, of any number, or of many columns are left, and so
// are arguments that are written.
// CHECK-LABEL: func.func @left
// CHECK-NOT:     tile.view
// CHECK:         return
func.func @left(%both: memref<64x4xf32>, %many: memref<64x128xf32>, %any: memref<?x4xf32>, %items: memref<64x4xf32>,
                %changed: memref<64x4xf32>, %offsets: memref<3xi32>, %out: memref<64x4xf32>) {
  tile.grid %r = 0 to 64 by r:8 {
    %rows = tile.load %both[%r, :]
    tile.store %rows, %out[%r, :]
    %one = tile.load %both[%r, 1]
    %other = tile.load %many[%r, 1]
    %sum = arith.addf %one, %other : tensor<8xf32, #tile.spans<r>>
    %third = tile.load %any[%r, 1]
    %all = arith.addf %sum, %third : tensor<8xf32, #tile.spans<r>>
    tile.store %all, %changed[%r, 1]
  }
  tile.grid %g = 0 to 2 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %i = %begin to %end by i:8 {
      %v = tile.load %items[%i, 1]
      tile.store %v, %changed[%i, 2]
    }
  }
  return
}
