// Pipelines become calls, windows become blocks, worklists become calls that make tables, arrays become values.

// RUN: tile-opt %s --convert-tile-to-pallas | filecheck %s

// A map of blocks. The axis that no block depends on is arbitrary where it is ordered.
func.func @blocks(%x: memref<512x256xf32>, %w: memref<256xf32>) -> memref<512x256xf32> {
  %out = tile.empty : memref<512x256xf32>
  tile.pipeline grid vmem 327680 on v5e {
    %m = tile.axis 0 to 512 by m:128 parallel
    %k = tile.axis 0 to 256 by k:128 ordered
    %xw = tile.window read %x[%m, %k] buffers 2
    %ww = tile.window read %w[%k] buffers 2
    %ow = tile.window write %out[%m, %k] buffers 2
    %v = tile.get %xw
    %r = tile.get %ww
    %wide = tile.broadcast %r dims [1] : tensor<128x128xf32, #tile.spans<m, k>>
    %s = arith.addf %v, %wide : tensor<128x128xf32, #tile.spans<m, k>>
    tile.set %s, %ow
  }
  return %out : memref<512x256xf32>
}
// CHECK-LABEL: func.func @blocks(%x: memref<512x256xf32>, %w: memref<256xf32>) -> memref<512x256xf32> {
// CHECK-NEXT:    %w_1 = pallas.reshape %w : memref<1x256xf32>
// CHECK-NEXT:    %out = pallas.call "blocks" grid [parallel 4, arbitrary 2] {
// CHECK-NEXT:      %xw = pallas.in %x block [128, 128] map (%0, %1) -> (%0, %1)
// CHECK-NEXT:      %ww = pallas.in %w_1 block [1, 128] map (%0, %1) {
// CHECK-NEXT:        %c0 = arith.constant 0 : index
// CHECK-NEXT:        pallas.yield %c0, %1
// CHECK-NEXT:      }
// CHECK-NEXT:      %ow = pallas.out block [128, 128] map (%0, %1) -> (%0, %1) : memref<512x256xf32>
// CHECK-NEXT:      %m = pallas.program_id 0
// CHECK-NEXT:      %k = pallas.program_id 1
// CHECK-NEXT:      %v = pallas.load %xw
// CHECK-NEXT:      %r = pallas.load %ww
// CHECK-NEXT:      %wide = tile.broadcast %r dims [0, 1] : tensor<128x128xf32>
// CHECK-NEXT:      %s = arith.addf %v, %wide : tensor<128x128xf32>
// CHECK-NEXT:      pallas.store %s, %ow
// CHECK-NEXT:    } : memref<512x256xf32>
// CHECK-NEXT:    func.return %out : memref<512x256xf32>
// CHECK-NEXT:  }

