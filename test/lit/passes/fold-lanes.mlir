// Tiles of arrays of rank 1 become rows of lanes.

// RUN: tile-opt %s --choose-blocks="m=4096 k=2048 l=1024 few=512" --fold-lanes | filecheck %s

// Rows are as long as those of %x and %out, so that %y is what the host moves. A tile begins at a lane and numbers
// lanes as before.
// CHECK-LABEL: func.func @views
// CHECK:         %y_1 = tile.view %y : memref<16384xbf16> to memref<32x512xbf16>
// CHECK:         %flat_1 = tile.view %flat : memref<16384xbf16> to memref<32x512xbf16>
// CHECK:         %flat_out_1 = tile.view %flat_out : memref<16384xbf16> to memref<32x512xbf16>
// CHECK-NEXT:    tile.grid %m = 0 to 32 by m:8 {
// CHECK-NEXT:      %v = tile.load %flat_1[%m, :]
// CHECK-NEXT:      %w = tile.load %y_1[%m, :]
// CHECK-NEXT:      %i = tile.indices %m
// CHECK-NEXT:      %0 = tile.splat 1 : tensor<512xi32>
// CHECK-NEXT:      %1 = tile.scan add %0 dim 0
// CHECK-NEXT:      %2 = arith.subi %1, %0 : tensor<512xi32>
// CHECK-NEXT:      %3 = tile.broadcast %i dims [0] : tensor<8x512xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %4 = tile.splat 512 : tensor<8x512xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %5 = arith.muli %3, %4 : tensor<8x512xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %6 = tile.broadcast %2 dims [1] : tensor<8x512xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %i_1 = arith.addi %5, %6 : tensor<8x512xi32, #tile.spans<m, _>>
// CHECK-NEXT:      %b = tile.bound begin %m
// CHECK-NEXT:      %c512 = arith.constant 512 : index
// CHECK-NEXT:      %b_1 = arith.muli %b, %c512 : index
// CHECK-NEXT:      %bi = arith.index_cast %b_1 : index to i32
// CHECK:           tile.store %t, %flat_out_1[%m, :]
func.func @views(%x: memref<32x512xbf16>, %y: memref<16384xbf16>) -> memref<32x512xbf16> {
  %flat = tile.view %x : memref<32x512xbf16> to memref<16384xbf16>
  %out = tile.empty : memref<32x512xbf16>
  %flat_out = tile.view %out : memref<32x512xbf16> to memref<16384xbf16>
  tile.grid %m = 0 to 16384 by m {
    %v = tile.load %flat[%m]
    %w = tile.load %y[%m]
    %i = tile.indices %m
    %b = tile.bound begin %m
    %bi = arith.index_cast %b : index to i32
    %bt = tile.broadcast %bi dims [] : tensor<?xi32, #tile.spans<m>>
    %d = arith.subi %i, %bt : tensor<?xi32, #tile.spans<m>>
    %f = tile.cast %d to bf16
    %s = arith.addf %v, %w : tensor<?xbf16, #tile.spans<m>>
    %t = arith.addf %s, %f : tensor<?xbf16, #tile.spans<m>>
    tile.store %t, %flat_out[%m]
  }
  return %out : memref<32x512xbf16>
}

// Of an array of rank 1 rows have 128 lanes. All lanes meet in a sum, and lanes are carried and chosen.
// CHECK-LABEL: func.func @sums
// CHECK:           tile.for %k = 0 to 128 by k:16 iter_args(%a = %z, %t = %zeros) {
// CHECK:             %p = tile.reduce add %v dims [0, 1]
func.func @sums(%x: memref<16384xf32>, %y: memref<1024xf32>) -> (memref<f32>, memref<1024xf32>) {
  %sum = tile.empty : memref<f32>
  %total = tile.empty : memref<1024xf32>
  tile.grid %l = 0 to 1024 by l {
    %z = arith.constant 0.0 : f32
    %zeros = tile.load %y[%l]
    %r, %u = tile.for %k = 0 to 16384 by k iter_args(%a = %z, %t = %zeros) {
      %v = tile.load %x[%k]
      %p = tile.reduce add %v dims [0]
      %n = arith.addf %a, %p : f32
      %w = tile.broadcast %n dims [] : tensor<?xf32, #tile.spans<l>>
      %o = arith.addf %t, %w : tensor<?xf32, #tile.spans<l>>
      tile.yield %n, %o
    }
    tile.store %u, %total[%l]
  }
  return %sum, %total : memref<f32>, memref<1024xf32>
}

// What stays: too few lanes, an array that is no whole rows, one that is written and accessed otherwise, lanes that
// are positions, meet in a scan, or stand beside others, and an axis with a shift.
// CHECK-LABEL: func.func @stays
// CHECK-NOT:     tile.view
func.func @stays(%x: memref<16384xf32>, %odd: memref<4100xf32>, %ids: memref<4096xi32>, %wide: memref<4096x128xf32>)
    -> (memref<16384xf32>, memref<4096xf32>, memref<4096x128xf32>) {
  %out = tile.empty : memref<16384xf32>
  %other = tile.empty : memref<4096xf32>
  %rows = tile.empty : memref<4096x128xf32>
  tile.grid %few = 0 to 512 by few {
    %v = tile.load %x[%few]
    tile.store %v, %out[%few]
  }
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %odd[%m]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %i = tile.load %ids[%m]
    %v = tile.scan add %i dim 0
    tile.store %v, %ids[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %i = tile.load %x[%m]
    %v = tile.broadcast %i dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %v, %rows[%m, :]
  }
  tile.grid %m = 0 to 4096 by m {
    %i = tile.load %x[%m + 1]
    tile.store %i, %other[%m]
  }
  return %out, %other, %rows : memref<16384xf32>, memref<4096xf32>, memref<4096x128xf32>
}
