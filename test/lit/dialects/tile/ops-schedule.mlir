// Every operation of the schedule level reads back what it prints, in its own and in the generic form.

// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

func.func @pipeline(%x: memref<?x512xbf16>, %o: memref<9xi32>, %y: memref<?x512xbf16>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 max 1024 mean 12 ordered aligned keep
    %k = tile.axis 0 to 512 by k:256 parallel
    %xw = tile.window read %x[%m, %k] buffers 2
    %yw = tile.window write %y[%m, %k] preload buffers 1
    %s = tile.scratch : tensor<128x256xf32, #tile.spans<m, k>>
    %p = tile.first %k
    %q = tile.last %k
    %r = tile.live %m
    %v = tile.get %xw
    %all = tile.get %yw raw
    %whole = tile.fill %v outside %k with %all
    %more = tile.scan add %whole dim 1 : tensor<128x256xbf16, #tile.spans<m, k>>
    tile.set %v, %s
    %mask = tile.compare ne %v, %more
    tile.set %v, %yw mask %mask
  }
  tile.pipeline emit_pipeline vmem 4096 on v5e {
    %t = tile.axis 0 to 8 parallel
    %n = tile.span %t of 0 to 1000 by n:128
    %m = tile.span %t of 3 to 1000 by m:128 aligned keep
    %xw = tile.window read %x[%m, :]
    %v = tile.get %xw
    %z = arith.constant 0.0 : bf16
    %w = tile.fill %v outside %m with %z
    %u = tile.whole %v along %m
  }
  return
}
// CHECK-LABEL: func.func @pipeline(%x: memref<?x512xbf16>, %o: memref<9xi32>, %y: memref<?x512xbf16>) {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 max 1024 mean 12 ordered aligned keep
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:256 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k] buffers 2
// CHECK-NEXT:      %yw = tile.window write %y[%m, %k] preload buffers 1
// CHECK-NEXT:      %s = tile.scratch : tensor<128x256xf32, #tile.spans<m, k>>
// CHECK-NEXT:      %p = tile.first %k
// CHECK-NEXT:      %q = tile.last %k
// CHECK-NEXT:      %r = tile.live %m
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %all = tile.get %yw raw
// CHECK-NEXT:      %whole = tile.fill %v outside %k with %all
// CHECK-NEXT:      %more = tile.scan add %whole dim 1 : tensor<128x256xbf16, #tile.spans<m, k>>
// CHECK-NEXT:      tile.set %v, %s
// CHECK-NEXT:      %mask = tile.compare ne %v, %more
// CHECK-NEXT:      tile.set %v, %yw mask %mask
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline emit_pipeline vmem 4096 on v5e {
// CHECK-NEXT:      %t = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %n = tile.span %t of 0 to 1000 by n:128
// CHECK-NEXT:      %m_1 = tile.span %t of 3 to 1000 by m:128 aligned keep
// CHECK-NEXT:      %xw_1 = tile.window read %x[%m_1, :]
// CHECK-NEXT:      %v_1 = tile.get %xw_1
// CHECK-NEXT:      %z = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %w = tile.fill %v_1 outside %m_1 with %z
// CHECK-NEXT:      %u = tile.whole %v_1 along %m_1
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @worklist(%most: index) {
  %n, %gs, %ts = tile.worklist capacity %most columns 2 {
    %zero = arith.constant 0 : index
    tile.append %zero, %most
  }
  return
}
// CHECK-LABEL: func.func @worklist(%most: index) {
// CHECK-NEXT:    %n, %gs, %ts = tile.worklist capacity %most columns 2 {
// CHECK-NEXT:      %zero = arith.constant 0 : index
// CHECK-NEXT:      tile.append %zero, %most
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @copies(%x: memref<?x512xbf16>, %y: memref<64x512xbf16>, %z: memref<4x500xf32>) {
  tile.pipeline fori_loop {
    %m = tile.axis 0 to 64 by m:8 parallel
    %k = tile.axis 0 to 500 by k:32 ordered
    %xw = tile.window read %x[%m, %k] resident fetch [8, 512] buffers 3
    %zw = tile.window read %z[0, %k] stream
    %lw = tile.window read %z[1, %k] fetch [1, 96]
    %yw = tile.window write %y[%m, :] resident preload fetch [16, 512] buffers 4
    %vw = tile.window read %x[%m + 8, :] clipped fetch [16, 512]
    %v = tile.get %xw
  }
  return
}
// CHECK-LABEL: func.func @copies(%x: memref<?x512xbf16>, %y: memref<64x512xbf16>, %z: memref<4x500xf32>) {
// CHECK-NEXT:    tile.pipeline fori_loop {
// CHECK-NEXT:      %m = tile.axis 0 to 64 by m:8 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 500 by k:32 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k] resident fetch [8, 512] buffers 3
// CHECK-NEXT:      %zw = tile.window read %z[0, %k] stream
// CHECK-NEXT:      %lw = tile.window read %z[1, %k] fetch [1, 96]
// CHECK-NEXT:      %yw = tile.window write %y[%m, :] resident preload fetch [16, 512] buffers 4
// CHECK-NEXT:      %vw = tile.window read %x[%m + 8, :] clipped fetch [16, 512]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @rows(%x: memref<64x128xbf16>, %ids: memref<64xi32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %sums = tile.local : memref<40x128xf32>
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows max %xw, %sw at %ids[%m]
  }
  return
}
// CHECK-LABEL: func.func @rows(
// CHECK:           tile.update_rows max %xw, %sw at %ids[%m]
