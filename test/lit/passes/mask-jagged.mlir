// Jagged axes whose parents stay a tile get the steps of the longest extent there may be, and masks.

// RUN: tile-opt %s --mask-jagged | filecheck %s
// RUN: tile-opt %s --tile-to-pallas="p=8 k=128 j=128" | filecheck %s --check-prefix=KERNEL

// What all lanes sum is carried for the tile, and stays as it is in a step that none of them makes. What a lane
// carries stays as it is in one that it does not make. Columns that no lane reaches are not updated.
func.func @mixed(%x: memref<64x512xf32>, %w: memref<512x128xf32>, %lens: memref<64xi32>)
    -> (memref<1xf32>, memref<64x128xf32>, memref<512xf32>) {
  %total = tile.full 0.0 : memref<1xf32>
  %rows = tile.empty : memref<64x128xf32>
  %columns = tile.full 0.0 : memref<512xf32>
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %zero = arith.constant 0.0 : f32
    %none = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<p, _>>
    %half = tile.splat 0.5 : tensor<?x128xf32, #tile.spans<p, _>>
    %sum, %row = tile.for %k = 0 to %l by k:128 of p max 512 iter_args(%a = %zero, %b = %none) {
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [0, 1]
      %next = arith.addf %a, %s : f32
      %column = tile.reduce max %v dims [0]
      tile.atomic_rmw max %column, %columns[%k]
      %m = tile.load %w[%k, :]
      %d = tile.dot %v, %m
      %h = arith.mulf %b, %half : tensor<?x128xf32, #tile.spans<p, _>>
      %e = arith.addf %h, %d : tensor<?x128xf32, #tile.spans<p, _>>
      tile.yield %next, %e
    }
    tile.store %row, %rows[%p, :]
    tile.atomic_rmw add %sum, %total[0]
  }
  return %total, %rows, %columns : memref<1xf32>, memref<64x128xf32>, memref<512xf32>
}
// CHECK-LABEL: func.func @mixed
// CHECK:           %longest = tile.reduce max %l dims [0]
// CHECK-NEXT:      %sum, %row = tile.for %k = 0 to 512 by k:128 iter_args(%a = %zero, %b = %none) {
// CHECK-NEXT:        [[BEGIN:%[0-9]+]] = tile.bound begin %k
// CHECK-NEXT:        %begin = arith.index_cast [[BEGIN]] : index to i32
// CHECK-NEXT:        %place = tile.indices %k
// CHECK-NEXT:        [[K:%[0-9]+]] = tile.broadcast %place dims [1] : tensor<?x128xi32, #tile.spans<p, k>>
// CHECK-NEXT:        [[L:%[0-9]+]] = tile.broadcast %l dims [0] : tensor<?x128xi32, #tile.spans<p, k>>
// CHECK-NEXT:        %live = tile.compare lt [[K]], [[L]]
// CHECK:             %v = tile.load %x[%p, %k] mask %live other
// CHECK-NEXT:        %s = tile.reduce add %v dims [0, 1]
// CHECK:             [[LOW:%[0-9]+]] = tile.splat -inf : tensor<?x128xf32, #tile.spans<p, k>>
// CHECK-NEXT:        [[FILLED:%[0-9]+]] = tile.select %live, %v, [[LOW]]
// CHECK-NEXT:        %column = tile.reduce max [[FILLED]] dims [0]
// CHECK-NEXT:        [[MOST:%[0-9]+]] = tile.broadcast %longest dims [] : tensor<128xi32, #tile.spans<k>>
// CHECK-NEXT:        [[REACHED:%live_[0-9]+]] = tile.compare lt %place, [[MOST]]
// CHECK-NEXT:        tile.atomic_rmw max %column, %columns[%k] mask [[REACHED]]
// CHECK:             [[GOING:%live_[0-9]+]] = tile.compare lt %begin, %longest
// CHECK-NEXT:        [[SUM:%[0-9]+]] = tile.select [[GOING]], %next, %a
// CHECK:             [[ROW:%[0-9]+]] = tile.select {{%live_[0-9]+}}, %e, %b
// CHECK-NEXT:        tile.yield [[SUM]], [[ROW]]
// KERNEL-LABEL: func.func @mixed
// KERNEL:         pallas.call

// A lane that has ended has no children in a jagged loop inside, and writes nothing.
func.func @inside(%x: memref<8x64x256xi32>, %rows: memref<8xi32>, %columns: memref<8xi32>)
    -> (memref<8x64xi32>, memref<1xi32>) {
  %out = tile.full 0 : memref<8x64xi32>
  %most = tile.full 0 : memref<1xi32>
  %zero = arith.constant 0 : i32
  tile.grid %p = 0 to 8 by p {
    %r = tile.load %rows[%p]
    %c = tile.load %columns[%p]
    tile.for %k = 0 to %r by k of p max 64 {
      %none = tile.splat 0 : tensor<?x?xi32, #tile.spans<p, k>>
      %sum, %largest = tile.for %j = 0 to %c by j of p max 256 iter_args(%a = %none, %b = %zero) {
        %v = tile.load %x[%p, %k, %j]
        %s = tile.reduce add %v dims [2]
        %next = arith.addi %a, %s : tensor<?x?xi32, #tile.spans<p, k>>
        %m = tile.reduce max %v dims [0, 1, 2]
        %high = arith.maxsi %b, %m : i32
        tile.yield %next, %high
      }
      tile.store %sum, %out[%p, %k]
      tile.atomic_rmw max %largest, %most[0]
    }
  }
  return %out, %most : memref<8x64xi32>, memref<1xi32>
}
// CHECK-LABEL: func.func @inside
// CHECK:           tile.for %k = 0 to 64 by k {
// CHECK:             [[C:%[0-9]+]] = tile.select {{%live[_0-9]*}}, %c, {{%[0-9]+}}
// CHECK-NEXT:        %longest_1 = tile.reduce max [[C]] dims [0]
// CHECK-NEXT:        %sum, %largest = tile.for %j = 0 to 256 by j
// CHECK:             tile.store %sum, %out[%p, %k] mask
// CHECK:             [[SOME:%live_[0-9]+]] = tile.compare lt %begin, %longest
// CHECK-NEXT:        tile.atomic_rmw max %largest, %most[0] mask [[SOME]]
// KERNEL-LABEL: func.func @inside
