// RUN: tile-opt %s --split-input-file --one-hot-segments=items=all | filecheck %s
// RUN: tile-opt %s --split-input-file --one-hot-segments | filecheck %s --check-prefix AUTO

// Rows of bf16 are multiplied as they are, and the mean follows for all items of a tile.

func.func @mean(%x: memref<?x256xbf16>, %offsets: memref<1001xi32>) -> memref<1000x256xf32> {
  %out = tile.empty : memref<1000x256xf32>
  tile.grid %g = 0 to 1000 {
    %begin, %end = tile.segment %offsets[%g]
    %rows = arith.subi %end, %begin : index
    %count = arith.index_cast %rows : index to i32
    %one = arith.constant 1 : i32
    %least = arith.maxsi %count, %one : i32
    %f = tile.cast %least to f32
    tile.for %n = 0 to 256 by n {
      %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<n>>
      %sum = tile.for %m = %begin to %end by m mean 31 iter_args(%a = %zero) {
        %v = tile.load %x[%m, %n]
        %w = tile.cast %v to f32
        %s = tile.reduce add %w dims [0]
        %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<n>>
        tile.yield %next
      }
      %all = tile.broadcast %f dims [] : tensor<?xf32, #tile.spans<n>>
      %mean = arith.divf %sum, %all : tensor<?xf32, #tile.spans<n>>
      tile.store %mean, %out[%g, %n]
    }
  }
  return %out : memref<1000x256xf32>
}

// CHECK-LABEL: func.func @mean
// CHECK:         tile.grid %g = 0 to 1000 by g {
// CHECK-NEXT:      [[I:%.+]] = tile.bound begin %g
// CHECK-NEXT:      [[J:%.+]] = tile.bound end %g
// CHECK-NEXT:      %begin, %end = tile.segment %offsets{{\[}}[[I]] to [[J]]]
// CHECK-NEXT:      %begin_1 = tile.load %offsets[%g]
// CHECK-NEXT:      %end_1 = tile.load %offsets[%g + 1]
// CHECK-NEXT:      %rows = arith.subi %end_1, %begin_1 : tensor<?xi32, #tile.spans<g>>
// CHECK-NEXT:      %one = arith.constant 1 : i32
// CHECK-NEXT:      [[ONE:%.+]] = tile.broadcast %one dims [] : tensor<?xi32, #tile.spans<g>>
// CHECK-NEXT:      %least = arith.maxsi %rows, [[ONE]] : tensor<?xi32, #tile.spans<g>>
// CHECK-NEXT:      %f = tile.cast %least to f32
// CHECK-NEXT:      tile.for %n = 0 to 256 by n {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<n>>
// CHECK-NEXT:        [[ZEROS:%.+]] = tile.broadcast %zero dims [1] : tensor<?x?xf32, #tile.spans<g, n>>
// CHECK-NEXT:        %sum = tile.for %m = %begin to %end by m iter_args(%a = [[ZEROS]]) {
// CHECK-NEXT:          %v = tile.load %x[%m, %n]
// CHECK:               [[ROW:%.+]] = tile.indices %m
// CHECK-NEXT:          [[B:%.+]] = tile.broadcast %begin_1 dims [0] : tensor<?x?xi32, #tile.spans<g, m>>
// CHECK-NEXT:          [[E:%.+]] = tile.broadcast %end_1 dims [0] : tensor<?x?xi32, #tile.spans<g, m>>
// CHECK-NEXT:          [[R:%.+]] = tile.broadcast [[ROW]] dims [1] : tensor<?x?xi32, #tile.spans<g, m>>
// CHECK-NEXT:          [[GE:%.+]] = tile.compare ge [[R]], [[B]]
// CHECK-NEXT:          [[LT:%.+]] = tile.compare lt [[R]], [[E]]
// CHECK-NEXT:          %hits = arith.andi [[GE]], [[LT]] : tensor<?x?xi1, #tile.spans<g, m>>
// CHECK:               [[ONES:%.+]] = tile.select %hits
// CHECK-NEXT:          [[BITS:%.+]] = tile.cast [[ONES]] to bf16
// CHECK-NEXT:          [[DOT:%.+]] = tile.dot [[BITS]], %v
// CHECK-NEXT:          [[COLUMNS:%.+]] = tile.reduce add [[DOT]] dims [0]
// CHECK:               [[NAN:%.+]] = tile.reduce add {{.+}} dims [0]
// CHECK:               [[SOME:%.+]] = arith.cmpf une, [[NAN]]
// CHECK-NEXT:          %s = scf.if [[SOME]]
// CHECK:               } else {
// CHECK-NEXT:            scf.yield [[DOT]]
// CHECK:               %next = arith.addf %a, %s : tensor<?x?xf32, #tile.spans<g, n>>
// CHECK-NEXT:          tile.yield %next
// CHECK:             %all = tile.broadcast %f dims [0] : tensor<?x?xf32, #tile.spans<g, n>>
// CHECK-NEXT:        %mean = arith.divf %sum, %all : tensor<?x?xf32, #tile.spans<g, n>>
// CHECK-NEXT:        tile.store %mean, %out[%g, %n]

