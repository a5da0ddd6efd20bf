// The parents of jagged axes are gone through one by one: values lose their dimension.

// RUN: tile-opt %s --scalarize-jagged | filecheck %s
// RUN: tile-opt %s --scalarize-jagged --raise-segments --rebase-axes --choose-blocks --raise-gathers | filecheck %s --check-prefix=SEGMENTS

// Rows of different lengths, to lengths that are loaded. Another axis of the grid stays.
func.func @row_sums(%x: memref<64x512xf32>, %lens: memref<64xi32>, %b: memref<512xf32>) -> memref<64x512xf32> {
  %out = tile.empty : memref<64x512xf32>
  tile.grid %p = 0 to 64 by p, %n = 0 to 512 by n {
    %l = tile.load %lens[%p]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %l by k of p max 512 mean 12 iter_args(%a = %zero) {
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [1]
      %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %next
    }
    %w = tile.load %b[%n]
    %row = tile.broadcast %w dims [1] : tensor<1x?xf32, #tile.spans<_, n>>
    %rows = tile.broadcast %row dims [0, 1] : tensor<?x?xf32, #tile.spans<p, n>>
    %sums = tile.broadcast %sum dims [0] : tensor<?x?xf32, #tile.spans<p, n>>
    %all = arith.mulf %sums, %rows : tensor<?x?xf32, #tile.spans<p, n>>
    tile.store %all, %out[%p, %n]
  }
  return %out : memref<64x512xf32>
}
// CHECK-LABEL: func.func @row_sums
// CHECK:         tile.grid %p = 0 to 64, %n = 0 to 512 by n {
// CHECK-NEXT:      %l = tile.load %lens[%p]
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      [[N:%[0-9]+]] = arith.index_cast %l : i32 to index
// CHECK-NEXT:      %sum = tile.for %k = 0 to [[N]] by k max 512 mean 12 iter_args(%a = %zero) {
// CHECK-NEXT:        %v = tile.load %x[%p, %k]
// CHECK-NEXT:        %s = tile.reduce add %v dims [0]
// CHECK-NEXT:        %next = arith.addf %a, %s : f32
// CHECK-NEXT:        tile.yield %next
// CHECK-NEXT:      }
// CHECK-NEXT:      %w = tile.load %b[%n]
// CHECK-NEXT:      %sums = tile.broadcast %sum dims [] : tensor<?xf32, #tile.spans<n>>
// CHECK-NEXT:      %all = arith.mulf %sums, %w : tensor<?xf32, #tile.spans<n>>
// CHECK-NEXT:      tile.store %all, %out[%p, %n]

// Begins and lengths from offsets: segments, whose rows are windows.
func.func @groups(%x: memref<9000xf32>, %offsets: memref<9xi32>, %w: memref<8x200x64xf32>) -> memref<8x64xf32> {
  %out = tile.full 0.0 : memref<8x64xf32>
  tile.grid %g = 0 to 8 by g {
    %begins = tile.load %offsets[%g]
    %i = tile.indices %g
    %one = tile.splat 1 : tensor<?xi32, #tile.spans<g>>
    %after = arith.addi %i, %one : tensor<?xi32, #tile.spans<g>>
    %ends = tile.gather %offsets[%after]
    %lens = arith.subi %ends, %begins : tensor<?xi32, #tile.spans<g>>
    tile.for %k = 0 to %lens by k of g {
      %j = tile.indices %k
      %b = tile.broadcast %begins dims [0] : tensor<?x?xi32, #tile.spans<g, k>>
      %c = tile.broadcast %j dims [1] : tensor<?x?xi32, #tile.spans<g, k>>
      %rows = arith.addi %b, %c : tensor<?x?xi32, #tile.spans<g, k>>
      %values = tile.gather %x[%rows]
      %narrow = tile.load %w[%g, 0, :]
      %wide = tile.broadcast %narrow dims [0, 2] : tensor<?x1x64xf32, #tile.spans<g, _, _>>
      %one_column = tile.broadcast %values dims [0, 1] : tensor<?x?x1xf32, #tile.spans<g, k, _>>
      %products = tile.dot %one_column, %wide contract [2] x [1]
      %sums = tile.reduce add %products dims [1]
      tile.atomic_rmw add %sums, %out[%g, :]
    }
  }
  return %out : memref<8x64xf32>
}
// CHECK-LABEL: func.func @groups
// CHECK:           %begins = tile.load %offsets[%g]
// CHECK-NEXT:      %ends = tile.load %offsets[%g + 1]
// CHECK-NEXT:      %lens = arith.subi %ends, %begins : i32
// CHECK:           tile.for %k = 0 to {{%[0-9]+}} by k {
// CHECK-NEXT:        %j = tile.indices %k
// CHECK-NEXT:        %b = tile.broadcast %begins dims [] : tensor<?xi32, #tile.spans<k>>
// CHECK-NEXT:        %rows = arith.addi %b, %j : tensor<?xi32, #tile.spans<k>>
// CHECK-NEXT:        %values = tile.gather %x[%rows]
// CHECK:             %narrow = tile.load %w[%g, 0, :]
// CHECK-NEXT:        %wide = tile.broadcast %narrow dims [1] : tensor<1x64xf32>
// CHECK-NEXT:        %one_column = tile.broadcast %values dims [0] : tensor<?x1xf32, #tile.spans<k, _>>
// CHECK-NEXT:        %products = tile.dot %one_column, %wide
// CHECK-NEXT:        %sums = tile.reduce add %products dims [0]
// CHECK-NEXT:        tile.atomic_rmw add %sums, %out[%g, :]
// SEGMENTS-LABEL: func.func @groups
// SEGMENTS:           %begins, %ends = tile.segment %offsets[%g]
// SEGMENTS:           tile.for %k = %begins to %ends by k:128 {
// SEGMENTS:             tile.load %x[%k]

