// Accesses of views move to one value for each array; what stays of views stands around the kernels.

// RUN: tile-opt %s --resolve-views | filecheck %s

// The window and the value turn; a dimension that an index drops drops out of the permutation.
func.func @permuted(%x: memref<8x64x128xf32>) -> (memref<64x128xf32>, memref<128x64xf32>) {
  %out = tile.empty : memref<64x128xf32>
  %out_1 = tile.empty : memref<128x64xf32>
  %t = tile.view %x permute [2, 0, 1] : memref<8x64x128xf32> to memref<128x8x64xf32>
  tile.grid %n = 0 to 128 by n:32 {
    %none = tile.splat 0.0 : tensor<32x64xf32, #tile.spans<n, _>>
    %some = tile.splat 1 : tensor<32x64xi1, #tile.spans<n, _>>
    %v = tile.load %t[%n, 3, :] resident
    %w = tile.load %t[%n + 1, 4, :] mask %some other %none
    tile.store %v, %out_1[%n, :]
  }
  tile.grid %i = 0 to 64 {
    %v = tile.load %t[:, 5, %i]
    tile.store %v, %out[%i, :]
  }
  return %out, %out_1 : memref<64x128xf32>, memref<128x64xf32>
}
// CHECK-LABEL: func.func @permuted
// CHECK-NOT:     tile.view
// CHECK:           %v = tile.load %x[3, :, %n] resident
// CHECK-NEXT:      %v_1 = tile.transpose %v [1, 0]
// CHECK-NEXT:      %some_1 = tile.transpose %some [1, 0]
// CHECK-NEXT:      %none_1 = tile.transpose %none [1, 0]
// CHECK-NEXT:      %w = tile.load %x[4, :, %n + 1] mask %some_1 other %none_1
// CHECK-NEXT:      %w_1 = tile.transpose %w [1, 0]
// CHECK-NEXT:      tile.store %v_1, %out_1[%n, :]
// CHECK:           %v_2 = tile.load %x[5, %i, :]
// CHECK-NEXT:      tile.store %v_2, %out[%i, :]

// Three dimensions, of which none drops: the inverse permutation for what is stored.
func.func @three(%x: memref<8x16x128xf32>) -> memref<16x128x8xf32> {
  %out = tile.empty : memref<16x128x8xf32>
  %t = tile.view %out permute [2, 0, 1] : memref<16x128x8xf32> to memref<8x16x128xf32>
  tile.grid %m = 0 to 8 by m:8 {
    %v = tile.load %x[%m, :, :]
    %p = tile.compare eq %v, %v
    tile.store %v, %t[%m, :, :] stream mask %p
  }
  return %out : memref<16x128x8xf32>
}
// CHECK-LABEL: func.func @three
// CHECK:           %p_1 = tile.transpose %p [1, 2, 0]
// CHECK-NEXT:      %v_1 = tile.transpose %v [1, 2, 0]
// CHECK-NEXT:      tile.store %v_1, %out[:, :, %m] stream mask %p_1

// An array that is made here has the shape in which it is stored, and is reshaped where it is returned.
func.func @stored_flat(%x: memref<?x256xf32>, %n: index) -> (memref<?x4x64xf32>, memref<?x4x64xf32>) {
  %out = tile.full 1.0 like(%x) : memref<?x4x64xf32>
  %flat = tile.view %out : memref<?x4x64xf32> to memref<?x256xf32>
  %same = tile.view %flat : memref<?x256xf32> to memref<?x4x64xf32>
  tile.grid %m = 0 to %n by m:32 {
    %v = tile.load %x[%m, :]
    tile.store %v, %flat[%m, :]
  }
  return %out, %same : memref<?x4x64xf32>, memref<?x4x64xf32>
}
// CHECK-LABEL: func.func @stored_flat
// CHECK-NEXT:    %out = tile.full 1.0 like(%x) : memref<?x256xf32>
// CHECK-NEXT:    tile.grid
// CHECK:           tile.store %v, %out[%m, :]
// CHECK:         %out_1 = tile.view %out : memref<?x256xf32> to memref<?x4x64xf32>
// CHECK-NEXT:    func.return %out_1, %out_1 :

// Where it is returned with its dimensions permuted, the kernel transposes.
func.func @returned_transposed(%x: memref<64x128xf32>) -> memref<128x64xf32> {
  %out = tile.empty : memref<64x128xf32>
  %t = tile.view %out permute [1, 0] : memref<64x128xf32> to memref<128x64xf32>
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %t : memref<128x64xf32>
}
// CHECK-LABEL: func.func @returned_transposed
// CHECK-NEXT:    %out = tile.empty : memref<128x64xf32>
// CHECK:           %v_1 = tile.transpose %v [1, 0]
// CHECK-NEXT:      tile.store %v_1, %out[:, %m]
// CHECK-NOT:     tile.view
// CHECK:         func.return %out : memref<128x64xf32>

