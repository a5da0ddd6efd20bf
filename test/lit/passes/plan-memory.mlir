// Windows that move get two buffers, others one; bytes count with the padding of the layout.

// RUN: tile-opt %s --plan-memory | filecheck %s
// RUN: tile-opt %s --plan-memory="chip=tpu7x" | filecheck %s --check-prefix=CHIP

// 2 x 128 x 128 x 2 for %x, 128 x 256 x 2 for %w, 2 x 128 x 256 x 4 for %y. Each step sets the scratch before
// it gets it: that is a value, and takes nothing.
// CHIP-LABEL: func.func @sizes
// CHIP:         tile.pipeline grid vmem 393216 on tpu7x {
func.func @sizes(%x: memref<512x128xbf16>, %w: memref<128x256xbf16>, %y: memref<512x256xf32>) -> memref<512x256xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m, :]
    %ww = tile.window read %w[:, :]
    %yw = tile.window write %y[%m, :]
    %s = tile.scratch : tensor<128x256xf32, #tile.spans<m, _>>
    %a = tile.get %xw
    %b = tile.get %ww
    %sum = tile.dot %a, %b
    tile.set %sum, %s
    %c = tile.get %s
    tile.set %c, %yw
  }
  return %y : memref<512x256xf32>
}
// CHECK-LABEL: func.func @sizes(%x: memref<512x128xbf16>, %w: memref<128x256xbf16>, %y: memref<512x256xf32>) -> memref<512x256xf32> {
// CHECK-NEXT:    tile.pipeline grid vmem 393216 on v5e {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%m, :] buffers 2
// CHECK-NEXT:      %ww = tile.window read %w[:, :] buffers 1
// CHECK-NEXT:      %yw = tile.window write %y[%m, :] buffers 2
// CHECK-NEXT:      %s = tile.scratch : tensor<128x256xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %b = tile.get %ww
// CHECK-NEXT:      %sum = tile.dot %a, %b
// CHECK-NEXT:      tile.set %sum, %s
// CHECK-NEXT:      %c = tile.get %s
// CHECK-NEXT:      tile.set %c, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<512x256xf32>
// CHECK-NEXT:  }

// A row of 100 takes 128 words, one lane of 128 rows as much as 128 lanes. A preloaded window has its first
// contents beside it.
func.func @padding(%x: memref<8x1x100xf32>, %y: memref<1024xf32>, %z: memref<128x1xf32>) -> memref<128x1xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %m = tile.axis 0 to 1024 by m:128 ordered
    %xw = tile.window read %x[%g, :, :]
    %yw = tile.window read %y[%m]
    %zw = tile.window write %z[:, :] preload
    %a = tile.get %xw
    %b = tile.get %yw
    %p = tile.reduce add %a dims [0, 1]
    %q = tile.reduce add %b dims [0]
    %r = arith.addf %p, %q : f32
    %wide = tile.broadcast %r dims [] : tensor<128x1xf32>
    tile.set %wide, %zw
  }
  return %z : memref<128x1xf32>
}
// CHECK-LABEL: func.func @padding(%x: memref<8x1x100xf32>, %y: memref<1024xf32>, %z: memref<128x1xf32>) -> memref<128x1xf32> {
// CHECK-NEXT:    tile.pipeline grid vmem 133120 on v5e {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %m = tile.axis 0 to 1024 by m:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%g, :, :] buffers 2
// CHECK-NEXT:      %yw = tile.window read %y[%m] buffers 2
// CHECK-NEXT:      %zw = tile.window write %z[:, :] preload buffers 1
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %b = tile.get %yw
// CHECK-NEXT:      %p = tile.reduce add %a dims [0, 1]
// CHECK-NEXT:      %q = tile.reduce add %b dims [0]
// CHECK-NEXT:      %r = arith.addf %p, %q : f32
// CHECK-NEXT:      %wide = tile.broadcast %r dims [] : tensor<128x1xf32>
// CHECK-NEXT:      tile.set %wide, %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %z : memref<128x1xf32>
// CHECK-NEXT:  }

// An axis of one step moves nothing.
func.func @one_step(%x: memref<128xf32>, %y: memref<128xf32>) -> memref<128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 128 by m:128 ordered
    %xw = tile.window read %x[%m]
    %yw = tile.window write %y[%m]
    %a = tile.get %xw
    tile.set %a, %yw
  }
  return %y : memref<128xf32>
}
// CHECK-LABEL: func.func @one_step(%x: memref<128xf32>, %y: memref<128xf32>) -> memref<128xf32> {
// CHECK-NEXT:    tile.pipeline grid vmem 1024 on v5e {
// CHECK-NEXT:      %m = tile.axis 0 to 128 by m:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m] buffers 1
// CHECK-NEXT:      %yw = tile.window write %y[%m] buffers 1
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      tile.set %a, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<128xf32>
// CHECK-NEXT:  }

// What a step leaves in a scratch for the next one takes memory. Buffers that are there already stay.
func.func @kept(%x: memref<512x128xf32>, %y: memref<512x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 ordered
    %xw = tile.window read %x[%m, :] buffers 3
    %yw = tile.window write %y[%m, :]
    %s = tile.scratch : tensor<128x128xf32, #tile.spans<m, _>>
    %a = tile.get %xw
    %b = tile.get %s
    tile.set %b, %yw
    tile.set %a, %s
  }
  return
}
// 3 x 64 KiB, 2 x 64 KiB and 64 KiB.
// CHECK-LABEL: func.func @kept(%x: memref<512x128xf32>, %y: memref<512x128xf32>) {
// CHECK-NEXT:    tile.pipeline grid vmem 393216 on v5e {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, :] buffers 3
// CHECK-NEXT:      %yw = tile.window write %y[%m, :] buffers 2

// An emit_pipeline keeps 6 rows of 72 words as 6 rows of 128, where a grid takes 8. A preloaded window
// has a window of its own to begin with.
func.func @emit_pipeline(%x: memref<512x6x72xf32>, %w: memref<6x72xf32>, %u: memref<512x6x72xf32>, %y: memref<512x6x72xf32>) {
  tile.pipeline emit_pipeline {
    %m = tile.axis 0 to 512 by m:64 ordered
    %z = tile.axis 0 to 512 by z:1024 ordered
    %xw = tile.window read %x[%m, :, :]
    %ww = tile.window write %w[:, :]
    %vw = tile.window read %x[%z, :, :]
    %uw = tile.window write %u[%z, :, :]
    %yw = tile.window write %y[%m, :, :] preload
    %a = tile.get %xw
    tile.set %a, %yw
  }
  return
}
// 3072 x (64 x 2 + 1 + 1024 + 1024 + 64 x 4)
// CHECK-LABEL: func.func @emit_pipeline
// CHECK-NEXT:    tile.pipeline emit_pipeline vmem 7474176 on v5e {
// CHECK:           %xw = tile.window read %x[%m, :, :] buffers 2
// CHECK-NEXT:      %ww = tile.window write %w[:, :] buffers 1
// CHECK-NEXT:      %vw = tile.window read %x[%z, :, :] buffers 1
// CHECK-NEXT:      %uw = tile.window write %u[%z, :, :] buffers 1
// CHECK-NEXT:      %yw = tile.window write %y[%m, :, :] preload buffers 2
