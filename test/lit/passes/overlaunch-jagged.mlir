// Jagged axes make the steps of the longest range that is possible. Past the end of a range they rest on its last tile and do nothing.

// RUN: tile-opt %s --overlaunch-jagged | filecheck %s

// A segment may be the whole array.
func.func @segment(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :] preload
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @segment(%x: memref<?x128xf32>, %o: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %x_extent = memref.dim %x, %c0 : memref<?x128xf32>
// CHECK-NEXT:    %c128 = arith.constant 128 : index
// CHECK-NEXT:    %0 = arith.ceildivsi %x_extent, %c128 : index
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m_step = tile.axis 0 to %0 ordered
// CHECK-NEXT:      %c128_1 = arith.constant 128 : index
// CHECK-NEXT:      %first_m_tile = arith.floordivsi %b, %c128_1 : index
// CHECK-NEXT:      %1 = arith.cmpi slt, %b, %e : index
// CHECK-NEXT:      %2 = arith.ceildivsi %e, %c128_1 : index
// CHECK-NEXT:      %end_m_tile = arith.select %1, %2, %first_m_tile : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %3 = arith.subi %end_m_tile, %c1 : index
// CHECK-NEXT:      %4 = arith.addi %first_m_tile, %m_step : index
// CHECK-NEXT:      %5 = arith.maxsi %3, %first_m_tile : index
// CHECK-NEXT:      %6 = arith.minsi %4, %5 : index
// CHECK-NEXT:      %7 = arith.cmpi slt, %4, %end_m_tile : index
// CHECK-NEXT:      %m = tile.span %6 of %b to %e by m:128 aligned keep
// CHECK-NEXT:      %xw = tile.window read %x[%m, :]
// CHECK-NEXT:      %ow = tile.window write %out[%m, :] preload
// CHECK-NEXT:      scf.if %7 {
// CHECK-NEXT:        %v = tile.get %xw
// CHECK-NEXT:        tile.set %v, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }

// The other axes stay.
func.func @between(%x: memref<?x512x256xf32>, %o: memref<9xi32>, %out: memref<?x512x256xf32>) -> memref<?x512x256xf32> {
  tile.pipeline grid {
    %n = tile.axis 0 to 512 by n:128 parallel
    %g = tile.axis 0 to 8 parallel
    %b, %e = tile.segment %o[%g]
    %i = tile.axis %b to %e parallel
    %k = tile.axis 0 to 256 by k:128 parallel
    %xw = tile.window read %x[%i, %n, %k]
    %ow = tile.window write %out[%i, %n, %k]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x512x256xf32>
}
// CHECK-LABEL: func.func @between(%x: memref<?x512x256xf32>, %o: memref<9xi32>, %out: memref<?x512x256xf32>) -> memref<?x512x256xf32> {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %x_extent = memref.dim %x, %c0 : memref<?x512x256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %n = tile.axis 0 to 512 by n:128 parallel
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %i_step = tile.axis 0 to %x_extent ordered
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %0 = arith.subi %e, %c1 : index
// CHECK-NEXT:      %1 = arith.addi %b, %i_step : index
// CHECK-NEXT:      %2 = arith.maxsi %0, %b : index
// CHECK-NEXT:      %3 = arith.minsi %1, %2 : index
// CHECK-NEXT:      %4 = arith.subi %x_extent, %c1 : index
// CHECK-NEXT:      %5 = arith.minsi %3, %4 : index
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %i = arith.maxsi %5, %c0_1 : index
// CHECK-NEXT:      %6 = arith.cmpi slt, %1, %e : index
// CHECK-NEXT:      %k = tile.axis 0 to 256 by k:128 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%i, %n, %k]
// CHECK-NEXT:      %ow = tile.window write %out[%i, %n, %k]
// CHECK-NEXT:      scf.if %6 {
// CHECK-NEXT:        %v = tile.get %xw
// CHECK-NEXT:        tile.set %v, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x512x256xf32>
// CHECK-NEXT:  }

// What a step asks about an axis is answered from the number of the step. The axis has at least one.
func.func @queries(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    %m = tile.axis 0 to %end by m:128 max 512 ordered keep
    %p = tile.first %m
    %q = tile.last %m
    %r = tile.live %m
    %xw = tile.window read %x[%g, %m]
    %ow = tile.window write %out[%g, :]
    %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
    scf.if %p {
      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
      tile.set %zero, %s
    }
    scf.if %r {
      %acc = tile.get %s
      %v = tile.get %xw
      %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<m>>
      tile.set %next, %s
    }
    scf.if %q {
      %sum = tile.get %s raw
      tile.set %sum, %ow
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @queries(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %length = tile.load %lengths[%g]
// CHECK-NEXT:      %end = arith.index_cast %length : i32 to index
// CHECK-NEXT:      %m_step = tile.axis 0 to 4 ordered
// CHECK-NEXT:      %c128 = arith.constant 128 : index
// CHECK-NEXT:      %0 = arith.ceildivsi %end, %c128 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %end_m_tile = arith.maxsi %0, %c1 : index
// CHECK-NEXT:      %1 = arith.subi %end_m_tile, %c1 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %2 = arith.maxsi %1, %c0 : index
// CHECK-NEXT:      %3 = arith.minsi %m_step, %2 : index
// CHECK-NEXT:      %4 = arith.cmpi slt, %m_step, %end_m_tile : index
// CHECK-NEXT:      %p = arith.cmpi eq, %m_step, %c0 : index
// CHECK-NEXT:      %q = arith.cmpi eq, %m_step, %1 : index
// CHECK-NEXT:      %r = arith.cmpi slt, %c0, %end : index
// CHECK-NEXT:      %m = tile.span %3 of 0 to %end by m:128 keep
// CHECK-NEXT:      %xw = tile.window read %x[%g, %m]
// CHECK-NEXT:      %ow = tile.window write %out[%g, :]
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      scf.if %4 {
// CHECK-NEXT:        scf.if %p {
// CHECK-NEXT:          %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:          tile.set %zero, %s
// CHECK-NEXT:        }
// CHECK-NEXT:        scf.if %r {
// CHECK-NEXT:          %acc = tile.get %s
// CHECK-NEXT:          %v = tile.get %xw
// CHECK-NEXT:          %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:          tile.set %next, %s
// CHECK-NEXT:        }
// CHECK-NEXT:        scf.if %q {
// CHECK-NEXT:          %sum = tile.get %s raw
// CHECK-NEXT:          tile.set %sum, %ow
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128xf32>
// CHECK-NEXT:  }

// Two jagged axes: a step is valid if it is so in both.
func.func @two(%q: memref<?x128xf32>, %k: memref<?x128xf32>, %qo: memref<9xi32>, %ko: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %qb, %qe = tile.segment %qo[%g]
    %kb, %ke = tile.segment %ko[%g]
    %m = tile.axis %qb to %qe by m:128 ordered aligned
    %n = tile.axis %kb to %ke by n:128 ordered aligned
    %qw = tile.window read %q[%m, :]
    %kw = tile.window read %k[%n, :]
    %ow = tile.window write %out[%m, :] preload
    %p = tile.first %n
    scf.if %p {
      %u = tile.get %qw
      tile.set %u, %ow
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @two(%q: memref<?x128xf32>, %k: memref<?x128xf32>, %qo: memref<9xi32>, %ko: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %q_extent = memref.dim %q, %c0 : memref<?x128xf32>
// CHECK-NEXT:    %c128 = arith.constant 128 : index
// CHECK-NEXT:    %0 = arith.ceildivsi %q_extent, %c128 : index
// CHECK-NEXT:    %k_extent = memref.dim %k, %c0 : memref<?x128xf32>
// CHECK-NEXT:    %1 = arith.ceildivsi %k_extent, %c128 : index
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %qb, %qe = tile.segment %qo[%g]
// CHECK-NEXT:      %kb, %ke = tile.segment %ko[%g]
// CHECK-NEXT:      %m_step = tile.axis 0 to %0 ordered
// CHECK-NEXT:      %c128_1 = arith.constant 128 : index
// CHECK-NEXT:      %first_m_tile = arith.floordivsi %qb, %c128_1 : index
// CHECK-NEXT:      %2 = arith.cmpi slt, %qb, %qe : index
// CHECK-NEXT:      %3 = arith.ceildivsi %qe, %c128_1 : index
// CHECK-NEXT:      %end_m_tile = arith.select %2, %3, %first_m_tile : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %4 = arith.subi %end_m_tile, %c1 : index
// CHECK-NEXT:      %5 = arith.addi %first_m_tile, %m_step : index
// CHECK-NEXT:      %6 = arith.maxsi %4, %first_m_tile : index
// CHECK-NEXT:      %7 = arith.minsi %5, %6 : index
// CHECK-NEXT:      %8 = arith.cmpi slt, %5, %end_m_tile : index
// CHECK-NEXT:      %m = tile.span %7 of %qb to %qe by m:128 aligned keep
// CHECK-NEXT:      %n_step = tile.axis 0 to %1 ordered
// CHECK-NEXT:      %c128_2 = arith.constant 128 : index
// CHECK-NEXT:      %first_n_tile = arith.floordivsi %kb, %c128_2 : index
// CHECK-NEXT:      %9 = arith.cmpi slt, %kb, %ke : index
// CHECK-NEXT:      %10 = arith.ceildivsi %ke, %c128_2 : index
// CHECK-NEXT:      %end_n_tile = arith.select %9, %10, %first_n_tile : index
// CHECK-NEXT:      %c1_1 = arith.constant 1 : index
// CHECK-NEXT:      %11 = arith.subi %end_n_tile, %c1_1 : index
// CHECK-NEXT:      %12 = arith.addi %first_n_tile, %n_step : index
// CHECK-NEXT:      %13 = arith.maxsi %11, %first_n_tile : index
// CHECK-NEXT:      %14 = arith.minsi %12, %13 : index
// CHECK-NEXT:      %15 = arith.cmpi slt, %12, %end_n_tile : index
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %p = arith.cmpi eq, %n_step, %c0_1 : index
// CHECK-NEXT:      %n = tile.span %14 of %kb to %ke by n:128 aligned keep
// CHECK-NEXT:      %qw = tile.window read %q[%m, :]
// CHECK-NEXT:      %kw = tile.window read %k[%n, :]
// CHECK-NEXT:      %ow = tile.window write %out[%m, :] preload
// CHECK-NEXT:      %16 = arith.andi %8, %15 : i1
// CHECK-NEXT:      scf.if %16 {
// CHECK-NEXT:        scf.if %p {
// CHECK-NEXT:          %u = tile.get %qw
// CHECK-NEXT:          tile.set %u, %ow
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }

// No axis is jagged.
func.func @static(%x: memref<512xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512xf32>
}
// CHECK-LABEL: func.func @static(%x: memref<512xf32>) -> memref<512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%m]
// CHECK-NEXT:      %ow = tile.window write %out[%m]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<512xf32>
// CHECK-NEXT:  }
