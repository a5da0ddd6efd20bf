// Every operation in its own syntax, and that the generic form reads back as the same.

// RUN: tile-opt %s | filecheck %s
// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

// CHECK-LABEL: func.func @host
func.func @host(%x: memref<?x128xf32>, %begins: memref<8xi32>, %ends: memref<8xi32>, %count: memref<1xi32>)
    -> memref<?x1x128xf32> {
  // CHECK: %zero = arith.constant 0
  %zero = arith.constant 0 : index
  // CHECK-NEXT: %rows = memref.dim
  %rows = memref.dim %x, %zero : memref<?x128xf32>
  // CHECK-NEXT: pallas.check_segments %begins limit %rows
  pallas.check_segments %begins limit %rows
  // CHECK-NEXT: pallas.check_segments %begins to %ends limit %rows
  pallas.check_segments %begins to %ends limit %rows
  // CHECK-NEXT: pallas.check_sum %begins[-1], %ends[0] max %rows
  pallas.check_sum %begins[-1], %ends[0] max %rows
  // CHECK-NEXT: pallas.require %rows at_most %zero "rows of x"
  pallas.require %rows at_most %zero "rows of x"
  // CHECK-NEXT: %steps = pallas.scalar %count
  %steps = pallas.scalar %count
  // CHECK-NEXT: %start = pallas.full -1.5 extent %rows : memref<?x128xf32>
  %start = pallas.full -1.5 extent %rows : memref<?x128xf32>
  // CHECK-NEXT: %table = pallas.full 3 : memref<4xi32>
  %table = pallas.full 3 : memref<4xi32>
  // CHECK-NEXT: %wide = pallas.reshape %x extent %rows : memref<?x1x128xf32>
  %wide = pallas.reshape %x extent %rows : memref<?x1x128xf32>
  // CHECK-NEXT: %bytes = pallas.convert %wide to i8
  %bytes = pallas.convert %wide to i8
  // CHECK-NEXT: %turned = pallas.transpose %wide [2, 0, 1]
  %turned = pallas.transpose %wide [2, 0, 1]
  return %wide : memref<?x1x128xf32>
}

// CHECK-LABEL: func.func @grid
func.func @grid(%x: memref<?x256xf32>, %table: memref<?xi32>, %rows: index, %steps: index, %old: memref<?x256xf32>)
    -> memref<?x256xf32> {
  // CHECK: %out, %count = pallas.call "grid" grid [parallel 4, arbitrary %steps] vmem 1024 {
  %out, %count = pallas.call "grid" grid [parallel 4, arbitrary %steps] vmem 1024 {
    // CHECK-NEXT: %table_ref = pallas.prefetch %table
    %table_ref = pallas.prefetch %table
    // CHECK-NEXT: %x_ref = pallas.in %x block [_, 128] buffers 1 map (%m, %n) {
    // CHECK-NEXT:   %tile = pallas.load %table_ref[%m]
    // CHECK-NEXT:   %at = arith.index_cast %tile : i32 to index
    // CHECK-NEXT:   pallas.yield %at, %n
    // CHECK-NEXT: }
    %x_ref = pallas.in %x block [_, 128] buffers 1 map (%m, %n) {
      %tile = pallas.load %table_ref[%m]
      %at = arith.index_cast %tile : i32 to index
      pallas.yield %at, %n
    }
    // CHECK-NEXT: %between = pallas.in %x block [element 136, element 128] map (%m, %n) -> (%m, %n)
    %between = pallas.in %x block [element 136, element 128] map (%m, %n) -> (%m, %n)
    // CHECK-NEXT: %scalars = pallas.in_space %table smem
    %scalars = pallas.in_space %table smem
    // CHECK-NEXT: %out_ref, %init_ref = pallas.out block [16, 128] buffers 2 extent %rows alias %old map (%m, %n) -> (%n, %m) : memref<?x256xf32>
    %out_ref, %init_ref = pallas.out block [16, 128] buffers 2 extent %rows alias %old map (%m, %n) -> (%n, %m) : memref<?x256xf32>
    // CHECK-NEXT: %count_ref = pallas.out_space smem : memref<1xi32>
    %count_ref = pallas.out_space smem : memref<1xi32>
    // CHECK-NEXT: %acc = pallas.scratch : memref<16x128xf32, #pallas.space<vmem>>
    %acc = pallas.scratch : memref<16x128xf32, #pallas.space<vmem>>
    // CHECK-NEXT: %m = pallas.program_id 0
    %m = pallas.program_id 0
    // CHECK-NEXT: %past = pallas.num_programs 1
    %past = pallas.num_programs 1
    // CHECK-NEXT: %row = pallas.load %x_ref
    %row = pallas.load %x_ref
    // CHECK-NEXT: %part = pallas.load %init_ref[ds(%m, 8), :]
    %part = pallas.load %init_ref[ds(%m, 8), :]
    // CHECK-NEXT: %lanes = pallas.iota dim 1 : tensor<8x128xi32>
    %lanes = pallas.iota dim 1 : tensor<8x128xi32>
    // CHECK-NEXT: %turned = pallas.roll %part by 3 dim 1
    %turned = pallas.roll %part by 3 dim 1
    // CHECK-NEXT: %taken = pallas.take %part at %lanes dim 1
    %taken = pallas.take %part at %lanes dim 1
    // CHECK-NEXT: pallas.store %turned, %acc[ds(8, 8), :]
    pallas.store %turned, %acc[ds(8, 8), :]
    // CHECK-NEXT: pallas.store %row, %out_ref[0, :]
    pallas.store %row, %out_ref[0, :]
    // CHECK-NEXT: %t = pallas.load %scalars[0]
    %t = pallas.load %scalars[0]
    // CHECK-NEXT: pallas.store %t, %count_ref[0]
    pallas.store %t, %count_ref[0]
    // CHECK-NEXT: }
  } : memref<?x256xf32>, memref<1xi32>
  return %out : memref<?x256xf32>
}

