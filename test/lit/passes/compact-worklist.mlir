// Jagged axes become one axis over a list of the tiles that exist, made by the same nest of scalar loops.

// RUN: tile-opt %s --compact-worklist | filecheck %s

// A segment's aligned tiles. The list holds the array's tiles and one more for each segment, since neighbours may share one.
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
// CHECK-NEXT:    %1 = arith.ceildivsi %x_extent, %c128 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %2 = arith.addi %1, %c8 : index
// CHECK-NEXT:    %3 = arith.muli %c8, %0 : index
// CHECK-NEXT:    %capacity = arith.minsi %3, %2 : index
// CHECK-NEXT:    %count, %g_tiles, %m_tiles = tile.worklist capacity %capacity columns 2 {
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %c8_1 = arith.constant 8 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      scf.for %g = %c0_1 to %c8_1 step %c1 {
// CHECK-NEXT:        %b, %e = tile.segment %o[%g]
// CHECK-NEXT:        %c128_1 = arith.constant 128 : index
// CHECK-NEXT:        %first_m_tile = arith.floordivsi %b, %c128_1 : index
// CHECK-NEXT:        %4 = arith.cmpi slt, %b, %e : index
// CHECK-NEXT:        %5 = arith.ceildivsi %e, %c128_1 : index
// CHECK-NEXT:        %end_m_tile = arith.select %4, %5, %first_m_tile : index
// CHECK-NEXT:        %c1_1 = arith.constant 1 : index
// CHECK-NEXT:        scf.for %m = %first_m_tile to %end_m_tile step %c1_1 {
// CHECK-NEXT:          tile.append %g, %m
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %item = tile.axis 0 to %count ordered
// CHECK-NEXT:      %g_tile = tile.load %g_tiles[%item]
// CHECK-NEXT:      %g_1 = arith.index_cast %g_tile : i32 to index
// CHECK-NEXT:      %b_1, %e_1 = tile.segment %o[%g_1]
// CHECK-NEXT:      %m_tile = tile.load %m_tiles[%item]
// CHECK-NEXT:      %m_tile_1 = arith.index_cast %m_tile : i32 to index
// CHECK-NEXT:      %m_1 = tile.span %m_tile_1 of %b_1 to %e_1 by m:128 aligned
// CHECK-NEXT:      %xw = tile.window read %x[%m_1, :]
// CHECK-NEXT:      %ow = tile.window write %out[%m_1, :] preload
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }

