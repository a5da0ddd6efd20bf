// RUN: tile-opt %s --split-pairs | filecheck %s

// What pairs are taken apart into and joined of are values of their own.
// CHECK-LABEL: func.func @turned
// CHECK:         %v = tile.load %x[%m, :]
// CHECK-NEXT:    %even = tile.strided_slice %v from 0 step 2
// CHECK-NEXT:    %odd = tile.strided_slice %v from 1 step 2
// CHECK-NEXT:    %minus = arith.negf %odd : tensor<?x64xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %flat = tile.interleave %minus, %even
// CHECK-NEXT:    tile.store %flat, %out[%m, :]
func.func @turned(%x: memref<100x128xf32>, %out: memref<100x128xf32>) -> memref<100x128xf32> {
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %pairs = tile.reshape %v : tensor<?x64x2xf32, #tile.spans<m, _, _>>
    %first = tile.slice %pairs dim 2 from 0 size 1
    %even = tile.reduce max %first dims [2]
    %second = tile.slice %pairs dim 2 from 1 size 1
    %odd = tile.reduce max %second dims [2]
    %minus = arith.negf %odd : tensor<?x64xf32, #tile.spans<m, _>>
    %a = tile.broadcast %minus dims [0, 1] : tensor<?x64x1xf32, #tile.spans<m, _, _>>
    %b = tile.broadcast %even dims [0, 1] : tensor<?x64x1xf32, #tile.spans<m, _, _>>
    %joined = tile.concatenate %a, %b dim 2
    %flat = tile.reshape %joined : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %flat, %out[%m, :]
  }
  return %out : memref<100x128xf32>
}

// Operations on pairs are done to both parts, and a reduction combines them.
// CHECK-LABEL: func.func @most
// CHECK:         %0 = tile.strided_slice %v from 0 step 2
// CHECK-NEXT:    %1 = tile.strided_slice %v from 1 step 2
// CHECK-NEXT:    %2 = tile.broadcast %scale dims [] : tensor<?x16xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %3 = arith.mulf %0, %2 : tensor<?x16xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %4 = arith.mulf %1, %2 : tensor<?x16xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %most = arith.maximumf %3, %4 : tensor<?x16xf32, #tile.spans<m, _>>
func.func @most(%x: memref<100x32xf32>, %out: memref<100x16xf32>) -> memref<100x16xf32> {
  %scale = arith.constant 2.0 : f32
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %pairs = tile.reshape %v : tensor<?x16x2xf32, #tile.spans<m, _, _>>
    %wide = tile.broadcast %scale dims [] : tensor<?x16x2xf32, #tile.spans<m, _, _>>
    %scaled = arith.mulf %pairs, %wide : tensor<?x16x2xf32, #tile.spans<m, _, _>>
    %most = tile.reduce max %scaled dims [2]
    tile.store %most, %out[%m, :]
  }
  return %out : memref<100x16xf32>
}

// A dimension of 1 alone is as it was, and so is one that is moved elsewhere or of many lanes.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     tile.strided_slice
// CHECK-COUNT-3: tile.reshape
func.func @others(%x: memref<100x32xf32>, %out: memref<100x32xf32>, %most: memref<100x2xf32>) -> (memref<100x32xf32>, memref<100x2xf32>) {
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %one = tile.reshape %v : tensor<?x32x1xf32, #tile.spans<m, _, _>>
    %back = tile.reshape %one : tensor<?x32xf32, #tile.spans<m, _>>
    tile.store %back, %out[%m, :]
    %many = tile.reshape %v : tensor<?x2x16xf32, #tile.spans<m, _, _>>
    %top = tile.reduce max %many dims [2]
    tile.store %top, %most[%m, :]
  }
  return %out, %most : memref<100x32xf32>, memref<100x2xf32>
}