// CHECK-LABEL: func.func @control
func.func @control(%x: memref<4xi32>) -> memref<4xi32> {
  // CHECK-NEXT: %out = pallas.call "control" {
  %out = pallas.call "control" {
    %x_ref = pallas.in_space %x smem
    %out_ref = pallas.out_space smem : memref<4xi32>
    %a = pallas.load %x_ref[0]
    %p = arith.cmpi eq, %a, %a : i32
    // CHECK: pallas.when %p {
    // CHECK-NEXT: pallas.store
    // CHECK-NEXT: }
    pallas.when %p {
      pallas.store %a, %out_ref[0]
    }
    // CHECK-NEXT: %c = pallas.cond %p {
    // CHECK-NEXT:   pallas.yield %a
    // CHECK-NEXT: } else {
    // CHECK-NEXT:   %b = pallas.load %x_ref[1]
    // CHECK-NEXT:   pallas.yield %b
    // CHECK-NEXT: }
    %c = pallas.cond %p {
      pallas.yield %a
    } else {
      %b = pallas.load %x_ref[1]
      pallas.yield %b
    }
    // CHECK-NEXT: pallas.cond %p {
    // CHECK-NEXT:   pallas.store %c, %out_ref[1]
    // CHECK-NEXT: } else {
    // CHECK-NEXT: }
    pallas.cond %p {
      pallas.store %c, %out_ref[1]
    } else {
    }
    // CHECK-NEXT: %last, %sum = pallas.fori %i = 0 to 4 iter_args(%now = %a, %total = %c) {
    // CHECK-NEXT:   %next = arith.addi
    // CHECK-NEXT:   pallas.yield %total, %next
    // CHECK-NEXT: }
    %last, %sum = pallas.fori %i = 0 to 4 iter_args(%now = %a, %total = %c) {
      %next = arith.addi %now, %total : i32
      pallas.yield %total, %next
    }
    %stop = arith.index_cast %last : i32 to index
    // CHECK: pallas.fori %row = 0 to 16 unroll 8 {
    pallas.fori %row = 0 to 16 unroll 8 {
    }
    // CHECK: pallas.fori %j = 2 to %stop {
    // CHECK-NEXT:   pallas.store %sum, %out_ref[%j]
    // CHECK-NEXT: }
    pallas.fori %j = 2 to %stop {
      pallas.store %sum, %out_ref[%j]
    }
  } : memref<4xi32>
  return %out : memref<4xi32>
}

// CHECK-LABEL: func.func @pipeline
func.func @pipeline(%x: memref<100x8x128xf32>) -> memref<100x8x128xf32> {
  %out = pallas.call "pipeline" {
    // CHECK: %x_hbm = pallas.in_space %x any
    %x_hbm = pallas.in_space %x any
    // CHECK-NEXT: %out_hbm = pallas.out_space any alias %x : memref<100x8x128xf32>
    %out_hbm = pallas.out_space any alias %x : memref<100x8x128xf32>
    %zero = arith.constant 0 : index
    // CHECK: pallas.emit_pipeline grid [7] {
    pallas.emit_pipeline grid [7] {
      // CHECK-NEXT: %x_ref = pallas.pipe_in %x_hbm block [bounded 16, 8, 128] buffers 3 map (%i) {
      // CHECK-NEXT:   pallas.yield %i, %i, %zero, %zero
      // CHECK-NEXT: }
      %x_ref = pallas.pipe_in %x_hbm block [bounded 16, 8, 128] buffers 3 map (%i) {
        pallas.yield %i, %i, %zero, %zero
      }
      // CHECK-NEXT: %out_ref = pallas.pipe_out %out_hbm block [16, 8, 128] map (%i) -> (%i, %i, %i)
      %out_ref = pallas.pipe_out %out_hbm block [16, 8, 128] map (%i) -> (%i, %i, %i)
      // CHECK-NEXT: %i = pallas.program_id 0
      // CHECK-NEXT: %v = pallas.load %x_ref[:, %i, 0]
      %i = pallas.program_id 0
      %v = pallas.load %x_ref[:, %i, 0]
      pallas.store %v, %out_ref[:, 0, 0]
    }
  } : memref<100x8x128xf32>
  return %out : memref<100x8x128xf32>
}
