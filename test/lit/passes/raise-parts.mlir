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

// Few lanes of many are read at their positions; one half alone is written where it is, and so are two with a
// load between them, or of which one leaves out what is outside.
// CHECK-LABEL: func.func @left
// CHECK-COUNT-1: tile.gather %x
// CHECK-COUNT-4: tile.scatter
// WHY: raise-parts: 64 of 1024 places are read at their positions
// WHY: raise-parts: no stores beside it make up the rest of the dimension
// WHY: raise-parts: no stores beside it make up the rest of the dimension
func.func @left(%x: memref<100x1024xf32>, %out: memref<100x128xf32>, %other: memref<100x128xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %low = arith.subi %count, %one : tensor<64xi32>
  %by = tile.splat 64 : tensor<64xi32>
  %high = arith.addi %low, %by : tensor<64xi32>
  tile.grid %m = 0 to 100 by m {
    %a = tile.gather %x[%m, %low]
    tile.scatter %a, %out[%m, %low]
    %b = tile.load %out[%m, :]
    tile.scatter %a, %out[%m, %high]
    tile.scatter %a, %other[%m, %low] drop
    tile.scatter %a, %other[%m, %high]
  }
  return
}

// A part that is stored again is stored after the others.
// CHECK-LABEL: func.func @again
// CHECK:         tile.store %{{.*}}, %out[%m, :]
// CHECK:         tile.scatter %b_1, %out[%m, %low]
func.func @again(%x: memref<100x128xf32>, %out: memref<100x128xf32>) {
  %one = tile.splat 1 : tensor<64xi32>
  %count = tile.scan add %one dim 0
  %low = arith.subi %count, %one : tensor<64xi32>
  %by = tile.splat 64 : tensor<64xi32>
  %high = arith.addi %low, %by : tensor<64xi32>
  tile.grid %m = 0 to 100 by m {
    %a = tile.gather %x[%m, %high]
    tile.scatter %a, %out[%m, %low]
    tile.scatter %a, %out[%m, %high]
    %b = tile.gather %x[%m, %low]
    tile.scatter %b, %out[%m, %low]
  }
  return
}
