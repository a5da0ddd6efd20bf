// What is copied at once: the tile where that is legal, a few tiles, or all of a dimension.

// RUN: tile-opt %s --split-unaligned-loops | filecheck %s
// RUN: tile-opt %s --split-unaligned-loops="operands=resident" | filecheck %s --check-prefix=RESIDENT

// Each access by itself: 32 rows of %y are a block, 32 lanes of %x are not, and four times as many are.
// RESIDENT-LABEL: func.func @by_access
// RESIDENT:         tile.window read %x[%m, %k] fetch [16, 512]
// RESIDENT-NEXT:    tile.window read %y[%k, :] fetch [512, 64]
// RESIDENT-NEXT:    tile.window write %z[%m, :]{{$}}
func.func @by_access(%x: memref<64x512xbf16>, %y: memref<512x64xbf16>, %z: memref<64x64xf32>) -> memref<64x64xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %k = tile.axis 0 to 512 by k:32 ordered
    %xw = tile.window read %x[%m, %k]
    %yw = tile.window read %y[%k, :]
    %zw = tile.window write %z[%m, :]
    %a = tile.get %xw
    %b = tile.get %yw
    %c = tile.dot %a, %b
    tile.set %c, %zw
  }
  return %z : memref<64x64xf32>
}
// CHECK-LABEL: func.func @by_access(%x: memref<64x512xbf16>, %y: memref<512x64xbf16>, %z: memref<64x64xf32>) -> memref<64x64xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 64 by m:16 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:32 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k] fetch [16, 128]
// CHECK-NEXT:      %yw = tile.window read %y[%k, :]
// CHECK-NEXT:      %zw = tile.window write %z[%m, :]
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %b = tile.get %yw
// CHECK-NEXT:      %c = tile.dot %a, %b
// CHECK-NEXT:      tile.set %c, %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %z : memref<64x64xf32>
// CHECK-NEXT:  }

// Tiles that begin between tiles: all of it, where that is known; in a leading dimension of a loop, as they are.
func.func @shifted(%x: memref<64x256xf32>, %t: memref<?x8x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 56 by m:8 parallel
    %xw = tile.window read %x[%m + 1, :]
    %v = tile.get %xw
  }
  tile.pipeline emit_pipeline {
    %m = tile.axis 0 to 56 by m:8 parallel
    %tw = tile.window read %t[%m + 1, :, :]
    %v = tile.get %tw
  }
  return
}
// CHECK-LABEL: func.func @shifted(%x: memref<64x256xf32>, %t: memref<?x8x128xf32>) {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 56 by m:8 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%m + 1, :] fetch [64, 256]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline emit_pipeline {
// CHECK-NEXT:      %m_1 = tile.axis 0 to 56 by m:8 parallel
// CHECK-NEXT:      %tw = tile.window read %t[%m_1 + 1, :, :]
// CHECK-NEXT:      %v_1 = tile.get %tw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Steps that write to one block follow each other, in order.
func.func @written(%x: memref<100x256xf32>) -> memref<100x256xf32> {
  %y = tile.empty : memref<100x256xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 100 by m:4 parallel
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, :]
    %v = tile.get %xw
    tile.set %v, %yw
  }
  return %y : memref<100x256xf32>
}
// CHECK-LABEL: func.func @written(%x: memref<100x256xf32>) -> memref<100x256xf32> {
// CHECK-NEXT:    %y = tile.empty : memref<100x256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 100 by m:4 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, :] fetch [8, 256]
// CHECK-NEXT:      %yw = tile.window write %y[%m, :] fetch [8, 256]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<100x256xf32>
// CHECK-NEXT:  }

// A block that other steps would come back to holds all that they want, too.
func.func @both(%x: memref<40x256xf32>) -> memref<40x256xf32> {
  %y = tile.empty : memref<40x256xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 40 by m:20 parallel
    %n = tile.axis 0 to 256 by n:32 parallel
    %xw = tile.window read %x[%m, %n]
    %yw = tile.window write %y[%m, %n]
    %v = tile.get %xw
    tile.set %v, %yw
  }
  return %y : memref<40x256xf32>
}
// CHECK-LABEL: func.func @both(%x: memref<40x256xf32>) -> memref<40x256xf32> {
// CHECK-NEXT:    %y = tile.empty : memref<40x256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 40 by m:20 ordered
// CHECK-NEXT:      %n = tile.axis 0 to 256 by n:32 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %n] fetch [40, 128]
// CHECK-NEXT:      %yw = tile.window write %y[%m, %n] fetch [40, 256]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<40x256xf32>
// CHECK-NEXT:  }

