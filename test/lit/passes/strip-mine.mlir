// RUN: tile-opt %s --strip-mine="registers=2" | filecheck %s
// RUN: tile-opt %s --strip-mine="registers=2" | tile-opt | filecheck %s
// RUN: tile-opt %s --strip-mine="registers=2" --plan-memory --convert-tile-to-pallas | filecheck %s --check-prefix PALLAS
// RUN: tile-opt %s --explain --strip-mine 2>&1 | filecheck %s --check-prefix WHOLE

// WHOLE: strip-mine: rows of %m are done at once: they fit 64 registers, or make no whole strips

// Of 32 rows of 256 f32, 64 registers, strips of 8 rows have 16, and there are no smaller ones. Sums are made
// eight rows apart, and at last of those eight; what needs the largest of all goes through the rows again.
// CHECK:      scf.if %some {
// CHECK:        %[[BEGIN:.*]] = tile.bound begin %m
// CHECK-NEXT:   %[[END:.*]] = tile.bound end %m
// CHECK:        %first = arith.floordivsi %[[BEGIN]], %c8
// CHECK-NEXT:   %stop = arith.ceildivsi %[[END]], %c8
// CHECK:        %[[TOP:.*]] = scf.for %strip = %first to %stop step %{{.*}} iter_args(%[[T:.*]] = %{{.*}}) -> (tensor<8x256xf32>) {
// CHECK-NEXT:     %m_part = tile.span %strip of %begin to %end by m_strip:8 aligned keep
// CHECK-NEXT:     %v = tile.get %x_window at %m_part of %m
// CHECK-NEXT:     %[[F:.*]] = tile.fill %v outside %m_part with %lowest
// CHECK-NEXT:     %[[R:.*]] = arith.maximumf %[[T]], %[[F]]
// CHECK-NEXT:     scf.yield %[[R]]
// CHECK:        %[[MOST:.*]] = tile.reduce max %[[TOP]] dims [0]
// CHECK:        scf.for %strip_1 = %first to %stop
// CHECK-NEXT:     %m_part_1 = tile.span %strip_1 of %begin to %end by m_strip:8 aligned keep
// CHECK-NEXT:     %v_1 = tile.get %x_window at %m_part_1 of %m
// CHECK-NEXT:     %wide = tile.broadcast %[[MOST]] dims [1] : tensor<8x256xf32, #tile.spans<m_strip, _>>
// CHECK-NEXT:     %d = arith.subf %v_1, %wide
// CHECK-NEXT:     %old = tile.get %out_window at %m_part_1 of %m raw
// CHECK-NEXT:     %kept = tile.fill %d outside %m_part_1 with %old
// CHECK-NEXT:     tile.set %kept, %out_window at %m_part_1 of %m
// CHECK-NEXT:   }
// CHECK:        tile.set %{{.*}}, %top

// PALLAS:      pallas.when %some {
// PALLAS:        %{{.*}} = pallas.fori %strip = %first to %stop iter_args(%{{.*}} = %{{.*}}) {
// PALLAS:          %[[HERE:.*]] = arith.subi %strip, %{{.*}} : index
// PALLAS-NEXT:     %[[AT:.*]] = arith.muli %[[HERE]], %c8 : index
// PALLAS-NEXT:     %v = pallas.load %x_window[%{{.*}}, ds(%[[AT]], 8), :]
// PALLAS:          pallas.yield
// PALLAS:        pallas.fori %strip_1 = %first to %stop {
// PALLAS:          %old = pallas.load %out_window[%[[SLOT:.*]], ds(%[[PLACE:.*]], 8), :]
// PALLAS:          pallas.store %{{.*}}, %out_window[%[[SLOT]], ds(%[[PLACE]], 8), :]
func.func @f(%x: memref<100x256xf32>, %offsets: memref<9xi32>) -> (memref<100x256xf32>, memref<8x256xf32>) {
  %out = tile.empty : memref<100x256xf32>
  %tops = tile.empty : memref<8x256xf32>
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.pipeline fori_loop nested {
    %g = tile.axis 0 to 8 ordered
    %begin, %end = tile.segment %offsets[%g]
    %m = tile.axis %begin to %end by m:32 ordered aligned keep
    %some = tile.live %m
    %first_step = tile.first %m
    %last_step = tile.last %m
    %top = tile.scratch : tensor<256xf32>
    %x_window = tile.window read %x[%m, :]
    %out_window = tile.window write %out[%m, :]
    %tops_window = tile.window write %tops[%g, :]
    scf.if %first_step {
      %none = tile.splat -inf : tensor<256xf32>
      tile.set %none, %top
    }
    scf.if %some {
      %before = tile.get %top
      %v = tile.get %x_window
      %lowest = arith.constant 0xff800000 : f32
      %f = tile.fill %v outside %m with %lowest
      %here = tile.reduce max %f dims [0]
      %wide = tile.broadcast %here dims [1] : tensor<32x256xf32, #tile.spans<m, _>>
      %d = arith.subf %v, %wide : tensor<32x256xf32, #tile.spans<m, _>>
      %old = tile.get %out_window raw
      %kept = tile.fill %d outside %m with %old
      tile.set %kept, %out_window
      %most = arith.maximumf %before, %here : tensor<256xf32>
      tile.set %most, %top
    }
    scf.if %last_step {
      %all = tile.get %top
      tile.set %all, %tops_window
    }
  }
  func.return %out, %tops : memref<100x256xf32>, memref<8x256xf32>
}