// What an array holds before stays where no step writes: it goes in and out. A window that does not move has one buffer.
func.func @preload(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.full 0.0 like(%x) : memref<?x128xf32>
  %c64 = arith.constant 64 : index
  %count, %gs, %ms = tile.worklist capacity %c64 columns 2 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.for %g = %c0 to %c8 step %c1 {
      %b, %e = tile.segment %o[%g]
      %c128 = arith.constant 128 : index
      %from = arith.floordivsi %b, %c128 : index
      %to = arith.ceildivsi %e, %c128 : index
      scf.for %m = %from to %to step %c1 {
        tile.append %g, %m
      }
    }
  }
  tile.pipeline grid {
    %item = tile.axis 0 to %count ordered
    %gi = tile.load %gs[%item]
    %g = arith.index_cast %gi : i32 to index
    %b, %e = tile.segment %o[%g]
    %mi = tile.load %ms[%item]
    %t = arith.index_cast %mi : i32 to index
    %m = tile.span %t of %b to %e by m:128 aligned
    %xw = tile.window read %x[%m, :] buffers 2
    %ow = tile.window write %out[%m, :] preload buffers 2
    %v = tile.get %xw
    %old = tile.get %ow raw
    %new = tile.fill %v outside %m with %old
    tile.set %new, %ow
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @preload(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %c64 = arith.constant 64 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %x_extent = memref.dim %x, %c0 : memref<?x128xf32>
// CHECK-NEXT:    pallas.require %c1 at_most %x_extent "the least number of rows of x"
// CHECK-NEXT:    pallas.check_segments %o limit %x_extent
// CHECK-NEXT:    %out = pallas.full 0.0 extent %x_extent : memref<?x128xf32>
// CHECK-NEXT:    %gs, %ms, %count = pallas.call "preload_worklist" {
// CHECK-NEXT:      %o_ref = pallas.in_space %o smem
// CHECK-NEXT:      %gs_ref = pallas.out_space smem extent %c64 : memref<?xi32>
// CHECK-NEXT:      %ms_ref = pallas.out_space smem extent %c64 : memref<?xi32>
// CHECK-NEXT:      %count_ref = pallas.out_space smem : memref<1xi32>
// CHECK-NEXT:      %nothing = arith.constant 0 : i32
// CHECK-NEXT:      pallas.store %nothing, %gs_ref[%c0]
// CHECK-NEXT:      pallas.store %nothing, %ms_ref[%c0]
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %n = pallas.fori %g = %c0 to %c8 iter_args(%n_1 = %c0) {
// CHECK-NEXT:        %0 = arith.addi %g, %c1 : index
// CHECK-NEXT:        %b = pallas.load %o_ref[%g]
// CHECK-NEXT:        %b_1 = arith.index_cast %b : i32 to index
// CHECK-NEXT:        %e = pallas.load %o_ref[%0]
// CHECK-NEXT:        %e_1 = arith.index_cast %e : i32 to index
// CHECK-NEXT:        %c7 = arith.constant 7 : index
// CHECK-NEXT:        %from = arith.shrsi %b_1, %c7 : index
// CHECK-NEXT:        %1 = arith.subi %e_1, %c1 : index
// CHECK-NEXT:        %2 = arith.shrsi %1, %c7 : index
// CHECK-NEXT:        %to = arith.addi %2, %c1 : index
// CHECK-NEXT:        %n_2 = pallas.fori %m = %from to %to iter_args(%n_3 = %n_1) {
// CHECK-NEXT:          %c63 = arith.constant 63 : index
// CHECK-NEXT:          %entry = arith.minsi %n_3, %c63 : index
// CHECK-NEXT:          %3 = arith.index_cast %g : index to i32
// CHECK-NEXT:          pallas.store %3, %gs_ref[%entry]
// CHECK-NEXT:          %4 = arith.index_cast %m : index to i32
// CHECK-NEXT:          pallas.store %4, %ms_ref[%entry]
// CHECK-NEXT:          %5 = arith.addi %entry, %c1 : index
// CHECK-NEXT:          pallas.yield %5
// CHECK-NEXT:        }
// CHECK-NEXT:        pallas.yield %n_2
// CHECK-NEXT:      }
// CHECK-NEXT:      %6 = arith.index_cast %n : index to i32
// CHECK-NEXT:      pallas.store %6, %count_ref[%c0]
// CHECK-NEXT:    } : memref<?xi32>, memref<?xi32>, memref<1xi32>
// CHECK-NEXT:    %7 = pallas.scalar %count
// CHECK-NEXT:    %out_1 = pallas.call "preload" grid [arbitrary %7] {
// CHECK-NEXT:      %gs_ref_1 = pallas.prefetch %gs
// CHECK-NEXT:      %o_ref_1 = pallas.prefetch %o
// CHECK-NEXT:      %ms_ref_1 = pallas.prefetch %ms
// CHECK-NEXT:      %xw = pallas.in %x block [128, 128] map (%item) {
// CHECK-NEXT:        %mi = pallas.load %ms_ref_1[%item]
// CHECK-NEXT:        %t = arith.index_cast %mi : i32 to index
// CHECK-NEXT:        pallas.yield %t, %c0
// CHECK-NEXT:      }
// CHECK-NEXT:      %ow, %out_before = pallas.out block [128, 128] extent %x_extent alias %out map (%item) {
// CHECK-NEXT:        %mi = pallas.load %ms_ref_1[%item]
// CHECK-NEXT:        %t = arith.index_cast %mi : i32 to index
// CHECK-NEXT:        pallas.yield %t, %c0
// CHECK-NEXT:      } : memref<?x128xf32>
// CHECK-NEXT:      %item = pallas.program_id 0
// CHECK-NEXT:      %steps = pallas.num_programs 0
// CHECK-NEXT:      %mi = pallas.load %ms_ref_1[%item]
// CHECK-NEXT:      %t = arith.index_cast %mi : i32 to index
// CHECK-NEXT:      %gi = pallas.load %gs_ref_1[%item]
// CHECK-NEXT:      %g_1 = arith.index_cast %gi : i32 to index
// CHECK-NEXT:      %8 = arith.addi %g_1, %c1 : index
// CHECK-NEXT:      %b_2 = pallas.load %o_ref_1[%g_1]
// CHECK-NEXT:      %b_3 = arith.index_cast %b_2 : i32 to index
// CHECK-NEXT:      %e_2 = pallas.load %o_ref_1[%8]
// CHECK-NEXT:      %e_3 = arith.index_cast %e_2 : i32 to index
// CHECK-NEXT:      %c128 = arith.constant 128 : index
// CHECK-NEXT:      %m_start = arith.muli %t, %c128 : index
// CHECK-NEXT:      %9 = arith.cmpi eq, %item, %c0 : index
// CHECK-NEXT:      %10 = arith.subi %steps, %c1 : index
// CHECK-NEXT:      %11 = arith.subi %item, %c1 : index
// CHECK-NEXT:      %item_1 = arith.select %9, %10, %11 : index
// CHECK-NEXT:      %mi_1 = pallas.load %ms_ref_1[%item_1]
// CHECK-NEXT:      %t_1 = arith.index_cast %mi_1 : i32 to index
// CHECK-NEXT:      %12 = arith.cmpi ne, %t, %t_1 : index
// CHECK-NEXT:      %13 = arith.ori %9, %12 : i1
// CHECK-NEXT:      %m_stop = arith.subi %e_3, %m_start : index
// CHECK-NEXT:      %m_stop_1 = arith.index_cast %m_stop : index to i32
// CHECK-NEXT:      %m_skip = arith.subi %b_3, %m_start : index
// CHECK-NEXT:      %m_skip_1 = arith.index_cast %m_skip : index to i32
// CHECK-NEXT:      %v = pallas.load %xw
// CHECK-NEXT:      pallas.when %13 {
// CHECK-NEXT:        %14 = pallas.load %out_before
// CHECK-NEXT:        pallas.store %14, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:      %old = pallas.load %ow
// CHECK-NEXT:      %m_lanes = pallas.iota dim 0 : tensor<128x1xi32>
// CHECK-NEXT:      %15 = tile.broadcast %m_stop_1 dims [] : tensor<128x1xi32>
// CHECK-NEXT:      %m_live = tile.compare lt %m_lanes, %15
// CHECK-NEXT:      %16 = tile.broadcast %m_skip_1 dims [] : tensor<128x1xi32>
// CHECK-NEXT:      %m_begun = tile.compare ge %m_lanes, %16
// CHECK-NEXT:      %m_live_1 = arith.andi %m_begun, %m_live : tensor<128x1xi1>
// CHECK-NEXT:      %m_mask = tile.broadcast %m_live_1 dims [0, 1] : tensor<128x128xi1>
// CHECK-NEXT:      %new = tile.select %m_mask, %v, %old
// CHECK-NEXT:      pallas.store %new, %ow
// CHECK-NEXT:    } : memref<?x128xf32>
// CHECK-NEXT:    func.return %out_1 : memref<?x128xf32>
// CHECK-NEXT:  }

// A scalar index drops its dimension; one in the row dimension makes the array be viewed with rows of their own. A sum over lanes
// is a column until a row is wanted. Scratch of a scalar is in scalar memory.
func.func @ranks(%x: memref<8x4x128xf32>) -> memref<8x4xf32> {
  %out = tile.empty : memref<8x4xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %xw = tile.window read %x[%g, :, :] buffers 2
    %ow = tile.window write %out[%g, :] buffers 2
    %s = tile.scratch : tensor<f32>
    %first = tile.first %g
    scf.if %first {
      %zero = arith.constant 0.0 : f32
      tile.set %zero, %s
    }
    %v = tile.get %xw
    %rows = tile.reduce add %v dims [1]
    %t = tile.get %s
    %wide = tile.broadcast %t dims [] : tensor<4xf32>
    %r = arith.addf %rows, %wide : tensor<4xf32>
    tile.set %r, %ow
  }
  return %out : memref<8x4xf32>
}
// CHECK-LABEL: func.func @ranks(%x: memref<8x4x128xf32>) -> memref<8x4xf32> {
// CHECK-NEXT:    %out = pallas.call "ranks" grid [arbitrary 8] {
// CHECK-NEXT:      %s = pallas.scratch : memref<1xf32, #pallas.space<smem>>
// CHECK-NEXT:      %xw = pallas.in %x block [_, 4, 128] map (%g) {
// CHECK-NEXT:        %c0 = arith.constant 0 : index
// CHECK-NEXT:        pallas.yield %g, %c0, %c0
// CHECK-NEXT:      }
// CHECK-NEXT:      %ow = pallas.out block [_, 1, 4] map (%g) {
// CHECK-NEXT:        %c0 = arith.constant 0 : index
// CHECK-NEXT:        pallas.yield %g, %c0, %c0
// CHECK-NEXT:      } : memref<8x1x4xf32>
// CHECK-NEXT:      %g = pallas.program_id 0
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %first = arith.cmpi eq, %g, %c0 : index
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      pallas.when %first {
// CHECK-NEXT:        pallas.store %zero, %s[0]
// CHECK-NEXT:      }
// CHECK-NEXT:      %v = pallas.load %xw
// CHECK-NEXT:      %0 = tile.reduce add %v dims [1]
// CHECK-NEXT:      %rows = tile.reshape %0 : tensor<4x1xf32>
// CHECK-NEXT:      %t = pallas.load %s[0]
// CHECK-NEXT:      %wide = tile.broadcast %t dims [] : tensor<4x1xf32>
// CHECK-NEXT:      %r = arith.addf %rows, %wide : tensor<4x1xf32>
// CHECK-NEXT:      %1 = tile.transpose %r [1, 0]
// CHECK-NEXT:      pallas.store %1, %ow
// CHECK-NEXT:    } : memref<8x1x4xf32>
// CHECK-NEXT:    %out_1 = pallas.reshape %out : memref<8x4xf32>
// CHECK-NEXT:    func.return %out_1 : memref<8x4xf32>
// CHECK-NEXT:  }

// An emit_pipeline runs inside a kernel of one step; an exact tile has as many rows as its range has left.
func.func @exact(%x: memref<?x8x128xf32>, %o: memref<9xi32>) -> memref<?x8x128xf32> {
  %out = tile.empty like(%x) : memref<?x8x128xf32>
  %c64 = arith.constant 64 : index
  %count, %gs, %ms = tile.worklist capacity %c64 columns 2 {
    %c0 = arith.constant 0 : index
    tile.append %c0, %c0
  }
  tile.pipeline emit_pipeline {
    %item = tile.axis 0 to %count parallel
    %gi = tile.load %gs[%item]
    %g = arith.index_cast %gi : i32 to index
    %b, %e = tile.segment %o[%g]
    %mi = tile.load %ms[%item]
    %t = arith.index_cast %mi : i32 to index
    %m = tile.span %t of %b to %e by m:16
    %xw = tile.window read %x[%m, :, :] buffers 2
    %ow = tile.window write %out[%m, :, :] buffers 2
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x8x128xf32>
}
// CHECK-LABEL: func.func @exact(%x: memref<?x8x128xf32>, %o: memref<9xi32>) -> memref<?x8x128xf32> {
// CHECK-NEXT:    %c64 = arith.constant 64 : index
// CHECK-NEXT:    %c1 = arith.constant 1 : index
// CHECK-NEXT:    %c0 = arith.constant 0 : index
// CHECK-NEXT:    %x_extent = memref.dim %x, %c0 : memref<?x8x128xf32>
// CHECK-NEXT:    pallas.require %c1 at_most %x_extent "the least number of rows of x"
// CHECK-NEXT:    pallas.check_segments %o limit %x_extent
// CHECK-NEXT:    %gs, %ms, %count = pallas.call "exact_worklist" {
// CHECK-NEXT:      %gs_ref = pallas.out_space smem extent %c64 : memref<?xi32>
// CHECK-NEXT:      %ms_ref = pallas.out_space smem extent %c64 : memref<?xi32>
// CHECK-NEXT:      %count_ref = pallas.out_space smem : memref<1xi32>
// CHECK-NEXT:      %nothing = arith.constant 0 : i32
// CHECK-NEXT:      pallas.store %nothing, %gs_ref[%c0]
// CHECK-NEXT:      pallas.store %nothing, %ms_ref[%c0]
// CHECK-NEXT:      %c63 = arith.constant 63 : index
// CHECK-NEXT:      %entry = arith.minsi %c0, %c63 : index
// CHECK-NEXT:      %0 = arith.index_cast %c0 : index to i32
// CHECK-NEXT:      pallas.store %0, %gs_ref[%entry]
// CHECK-NEXT:      pallas.store %0, %ms_ref[%entry]
// CHECK-NEXT:      %1 = arith.addi %entry, %c1 : index
// CHECK-NEXT:      %2 = arith.index_cast %1 : index to i32
// CHECK-NEXT:      pallas.store %2, %count_ref[%c0]
// CHECK-NEXT:    } : memref<?xi32>, memref<?xi32>, memref<1xi32>
// CHECK-NEXT:    %out = pallas.call "exact" {
// CHECK-NEXT:      %gs_ref_1 = pallas.in_space %gs smem
// CHECK-NEXT:      %o_ref = pallas.in_space %o smem
// CHECK-NEXT:      %ms_ref_1 = pallas.in_space %ms smem
// CHECK-NEXT:      %count_ref_1 = pallas.in_space %count smem
// CHECK-NEXT:      %x_ref = pallas.in_space %x any
// CHECK-NEXT:      %out_ref = pallas.out_space any extent %x_extent : memref<?x8x128xf32>
// CHECK-NEXT:      %3 = pallas.load %count_ref_1[0]
// CHECK-NEXT:      %count_1 = arith.index_cast %3 : i32 to index
// CHECK-NEXT:      pallas.emit_pipeline grid [%count_1] {
// CHECK-NEXT:        %xw = pallas.pipe_in %x_ref block [bounded 16, 8, 128] map (%item) {
// CHECK-NEXT:          %mi = pallas.load %ms_ref_1[%item]
// CHECK-NEXT:          %t = arith.index_cast %mi : i32 to index
// CHECK-NEXT:          %gi = pallas.load %gs_ref_1[%item]
// CHECK-NEXT:          %g = arith.index_cast %gi : i32 to index
// CHECK-NEXT:          %4 = arith.addi %g, %c1 : index
// CHECK-NEXT:          %b = pallas.load %o_ref[%g]
// CHECK-NEXT:          %b_1 = arith.index_cast %b : i32 to index
// CHECK-NEXT:          %e = pallas.load %o_ref[%4]
// CHECK-NEXT:          %e_1 = arith.index_cast %e : i32 to index
// CHECK-NEXT:          %c16 = arith.constant 16 : index
// CHECK-NEXT:          %5 = arith.muli %t, %c16 : index
// CHECK-NEXT:          %m_start = arith.addi %b_1, %5 : index
// CHECK-NEXT:          %6 = arith.subi %e_1, %m_start : index
// CHECK-NEXT:          %7 = arith.minsi %6, %c16 : index
// CHECK-NEXT:          pallas.yield %m_start, %7, %c0, %c0
// CHECK-NEXT:        }
// CHECK-NEXT:        %ow = pallas.pipe_out %out_ref block [bounded 16, 8, 128] map (%item) {
// CHECK-NEXT:          %mi = pallas.load %ms_ref_1[%item]
// CHECK-NEXT:          %t = arith.index_cast %mi : i32 to index
// CHECK-NEXT:          %gi = pallas.load %gs_ref_1[%item]
// CHECK-NEXT:          %g = arith.index_cast %gi : i32 to index
// CHECK-NEXT:          %4 = arith.addi %g, %c1 : index
// CHECK-NEXT:          %b = pallas.load %o_ref[%g]
// CHECK-NEXT:          %b_1 = arith.index_cast %b : i32 to index
// CHECK-NEXT:          %e = pallas.load %o_ref[%4]
// CHECK-NEXT:          %e_1 = arith.index_cast %e : i32 to index
// CHECK-NEXT:          %c16 = arith.constant 16 : index
// CHECK-NEXT:          %5 = arith.muli %t, %c16 : index
// CHECK-NEXT:          %m_start = arith.addi %b_1, %5 : index
// CHECK-NEXT:          %6 = arith.subi %e_1, %m_start : index
// CHECK-NEXT:          %7 = arith.minsi %6, %c16 : index
// CHECK-NEXT:          pallas.yield %m_start, %7, %c0, %c0
// CHECK-NEXT:        }
// CHECK-NEXT:        %item = pallas.program_id 0
// CHECK-NEXT:        %v = pallas.load %xw
// CHECK-NEXT:        pallas.store %v, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:    } : memref<?x8x128xf32>
// CHECK-NEXT:    func.return %out : memref<?x8x128xf32>
// CHECK-NEXT:  }
