// Axes whose indices number runs of an array become axes of tiles, one for each run.

// RUN: tile-opt %s --widen-axes | filecheck %s
// RUN: tile-opt %s --widen-axes --choose-blocks --raise-gathers | filecheck %s --check-prefix=RAISED

// Two runs, of which one begins a run before; what else the index is used for asks for the tile's number.
func.func @runs(%x: memref<16x640xf32>, %y: memref<640xf32>, %z: memref<5xf32>) -> (memref<16x128xf32>, memref<5xi32>) {
  %out = tile.empty : memref<16x128xf32>
  %seen = tile.empty : memref<5xi32>
  %w = arith.constant 128 : index
  tile.grid %g = 0 to 1 {
    tile.for %c = 0 to 5 {
      %i = arith.index_cast %c : index to i32
      tile.store %i, %seen[%c]
    }
    tile.for %m = 0 to 16 by m {
      %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
      %sum = tile.for %c = 1 to 5 iter_args(%a = %zero) {
        %ones = tile.splat 1 : tensor<128xi32>
        %counted = tile.scan add %ones dim 0
        %lanes = arith.subi %counted, %ones : tensor<128xi32>
        %first = arith.muli %c, %w : index
        %first0 = arith.index_cast %first : index to i32
        %firsts = tile.broadcast %first0 dims [] : tensor<128xi32>
        %places = arith.addi %lanes, %firsts : tensor<128xi32>
        %v = tile.gather %x[%m, %places]
        %u = tile.gather %y[%places - 128]
        %f = tile.load %z[%c]
        %fs = tile.broadcast %f dims [] : tensor<128xf32>
        %uf = arith.mulf %u, %fs : tensor<128xf32>
        %us = tile.broadcast %uf dims [1] : tensor<?x128xf32, #tile.spans<m, _>>
        %p = arith.mulf %v, %us : tensor<?x128xf32, #tile.spans<m, _>>
        %next = arith.addf %a, %p : tensor<?x128xf32, #tile.spans<m, _>>
        tile.yield %next
      }
      tile.store %sum, %out[%m, :]
    }
  }
  return %out, %seen : memref<16x128xf32>, memref<5xi32>
}
// CHECK-LABEL: func.func @runs
// CHECK:         tile.for %c = 0 to 5 {
// CHECK:         tile.for %c_1 = 128 to 640 by c:128 iter_args(%a = %zero) {
// CHECK-NEXT:      [[B:%[a-z0-9_]+]] = tile.bound begin %c_1
// CHECK:           [[C:%[a-z0-9_]+]] = arith.floordivsi [[B]], {{.*}} : index
// CHECK-NEXT:      [[I:%[a-z0-9_]+]] = tile.indices %c_1
// CHECK-NEXT:      [[V:%[a-z0-9_]+]] = tile.gather %x[%m, [[I]]]
// CHECK-NEXT:      [[WV:%[a-z0-9_]+]] = tile.whole [[V]] along %c_1
// CHECK:           [[U:%[a-z0-9_]+]] = tile.gather %y[{{%[a-z0-9_]+}}]
// CHECK-NEXT:      tile.whole [[U]] along %c_1
// CHECK-NEXT:      %f = tile.load %z[[[C]]]
// RAISED-LABEL: func.func @runs
// RAISED:         [[V:%[a-z0-9_]+]] = tile.load %x[%m, %c_1]
// RAISED-NEXT:    tile.whole [[V]] along %c_1
// RAISED:         tile.load %y[%c_1 - 128]

// As many runs as an array says, `max` and `mean` of them; rows of a grid.
func.func @counted(%x: memref<4x640xf32>, %y: memref<40x128xf32>, %counts: memref<5xi32>) -> (memref<4xf32>, memref<5x128xf32>) {
  %out = tile.empty : memref<4xf32>
  %rows = tile.empty : memref<5x128xf32>
  %w = arith.constant 128 : index
  %eight = arith.constant 8 : index
  %ones = tile.splat 1 : tensor<128xi32>
  %counted = tile.scan add %ones dim 0
  %lanes = arith.subi %counted, %ones : tensor<128xi32>
  %ones8 = tile.splat 1 : tensor<8xi32>
  %counted8 = tile.scan add %ones8 dim 0
  %zero = tile.splat 0.0 : tensor<128xf32>
  tile.grid %g = 0 to 4 {
    %n = tile.load %counts[%g]
    %least = arith.constant 3 : i32
    %n3 = arith.remsi %n, %least : i32
    %end = arith.index_cast %n3 : i32 to index
    %sums = tile.for %c = 0 to %end max 5 mean 2 iter_args(%a = %zero) {
      %first = arith.muli %w, %c : index
      %first0 = arith.index_cast %first : index to i32
      %firsts = tile.broadcast %first0 dims [] : tensor<128xi32>
      %places = arith.addi %lanes, %firsts : tensor<128xi32>
      %v = tile.gather %x[%g, %places]
      %next = arith.addf %a, %v : tensor<128xf32>
      tile.yield %next
    }
    %sum = tile.reduce add %sums dims [0]
    tile.store %sum, %out[%g]
  }
  tile.grid %r = 0 to 5 {
    %first = arith.muli %r, %eight : index
    %first0 = arith.index_cast %first : index to i32
    %firsts = tile.broadcast %first0 dims [] : tensor<8xi32>
    %places = arith.addi %counted8, %firsts : tensor<8xi32>
    %v = tile.gather %y[%places - 1, :]
    %s = tile.reduce add %v dims [0]
    tile.store %s, %rows[%r, :]
  }
  return %out, %rows : memref<4xf32>, memref<5x128xf32>
}
// CHECK-LABEL: func.func @counted
// CHECK:         [[E:%[a-z0-9_]+]] = arith.muli %end, {{%[a-z0-9_]+}} : index
// CHECK-NEXT:    %sums = tile.for %c = 0 to [[E]] by c:128 max 640 mean 256 iter_args(%a = %zero) {
// CHECK-NEXT:      [[I:%[a-z0-9_]+]] = tile.indices %c
// CHECK:         tile.grid %r = 0 to 40 by r:8 {
// CHECK-NEXT:      [[B:%[a-z0-9_]+]] = tile.bound begin %r
// CHECK:           tile.store {{%[a-z0-9_]+}}, %rows[{{%[a-z0-9_]+}}, :]
