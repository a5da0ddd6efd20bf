// Dead lanes are filled where lanes mix, and in windows that hold live elements in dead lanes; nowhere else.

// RUN: tile-opt %s --materialize-masks | filecheck %s

// The last tile of 300 is cut: the sum gets zeros, the maximum -inf. A value filled for one use serves the next.
func.func @cut(%x: memref<8x300xf32>, %y: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline grid {
    %k = tile.axis 0 to 300 by k:128 ordered
    %xw = tile.window read %x[:, %k]
    %yw = tile.window write %y[:, :] preload
    %v = tile.get %xw
    %sum = tile.reduce add %v dims [1]
    %top = tile.reduce max %v dims [1]
    %all = tile.scan add %v dim 1 : tensor<8x128xf32, #tile.spans<_, k>>
    %some = tile.reduce add %all dims [0, 1]
    %a = arith.addf %sum, %top : tensor<8xf32>
    %wide = tile.broadcast %a dims [0] : tensor<8x128xf32>
    %far = tile.broadcast %some dims [] : tensor<8x128xf32>
    %w = arith.addf %wide, %far : tensor<8x128xf32>
    tile.set %w, %yw
  }
  return %y : memref<8x128xf32>
}
// CHECK-LABEL: func.func @cut(%x: memref<8x300xf32>, %y: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %k = tile.axis 0 to 300 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[:, %k]
// CHECK-NEXT:      %yw = tile.window write %y[:, :] preload
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %v_1 = tile.fill %v outside %k with %0
// CHECK-NEXT:      %sum = tile.reduce add %v_1 dims [1]
// CHECK-NEXT:      %1 = arith.constant 0xff800000 : f32
// CHECK-NEXT:      %v_2 = tile.fill %v outside %k with %1
// CHECK-NEXT:      %top = tile.reduce max %v_2 dims [1]
// CHECK-NEXT:      %all = tile.scan add %v_1 dim 1 : tensor<8x128xf32, #tile.spans<_, k>>
// CHECK-NEXT:      %2 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %all_1 = tile.fill %all outside %k with %2
// CHECK-NEXT:      %some = tile.reduce add %all_1 dims [0, 1]
// CHECK-NEXT:      %a = arith.addf %sum, %top : tensor<8xf32>
// CHECK-NEXT:      %wide = tile.broadcast %a dims [0] : tensor<8x128xf32>
// CHECK-NEXT:      %far = tile.broadcast %some dims [] : tensor<8x128xf32>
// CHECK-NEXT:      %w = arith.addf %wide, %far : tensor<8x128xf32>
// CHECK-NEXT:      tile.set %w, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<8x128xf32>
// CHECK-NEXT:  }

// Full tiles need nothing, and what lies outside the array at a store needs nothing.
func.func @full(%x: memref<300x256xf32>, %y: memref<300xf32>) -> memref<300xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 300 by m:128 parallel
    %k = tile.axis 0 to 256 by k:256 ordered
    %xw = tile.window read %x[%m, %k]
    %yw = tile.window write %y[%m]
    %v = tile.get %xw
    %sum = tile.reduce add %v dims [1]
    tile.set %sum, %yw
  }
  return %y : memref<300xf32>
}
// CHECK-LABEL: func.func @full(%x: memref<300x256xf32>, %y: memref<300xf32>) -> memref<300xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 300 by m:128 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 256 by k:256 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k]
// CHECK-NEXT:      %yw = tile.window write %y[%m]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %sum = tile.reduce add %v dims [1]
// CHECK-NEXT:      tile.set %sum, %yw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<300xf32>
// CHECK-NEXT:  }

// A tile that two segments may share: what the window held stays. It was widened for that.
func.func @shared(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xbf16>) -> memref<?x128xbf16> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x128xbf16>
}
// CHECK-LABEL: func.func @shared(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xbf16>) -> memref<?x128xbf16> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned
// CHECK-NEXT:      %xw = tile.window read %x[%m, :]
// CHECK-NEXT:      %ow = tile.window write %out[%m, :]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %old = tile.get %ow raw
// CHECK-NEXT:      %0 = tile.cast %old to f32
// CHECK-NEXT:      %v_1 = tile.fill %v outside %m with %0
// CHECK-NEXT:      tile.set %v_1, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xbf16>
// CHECK-NEXT:  }