// An axis of a loop, with values that are carried along and a condition; what asks for a tile finds one lane.
func.func @loops(%x: memref<64x512xi32>, %lens: memref<64xi32>, %out: memref<64x4xi32>) -> memref<64x4xi32> {
  tile.grid %cell = 0 to 1 {
    %none = arith.constant 0 : index
    %p = arith.constant true
    %last = tile.for %m = 0 to 64 by m iter_args(%before = %none) {
      %l = tile.load %lens[%m]
      %begin = tile.bound begin %m
      %end = tile.bound end %m
      %size = tile.bound size %m
      %zero = tile.splat 0 : tensor<?x4xi32, #tile.spans<m, _>>
      %sum = tile.for %k = 0 to %l by k:4 of m iter_args(%a = %zero) {
        %v = tile.load %x[%m, %k]
        %next = scf.if %p -> (tensor<?x4xi32, #tile.spans<m, _>>) {
          %t = tile.transpose %v [1, 0]
          %s = tile.reduce max %t dims [0]
          %four = tile.broadcast %s dims [0] : tensor<?x4xi32, #tile.spans<m, _>>
          scf.yield %four : tensor<?x4xi32, #tile.spans<m, _>>
        } else {
          scf.yield %a : tensor<?x4xi32, #tile.spans<m, _>>
        }
        tile.yield %next
      }
      tile.for %j = %begin to %end by j {
        %w = tile.load %x[%j, 0]
      }
      %left = tile.slice %sum dim 1 from 0 size 2
      %odd = tile.strided_slice %sum from 1 step 2
      %turns = tile.interleave %odd, %odd
      tile.store %turns, %out[%m, :]
      %both = tile.concatenate %left, %left dim 1
      %cube = tile.reshape %both : tensor<?x2x2xi32, #tile.spans<m, _, _>>
      %scanned = tile.scan add %cube dim 2
      %flat = tile.reshape %scanned : tensor<?x4xi32, #tile.spans<m, _>>
      tile.store %flat, %out[%m, :]
      %after = arith.addi %before, %size : index
      tile.yield %after
    }
  }
  return %out : memref<64x4xi32>
}
// CHECK-LABEL: func.func @loops
// CHECK:           %last = tile.for %m = 0 to 64 iter_args(%before = %none) {
// CHECK-NEXT:        %l = tile.load %lens[%m]
// CHECK-NEXT:        [[ONE:%[0-9]+]] = arith.constant 1 : index
// CHECK-NEXT:        %end = arith.addi %m, [[ONE]] : index
// CHECK-NEXT:        %size = arith.constant 1 : index
// CHECK-NEXT:        %zero = tile.splat 0 : tensor<4xi32>
// CHECK:             %sum = tile.for %k = 0 to {{%[0-9]+}} by k:4 iter_args(%a = %zero) {
// CHECK-NEXT:          %v = tile.load %x[%m, %k]
// CHECK-NEXT:          %next = scf.if %p -> (tensor<4xi32>) {
// CHECK-NEXT:            %s = tile.reduce max %v dims [0]
// CHECK-NEXT:            %four = tile.broadcast %s dims [] : tensor<4xi32>
// CHECK-NEXT:            scf.yield %four : tensor<4xi32>
// CHECK:             tile.for %j = %m to %end by j {
// CHECK:             %left = tile.slice %sum dim 0 from 0 size 2
// CHECK-NEXT:        %odd = tile.strided_slice %sum from 1 step 2
// CHECK-NEXT:        %turns = tile.interleave %odd, %odd
// CHECK-NEXT:        tile.store %turns, %out[%m, :]
// CHECK-NEXT:        %both = tile.concatenate %left, %left dim 0
// CHECK-NEXT:        %cube = tile.reshape %both : tensor<2x2xi32>
// CHECK-NEXT:        %scanned = tile.scan add %cube dim 1
// CHECK-NEXT:        %flat = tile.reshape %scanned : tensor<4xi32>
// CHECK-NEXT:        tile.store %flat, %out[%m, :]