// Where most strips are known to be whole, those have a loop of their own without masks, after that of the
// partial ones: of the first, 0, and of the last, 1.
// CHECK-LABEL: func.func @g
// CHECK:        %first = arith.floordivsi %[[BEGIN:.*]], %c8
// CHECK-NEXT:   %stop = arith.ceildivsi %[[END:.*]], %c8
// CHECK-NEXT:   %whole = arith.ceildivsi %[[BEGIN]], %c8
// CHECK-NEXT:   %whole_stop = arith.floordivsi %[[END]], %c8
// CHECK:        %[[BEHIND:.*]] = arith.maxsi %whole, %whole_stop
// CHECK:        %[[SOME:.*]] = scf.for %edge = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (tensor<8x256xf32>) {
// CHECK-NEXT:     %[[AT:.*]] = arith.muli %edge, %{{.*}}
// CHECK-NEXT:     %strip = arith.addi %first, %[[AT]]
// CHECK-NEXT:     %m_part = tile.span %strip of %begin to %end by m_strip:8 aligned keep
// CHECK-NEXT:     %v = tile.get %x_window at %m_part of %m
// CHECK-NEXT:     %[[F:.*]] = tile.fill %v outside %m_part with %zero
// CHECK-NEXT:     %[[R:.*]] = arith.addf %[[S]], %[[F]]
// CHECK-NEXT:     scf.yield %[[R]]
// CHECK:        %[[ALL:.*]] = scf.for %strip_1 = %whole to %whole_stop step %{{.*}} iter_args(%[[S:.*]] = %[[SOME]]) -> (tensor<8x256xf32>) {
// CHECK-NEXT:     %m_part_1 = tile.span %strip_1 of %begin to %end by m_strip:8 aligned keep
// CHECK-NEXT:     %v_1 = tile.get %x_window at %m_part_1 of %m
// CHECK-NEXT:     %[[F:.*]] = tile.whole %v_1 along %m_part_1
// CHECK-NEXT:     %[[R:.*]] = arith.addf %[[S]], %[[F]]
// CHECK-NEXT:     scf.yield %[[R]]
// CHECK:        tile.reduce add %[[ALL]] dims [0]
func.func @g(%x: memref<100x256xf32>, %offsets: memref<9xi32>) -> memref<8x256xf32> {
  %sums = tile.empty : memref<8x256xf32>
  tile.pipeline fori_loop nested {
    %g = tile.axis 0 to 8 ordered
    %begin, %end = tile.segment %offsets[%g]
    %m = tile.axis %begin to %end by m:32 mean 64 ordered aligned keep
    %x_window = tile.window read %x[%m, :]
    %sums_window = tile.window write %sums[%g, :]
    %v = tile.get %x_window
    %zero = arith.constant 0.0 : f32
    %f = tile.fill %v outside %m with %zero
    %here = tile.reduce add %f dims [0]
    tile.set %here, %sums_window
  }
  func.return %sums : memref<8x256xf32>
}