// Axes around the jagged ones that they do not depend on stay; those within them stay too.
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
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %0 = arith.addi %x_extent, %c8 : index
// CHECK-NEXT:    %1 = arith.muli %c8, %x_extent : index
// CHECK-NEXT:    %capacity = arith.minsi %1, %0 : index
// CHECK-NEXT:    %count, %g_tiles, %i_tiles = tile.worklist capacity %capacity columns 2 {
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %c8_1 = arith.constant 8 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      scf.for %g = %c0_1 to %c8_1 step %c1 {
// CHECK-NEXT:        %b, %e = tile.segment %o[%g]
// CHECK-NEXT:        %c1_1 = arith.constant 1 : index
// CHECK-NEXT:        scf.for %i = %b to %e step %c1_1 {
// CHECK-NEXT:          tile.append %g, %i
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %n = tile.axis 0 to 512 by n:128 parallel
// CHECK-NEXT:      %item = tile.axis 0 to %count parallel
// CHECK-NEXT:      %i_tile = tile.load %i_tiles[%item]
// CHECK-NEXT:      %i_1 = arith.index_cast %i_tile : i32 to index
// CHECK-NEXT:      %k = tile.axis 0 to 256 by k:128 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%i_1, %n, %k]
// CHECK-NEXT:      %ow = tile.window write %out[%i_1, %n, %k]
// CHECK-NEXT:      %v = tile.get %xw
// CHECK-NEXT:      tile.set %v, %ow
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x512x256xf32>
// CHECK-NEXT:  }

// What a step asks about an axis is answered from the list: it may be empty, and its one step then is not live.
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
// CHECK-NEXT:    %capacity = arith.constant 32 : index
// CHECK-NEXT:    %count, %g_tiles, %m_tiles = tile.worklist capacity %capacity columns 2 {
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      scf.for %g = %c0 to %c8 step %c1 {
// CHECK-NEXT:        %length = tile.load %lengths[%g]
// CHECK-NEXT:        %end = arith.index_cast %length : i32 to index
// CHECK-NEXT:        %c128 = arith.constant 128 : index
// CHECK-NEXT:        %0 = arith.ceildivsi %end, %c128 : index
// CHECK-NEXT:        %c1_1 = arith.constant 1 : index
// CHECK-NEXT:        %end_m_tile = arith.maxsi %0, %c1_1 : index
// CHECK-NEXT:        %c0_1 = arith.constant 0 : index
// CHECK-NEXT:        scf.for %m = %c0_1 to %end_m_tile step %c1_1 {
// CHECK-NEXT:          tile.append %g, %m
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %item = tile.axis 0 to %count ordered
// CHECK-NEXT:      %g_tile = tile.load %g_tiles[%item]
// CHECK-NEXT:      %g_1 = arith.index_cast %g_tile : i32 to index
// CHECK-NEXT:      %length_1 = tile.load %lengths[%g_1]
// CHECK-NEXT:      %end_1 = arith.index_cast %length_1 : i32 to index
// CHECK-NEXT:      %m_tile = tile.load %m_tiles[%item]
// CHECK-NEXT:      %m_tile_1 = arith.index_cast %m_tile : i32 to index
// CHECK-NEXT:      %c128_1 = arith.constant 128 : index
// CHECK-NEXT:      %1 = arith.ceildivsi %end_1, %c128_1 : index
// CHECK-NEXT:      %c1_2 = arith.constant 1 : index
// CHECK-NEXT:      %end_m_tile_1 = arith.maxsi %1, %c1_2 : index
// CHECK-NEXT:      %m_1 = tile.span %m_tile_1 of 0 to %end_1 by m:128 keep
// CHECK-NEXT:      %c0_2 = arith.constant 0 : index
// CHECK-NEXT:      %p = arith.cmpi eq, %m_tile_1, %c0_2 : index
// CHECK-NEXT:      %2 = arith.subi %end_m_tile_1, %c1_2 : index
// CHECK-NEXT:      %q = arith.cmpi eq, %m_tile_1, %2 : index
// CHECK-NEXT:      %r = arith.cmpi slt, %c0_2, %end_1 : index
// CHECK-NEXT:      %xw = tile.window read %x[%g_1, %m_1]
// CHECK-NEXT:      %ow = tile.window write %out[%g_1, :]
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      scf.if %p {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %zero, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %r {
// CHECK-NEXT:        %acc = tile.get %s
// CHECK-NEXT:        %v = tile.get %xw
// CHECK-NEXT:        %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %next, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %q {
// CHECK-NEXT:        %sum = tile.get %s raw
// CHECK-NEXT:        tile.set %sum, %ow
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128xf32>
// CHECK-NEXT:  }

// Two jagged axes: three columns.
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
// CHECK-NEXT:    %1 = arith.ceildivsi %q_extent, %c128 : index
// CHECK-NEXT:    %c8 = arith.constant 8 : index
// CHECK-NEXT:    %2 = arith.addi %1, %c8 : index
// CHECK-NEXT:    %3 = arith.muli %c8, %0 : index
// CHECK-NEXT:    %4 = arith.minsi %3, %2 : index
// CHECK-NEXT:    %k_extent = memref.dim %k, %c0 : memref<?x128xf32>
// CHECK-NEXT:    %5 = arith.ceildivsi %k_extent, %c128 : index
// CHECK-NEXT:    %6 = arith.ceildivsi %k_extent, %c128 : index
// CHECK-NEXT:    %7 = arith.addi %6, %c8 : index
// CHECK-NEXT:    %8 = arith.muli %7, %0 : index
// CHECK-NEXT:    %9 = arith.muli %4, %5 : index
// CHECK-NEXT:    %capacity = arith.minsi %9, %8 : index
// CHECK-NEXT:    %count, %g_tiles, %m_tiles, %n_tiles = tile.worklist capacity %capacity columns 3 {
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %c8_1 = arith.constant 8 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      scf.for %g = %c0_1 to %c8_1 step %c1 {
// CHECK-NEXT:        %qb, %qe = tile.segment %qo[%g]
// CHECK-NEXT:        %kb, %ke = tile.segment %ko[%g]
// CHECK-NEXT:        %c128_1 = arith.constant 128 : index
// CHECK-NEXT:        %first_m_tile = arith.floordivsi %qb, %c128_1 : index
// CHECK-NEXT:        %10 = arith.cmpi slt, %qb, %qe : index
// CHECK-NEXT:        %11 = arith.ceildivsi %qe, %c128_1 : index
// CHECK-NEXT:        %end_m_tile = arith.select %10, %11, %first_m_tile : index
// CHECK-NEXT:        %c1_1 = arith.constant 1 : index
// CHECK-NEXT:        scf.for %m = %first_m_tile to %end_m_tile step %c1_1 {
// CHECK-NEXT:          %c128_2 = arith.constant 128 : index
// CHECK-NEXT:          %first_n_tile = arith.floordivsi %kb, %c128_2 : index
// CHECK-NEXT:          %12 = arith.cmpi slt, %kb, %ke : index
// CHECK-NEXT:          %13 = arith.ceildivsi %ke, %c128_2 : index
// CHECK-NEXT:          %end_n_tile = arith.select %12, %13, %first_n_tile : index
// CHECK-NEXT:          %c1_2 = arith.constant 1 : index
// CHECK-NEXT:          scf.for %n = %first_n_tile to %end_n_tile step %c1_2 {
// CHECK-NEXT:            tile.append %g, %m, %n
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %item = tile.axis 0 to %count ordered
// CHECK-NEXT:      %g_tile = tile.load %g_tiles[%item]
// CHECK-NEXT:      %g_1 = arith.index_cast %g_tile : i32 to index
// CHECK-NEXT:      %qb_1, %qe_1 = tile.segment %qo[%g_1]
// CHECK-NEXT:      %kb_1, %ke_1 = tile.segment %ko[%g_1]
// CHECK-NEXT:      %m_tile = tile.load %m_tiles[%item]
// CHECK-NEXT:      %m_tile_1 = arith.index_cast %m_tile : i32 to index
// CHECK-NEXT:      %m_1 = tile.span %m_tile_1 of %qb_1 to %qe_1 by m:128 aligned
// CHECK-NEXT:      %n_tile = tile.load %n_tiles[%item]
// CHECK-NEXT:      %n_tile_1 = arith.index_cast %n_tile : i32 to index
// CHECK-NEXT:      %c128_3 = arith.constant 128 : index
// CHECK-NEXT:      %first_n_tile_1 = arith.floordivsi %kb_1, %c128_3 : index
// CHECK-NEXT:      %n_1 = tile.span %n_tile_1 of %kb_1 to %ke_1 by n:128 aligned
// CHECK-NEXT:      %p = arith.cmpi eq, %n_tile_1, %first_n_tile_1 : index
// CHECK-NEXT:      %qw = tile.window read %q[%m_1, :]
// CHECK-NEXT:      %kw = tile.window read %k[%n_1, :]
// CHECK-NEXT:      %ow = tile.window write %out[%m_1, :] preload
// CHECK-NEXT:      scf.if %p {
// CHECK-NEXT:        %u = tile.get %qw
// CHECK-NEXT:        tile.set %u, %ow
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

// Tiles of tiles: scalar code asks where each outer one lies by its number.
func.func @tiles_of_tiles(%x: memref<500x128xf32>, %out: memref<500x128xf32>) -> memref<500x128xf32> {
  tile.pipeline grid {
    %mo = tile.axis 0 to 500 by mo:96 ordered
    %b = tile.bound begin %mo
    %e = tile.bound end %mo
    %m = tile.axis %b to %e by m:64 ordered aligned
    %x_window = tile.window read %x[%m, :]
    %out_window = tile.window write %out[%m, :] preload
    %v = tile.get %x_window
    tile.set %v, %out_window
  }
  return %out : memref<500x128xf32>
}
// CHECK-LABEL: func.func @tiles_of_tiles(%x: memref<500x128xf32>, %out: memref<500x128xf32>) -> memref<500x128xf32> {
// CHECK-NEXT:    %capacity = arith.constant 18 : index
// CHECK-NEXT:    %count, %mo_tiles, %m_tiles = tile.worklist capacity %capacity columns 2 {
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %c6 = arith.constant 6 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      scf.for %mo = %c0 to %c6 step %c1 {
// CHECK-NEXT:        %c96 = arith.constant 96 : index
// CHECK-NEXT:        %b = arith.muli %mo, %c96 : index
// CHECK-NEXT:        %c96_1 = arith.constant 96 : index
// CHECK-NEXT:        %0 = arith.muli %mo, %c96_1 : index
// CHECK-NEXT:        %1 = arith.addi %0, %c96_1 : index
// CHECK-NEXT:        %c500 = arith.constant 500 : index
// CHECK-NEXT:        %e = arith.minsi %1, %c500 : index
// CHECK-NEXT:        %c64 = arith.constant 64 : index
// CHECK-NEXT:        %first_m_tile = arith.floordivsi %b, %c64 : index
// CHECK-NEXT:        %2 = arith.cmpi slt, %b, %e : index
// CHECK-NEXT:        %3 = arith.ceildivsi %e, %c64 : index
// CHECK-NEXT:        %end_m_tile = arith.select %2, %3, %first_m_tile : index
// CHECK-NEXT:        %c1_1 = arith.constant 1 : index
// CHECK-NEXT:        scf.for %m = %first_m_tile to %end_m_tile step %c1_1 {
// CHECK-NEXT:          tile.append %mo, %m
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %item = tile.axis 0 to %count ordered
// CHECK-NEXT:      %mo_tile = tile.load %mo_tiles[%item]
// CHECK-NEXT:      %mo_tile_1 = arith.index_cast %mo_tile : i32 to index
// CHECK-NEXT:      %mo_1 = tile.span %mo_tile_1 of 0 to 500 by mo:96
// CHECK-NEXT:      %b_1 = tile.bound begin %mo_1
// CHECK-NEXT:      %e_1 = tile.bound end %mo_1
// CHECK-NEXT:      %m_tile = tile.load %m_tiles[%item]
// CHECK-NEXT:      %m_tile_1 = arith.index_cast %m_tile : i32 to index
// CHECK-NEXT:      %m_1 = tile.span %m_tile_1 of %b_1 to %e_1 by m:64 aligned
// CHECK-NEXT:      %x_window = tile.window read %x[%m_1, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m_1, :] preload
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<500x128xf32>
// CHECK-NEXT:  }

// Loops that follow each other are one axis. The list holds the tiles of both, 512 at most, not those of a whole array
// for each segment, which are 24,576.
func.func @in_turn(%x: memref<8192x128xf32>, %o: memref<65xi32>, %out: memref<8192x128xf32>) -> memref<8192x128xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 64 ordered
    %b, %e = tile.segment %o[%g]
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %0 = arith.floordivsi %b, %c64 : index
    %1 = arith.muli %0, %c64 : index
    %2 = arith.subi %e, %1 : index
    %3 = arith.ceildivsi %2, %c64 : index
    %ms = arith.maxsi %3, %c1 : index
    %c32 = arith.constant 32 : index
    %4 = arith.subi %e, %b : index
    %5 = arith.ceildivsi %4, %c32 : index
    %ns = arith.maxsi %5, %c1 : index
    %steps = arith.addi %ms, %ns : index
    %step = tile.axis 0 to %steps ordered
    %6 = arith.subi %ms, %c1 : index
    %7 = arith.minsi %step, %6 : index
    %8 = arith.addi %0, %7 : index
    %m = tile.span %8 of %b to %e by m:64 aligned keep
    %9 = arith.subi %step, %ms : index
    %10 = arith.maxsi %9, %c0 : index
    %n = tile.span %10 of %b to %e by n:32 keep
    %xw = tile.window read %x[%m, :]
    %yw = tile.window read %x[%n, :]
    %ow = tile.window write %out[%n, :] preload
    %v = tile.get %yw
    tile.set %v, %ow
  }
  return %out : memref<8192x128xf32>
}
// CHECK-LABEL: func.func @in_turn
// CHECK-NEXT:    %capacity = arith.constant 512 : index

// Two axes number the steps, one the segments: each step of the other has all tiles of the array.
func.func @shared(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<16x64x128xf32>) -> memref<16x64x128xf32> {
  tile.pipeline grid {
    %h = tile.axis 0 to 16 ordered
    %g = tile.axis 0 to 2 ordered
    %b, %e = tile.segment %o[%g]
    %c14 = arith.constant 14 : index
    %some = arith.cmpi slt, %h, %c14 : index
    %end = arith.select %some, %e, %b : index
    %m = tile.axis %b to %end by m:8 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%h, %m, :] preload
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<16x64x128xf32>
}
// CHECK-LABEL: func.func @shared
// CHECK-NEXT:    %capacity = arith.constant 160 : index

// Four heads have one segment, so that there may be four times the tiles of the array.
func.func @heads(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.pipeline grid {
    %h = tile.axis 0 to 8 ordered
    %c4 = arith.constant 4 : index
    %g = arith.floordivsi %h, %c4 : index
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:8 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%h, :]
    %v = tile.get %xw
    %r = tile.reduce add %v dims [0]
    tile.set %r, %ow
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @heads
// CHECK-NEXT:    %capacity = arith.constant 64 : index