// What all lanes add to one place each adds alone, in a loop with the carried state of its own steps.
func.func @added(%x: memref<64x64xf32>, %lens: memref<64xi32>) -> (memref<1xf32>, memref<64xf32>, memref<64xf32>) {
  %total = tile.full 0.0 : memref<1xf32>
  %most = tile.full -1.0e10 : memref<64xf32>
  %out = tile.empty : memref<64xf32>
  %half = arith.constant 0.5 : f32
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %factor = tile.broadcast %half dims [] : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %l by k:4 of p iter_args(%a = %zero) {
      %v = tile.load %x[%p, %k]
      %all = tile.reduce add %v dims [0, 1]
      tile.atomic_rmw add %all, %total[0]
      %w = tile.load %x[%p, :]
      %largest = tile.reduce max %w dims [0]
      tile.atomic_rmw max %largest, %most[:]
      %s = tile.reduce add %v dims [1]
      %less = arith.mulf %a, %factor : tensor<?xf32, #tile.spans<p>>
      %next = arith.addf %less, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %next
    }
    tile.store %sum, %out[%p]
  }
  return %total, %most, %out : memref<1xf32>, memref<64xf32>, memref<64xf32>
}
// CHECK-LABEL: func.func @added
// CHECK:           %sum = tile.for %k = 0 to {{%[0-9]+}} by k:4 iter_args(%a = %zero) {
// CHECK-NEXT:        %v = tile.load %x[%p, %k]
// CHECK-NEXT:        %all = tile.reduce add %v dims [0]
// CHECK-NEXT:        tile.atomic_rmw add %all, %total[0]
// CHECK-NEXT:        %w = tile.load %x[%p, :]
// CHECK-NEXT:        tile.atomic_rmw max %w, %most[:]
// CHECK-NEXT:        %s = tile.reduce add %v dims [0]

// At one position for each parent: a gather becomes a load, a scatter an exchange that nothing else meets.
// Positions that still are a tile stay so, with their mask; a row times a matrix is a product of one row.
func.func @positions(%x: memref<64x512xf32>, %y: memref<640xf32>, %w: memref<512x64xf32>,
                     %lens: memref<64xi32>, %ids: memref<64xi32>) -> (memref<64x64xf32>, memref<64xf32>) {
  %out = tile.empty : memref<64x64xf32>
  %sums = tile.full 0.0 : memref<64xf32>
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %i = tile.load %ids[%p]
    %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<p, _>>
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %first = tile.gather %y[%i]
    %acc, %rest = tile.for %k = 0 to %l by k of p iter_args(%a = %zero, %b = %none) {
      %v = tile.gather %x[%i, %k]
      %m = tile.load %w[%k, :]
      %d = tile.dot %v, %m, %a
      %j = tile.indices %k
      %c = tile.broadcast %j dims [1] : tensor<?x?xi32, #tile.spans<p, k>>
      %r = tile.broadcast %i dims [0] : tensor<?x?xi32, #tile.spans<p, k>>
      %at = arith.addi %c, %r : tensor<?x?xi32, #tile.spans<p, k>>
      %kept = tile.compare lt %c, %r
      %other = tile.broadcast %first dims [0] : tensor<?x?xf32, #tile.spans<p, k>>
      %u = tile.gather %y[%at] mask %kept other %other
      %s = tile.reduce add %u dims [1]
      %t = arith.addf %b, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %d, %t
    }
    tile.store %acc, %out[%p, :]
    tile.scatter %rest, %sums[%i]
  }
  return %out, %sums : memref<64x64xf32>, memref<64xf32>
}
// CHECK-LABEL: func.func @positions
// CHECK:         [[AT:%[0-9]+]] = arith.index_cast %i : i32 to index
// CHECK-NEXT:    %first = tile.load %y[[[AT]]]
// CHECK:           [[ROW:%[0-9]+]] = arith.index_cast %i : i32 to index
// CHECK-NEXT:      %v = tile.load %x[[[ROW]], %k]
// CHECK-NEXT:      %m = tile.load %w[%k, :]
// CHECK-NEXT:      [[LHS:%[0-9]+]] = tile.broadcast %v dims [1] : tensor<1x?xf32, #tile.spans<_, k>>
// CHECK-NEXT:      [[ACC:%[0-9]+]] = tile.broadcast %a dims [1] : tensor<1x64xf32>
// CHECK-NEXT:      [[DOT:%[0-9]+]] = tile.dot [[LHS]], %m, [[ACC]]
// CHECK-NEXT:      %d = tile.reduce max [[DOT]] dims [0]
// CHECK:           %kept = tile.compare lt %j, %r
// CHECK-NEXT:      %other = tile.broadcast %first dims [] : tensor<?xf32, #tile.spans<k>>
// CHECK-NEXT:      %u = tile.gather %y[%at] mask %kept other %other
// CHECK:         tile.store %acc, %out[%p, :]
// CHECK:         tile.atomic_rmw exchange %rest, %sums[{{%[0-9]+}}] unique

// Axes without jagged ones stay tiles, and so does one whose lanes are no parents.
func.func @plain(%x: memref<64x512xf32>, %out: memref<64x512xf32>) {
  tile.grid %m = 0 to 64 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return
}
// CHECK-LABEL: func.func @plain
// CHECK:         tile.grid %m = 0 to 64 by m {
