// A fill that no step sees goes, and with it the array as an input.

// RUN: tile-opt %s --classify-outputs | filecheck %s

// Every element is stored: the rows by the grid, the columns by the loop in it.
func.func @overwritten(%x: memref<?x200xf32>) -> memref<?x200xf32> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xf32>
  %out = tile.full 0.0 like(%x) : memref<?x200xf32>
  tile.grid %m = 0 to %rows by m:32 {
    tile.for %n = 0 to 200 by n:128 {
      %v = tile.load %x[%m, %n]
      tile.store %v, %out[%m, %n]
    }
  }
  return %out : memref<?x200xf32>
}
// CHECK-LABEL: func.func @overwritten
// CHECK:         %out = tile.empty like(%x) : memref<?x200xf32>
// CHECK-NEXT:    tile.grid %m = 0 to %rows by m:32 {

// The loop may have no iteration: then the row keeps the fill.
func.func @maybe(%x: memref<?x200xf32>) -> memref<8x200xf32> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xf32>
  %out = tile.full 0.0 : memref<8x200xf32>
  tile.grid %g = 0 to 8 {
    tile.for %m = 0 to %rows {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%g, :]
    }
  }
  return %out : memref<8x200xf32>
}
// CHECK-LABEL: func.func @maybe
// CHECK:         %out = tile.full 0.0 : memref<8x200xf32>

// Rows of no group keep the fill.
func.func @segments(%x: memref<?x200xf32>, %o: memref<9xi32>) -> (memref<?x200xf32>, memref<8x200xf32>) {
  %out = tile.full 0.0 like(%x) : memref<?x200xf32>
  %sums = tile.full 0.0 : memref<8x200xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = %b to %e by m:32 iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %sums[%g, :]
  }
  return %out, %sums : memref<?x200xf32>, memref<8x200xf32>
}
// CHECK-LABEL: func.func @segments
// CHECK:         %out = tile.full 0.0 like(%x) : memref<?x200xf32>
// CHECK-NEXT:    %sums = tile.empty : memref<8x200xf32>

// Three rows, each through a window of its own, and only two of another array.
func.func @rows(%x: memref<300x200xi32>) -> (memref<3x300xi32>, memref<3x300xi32>) {
  %all = tile.full 7 : memref<3x300xi32>
  %some = tile.full 7 : memref<3x300xi32>
  tile.grid %m = 0 to 300 by m:128 {
    %v = tile.load %x[%m, :]
    %s = tile.reduce add %v dims [1]
    tile.store %s, %all[2, %m]
    tile.store %s, %all[0, %m]
    tile.store %s, %all[1, %m]
    tile.store %s, %some[2, %m]
    tile.store %s, %some[0, %m]
  }
  return %all, %some : memref<3x300xi32>, memref<3x300xi32>
}
// CHECK-LABEL: func.func @rows
// CHECK-NEXT:    %all = tile.empty : memref<3x300xi32>
// CHECK-NEXT:    %some = tile.full 7 : memref<3x300xi32>

// Two kernels fill halves of %out and of %early. Another reads %early in between, so that its fill is seen.
func.func @halves(%x: memref<64x128xf32>) -> (memref<64x128xf32>, memref<64x128xf32>, memref<64x128xf32>) {
  %out = tile.full 0.0 : memref<64x128xf32>
  %early = tile.full 0.0 : memref<64x128xf32>
  %copy = tile.full 0.0 : memref<64x128xf32>
  tile.grid %m = 0 to 32 by m:32 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
    tile.store %v, %early[%m, :]
  }
  tile.grid %m = 0 to 64 by m:32 {
    %v = tile.load %early[%m, :]
    tile.store %v, %copy[%m, :]
  }
  tile.grid %m = 32 to 64 by m:32 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
    tile.store %v, %early[%m, :]
  }
  return %out, %early, %copy : memref<64x128xf32>, memref<64x128xf32>, memref<64x128xf32>
}
// CHECK-LABEL: func.func @halves
// CHECK-NEXT:    %out = tile.empty : memref<64x128xf32>
// CHECK-NEXT:    %early = tile.full 0.0 : memref<64x128xf32>
// CHECK-NEXT:    %copy = tile.empty : memref<64x128xf32>

// What a sum begins with is read.
func.func @added_up(%x: memref<64x128xf32>) -> memref<64x128xf32> {
  %out = tile.full 0.0 : memref<64x128xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %v = tile.load %x[%m, :]
    %a = tile.load %out[%m, :]
    %s = arith.addf %a, %v : tensor<32x128xf32, #tile.spans<m, _>>
    tile.store %s, %out[%m, :]
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @added_up
// CHECK-NEXT:    %out = tile.full 0.0 : memref<64x128xf32>

// A fill that is read and never stored into is an input like any other.
func.func @constant() -> (memref<64x128xf32>, memref<64x128xf32>) {
  %ones = tile.full 1.0 : memref<64x128xf32>
  %out = tile.empty : memref<64x128xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %v = tile.load %ones[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %ones, %out : memref<64x128xf32>, memref<64x128xf32>
}
// CHECK-LABEL: func.func @constant
// CHECK-NEXT:    %ones = tile.full 1.0 : memref<64x128xf32>

// What is returned through a view is an output only as what is returned itself.
func.func @returned_through_a_view(%x: memref<96x200xf32>) -> (memref<19200xf32>, memref<200x96xf32>) {
  %out = tile.full 0.0 : memref<96x200xf32>
  %part = tile.full 0.0 : memref<96x200xf32>
  tile.grid %m = 0 to 96 by m:32 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  tile.grid %m = 0 to 64 by m:32 {
    %v = tile.load %x[%m, :]
    tile.store %v, %part[%m, :]
  }
  %flat = tile.view %out : memref<96x200xf32> to memref<19200xf32>
  %t = tile.view %part permute [1, 0] : memref<96x200xf32> to memref<200x96xf32>
  return %flat, %t : memref<19200xf32>, memref<200x96xf32>
}
// CHECK-LABEL: func.func @returned_through_a_view
// CHECK-NEXT:    %out = tile.empty : memref<96x200xf32>
// CHECK-NEXT:    %part = tile.full 0.0 : memref<96x200xf32>

// Tiles in smaller tiles are all there is.
func.func @tiles_of_tiles(%x: memref<500x128xf32>) -> memref<500x128xf32> {
  %out = tile.full 0.0 : memref<500x128xf32>
  tile.grid %mo = 0 to 500 by mo:96 {
    %b = tile.bound begin %mo
    %e = tile.bound end %mo
    tile.for %m = %b to %e by m:64 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<500x128xf32>
}
// CHECK-LABEL: func.func @tiles_of_tiles
// CHECK-NEXT:    %out = tile.empty : memref<500x128xf32>

// Half of each is not.
func.func @begins(%x: memref<512x128xf32>) -> memref<512x128xf32> {
  %out = tile.full 0.0 : memref<512x128xf32>
  tile.grid %mo = 0 to 512 by mo:128 {
    %b = tile.bound begin %mo
    tile.for %m = 0 to 64 by m:64 {
      %v = tile.load %x[%m + %b, :]
      tile.store %v, %out[%m + %b, :]
    }
  }
  return %out : memref<512x128xf32>
}
// CHECK-LABEL: func.func @begins
// CHECK-NEXT:    %out = tile.full 0.0 : memref<512x128xf32>
