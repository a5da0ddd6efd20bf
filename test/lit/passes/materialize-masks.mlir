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
