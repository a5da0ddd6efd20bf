// RUN: tile-opt %s --raise-parts | filecheck %s
// RUN: tile-opt %s --raise-parts --explain 2>&1 | filecheck %s --check-prefix=WHY

// What is read is a slice of the whole, and parts that make it up are stored as one, in the order of places.
// CHECK-LABEL: func.func @halves
// CHECK:         %a = tile.load %x[%m, :]
// CHECK-NEXT:    %a_1 = tile.slice %a dim 1 from 64 size 64
// CHECK-NEXT:    %b = tile.load %x[%m, :]
// CHECK-NEXT:    %b_1 = tile.slice %b dim 1 from 0 size 64
// CHECK-NEXT:    %[[C:.*]] = tile.concatenate %b_1, %a_1 dim 1
// CHECK-NEXT:    tile.store %[[C]], %out[%m, :]
// CHECK-NEXT:  }
func.func @halves(%x: memref<100x128xf32>, %out: memref<100x128xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %low = arith.subi %count, %one : tensor<64xi32>
  %by = tile.splat 64 : tensor<64xi32>
  %high = arith.addi %low, %by : tensor<64xi32>
  tile.grid %m = 0 to 100 by m {
    %a = tile.gather %x[%m, %high]
    tile.scatter %a, %out[%m, %high]
    %b = tile.gather %x[%m, %low]
    tile.scatter %b, %out[%m, %low]
  }
  return
}

// Few lanes of many are read at their positions. A half alone is written where it is, if another loop accesses
// the array too, and so are two of which one leaves out what is outside.
// CHECK-LABEL: func.func @left
// CHECK-COUNT-1: tile.gather %x
// CHECK-COUNT-3: tile.scatter
// WHY: raise-parts: no stores beside it make up the rest of the dimension
// WHY: raise-parts: no stores beside it make up the rest of the dimension
// WHY: raise-parts: 64 of 1024 places are read at their positions
func.func @left(%x: memref<100x1024xf32>, %out: memref<100x128xf32>, %other: memref<100x128xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %low = arith.subi %count, %one : tensor<64xi32>
  %by = tile.splat 64 : tensor<64xi32>
  %high = arith.addi %low, %by : tensor<64xi32>
  tile.grid %g = 0 to 100 {
    tile.for %m = 0 to 100 by m {
      %a = tile.gather %x[%m, %low]
      tile.scatter %a, %out[%m, %low]
      tile.scatter %a, %other[%m, %low] drop
      tile.scatter %a, %other[%m, %high]
    }
    tile.for %k = 0 to 100 by k {
      %b = tile.load %out[%k, :]
    }
  }
  return
}

// A part alone is stored with what the array holds beside it. What was stored is not read again, and of what is
// stored twice the later is there.
// CHECK-LABEL: func.func @update
// CHECK:         %held = tile.load %x[%m, :]
// CHECK-NEXT:    %a = tile.slice %held dim 1 from 64 size 64
// CHECK-NEXT:    %b = arith.mulf %a, %a :
// CHECK-NEXT:    %c = arith.mulf %b, %b :
// CHECK-NEXT:    %[[H:.*]] = tile.slice %held dim 1 from 0 size 64
// CHECK-NEXT:    %[[W:.*]] = tile.concatenate %[[H]], %c dim 1
// CHECK-NEXT:    tile.store %[[W]], %x[%m, :]
// CHECK-NEXT:    tile.store %c, %y[%m, :]
// CHECK-NEXT:  }
func.func @update(%x: memref<100x128xf32>, %y: memref<100x64xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %by = tile.splat 63 : tensor<64xi32>
  %high = arith.addi %count, %by : tensor<64xi32>
  tile.grid %m = 0 to 100 by m {
    %a = tile.gather %x[%m, %high]
    %b = arith.mulf %a, %a : tensor<?x64xf32, #tile.spans<m, _>>
    tile.scatter %b, %x[%m, %high]
    %b_1 = tile.gather %x[%m, %high]
    %c = arith.mulf %b_1, %b_1 : tensor<?x64xf32, #tile.spans<m, _>>
    tile.scatter %c, %x[%m, %high]
    %d = tile.gather %x[%m, %high]
    tile.store %d, %y[%m, :]
  }
  return
}

// Parts that overlap, and columns.
// CHECK-LABEL: func.func @over
// CHECK:         %[[C:.*]] = tile.broadcast %z_1 dims [0] : tensor<?x1xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %[[B:.*]] = tile.slice %a dim 1 from 1 size 63
// CHECK-NEXT:    %[[A:.*]] = tile.concatenate %[[C]], %[[B]], %a dim 1
// CHECK-NEXT:    tile.store %[[A]], %out[%m, :]
func.func @over(%x: memref<100x64xf32>, %z: memref<100xf32>, %out: memref<100x128xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %low = arith.subi %count, %one : tensor<64xi32>
  %by = tile.splat 64 : tensor<64xi32>
  %high = arith.addi %low, %by : tensor<64xi32>
  tile.grid %m = 0 to 100 by m {
    %a = tile.load %x[%m, :]
    tile.scatter %a, %out[%m, %low]
    tile.scatter %a, %out[%m, %high]
    %z_1 = tile.load %z[%m]
    tile.store %z_1, %out[%m, 0]
  }
  return
}
