// Steps whose tiles are whole have a body without masks: where sums go over many rows, or on demand.

// RUN: tile-opt %s --materialize-masks | filecheck %s
// RUN: tile-opt %s --materialize-masks="clean=mask" | filecheck %s --check-prefix=MASK
// RUN: tile-opt %s --materialize-masks="clean=peel" | filecheck %s --check-prefix=PEEL
// RUN: tile-opt %s --materialize-masks="clean=peel" | tile-opt | filecheck %s --check-prefix=PEEL

// What computes the tile and what uses the sum stands under the condition too; the rest stays where it is.
func.func @sum(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<8x256xf32>) -> memref<8x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:256 mean 2048 ordered aligned keep
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%g, :]
    %acc = tile.scratch : tensor<256xf32>
    %first = tile.first %m
    scf.if %first {
      %zero = tile.splat 0.0 : tensor<256xf32>
      tile.set %zero, %acc
    }
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    %a = tile.get %acc
    %next = arith.addf %a, %s : tensor<256xf32>
    tile.set %next, %acc
    %last = tile.last %m
    scf.if %last {
      %total = tile.get %acc
      tile.set %total, %ow
    }
  }
  return %out : memref<8x256xf32>
}
// CHECK-LABEL: func.func @sum(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<8x256xf32>) -> memref<8x256xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:256 mean 2048 ordered aligned keep
// CHECK-NEXT:      %xw = tile.window read %x[%m, :]
// CHECK-NEXT:      %ow = tile.window write %out[%g, :]
// CHECK-NEXT:      %acc = tile.scratch : tensor<256xf32>
// CHECK-NEXT:      %first = tile.first %m
// CHECK-NEXT:      scf.if %first {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<256xf32>
// CHECK-NEXT:        tile.set %zero, %acc
// CHECK-NEXT:      }
// CHECK-NEXT:      %0 = tile.bound begin %m
// CHECK-NEXT:      %1 = tile.bound end %m
// CHECK-NEXT:      %2 = tile.bound size %m
// CHECK-NEXT:      %3 = arith.subi %1, %0 : index
// CHECK-NEXT:      %clean = arith.cmpi eq, %3, %2 : index
// CHECK-NEXT:      scf.if %clean {
// CHECK-NEXT:        %v = tile.get %xw
// CHECK-NEXT:        %v_1 = tile.whole %v along %m
// CHECK-NEXT:        %s = tile.reduce add %v_1 dims [0]
// CHECK-NEXT:        %a = tile.get %acc
// CHECK-NEXT:        %next = arith.addf %a, %s : tensor<256xf32>
// CHECK-NEXT:        tile.set %next, %acc
// CHECK-NEXT:      } else {
// CHECK-NEXT:        %v_2 = tile.get %xw
// CHECK-NEXT:        %4 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:        %v_3 = tile.fill %v_2 outside %m with %4
// CHECK-NEXT:        %s_1 = tile.reduce add %v_3 dims [0]
// CHECK-NEXT:        %a_1 = tile.get %acc
// CHECK-NEXT:        %next_1 = arith.addf %a_1, %s_1 : tensor<256xf32>
// CHECK-NEXT:        tile.set %next_1, %acc
// CHECK-NEXT:      }
// CHECK-NEXT:      %last = tile.last %m
// CHECK-NEXT:      scf.if %last {
// CHECK-NEXT:        %total = tile.get %acc
// CHECK-NEXT:        tile.set %total, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x256xf32>
// CHECK-NEXT:  }
// MASK-LABEL: func.func @sum
// MASK-NOT:     scf.if %clean
// MASK:         %v_1 = tile.fill %v outside %m
// MASK-NOT:     tile.whole

// A few rows are masked.
func.func @few(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<8x256xf32>) -> memref<8x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:64 mean 2048 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%g, :] preload
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<8x256xf32>
}
// CHECK-LABEL: func.func @few
// CHECK-NOT:     scf.if
// PEEL-LABEL:  func.func @few
// PEEL:          scf.if %clean

// Matrix products hide masks.
func.func @dot(%x: memref<?x256xbf16>, %w: memref<?x256xbf16>, %o: memref<9xi32>, %out: memref<8x256x256xf32>) -> memref<8x256x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:256 mean 2048 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ww = tile.window read %w[%m, :]
    %ow = tile.window write %out[%g, :, :] preload
    %v = tile.get %xw
    %u = tile.get %ww
    %old = tile.get %ow
    %sum = tile.dot %v, %u, %old contract [0] x [0]
    tile.set %sum, %ow
  }
  return %out : memref<8x256x256xf32>
}
// CHECK-LABEL: func.func @dot
// CHECK-NOT:     scf.if
// CHECK:         func.return
// PEEL-LABEL:  func.func @dot
// PEEL:          scf.if %clean