// A dot along a jagged dimension fills both sides; the other dimensions stay undefined.
func.func @dot(%x: memref<?x128xbf16>, %y: memref<?x256xbf16>, %o: memref<9xi32>, %out: memref<8x128x256xf32>) -> memref<8x128x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %yw = tile.window read %y[%m, :]
    %ow = tile.window write %out[%g, :, :] preload
    %v = tile.get %xw
    %w = tile.get %yw
    %old = tile.get %ow
    %sum = tile.dot %v, %w, %old contract [0] x [0]
    tile.set %sum, %ow
  }
  return %out : memref<8x128x256xf32>
}
// CHECK-LABEL: func.func @dot(%x: memref<?x128xbf16>, %y: memref<?x256xbf16>, %o: memref<9xi32>, %out: memref<8x128x256xf32>) -> memref<8x128x256xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned
// CHECK-NEXT:      %xw = tile.window read %x[%m, :]
// CHECK-NEXT:      %yw = tile.window read %y[%m, :]
// CHECK-NEXT:      %ow = tile.window write %out[%g, :, :] preload
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %w = tile.get %yw
// CHECK-NEXT:      %old = tile.get %ow
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %v_1 = tile.fill %v outside %m with %0
// CHECK-NEXT:      %1 = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %w_1 = tile.fill %w outside %m with %1
// CHECK-NEXT:      %sum = tile.dot %v_1, %w_1, %old contract [0] x [0]
// CHECK-NEXT:      tile.set %sum, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128x256xf32>
// CHECK-NEXT:  }

// In a batch of products too, of which the last may be none: no other is made of it.
func.func @batches(%x: memref<9x128x200xbf16>, %w: memref<9x200x256xbf16>, %out: memref<9x128x256xf32>) -> memref<9x128x256xf32> {
  tile.pipeline grid {
    %b = tile.axis 0 to 9 by b:4 parallel
    %k = tile.axis 0 to 200 by k:128 ordered
    %xw = tile.window read %x[%b, :, %k]
    %ww = tile.window read %w[%b, %k, :]
    %ow = tile.window write %out[%b, :, :]
    %v = tile.get %xw
    %u = tile.get %ww
    %old = tile.get %ow
    %sum = tile.dot %v, %u, %old contract [2] x [1]
    tile.set %sum, %ow
  }
  return %out : memref<9x128x256xf32>
}
// CHECK-LABEL: func.func @batches(%x: memref<9x128x200xbf16>, %w: memref<9x200x256xbf16>, %out: memref<9x128x256xf32>) -> memref<9x128x256xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %b = tile.axis 0 to 9 by b:4 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 200 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%b, :, %k]
// CHECK-NEXT:      %ww = tile.window read %w[%b, %k, :]
// CHECK-NEXT:      %ow = tile.window write %out[%b, :, :]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %u = tile.get %ww
// CHECK-NEXT:      %old = tile.get %ow
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %v_1 = tile.fill %v outside %k with %0
// CHECK-NEXT:      %1 = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %u_1 = tile.fill %u outside %k with %1
// CHECK-NEXT:      %sum = tile.dot %v_1, %u_1, %old contract [2] x [1]
// CHECK-NEXT:      tile.set %sum, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<9x128x256xf32>
// CHECK-NEXT:  }

// A cast that narrows is filled before it, in 32 bits.
func.func @narrowed(%x: memref<128x300xf32>, %w: memref<300x256xf32>, %out: memref<128x256xf32>) -> memref<128x256xf32> {
  tile.pipeline grid {
    %k = tile.axis 0 to 300 by k:128 ordered
    %xw = tile.window read %x[:, %k]
    %ww = tile.window read %w[%k, :]
    %ow = tile.window write %out[:, :] preload
    %v = tile.get %xw
    %short = tile.cast %v to bf16
    %u = tile.get %ww
    %thin = tile.cast %u to bf16
    %old = tile.get %ow
    %sum = tile.dot %short, %thin, %old
    tile.set %sum, %ow
  }
  return %out : memref<128x256xf32>
}
// CHECK-LABEL: func.func @narrowed(%x: memref<128x300xf32>, %w: memref<300x256xf32>, %out: memref<128x256xf32>) -> memref<128x256xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %k = tile.axis 0 to 300 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[:, %k]
// CHECK-NEXT:      %ww = tile.window read %w[%k, :]
// CHECK-NEXT:      %ow = tile.window write %out[:, :] preload
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %u = tile.get %ww
// CHECK-NEXT:      %old = tile.get %ow
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %v_1 = tile.fill %v outside %k with %0
// CHECK-NEXT:      %short = tile.cast %v_1 to bf16
// CHECK-NEXT:      %1 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %u_1 = tile.fill %u outside %k with %1
// CHECK-NEXT:      %thin = tile.cast %u_1 to bf16
// CHECK-NEXT:      %sum = tile.dot %short, %thin, %old
// CHECK-NEXT:      tile.set %sum, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128x256xf32>
// CHECK-NEXT:  }

