// A loop for each axis. A range that may be empty has a step with no live lane, in which nothing is done.

// RUN: tile-opt %s --stream-jagged-items | filecheck %s

// Each condition is guarded by itself, so that one on the first or last step still is one.
func.func @sums(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 parallel
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %first = tile.first %m
    %acc = tile.scratch : tensor<128xf32>
    %xw = tile.window read %x[%m, :]
    scf.if %first {
      %zero = tile.splat 0.0 : tensor<128xf32>
      tile.set %zero, %acc
    }
    %last = tile.last %m
    scf.if %last {
      %v = tile.get %acc
      tile.set %v, %acc
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @sums(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:   tile.pipeline fori_loop nested {
// CHECK-NEXT:     %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:     %b, %e = tile.segment %o[%g]
// CHECK-NEXT:     %m = tile.axis %b to %e by m:128 ordered aligned keep
// CHECK-NEXT:     %some_m = tile.live %m
// CHECK-NEXT:     %first = tile.first %m
// CHECK-NEXT:     %acc = tile.scratch : tensor<128xf32>
// CHECK-NEXT:     %xw = tile.window read %x[%m, :]
// CHECK-NEXT:     %0 = arith.andi %first, %some_m : i1
// CHECK-NEXT:     scf.if %0 {
// CHECK-NEXT:       %zero = tile.splat 0.0 : tensor<128xf32>
// CHECK-NEXT:       tile.set %zero, %acc
// CHECK-NEXT:     }
// CHECK-NEXT:     %last = tile.last %m
// CHECK-NEXT:     %1 = arith.andi %last, %some_m : i1
// CHECK-NEXT:     scf.if %1 {
// CHECK-NEXT:       %v = tile.get %acc
// CHECK-NEXT:       tile.set %v, %acc
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return %out : memref<8x128xf32>
// CHECK-NEXT: }

// What already makes a step in any case stays as it is, and so does what no jagged axis depends on.
func.func @kept(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
  tile.pipeline fori_loop {
    %n = tile.axis 0 to 128 by n:128 parallel
    %g = tile.axis 0 to 8 parallel
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 parallel aligned keep
    %some = tile.live %m
    %xw = tile.window read %x[%m, %n]
    %ow = tile.window write %out[%m, %n] preload
    scf.if %some {
      %v = tile.get %xw
      tile.set %v, %ow
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @kept(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
// CHECK-NEXT:   tile.pipeline fori_loop nested {
// CHECK-NEXT:     %n = tile.axis 0 to 128 by n:128 parallel
// CHECK-NEXT:     %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:     %b, %e = tile.segment %o[%g]
// CHECK-NEXT:     %m = tile.axis %b to %e by m:128 ordered aligned keep
// CHECK-NEXT:     %some = tile.live %m
// CHECK-NEXT:     %xw = tile.window read %x[%m, %n]
// CHECK-NEXT:     %ow = tile.window write %out[%m, %n] preload
// CHECK-NEXT:     scf.if %some {
// CHECK-NEXT:       %v = tile.get %xw
// CHECK-NEXT:       tile.set %v, %ow
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return %out : memref<?x128xf32>
// CHECK-NEXT: }

// What stands under no condition gets one.
func.func @rows(%x: memref<?x8x128xf32>, %o: memref<9xi32>, %out: memref<?x8x128xf32>) -> memref<?x8x128xf32> {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 parallel
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:16 parallel
    %xw = tile.window read %x[%m, :, :]
    %ow = tile.window write %out[%m, :, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x8x128xf32>
}
// CHECK-LABEL: func.func @rows(%x: memref<?x8x128xf32>, %o: memref<9xi32>, %out: memref<?x8x128xf32>) -> memref<?x8x128xf32> {
// CHECK-NEXT:   tile.pipeline fori_loop nested {
// CHECK-NEXT:     %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:     %b, %e = tile.segment %o[%g]
// CHECK-NEXT:     %m = tile.axis %b to %e by m:16 ordered keep
// CHECK-NEXT:     %some_m = tile.live %m
// CHECK-NEXT:     %xw = tile.window read %x[%m, :, :]
// CHECK-NEXT:     %ow = tile.window write %out[%m, :, :]
// CHECK-NEXT:     scf.if %some_m {
// CHECK-NEXT:       %v = tile.get %xw
// CHECK-NEXT:       tile.set %v, %ow
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return %out : memref<?x8x128xf32>
// CHECK-NEXT: }

// An index is inside the array also in the step of an empty range.
func.func @indices(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 parallel
    %b, %e = tile.segment %o[%g]
    %i = tile.axis %b to %e ordered
    %first = tile.first %i
    %xw = tile.window read %x[%i, :]
    %ow = tile.window write %out[%i, :]
    scf.if %first {
      %v = tile.get %xw
      tile.set %v, %ow
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @indices(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
// CHECK-NEXT:   %c0 = arith.constant 0 : index
// CHECK-NEXT:   %x_extent = memref.dim %x, %c0 : memref<?x128xf32>
// CHECK-NEXT:   tile.pipeline fori_loop nested {
// CHECK-NEXT:     %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:     %b, %e = tile.segment %o[%g]
// CHECK-NEXT:     %0 = arith.subi %e, %b : index
// CHECK-NEXT:     %c1 = arith.constant 1 : index
// CHECK-NEXT:     %1 = arith.maxsi %0, %c1 : index
// CHECK-NEXT:     %i_step = tile.axis 0 to %1 ordered
// CHECK-NEXT:     %2 = arith.addi %b, %i_step : index
// CHECK-NEXT:     %3 = arith.subi %x_extent, %c1 : index
// CHECK-NEXT:     %4 = arith.minsi %2, %3 : index
// CHECK-NEXT:     %c0_1 = arith.constant 0 : index
// CHECK-NEXT:     %i = arith.maxsi %4, %c0_1 : index
// CHECK-NEXT:     %5 = arith.cmpi slt, %b, %e : index
// CHECK-NEXT:     %first = tile.first %i_step
// CHECK-NEXT:     %xw = tile.window read %x[%i, :]
// CHECK-NEXT:     %ow = tile.window write %out[%i, :]
// CHECK-NEXT:     %6 = arith.andi %first, %5 : i1
// CHECK-NEXT:     scf.if %6 {
// CHECK-NEXT:       %v = tile.get %xw
// CHECK-NEXT:       tile.set %v, %ow
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return %out : memref<?x128xf32>
// CHECK-NEXT: }

// Two passes over the rows of a segment are at least two steps.
func.func @steps(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %c1 = arith.constant 1 : index
    %some = arith.maxsi %e, %c1 : index
    %step = tile.axis 0 to %some ordered
    %first = tile.first %step
    %ow = tile.window write %out[%g, :]
    scf.if %first {
      %v = tile.get %ow
      tile.set %v, %ow
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @steps(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:   tile.pipeline fori_loop nested {
// CHECK-NEXT:     %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:     %b, %e = tile.segment %o[%g]
// CHECK-NEXT:     %c1 = arith.constant 1 : index
// CHECK-NEXT:     %some = arith.maxsi %e, %c1 : index
// CHECK-NEXT:     %step = tile.axis 0 to %some ordered
// CHECK-NEXT:     %first = tile.first %step
// CHECK-NEXT:     %ow = tile.window write %out[%g, :]
// CHECK-NEXT:     scf.if %first {
// CHECK-NEXT:       %v = tile.get %ow
// CHECK-NEXT:       tile.set %v, %ow
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return %out : memref<8x128xf32>
// CHECK-NEXT: }