// Two spans: both tiles must be whole. A store that keeps what a tile held needs nothing of it then.
func.func @both(%x: memref<?x300xf32>, %o: memref<9xi32>, %out: memref<?x300xf32>) -> memref<?x300xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:256 mean 2048 ordered aligned
    %k = tile.axis 0 to 300 by k:128 ordered
    %xw = tile.window read %x[%m, %k]
    %ow = tile.window write %out[%m, %k]
    %v = tile.get %xw
    %s = tile.reduce add %v dims [1]
    %w = tile.broadcast %s dims [0] : tensor<256x128xf32, #tile.spans<m, k>>
    tile.set %w, %ow
  }
  return %out : memref<?x300xf32>
}
// PEEL-LABEL: func.func @both(%x: memref<?x300xf32>, %o: memref<9xi32>, %out: memref<?x300xf32>) -> memref<?x300xf32> {
// PEEL-NEXT:    tile.pipeline grid {
// PEEL-NEXT:      %g = tile.axis 0 to 8 ordered
// PEEL-NEXT:      %b, %e = tile.segment %o[%g]
// PEEL-NEXT:      %m = tile.axis %b to %e by m:256 mean 2048 ordered aligned
// PEEL-NEXT:      %k = tile.axis 0 to 300 by k:128 ordered
// PEEL-NEXT:      %xw = tile.window read %x[%m, %k]
// PEEL-NEXT:      %ow = tile.window write %out[%m, %k]
// PEEL-NEXT:      %0 = tile.bound begin %k
// PEEL-NEXT:      %1 = tile.bound end %k
// PEEL-NEXT:      %2 = tile.bound size %k
// PEEL-NEXT:      %3 = arith.subi %1, %0 : index
// PEEL-NEXT:      %4 = arith.cmpi eq, %3, %2 : index
// PEEL-NEXT:      %5 = tile.bound begin %m
// PEEL-NEXT:      %6 = tile.bound end %m
// PEEL-NEXT:      %7 = tile.bound size %m
// PEEL-NEXT:      %8 = arith.subi %6, %5 : index
// PEEL-NEXT:      %9 = arith.cmpi eq, %8, %7 : index
// PEEL-NEXT:      %clean = arith.andi %4, %9 : i1
// PEEL-NEXT:      scf.if %clean {
// PEEL-NEXT:        %v = tile.get %xw
// PEEL-NEXT:        %v_1 = tile.whole %v along %k
// PEEL-NEXT:        %s = tile.reduce add %v_1 dims [1]
// PEEL-NEXT:        %w = tile.broadcast %s dims [0] : tensor<256x128xf32, #tile.spans<m, k>>
// PEEL-NEXT:        %w_1 = tile.whole %w along %m
// PEEL-NEXT:        tile.set %w_1, %ow
// PEEL-NEXT:      } else {
// PEEL-NEXT:        %v_2 = tile.get %xw
// PEEL-NEXT:        %10 = arith.constant 0.000000e+00 : f32
// PEEL-NEXT:        %v_3 = tile.fill %v_2 outside %k with %10
// PEEL-NEXT:        %s_1 = tile.reduce add %v_3 dims [1]
// PEEL-NEXT:        %w_2 = tile.broadcast %s_1 dims [0] : tensor<256x128xf32, #tile.spans<m, k>>
// PEEL-NEXT:        %old = tile.get %ow raw
// PEEL-NEXT:        %w_3 = tile.fill %w_2 outside %m with %old
// PEEL-NEXT:        tile.set %w_3, %ow
// PEEL-NEXT:      }
// PEEL-NEXT:    }
// PEEL-NEXT:    func.return %out : memref<?x300xf32>
// PEEL-NEXT:  }

// Whole tiles have no masks and no second body.
func.func @whole(%x: memref<512x256xf32>, %out: memref<256xf32>) -> memref<256xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:256 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[:] preload
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<256xf32>
}
// PEEL-LABEL: func.func @whole
// PEEL-NOT:     scf.if

// Of segments of less than eight tiles too many are partial, or of unknown ones.
func.func @short(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<8x256xf32>) -> memref<8x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:256 mean 2047 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<8x256xf32>
}
// CHECK-LABEL: func.func @short
// CHECK-NOT:     scf.if
// CHECK:         func.return
// PEEL-LABEL:  func.func @short
// PEEL:          scf.if %clean

func.func @unknown(%x: memref<?x256xf32>, %o: memref<9xi32>, %out: memref<8x256xf32>) -> memref<8x256xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:256 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<8x256xf32>
}
// CHECK-LABEL: func.func @unknown
// CHECK-NOT:     scf.if
// CHECK:         func.return