// AUTO: tile.grid %g = 0 to 1000 by g {

// -----

// Rows between the segments are no item's. A sum of single elements needs no product.

func.func @gaps(%x: memref<?xf32>, %begins: memref<?xi32>, %ends: memref<?xi32>, %n: index) -> memref<?xf32> {
  %out = tile.empty (%n) : memref<?xf32>
  tile.grid %g = 0 to %n {
    %b, %e = tile.segment %begins[%g] to %ends[%g]
    %zero = arith.constant 0.0 : f32
    %sum = tile.for %m = %b to %e by m mean 32 iter_args(%a = %zero) {
      %v = tile.load %x[%m]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : f32
      tile.yield %next
    }
    tile.store %sum, %out[%g]
  }
  return %out : memref<?xf32>
}

// CHECK-LABEL: func.func @gaps
// CHECK:         tile.grid %g = 0 to %n by g {
// CHECK:           %b, %e = tile.segment %begins{{\[}}[[I:%.+]] to [[J:%.+]]] to %ends{{\[}}[[I]] to [[J]]]
// CHECK-NEXT:      %b_1 = tile.load %begins[%g]
// CHECK-NEXT:      %e_1 = tile.load %ends[%g]
// CHECK:           %sum = tile.for %m = %b to %e by m iter_args(%a = %2) {
// CHECK-NOT:         tile.dot
// CHECK:             [[V:%.+]] = tile.broadcast %v dims [1] : tensor<?x?xf32, #tile.spans<g, m>>
// CHECK:             [[MINE:%.+]] = tile.select %hits, [[V]]
// CHECK-NEXT:        %s = tile.reduce add [[MINE]] dims [1]
// CHECK-NEXT:        %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<g>>
// CHECK:           tile.store %sum, %out[%g]

// AUTO: tile.grid %g = 0 to %n {

// -----

// An f32 is three bf16. Several sums of one loop share the comparison; columns and what stands in other places
// of an array have the items in front while they are computed.

func.func @squares(%x: memref<96x512xf32>, %offsets: memref<9xi32>, %w: memref<96x8xf32>) -> memref<96x8xf32> {
  %out = tile.empty : memref<96x8xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<96xf32>
    %sum, %squares = tile.for %m = %b to %e by m iter_args(%a = %zero, %c = %zero) {
      %v = tile.load %x[:, %m]
      %s = tile.reduce add %v dims [1]
      %sum = arith.addf %a, %s : tensor<96xf32>
      %u = arith.mulf %v, %v : tensor<96x?xf32, #tile.spans<_, m>>
      %t = tile.reduce add %u dims [1]
      %squares = arith.addf %t, %c : tensor<96xf32>
      tile.yield %sum, %squares
    }
    %f = tile.load %w[:, %g]
    %p = arith.mulf %sum, %f : tensor<96xf32>
    %q = arith.addf %p, %squares : tensor<96xf32>
    tile.store %q, %out[:, %g]
  }
  return %out : memref<96x8xf32>
}

