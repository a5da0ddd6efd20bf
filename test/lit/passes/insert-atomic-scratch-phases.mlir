// RUN: tile-opt %s --insert-atomic-scratch="shared=phases" | filecheck %s --match-full-lines

// The smaller array gets a grid of its own, which computes again what it needs.
func.func @opposite(%x: memref<512x256xf32>, %columns: memref<256xf32>) -> memref<512xf32> {
  %rows = tile.full 0.0 : memref<512xf32>
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    %r = tile.reduce add %v dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %v dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return %rows : memref<512xf32>
}
// CHECK-LABEL: func.func @opposite(%x: memref<512x256xf32>, %columns: memref<256xf32>) -> memref<512xf32> {
// CHECK-NEXT:    %rows = tile.full 0.0 : memref<512xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 512 by m:128 {
// CHECK-NEXT:      %rows_1 = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %rows_2 = tile.for %n = 0 to 256 by n:128 iter_args(%rows_3 = %rows_1) {
// CHECK-NEXT:        %v = tile.load %x[%m, %n]
// CHECK-NEXT:        %r = tile.reduce add %v dims [1]
// CHECK-NEXT:        %0 = arith.addf %rows_3, %r : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.yield %0
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %rows_2, %rows[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.grid %n_1 = 0 to 256 by n:128 {
// CHECK-NEXT:      %columns_1 = tile.load %columns[%n_1]
// CHECK-NEXT:      %columns_2 = tile.for %m_1 = 0 to 512 by m:128 iter_args(%columns_3 = %columns_1) {
// CHECK-NEXT:        %v_1 = tile.load %x[%m_1, %n_1]
// CHECK-NEXT:        %c = tile.reduce add %v_1 dims [0]
// CHECK-NEXT:        %1 = arith.addf %columns_3, %c : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:        tile.yield %1
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %columns_2, %columns[%n_1]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %rows : memref<512xf32>
// CHECK-NEXT:  }

// What needs to be resident for another reason stays so.
func.func @windows(%x: memref<64x128xf32>, %out: memref<66x128xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%m, :]
    tile.atomic_rmw add %v, %out[%m + 2, :]
  }
  return
}
// CHECK-LABEL: func.func @windows(%x: memref<64x128xf32>, %out: memref<66x128xf32>) {
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %out_local = tile.local : memref<66x128xf32>
// CHECK-NEXT:      %0 = tile.load %out[:, :]
// CHECK-NEXT:      tile.store %0, %out_local[:, :]
// CHECK-NEXT:      tile.for %m = 0 to 64 by m:8 {
// CHECK-NEXT:        %v = tile.load %x[%m, :]
// CHECK-NEXT:        %1 = tile.load %out_local[%m, :]
// CHECK-NEXT:        %2 = arith.addf %1, %v : tensor<8x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:        tile.store %2, %out_local[%m, :]
// CHECK-NEXT:        %3 = tile.load %out_local[%m + 2, :]
// CHECK-NEXT:        %4 = arith.addf %3, %v : tensor<8x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:        tile.store %4, %out_local[%m + 2, :]
// CHECK-NEXT:      }
// CHECK-NEXT:      %5 = tile.load %out_local[:, :]
// CHECK-NEXT:      tile.store %5, %out[:, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
