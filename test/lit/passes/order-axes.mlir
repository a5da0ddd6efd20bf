// RUN: tile-opt %s --order-axes="order=n" | filecheck %s
// RUN: tile-opt %s --order-axes | filecheck %s --check-prefix PLAIN
// RUN: tile-opt %s --order-axes="order=n,g" | filecheck %s --check-prefix BOTH

// An axis of a grid, and one of a loop in it: the other axes keep their order, and their ends.
// CHECK-LABEL: func.func @product
// CHECK:         tile.grid %n = 0 to %size by n:128 parallel, %m = 0 to 512 by m:128 parallel {
// CHECK-NEXT:      %v = tile.load %x[%n, %m]
// CHECK-LABEL: func.func @segments
// CHECK:         tile.grid %n = 0 to 256 by n:128 parallel, %h = 0 to 4 parallel, %g = 0 to 8 parallel {
// CHECK-NEXT:      %begin, %end = tile.segment %offsets[%g]
// CHECK-NEXT:      %v = tile.load %y[%g]
// CHECK-NEXT:      tile.for %m = %begin to %end by m:8 max 64 parallel {
// CHECK-NEXT:        %w = tile.load %x[%m, %n]
// CHECK:             tile.store %{{.*}}, %out[%h, %m, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// BOTH-LABEL:  func.func @segments
// BOTH:          tile.grid %n = 0 to 256 by n:128 parallel, %g = 0 to 8 parallel, %h = 0 to 4 parallel {
// A grid without these axes stays.
// CHECK-LABEL: func.func @other
// CHECK:         tile.grid %m = 0 to 512 by m:128 parallel, %c = 0 to 256 by c:128 parallel {
// PLAIN-LABEL: func.func @product
// PLAIN:         tile.grid %m = 0 to 512 by m:128 parallel, %n = 0 to %size by n:128 parallel {
func.func @product(%x: memref<?x512xf32>, %out: memref<?x512xf32>, %size: index) {
  tile.grid %m = 0 to 512 by m:128 parallel, %n = 0 to %size by n:128 parallel {
    %v = tile.load %x[%n, %m]
    tile.store %v, %out[%n, %m]
  }
  return
}

func.func @segments(%x: memref<?x256xf32>, %y: memref<8xf32>, %offsets: memref<9xi32>, %out: memref<4x4096x256xf32>) {
  tile.grid %h = 0 to 4 parallel, %g = 0 to 8 parallel {
    %begin, %end = tile.segment %offsets[%g]
    %v = tile.load %y[%g]
    tile.for %m = %begin to %end by m:8 max 64 parallel {
      tile.for %n = 0 to 256 by n:128 parallel {
        %w = tile.load %x[%m, %n]
        %all = tile.broadcast %v dims [] : tensor<8x128xf32, #tile.spans<m, n>>
        %sum = arith.addf %w, %all : tensor<8x128xf32, #tile.spans<m, n>>
        tile.store %sum, %out[%h, %m, %n]
      }
    }
  }
  return
}

func.func @other(%x: memref<512x256xf32>, %out: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128 parallel, %c = 0 to 256 by c:128 parallel {
    %v = tile.load %x[%m, %c]
    tile.store %v, %out[%m, %c]
  }
  return
}