// Returned as both, it is as it is stored, and the host transposes.
func.func @returned_both_ways(%x: memref<64x128xf32>) -> (memref<128x64xf32>, memref<64x128xf32>) {
  %out = tile.empty : memref<64x128xf32>
  %t = tile.view %out permute [1, 0] : memref<64x128xf32> to memref<128x64xf32>
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %t, %out : memref<128x64xf32>, memref<64x128xf32>
}
// CHECK-LABEL: func.func @returned_both_ways
// CHECK-NEXT:    %out = tile.empty : memref<64x128xf32>
// CHECK:           tile.store %v, %out[%m, :]
// CHECK:         %t = tile.view %out permute [1, 0] : memref<64x128xf32> to memref<128x64xf32>
// CHECK-NEXT:    func.return %t, %out

// An array that no grid returns is as it is stored first, whichever way: no value is transposed.
func.func @between(%x: memref<64x128xf32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  %scratch = tile.empty : memref<128x64xf32>
  %t = tile.view %scratch permute [1, 0] : memref<128x64xf32> to memref<64x128xf32>
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.store %v, %t[%m, :]
  }
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %t[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @between
// CHECK:         %scratch = tile.empty : memref<64x128xf32>
// CHECK-NOT:     tile.transpose
// CHECK:         func.return

// An argument that is written through a reshape is reshaped before the kernel and where it is returned.
func.func @in_place(%x: memref<24x8x128xf32>) -> (memref<24x8x128xf32>, memref<24x1024xf32>) {
  %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  tile.grid %m = 0 to 24 by m:8 {
    %v = tile.load %rows[%m, :]
    tile.store %v, %rows[%m, :]
  }
  return %x, %rows : memref<24x8x128xf32>, memref<24x1024xf32>
}
// CHECK-LABEL: func.func @in_place
// CHECK-NEXT:    %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
// CHECK:           %v = tile.load %rows[%m, :]
// CHECK-NEXT:      tile.store %v, %rows[%m, :]
// CHECK:         %x_1 = tile.view %rows : memref<24x1024xf32> to memref<24x8x128xf32>
// CHECK-NEXT:    func.return %x_1, %rows

// Each shape that is only read is a view of its own.
func.func @read_in_two_shapes(%x: memref<8x128xf32>) -> memref<128xf32> {
  %out = tile.empty : memref<128xf32>
  %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  %one = tile.view %flat : memref<1024xf32> to memref<8x1x128xf32>
  %unused = tile.view %flat : memref<1024xf32> to memref<16x64xf32>
  tile.grid %n = 0 to 128 by n:128 {
    %v = tile.load %flat[%n]
    %w = tile.load %one[1, 0, %n]
    %u = tile.load %x[2, %n]
    tile.store %v, %out[%n]
  }
  return %out : memref<128xf32>
}
// CHECK-LABEL: func.func @read_in_two_shapes
// CHECK-NEXT:    %out = tile.empty : memref<128xf32>
// CHECK-NEXT:    %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
// CHECK-NEXT:    %one = tile.view %x : memref<8x128xf32> to memref<8x1x128xf32>
// CHECK-NEXT:    tile.grid
// CHECK-NEXT:      %v = tile.load %flat[%n]
// CHECK-NEXT:      %w = tile.load %one[1, 0, %n]
// CHECK-NEXT:      %u = tile.load %x[2, %n]

// Every kernel takes an array in the shape that it wants, made from what the kernel before it wrote.
func.func @kernels(%x: memref<24x8x128xf32>) -> memref<24x8x128xf32> {
  %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  %long = tile.view %x : memref<24x8x128xf32> to memref<192x128xf32>
  tile.grid %m = 0 to 24 by m:8 {
    %v = tile.load %rows[%m, :]
    tile.store %v, %rows[%m, :]
  }
  tile.grid %m = 0 to 192 by m:8 {
    %v = tile.load %long[%m, :]
    tile.store %v, %long[%m, :]
  }
  return %x : memref<24x8x128xf32>
}
// CHECK-LABEL: func.func @kernels
// CHECK-NEXT:    %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
// CHECK-NEXT:    tile.grid
// CHECK:         %long = tile.view %rows : memref<24x1024xf32> to memref<192x128xf32>
// CHECK-NEXT:    tile.grid
// CHECK:         %x_1 = tile.view %long : memref<192x128xf32> to memref<24x8x128xf32>
// CHECK-NEXT:    func.return %x_1

// Extents are those of the array.
func.func @extents(%x: memref<?x4x64xf32>) -> memref<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %flat = tile.view %x : memref<?x4x64xf32> to memref<?x256xf32>
  %rows = memref.dim %flat, %c0 : memref<?x256xf32>
  %width = memref.dim %flat, %c1 : memref<?x256xf32>
  %out = tile.full 0.0 like(%flat) : memref<?x8xf32>
  tile.grid %g = 0 to %rows, %h = 0 to %width {
    %v = tile.load %flat[%g, %h]
  }
  return %out : memref<?x8xf32>
}
// CHECK-LABEL: func.func @extents
// CHECK:         %rows = memref.dim %x, %c0 : memref<?x4x64xf32>
// CHECK-NEXT:    %width = arith.constant 256 : index
// CHECK-NEXT:    %out = tile.full 0.0 like(%x) : memref<?x8xf32>
// CHECK-NEXT:    %flat = tile.view %x : memref<?x4x64xf32> to memref<?x256xf32>
// CHECK-NEXT:    tile.grid