// A mask at a store is combined with what is dead.
func.func @masked(%x: memref<8x300xf32>, %c: memref<8x300xi32>) -> memref<8x300xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 300 by m:128 parallel
    %xw = tile.window write %x[:, %m] preload
    %cw = tile.window read %c[:, %m]
    %v = tile.get %xw
    %k = tile.get %cw
    %none = tile.splat 0 : tensor<8x128xi32, #tile.spans<_, m>>
    %mask = tile.compare ne %k, %none
    %w = arith.addf %v, %v : tensor<8x128xf32, #tile.spans<_, m>>
    tile.set %w, %xw mask %mask
  }
  return %x : memref<8x300xf32>
}
// CHECK-LABEL: func.func @masked(%x: memref<8x300xf32>, %c: memref<8x300xi32>) -> memref<8x300xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 300 by m:128 parallel
// CHECK-NEXT:      %xw = tile.window write %x[:, %m] preload
// CHECK-NEXT:      %cw = tile.window read %c[:, %m]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %k = tile.get %cw
// CHECK-NEXT:      %none = tile.splat 0 : tensor<8x128xi32, #tile.spans<_, m>>
// CHECK-NEXT:      %mask = tile.compare ne %k, %none
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<8x128xf32, #tile.spans<_, m>>
// CHECK-NEXT:      %old = tile.get %xw raw
// CHECK-NEXT:      %0 = tile.fill %w outside %m with %old
// CHECK-NEXT:      %1 = arith.constant false
// CHECK-NEXT:      %2 = tile.fill %mask outside %m with %1
// CHECK-NEXT:      %w_1 = tile.select %2, %0, %old
// CHECK-NEXT:      tile.set %w_1, %xw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %x : memref<8x300xf32>
// CHECK-NEXT:  }

// Of a value with one span twice, the dimension that is contracted is filled; a store fills both.
func.func @twice(%x: memref<300x8xf32>, %y: memref<300x300xf32>) -> memref<300x300xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 200 by m:128 ordered
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, %m] preload
    %v = tile.get %xw
    %s = tile.dot %v, %v contract [1] x [1]
    %t = tile.dot %s, %s
    tile.set %t, %yw
  }
  return %y : memref<300x300xf32>
}
// CHECK-LABEL: func.func @twice(
// CHECK:           %s = tile.dot %v, %v contract [1] x [1]
// CHECK:           %s_1 = tile.fill %s outside %m dim 1 with %0
// CHECK:           %s_2 = tile.fill %s outside %m dim 0 with %1
// CHECK-NEXT:      %t = tile.dot %s_1, %s_2
// CHECK-NEXT:      %old = tile.get %yw raw
// CHECK-NEXT:      %2 = tile.fill %t outside %m dim 0 with %old
// CHECK-NEXT:      %t_1 = tile.fill %2 outside %m with %old
// CHECK-NEXT:      tile.set %t_1, %yw
// What a value is made of by casts, sums and differences is filled where it comes from, once.
func.func @parts(%x: memref<300x128xf32>, %w: memref<8x300xbf16>, %y: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 300 by m:128 ordered
    %xw = tile.window read %x[%m, :]
    %ww = tile.window read %w[:, %m]
    %yw = tile.window write %y[:, :] preload
    %v = tile.get %xw
    %l = tile.get %ww
    %high = tile.cast %v to bf16
    %h = tile.cast %high to f32
    %rest = arith.subf %v, %h : tensor<128x128xf32, #tile.spans<m, _>>
    %low = tile.cast %rest to bf16
    %a = tile.dot %l, %high
    %b = tile.dot %l, %low, %a
    tile.set %b, %yw
  }
  return %y : memref<8x128xf32>
}
// CHECK-LABEL: func.func @parts(%x: memref<300x128xf32>, %w: memref<8x300xbf16>, %y: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 300 by m:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, :]
// CHECK-NEXT:      %ww = tile.window read %w[:, %m]
// CHECK-NEXT:      %yw = tile.window write %y[:, :] preload
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      %l = tile.get %ww
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : bf16
// CHECK-NEXT:      %l_1 = tile.fill %l outside %m with %0
// CHECK-NEXT:      %1 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %v_1 = tile.fill %v outside %m with %1
// CHECK-NEXT:      %high = tile.cast %v_1 to bf16
// CHECK-NEXT:      %a = tile.dot %l_1, %high
// CHECK-NEXT:      %h = tile.cast %high to f32
// CHECK-NEXT:      %rest = arith.subf %v_1, %h : tensor<128x128xf32>
// CHECK-NEXT:      %low = tile.cast %rest to bf16
// CHECK-NEXT:      %b = tile.dot %l_1, %low, %a
// CHECK-NEXT:      tile.set %b, %yw
