// RUN: tile-opt %s --raise-parts --raise-columns | filecheck %s

// A column is the lanes of rows that have its number.
// CHECK-LABEL: func.func @column
// CHECK:         %v = tile.load %x[%m, 2]
// CHECK-NEXT:    %0 = tile.broadcast %v dims [0] : tensor<?x5xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %1 = tile.splat 1 : tensor<5xi32>
// CHECK-NEXT:    %2 = tile.scan add %1 dim 0
// CHECK-NEXT:    %3 = arith.subi %2, %1 : tensor<5xi32>
// CHECK-NEXT:    %4 = tile.broadcast %3 dims [1] : tensor<?x5xi32, #tile.spans<m, _>>
// CHECK-NEXT:    %5 = tile.splat 3 : tensor<?x5xi32, #tile.spans<m, _>>
// CHECK-NEXT:    %6 = tile.compare eq %4, %5
// CHECK-NEXT:    tile.store %0, %out[%m, :] mask %6
func.func @column(%x: memref<100x8xf32>, %out: memref<100x5xf32>) {
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, 2]
    tile.store %v, %out[%m, 3]
  }
  return
}

// The number may be that of a round, and what is added to a masked lane of its own.
// CHECK-LABEL: func.func @added
// CHECK:           %[[N:.*]] = arith.index_cast %j : index to i32
// CHECK-NEXT:      %[[W:.*]] = tile.broadcast %[[N]] dims [] : tensor<?x5xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %[[H:.*]] = tile.compare eq %{{.*}}, %[[W]]
// CHECK-NEXT:      %[[P:.*]] = tile.broadcast %p dims [0] : tensor<?x5xi1, #tile.spans<m, _>>
// CHECK-NEXT:      %[[B:.*]] = arith.andi %[[H]], %[[P]]
// CHECK-NEXT:      tile.atomic_rmw add %{{.*}}, %out[%m, :] mask %[[B]]
func.func @added(%x: memref<100x8xf32>, %some: memref<100xi1>, %out: memref<100x5xf32>) {
  tile.grid %m = 0 to 100 by m {
    %p = tile.load %some[%m]
    tile.for %j = 0 to 5 {
      %v = tile.load %x[%m, 2]
      tile.atomic_rmw add %v, %out[%m, %j] mask %p
    }
  }
  return
}

// Columns that make up the dimension are stored together, in their order.
// CHECK-LABEL: func.func @both
// CHECK:         %[[HIGH:.*]] = tile.broadcast %b dims [0] : tensor<?x1xf32, #tile.spans<m, _>>
// CHECK:         %[[ALL:.*]] = tile.concatenate %{{.*}}, %[[HIGH]] dim 1
// CHECK-NEXT:    tile.store %[[ALL]], %out[%m, :]
// CHECK-NEXT:  }
func.func @both(%x: memref<100x8xf32>, %out: memref<100x2xf32>) {
  tile.grid %m = 0 to 100 by m {
    %b = tile.load %x[%m, 2]
    tile.store %b, %out[%m, 1]
    %a = tile.load %x[%m, 3]
    tile.store %a, %out[%m, 0]
  }
  return
}

// Scalars are single elements; iterations of a grid would meet in a row; what was there is one lane.
// CHECK-LABEL: func.func @left
// CHECK:         tile.store %s, %out[%m, 3]
// CHECK:         tile.store %v, %rows[:, %m]
// CHECK:         tile.atomic_rmw add %v, %rows[:, 2] old
func.func @left(%x: memref<100x8xf32>, %y: memref<8xf32>, %out: memref<100x5xf32>, %rows: memref<8x100xf32>) {
  tile.grid %m = 0 to 100 {
    %s = tile.load %x[%m, 2]
    tile.store %s, %out[%m, 3]
    %v = tile.load %y[:]
    tile.store %v, %rows[:, %m]
    %old = tile.atomic_rmw add %v, %rows[:, 2] old
  }
  return
}

// A column of rows at computed positions is read as the sum of lanes of whole rows, of which all others are 0.
// CHECK-LABEL: func.func @look_up
// CHECK:           %{{.*}} = tile.gather %x[%id, :]
// CHECK:           %[[H:.*]] = tile.compare eq %{{.*}}, %{{.*}}
// CHECK:           %[[P:.*]] = tile.select %[[H]], %{{.*}}, %{{.*}}
// CHECK-NEXT:      %[[V:.*]] = tile.reduce add %[[P]] dims [1]
// CHECK-NEXT:      tile.store %[[V]], %out[%m]
func.func @look_up(%x: memref<50x200xf32>, %ids: memref<100xi32>, %out: memref<100xf32>) {
  tile.grid %m = 0 to 100 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, 3]
    tile.store %v, %out[%m]
  }
  return
}