// CHECK-LABEL: func.func @squares
// CHECK:           %v = tile.load %x[:, %m]
// CHECK:           %hits = arith.andi
// CHECK:           [[ONES:%.+]] = tile.select %hits
// CHECK-NEXT:      [[BITS:%.+]] = tile.cast [[ONES]] to bf16
// CHECK-NEXT:      [[HIGH:%.+]] = tile.cast %v to bf16
// CHECK-NEXT:      [[HIGH32:%.+]] = tile.cast [[HIGH]] to f32
// CHECK-NEXT:      [[REST:%.+]] = arith.subf %v, [[HIGH32]]
// CHECK-NEXT:      [[MID:%.+]] = tile.cast [[REST]] to bf16
// CHECK-NEXT:      [[MID32:%.+]] = tile.cast [[MID]] to f32
// CHECK-NEXT:      [[LAST:%.+]] = arith.subf [[REST]], [[MID32]]
// CHECK-NEXT:      [[LOW:%.+]] = tile.cast [[LAST]] to bf16
// CHECK-NEXT:      [[P:%.+]] = tile.dot [[LOW]], [[BITS]] contract [1] x [1]
// CHECK-NEXT:      [[Q:%.+]] = tile.dot [[MID]], [[BITS]] contract [1] x [1]
// CHECK-NEXT:      [[PQ:%.+]] = arith.addf [[P]], [[Q]] : tensor<96x?xf32, #tile.spans<_, g>>
// CHECK-NEXT:      [[R:%.+]] = tile.dot [[HIGH]], [[BITS]] contract [1] x [1]
// CHECK-NEXT:      arith.addf [[PQ]], [[R]] : tensor<96x?xf32, #tile.spans<_, g>>
// CHECK-NOT:       arith.andi
// CHECK:         [[W:%.+]] = tile.load %w[:, %g]
// CHECK-NEXT:    %f = tile.transpose [[W]] [1, 0]
// CHECK-NEXT:    %p = arith.mulf %sum, %f : tensor<?x96xf32, #tile.spans<g, _>>
// CHECK-NEXT:    %q = arith.addf %p, %squares : tensor<?x96xf32, #tile.spans<g, _>>
// CHECK-NEXT:    [[T:%.+]] = tile.transpose %q [1, 0]
// CHECK-NEXT:    tile.store [[T]], %out[:, %g]

// -----

// A condition of an item chooses between its branches. A row of a matrix that all items share stays a row.

func.func @chosen(%x: memref<?x128xf32>, %offsets: memref<9xi32>, %bias: memref<128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    %bias_1 = tile.load %bias[:]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<128xf32>
      tile.yield %next
    }
    %some = arith.cmpi slt, %b, %e : index
    %all = scf.if %some -> (tensor<128xf32>) {
      %t = arith.addf %sum, %bias_1 : tensor<128xf32>
      scf.yield %t : tensor<128xf32>
    } else {
      scf.yield %zero : tensor<128xf32>
    }
    tile.store %all, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}

// CHECK-LABEL: func.func @chosen
// CHECK:         %bias_1 = tile.load %bias[:]
// CHECK:         %some = tile.compare lt %b_1, %e_1
// CHECK-NEXT:    [[BIAS:%.+]] = tile.broadcast %bias_1 dims [1] : tensor<?x128xf32, #tile.spans<g, _>>
// CHECK-NEXT:    %t = arith.addf %sum, [[BIAS]] : tensor<?x128xf32, #tile.spans<g, _>>
// CHECK-NEXT:    [[NONE:%.+]] = tile.broadcast %zero dims [1] : tensor<?x128xf32, #tile.spans<g, _>>
// CHECK-NEXT:    [[P:%.+]] = tile.broadcast %some dims [0] : tensor<?x128xi1, #tile.spans<g, _>>
// CHECK-NEXT:    %all = tile.select [[P]], %t, [[NONE]]
// CHECK-NEXT:    tile.store %all, %out[%g, :]