// What an access asks for, and what is fixed already.
func.func @asked(%x: memref<128x512xf32>, %y: memref<512x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 128 by m:64 parallel
    %k = tile.axis 0 to 512 by k:128 ordered
    %xw = tile.window read %x[%m, %k] resident
    %yw = tile.window read %y[%k, :] stream
    %zw = tile.window read %y[%k, :] fetch [256, 128]
    %a = tile.get %xw
    %b = tile.get %yw
    %c = tile.get %zw
  }
  return
}
// CHECK-LABEL: func.func @asked(%x: memref<128x512xf32>, %y: memref<512x128xf32>) {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 128 by m:64 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k] resident fetch [64, 512]
// CHECK-NEXT:      %yw = tile.window read %y[%k, :] stream
// CHECK-NEXT:      %zw = tile.window read %y[%k, :] fetch [256, 128]
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %b = tile.get %yw
// CHECK-NEXT:      %c = tile.get %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Rows one by one: eight are a block, or all there are; of one column of tiles, a row as a block of its own costs nothing.
func.func @rows(%x: memref<20x256xf32>, %y: memref<20x256xbf16>, %z: memref<20x128xf32>) -> memref<20x256xf32> {
  %out = tile.empty : memref<20x256xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 20 parallel
    %xw = tile.window read %x[%g, :]
    %yw = tile.window read %y[%g, :]
    %zw = tile.window read %z[%g, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<20x256xf32>
}
// CHECK-LABEL: func.func @rows(%x: memref<20x256xf32>, %y: memref<20x256xbf16>, %z: memref<20x128xf32>) -> memref<20x256xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<20x256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 20 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%g, :] fetch [8, 256]
// CHECK-NEXT:      %yw = tile.window read %y[%g, :] fetch [16, 256]
// CHECK-NEXT:      %zw = tile.window read %z[%g, :]
// CHECK-NEXT:      %ow = tile.window write %out[%g, :] fetch [8, 256]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<20x256xf32>
// CHECK-NEXT:  }

// Tiles are moved by where those of another axis begin: so that is in order too, as all share one block.
func.func @moved(%out: memref<320xf32>) -> memref<320xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 320 by m:64 parallel
    %b = tile.bound begin %m
    %k = tile.axis 0 to 64 by k:32 parallel
    %ow = tile.window write %out[%k + %b] preload
    %v = tile.splat 1.0 : tensor<32xf32, #tile.spans<k>>
    tile.set %v, %ow
  }
  return %out : memref<320xf32>
}
// CHECK-LABEL: func.func @moved(%out: memref<320xf32>) -> memref<320xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 320 by m:64 ordered
// CHECK-NEXT:      %b = tile.bound begin %m
// CHECK-NEXT:      %k = tile.axis 0 to 64 by k:32 ordered

// Of an array too large to stay on the chip a block follows tiles that begin anywhere, and holds those of all
// windows that are shifted by numbers no more than a tile apart.
func.func @following(%x: memref<20000x256xbf16>, %signal: memref<64x100000xf32>, %by: index) {
  tile.pipeline grid {
    %m = tile.axis 16 to 19936 by m:64 parallel
    %one = tile.window read %x[%m - 1, :]
    %three = tile.window read %x[%m - 3, :]
    %far = tile.window read %x[%m + 100, :]
    %moved = tile.window read %x[%m + %by, :]
    %v = tile.get %one
  }
  tile.pipeline fori_loop {
    %t = tile.axis 128 to 100000 by t:128 parallel
    %lanes = tile.window read %signal[:, %t - 5]
    %v = tile.get %lanes
  }
  return
}
// CHECK-LABEL: func.func @following(
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 16 to 19936 by m:64 parallel
// CHECK-NEXT:      %one = tile.window read %x[%m - 1, :] fetch [96, 256] from -3
// CHECK-NEXT:      %three = tile.window read %x[%m - 3, :] fetch [96, 256] from -3
// CHECK-NEXT:      %far = tile.window read %x[%m + 100, :] fetch [80, 256]
// CHECK-NEXT:      %moved = tile.window read %x[%m + %by, :] fetch [80, 256]
// CHECK-NEXT:      %v = tile.get %one
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline fori_loop {
// CHECK-NEXT:      %t = tile.axis 128 to 100000 by t:128 parallel
// CHECK-NEXT:      %lanes = tile.window read %signal[:, %t - 5] fetch [64, 256]
// CHECK-NEXT:      %v_1 = tile.get %lanes
// CHECK-NEXT:    }

// RESIDENT-LABEL: func.func @following(
// RESIDENT:         %one = tile.window read %x[%m - 1, :] fetch [20000, 256]

// All rows of an array that is moved along another dimension by an inner axis would be copied again for each
// step of the outer one, unlike those where the order is the other way round.
func.func @anew(%a: memref<4x4000x64xf32>, %offsets: memref<10xi32>) {
  tile.pipeline grid {
    %b = tile.axis 0 to 9 parallel
    %h = tile.axis 0 to 4 parallel
    %t = tile.axis 0 to 256 by t:128 parallel
    %at, %end = tile.segment %offsets[%b]
    %inner = tile.window read %a[%h, %t + %at, :]
    %v = tile.get %inner
  }
  tile.pipeline grid {
    %h = tile.axis 0 to 4 parallel
    %b = tile.axis 0 to 9 parallel
    %t = tile.axis 0 to 256 by t:128 parallel
    %at, %end = tile.segment %offsets[%b]
    %outer = tile.window read %a[%h, %t + %at, :]
    %v = tile.get %outer
  }
  return
}
// CHECK-LABEL: func.func @anew(
// CHECK:         %inner = tile.window read %a[%h, %t + %at, :] fetch [1, 136, 64]
// CHECK:         %outer = tile.window read %a[%h_1, %t_1 + %at_1, :] fetch [1, 4128, 64]
