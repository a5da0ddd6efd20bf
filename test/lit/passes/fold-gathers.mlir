// Single elements of long vectors are looked for in rows of 128.

// RUN: tile-opt %s --fold-gathers | filecheck %s
// RUN: tile-opt %s --fold-gathers --resolve-views --expand-gathers | filecheck %s --check-prefix=EXPANDED

// In the array itself where it has such rows, with a mask, whose other lanes name nothing.
func.func @masked(%x: memref<256x128xf32>, %ids: memref<40xi32>, %flags: memref<40xi1>, %rest: memref<40xf32>) -> memref<40xf32> {
  %flat = tile.view %x : memref<256x128xf32> to memref<32768xf32>
  %out = tile.empty : memref<40xf32>
  tile.grid %m = 0 to 40 by m:16 {
    %i = tile.load %ids[%m]
    %p = tile.load %flags[%m]
    %r = tile.load %rest[%m]
    %far = tile.splat 4096 : tensor<16xi32, #tile.spans<m>>
    %q = arith.muli %i, %far : tensor<16xi32, #tile.spans<m>>
    %v = tile.gather %flat[%q + 5] mask %p other %r
    tile.store %v, %out[%m]
  }
  return %out : memref<40xf32>
}
// CHECK-LABEL: func.func @masked
// CHECK:         [[FIVE:%[a-z0-9_]+]] = arith.addi %q, {{.*}}
// CHECK:         [[ROW:%[a-z0-9_]+]] = arith.shrsi [[FIVE]], {{.*}}
// CHECK:         [[PLACE:%[a-z0-9_]+]] = arith.andi [[FIVE]], {{.*}}
// CHECK:         [[ROWS:%[a-z0-9_]+]] = tile.gather %x[[[ROW]], :] mask {{%[a-z0-9_]+}} other
// CHECK:         [[HITS:%[a-z0-9_]+]] = tile.compare eq
// CHECK:         [[PICKED:%[a-z0-9_]+]] = tile.select [[HITS]], [[ROWS]], {{%[a-z0-9_]+}}
// CHECK-NEXT:    [[V:%[a-z0-9_]+]] = tile.reduce add [[PICKED]] dims [1]
// CHECK-NEXT:    tile.select %p, [[V]], %r
// EXPANDED-LABEL: func.func @masked
// EXPANDED:         tile.for %x_rows = 0 to 256 by x_rows:256

// Through a view of rows, of bytes, which are chosen as 32-bit integers; of what only some elements are stored in.
func.func @bytes(%x: memref<32768xi8>, %y: memref<8xf32>, %ids: memref<40xi32>) -> (memref<40xi8>, memref<8xf32>) {
  %out = tile.empty : memref<40xi8>
  %some = tile.empty : memref<32768xf32>
  %found = tile.empty : memref<8xf32>
  tile.grid %m = 0 to 8 by m:8 {
    %v = tile.load %y[%m]
    tile.store %v, %some[%m]
  }
  tile.grid %m = 0 to 40 by m:16 {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i]
    tile.store %v, %out[%m]
  }
  tile.grid %m = 0 to 8 by m:8 {
    %i = tile.load %ids[%m]
    %v = tile.gather %some[%i]
    tile.store %v, %found[%m]
  }
  return %out, %found : memref<40xi8>, memref<8xf32>
}
// CHECK-LABEL: func.func @bytes
// CHECK:         [[ROWS:%[a-z0-9_]+]] = tile.view %x : memref<32768xi8> to memref<256x128xi8>
// CHECK:         %some = tile.full 0.0
// CHECK:         [[FOUND:%[a-z0-9_]+]] = tile.gather [[ROWS]][{{%[a-z0-9_]+}}, :]
// CHECK:         [[WIDE:%[a-z0-9_]+]] = tile.cast [[FOUND]] to i32

// Not short vectors, what the kernel writes, other numbers of elements, or more than one element for each lane.
func.func @left(%short: memref<32640xf32>, %odd: memref<40000xf32>, %table: memref<40960x8xf32>, %ids: memref<40xi32>, %out: memref<40960xf32>) -> memref<40960xf32> {
  tile.grid %g = 0 to 1 {
    tile.for %m = 0 to 40 by m:16 {
      %i = tile.load %ids[%m]
      %a = tile.gather %short[%i]
      %b = tile.gather %odd[%i]
      %c = tile.gather %out[%i]
      %d = tile.gather %table[%i, 0]
      %ab = arith.addf %a, %b : tensor<16xf32, #tile.spans<m>>
      %cd = arith.addf %c, %d : tensor<16xf32, #tile.spans<m>>
      %v = arith.addf %ab, %cd : tensor<16xf32, #tile.spans<m>>
      tile.store %v, %out[%m]
    }
  }
  return %out : memref<40960xf32>
}
// CHECK-LABEL: func.func @left
// CHECK:         tile.gather %short[%i]
// CHECK-NEXT:    tile.gather %odd[%i]
// CHECK-NEXT:    tile.gather %out[%i]
// CHECK-NEXT:    tile.gather %table[%i, 0]
// CHECK-NOT:     tile.view
