// Single elements are looked for in rows: by products, or, those of long vectors, in rows that are gathered.

// RUN: tile-opt %s --fold-gathers | filecheck %s
// RUN: tile-opt %s --fold-gathers --resolve-views --expand-gathers | filecheck %s --check-prefix=EXPANDED

// In the array itself where it has such rows, with a mask, whose other lanes name nothing.
func.func @masked(%x: memref<512x128xf32>, %ids: memref<40xi32>, %flags: memref<40xi1>, %rest: memref<40xf32>) -> memref<40xf32> {
  %flat = tile.view %x : memref<512x128xf32> to memref<65536xf32>
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
// EXPANDED:         tile.for %x_rows = 0 to 512 by x_rows:512

// A row of the last dimension, in bytes, as 32-bit integers: by products of four bytes with the places, of which
// each lane has those of one row. What only some elements are stored in is filled before.
func.func @bytes(%x: memref<3x1024xi8>, %y: memref<8xbf16>, %ids: memref<40xi32>) -> (memref<3x40xi8>, memref<8xbf16>) {
  %out = tile.empty : memref<3x40xi8>
  %some = tile.empty : memref<512xbf16>
  %found = tile.empty : memref<8xbf16>
  tile.grid %m = 0 to 8 by m:8 {
    %v = tile.load %y[%m]
    tile.store %v, %some[%m]
  }
  tile.grid %g = 0 to 3, %m = 0 to 40 by m:16 {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%g, %i]
    tile.store %v, %out[%g, %m]
  }
  tile.grid %m = 0 to 8 by m:8 {
    %i = tile.load %ids[%m]
    %v = tile.gather %some[%i]
    tile.store %v, %found[%m]
  }
  return %out, %found : memref<3x40xi8>, memref<8xbf16>
}
// CHECK-LABEL: func.func @bytes
// CHECK:         [[X:%[a-z0-9_]+]] = tile.view %x : memref<3x1024xi8> to memref<3x32x32xi8>
// CHECK:         %some = tile.full 0.0
// CHECK:         [[PLACE:%[a-z0-9_]+]] = arith.andi %i, {{.*}}
// CHECK:         [[ROW:%[a-z0-9_]+]] = arith.shrsi %i, {{.*}}
// CHECK:         tile.load [[X]][%g, :, :]
// CHECK:         [[THERE:%[a-z0-9_]+]] = tile.broadcast [[PLACE]] dims [1] : tensor<32x16xi32, #tile.spans<_, m>>
// CHECK-NEXT:    [[PLACES:%[a-z0-9_]+]] = tile.compare eq {{%[a-z0-9_]+}}, [[THERE]]
// CHECK:         [[ONES:%[a-z0-9_]+]] = tile.select [[PLACES]]
// CHECK:         tile.cast [[ONES]] to bf16
// CHECK-COUNT-4: tile.dot {{%[a-z0-9_]+}}, {{%[a-z0-9_]+}}
// CHECK:         [[SUM:%[a-z0-9_]+]] = arith.addi
// CHECK:         [[HERE:%[a-z0-9_]+]] = tile.broadcast [[ROW]] dims [1] : tensor<32x16xi32, #tile.spans<_, m>>
// CHECK-NEXT:    [[HITS:%[a-z0-9_]+]] = tile.compare eq {{%[a-z0-9_]+}}, [[HERE]]
// CHECK:         [[PICKED:%[a-z0-9_]+]] = tile.select [[HITS]], [[SUM]]
// CHECK-NEXT:    [[V:%[a-z0-9_]+]] = tile.reduce add [[PICKED]] dims [0]
// CHECK-NEXT:    tile.cast [[V]] to i8
// EXPANDED-LABEL: func.func @bytes
// EXPANDED-NOT:     tile.gather

// More rows than are compared at once: a loop goes through blocks.
func.func @blocks(%x: memref<32000xbf16>, %ids: memref<64xi32>) -> memref<64xbf16> {
  %out = tile.empty : memref<64xbf16>
  tile.grid %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i]
    tile.store %v, %out[%m]
  }
  return %out : memref<64xbf16>
}
// CHECK-LABEL: func.func @blocks
// CHECK:         memref<32000xbf16> to memref<250x128xbf16>
// CHECK-NOT:     tile.for

func.func @more_blocks(%x: memref<32008xbf16>, %ids: memref<64xi32>) -> memref<64xbf16> {
  %out = tile.empty : memref<64xbf16>
  tile.grid %m = 0 to 64 by m:32 {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i]
    tile.store %v, %out[%m]
  }
  return %out : memref<64xbf16>
}
// CHECK-LABEL: func.func @more_blocks
// CHECK:         [[X:%[a-z0-9_]+]] = tile.view %x : memref<32008xbf16> to memref<4001x8xbf16>
// CHECK:         tile.for %x_rows = 0 to 4001 by x_rows:256 iter_args
// CHECK:           tile.load [[X]][%x_rows, :]
// CHECK:           tile.yield

// Not short vectors, what the kernel writes, odd numbers of elements, or positions of other dimensions.
func.func @left(%short: memref<248xf32>, %odd: memref<40001xf32>, %table: memref<40960x8xf32>, %ids: memref<40xi32>, %out: memref<40960xf32>) -> memref<40960xf32> {
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
