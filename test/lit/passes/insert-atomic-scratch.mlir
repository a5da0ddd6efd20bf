// RUN: tile-opt %s --insert-atomic-scratch | filecheck %s --match-full-lines

// Columns are summed by the outer axis, which becomes the inner one. What was filled needs no preload.
func.func @columns(%x: memref<512x256xf32>) -> memref<256xbf16> {
  %out = tile.full 0.0 : memref<256xbf16>
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    %s = tile.reduce add %v dims [0]
    tile.atomic_rmw add %s, %out[%n]
  }
  return %out : memref<256xbf16>
}
// CHECK-LABEL: func.func @columns(%x: memref<512x256xf32>) -> memref<256xbf16> {
// CHECK-NEXT:    %out = tile.full 0.0 : memref<256xbf16>
// CHECK-NEXT:    tile.grid %n = 0 to 256 by n:128 {
// CHECK-NEXT:      %out_1 = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      %out_2 = tile.for %m = 0 to 512 by m:128 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %v = tile.load %x[%m, %n]
// CHECK-NEXT:        %s = tile.reduce add %v dims [0]
// CHECK-NEXT:        %0 = arith.addf %out_3, %s : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:        tile.yield %0
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[%n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xbf16>
// CHECK-NEXT:  }

// What an argument holds is read first, and mask and condition leave the state as it is.
func.func @preload(%x: memref<8x256xi8>, %out: memref<256xi8>, %c: i1) -> memref<256xi8> {
  tile.grid %g = 0 to 8, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%g, %n]
    scf.if %c {
      %p = tile.compare gt %v, %v
      tile.atomic_rmw max %v, %out[%n] mask %p
    }
  }
  return %out : memref<256xi8>
}
// CHECK-LABEL: func.func @preload(%x: memref<8x256xi8>, %out: memref<256xi8>, %c: i1) -> memref<256xi8> {
// CHECK-NEXT:    tile.grid %n = 0 to 256 by n:128 {
// CHECK-NEXT:      %0 = tile.load %out[%n]
// CHECK-NEXT:      %out_1 = tile.cast %0 to i32
// CHECK-NEXT:      %out_2 = tile.for %g = 0 to 8 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %v = tile.load %x[%g, %n]
// CHECK-NEXT:        %out_4 = scf.if %c -> (tensor<128xi32, #tile.spans<n>>) {
// CHECK-NEXT:          %p = tile.compare gt %v, %v
// CHECK-NEXT:          %1 = tile.cast %v to i32
// CHECK-NEXT:          %2 = arith.maxsi %out_3, %1 : tensor<128xi32, #tile.spans<n>>
// CHECK-NEXT:          %3 = tile.select %p, %2, %out_3
// CHECK-NEXT:          scf.yield %3 : tensor<128xi32, #tile.spans<n>>
// CHECK-NEXT:        } else {
// CHECK-NEXT:          scf.yield %out_3 : tensor<128xi32, #tile.spans<n>>
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.yield %out_4
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[%n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xi8>
// CHECK-NEXT:  }

// A fill that a store has spoilt is no fill.
func.func @spoilt(%x: memref<8x128xf32>) -> memref<128xf32> {
  %out = tile.full 0.0 : memref<128xf32>
  %one = arith.constant 1.0 : f32
  tile.store %one, %out[3]
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
  }
  return %out : memref<128xf32>
}
// CHECK-LABEL: func.func @spoilt(%x: memref<8x128xf32>) -> memref<128xf32> {
// CHECK-NEXT:    %out = tile.full 0.0 : memref<128xf32>
// CHECK-NEXT:    %one = arith.constant 1.000000e+00 : f32
// CHECK-NEXT:    tile.store %one, %out[3]
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %out_1 = tile.load %out[:]
// CHECK-NEXT:      %out_2 = tile.for %g = 0 to 8 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %v = tile.load %x[%g, :]
// CHECK-NEXT:        %0 = arith.addf %out_3, %v : tensor<128xf32>
// CHECK-NEXT:        tile.yield %0
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[:]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128xf32>
// CHECK-NEXT:  }

// An axis over which more targets meet is further inside: all three do over g, two over n, one over m.
func.func @chain(%x: memref<4x512x256xf32>, %all: memref<1xf32>, %rows: memref<512xf32>,
                 %parts: memref<512x256xf32>) {
  tile.grid %n = 0 to 256 by n:128, %g = 0 to 4, %m = 0 to 512 by m:128 {
    %v = tile.load %x[%g, %m, %n]
    %a = tile.reduce add %v dims [0, 1]
    tile.atomic_rmw add %a, %all[0]
    %r = tile.reduce add %v dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    tile.atomic_rmw add %v, %parts[%m, %n]
  }
  return
}
// CHECK-LABEL: func.func @chain(%x: memref<4x512x256xf32>, %all: memref<1xf32>, %rows: memref<512xf32>, %parts: memref<512x256xf32>) {
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %all_1 = tile.load %all[0]
// CHECK-NEXT:      %all_2 = tile.for %m = 0 to 512 by m:128 iter_args(%all_3 = %all_1) {
// CHECK-NEXT:        %rows_1 = tile.load %rows[%m]
// CHECK-NEXT:        %all_4, %rows_2 = tile.for %n = 0 to 256 by n:128 iter_args(%all_5 = %all_3, %rows_3 = %rows_1) {
// CHECK-NEXT:          %parts_1 = tile.load %parts[%m, %n]
// CHECK-NEXT:          %all_6, %rows_4, %parts_2 = tile.for %g = 0 to 4 iter_args(%all_7 = %all_5, %rows_5 = %rows_3, %parts_3 = %parts_1) {
// CHECK-NEXT:            %v = tile.load %x[%g, %m, %n]
// CHECK-NEXT:            %a = tile.reduce add %v dims [0, 1]
// CHECK-NEXT:            %0 = arith.addf %all_7, %a : f32
// CHECK-NEXT:            %r = tile.reduce add %v dims [1]
// CHECK-NEXT:            %1 = arith.addf %rows_5, %r : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:            %2 = arith.addf %parts_3, %v : tensor<128x128xf32, #tile.spans<m, n>>
// CHECK-NEXT:            tile.yield %0, %1, %2
// CHECK-NEXT:          }
// CHECK-NEXT:          tile.store %parts_2, %parts[%m, %n]
// CHECK-NEXT:          tile.yield %all_6, %rows_4
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.store %rows_2, %rows[%m]
// CHECK-NEXT:        tile.yield %all_4
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %all_2, %all[0]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Rows and columns want opposite orders: the larger array is carried, the other one resident.
func.func @opposite(%x: memref<512x256xf32>, %columns: memref<256xf32>) -> memref<512xf32> {
  %rows = tile.full 0.0 : memref<512xf32>
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    %r = tile.reduce add %v dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %v dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return %rows : memref<512xf32>
}
// CHECK-LABEL: func.func @opposite(%x: memref<512x256xf32>, %columns: memref<256xf32>) -> memref<512xf32> {
// CHECK-NEXT:    %rows = tile.full 0.0 : memref<512xf32>
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %columns_local = tile.local : memref<256xf32>
// CHECK-NEXT:      %0 = tile.load %columns[:]
// CHECK-NEXT:      tile.store %0, %columns_local[:]
// CHECK-NEXT:      tile.for %m = 0 to 512 by m:128 {
// CHECK-NEXT:        %rows_1 = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        %rows_2 = tile.for %n = 0 to 256 by n:128 iter_args(%rows_3 = %rows_1) {
// CHECK-NEXT:          %v = tile.load %x[%m, %n]
// CHECK-NEXT:          %r = tile.reduce add %v dims [1]
// CHECK-NEXT:          %1 = arith.addf %rows_3, %r : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:          %c = tile.reduce add %v dims [0]
// CHECK-NEXT:          %2 = tile.load %columns_local[%n]
// CHECK-NEXT:          %3 = arith.addf %2, %c : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:          tile.store %3, %columns_local[%n]
// CHECK-NEXT:          tile.yield %1
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.store %rows_2, %rows[%m]
// CHECK-NEXT:      }
// CHECK-NEXT:      %4 = tile.load %columns_local[:]
// CHECK-NEXT:      tile.store %4, %columns[:]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %rows : memref<512xf32>
// CHECK-NEXT:  }

// The index of the window is computed again where it is read and stored.
func.func @recipe(%x: memref<8x512x128xf32>, %out: memref<9x128xf32>) {
  tile.grid %m = 0 to 512 by m:128, %g = 0 to 8 {
    %one = arith.constant 1 : index
    %twice = arith.muli %g, %one : index
    %v = tile.load %x[%g, %m, :]
    %s = tile.reduce add %v dims [0]
    tile.atomic_rmw add %s, %out[%twice + %one, :]
  }
  return
}
// CHECK-LABEL: func.func @recipe(%x: memref<8x512x128xf32>, %out: memref<9x128xf32>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %one = arith.constant 1 : index
// CHECK-NEXT:      %twice = arith.muli %g, %one : index
// CHECK-NEXT:      %out_1 = tile.load %out[%twice + %one, :]
// CHECK-NEXT:      %out_2 = tile.for %m = 0 to 512 by m:128 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %one_1 = arith.constant 1 : index
// CHECK-NEXT:        %twice_1 = arith.muli %g, %one_1 : index
// CHECK-NEXT:        %v = tile.load %x[%g, %m, :]
// CHECK-NEXT:        %s = tile.reduce add %v dims [0]
// CHECK-NEXT:        %0 = arith.addf %out_3, %s : tensor<128xf32>
// CHECK-NEXT:        tile.yield %0
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[%twice + %one, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Updates that do not meet over an axis are carried where their window is made.
func.func @inside(%x: memref<8x4x256xf32>, %out: memref<8x256xf32>) {
  tile.grid %g = 0 to 8 {
    tile.for %n = 0 to 256 by n:128 {
      tile.for %r = 0 to 4 {
        %v = tile.load %x[%g, %r, %n]
        tile.atomic_rmw add %v, %out[%g, %n]
      }
    }
  }
  return
}
// CHECK-LABEL: func.func @inside(%x: memref<8x4x256xf32>, %out: memref<8x256xf32>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      tile.for %n = 0 to 256 by n:128 {
// CHECK-NEXT:        %out_1 = tile.load %out[%g, %n]
// CHECK-NEXT:        %out_2 = tile.for %r = 0 to 4 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:          %v = tile.load %x[%g, %r, %n]
// CHECK-NEXT:          %0 = arith.addf %out_3, %v : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:          tile.yield %0
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.store %out_2, %out[%g, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// A loop comes back to the windows: the row of each cell is resident, without the dimension of the cell.
func.func @comes_back(%x: memref<8x4x256xbf16>, %out: memref<8x256xbf16>) {
  tile.grid %g = 0 to 8 {
    tile.for %r = 0 to 4 {
      tile.for %n = 0 to 256 by n:128 {
        %v = tile.load %x[%g, %r, %n]
        tile.atomic_rmw add %v, %out[%g, %n]
      }
    }
  }
  return
}
// CHECK-LABEL: func.func @comes_back(%x: memref<8x4x256xbf16>, %out: memref<8x256xbf16>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %out_local = tile.local : memref<256xf32>
// CHECK-NEXT:      %0 = tile.load %out[%g, :]
// CHECK-NEXT:      %1 = tile.cast %0 to f32
// CHECK-NEXT:      tile.store %1, %out_local[:]
// CHECK-NEXT:      tile.for %r = 0 to 4 {
// CHECK-NEXT:        tile.for %n = 0 to 256 by n:128 {
// CHECK-NEXT:          %v = tile.load %x[%g, %r, %n]
// CHECK-NEXT:          %2 = tile.load %out_local[%n]
// CHECK-NEXT:          %3 = tile.cast %v to f32
// CHECK-NEXT:          %4 = arith.addf %2, %3 : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:          tile.store %4, %out_local[%n]
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      %5 = tile.load %out_local[:]
// CHECK-NEXT:      tile.store %5, %out[%g, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Several windows of one array: all of it is resident, copied in blocks.
func.func @windows(%x: memref<64x128xf32>, %out: memref<66x128xf32>) {
  tile.grid %m = 0 to 64 by m:8 {
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%m, :]
    tile.atomic_rmw add %v, %out[%m + 2, :]
  }
  return
}
// CHECK-LABEL: func.func @windows(%x: memref<64x128xf32>, %out: memref<66x128xf32>) {
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %out_local = tile.local : memref<66x128xf32>
// CHECK-NEXT:      %0 = tile.load %out[:, :]
// CHECK-NEXT:      tile.store %0, %out_local[:, :]
// CHECK-NEXT:      tile.for %m = 0 to 64 by m:8 {
// CHECK-NEXT:        %v = tile.load %x[%m, :]
// CHECK-NEXT:        %1 = tile.load %out_local[%m, :]
// CHECK-NEXT:        %2 = arith.addf %1, %v : tensor<8x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:        tile.store %2, %out_local[%m, :]
// CHECK-NEXT:        %3 = tile.load %out_local[%m + 2, :]
// CHECK-NEXT:        %4 = arith.addf %3, %v : tensor<8x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:        tile.store %4, %out_local[%m + 2, :]
// CHECK-NEXT:      }
// CHECK-NEXT:      %5 = tile.load %out_local[:, :]
// CHECK-NEXT:      tile.store %5, %out[:, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Exchanges in an ordered loop keep the type of the array; what was there is a result.
func.func @exchanges(%x: memref<4x128xbf16>, %out: memref<128xbf16>, %olds: memref<4x128xbf16>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %r = 0 to 4 {
      %v = tile.load %x[%r, %n]
      %e = tile.splat 0.0 : tensor<128xbf16, #tile.spans<n>>
      %o = tile.atomic_rmw compare_exchange %v, %out[%n] expected %e old
      tile.store %o, %olds[%r, %n]
    }
  }
  return
}
// CHECK-LABEL: func.func @exchanges(%x: memref<4x128xbf16>, %out: memref<128xbf16>, %olds: memref<4x128xbf16>) {
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 {
// CHECK-NEXT:      %out_1 = tile.load %out[%n]
// CHECK-NEXT:      %out_2 = tile.for %r = 0 to 4 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %v = tile.load %x[%r, %n]
// CHECK-NEXT:        %e = tile.splat 0.0 : tensor<128xbf16, #tile.spans<n>>
// CHECK-NEXT:        %o = tile.cast %out_3 to f32
// CHECK-NEXT:        %o_1 = tile.cast %e to f32
// CHECK-NEXT:        %o_2 = tile.compare eq %o, %o_1
// CHECK-NEXT:        %o_3 = tile.select %o_2, %v, %out_3
// CHECK-NEXT:        tile.store %out_3, %olds[%r, %n]
// CHECK-NEXT:        tile.yield %o_3
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[%n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// An element at a place that an array says: a loop through the lanes around it.
func.func @element(%ids: memref<50xi32>) -> memref<16xi32> {
  %hist = tile.full 0 : memref<16xi32>
  tile.grid %i = 0 to 50 {
    %b32 = tile.load %ids[%i]
    %b = arith.index_cast %b32 : i32 to index
    %one = arith.constant 1 : i32
    tile.atomic_rmw add %one, %hist[%b]
  }
  return %hist : memref<16xi32>
}
// CHECK-LABEL: func.func @element(%ids: memref<50xi32>) -> memref<16xi32> {
// CHECK-NEXT:    %hist = tile.full 0 : memref<16xi32>
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %hist_local = tile.local : memref<16xi32>
// CHECK-NEXT:      %0 = tile.splat 0 : tensor<16xi32>
// CHECK-NEXT:      tile.store %0, %hist_local[:]
// CHECK-NEXT:      tile.for %i = 0 to 50 {
// CHECK-NEXT:        %b32 = tile.load %ids[%i]
// CHECK-NEXT:        %b = arith.index_cast %b32 : i32 to index
// CHECK-NEXT:        %one = arith.constant 1 : i32
// CHECK-NEXT:        tile.for %hist_local_lanes = 0 to 16 by hist_local_lanes:16 {
// CHECK-NEXT:          %1 = tile.load %hist_local[%hist_local_lanes]
// CHECK-NEXT:          %2 = tile.indices %hist_local_lanes
// CHECK-NEXT:          %3 = arith.index_cast %b : index to i32
// CHECK-NEXT:          %4 = arith.constant 0 : i32
// CHECK-NEXT:          %5 = arith.addi %4, %3 : i32
// CHECK-NEXT:          %6 = tile.broadcast %5 dims [] : tensor<16xi32, #tile.spans<hist_local_lanes>>
// CHECK-NEXT:          %7 = tile.compare eq %2, %6
// CHECK-NEXT:          %8 = tile.splat 0 : tensor<16xi32, #tile.spans<hist_local_lanes>>
// CHECK-NEXT:          %9 = tile.select %7, %1, %8
// CHECK-NEXT:          %10 = tile.reduce add %9 dims [0]
// CHECK-NEXT:          %11 = arith.addi %10, %one : i32
// CHECK-NEXT:          %12 = tile.broadcast %11 dims [] : tensor<16xi32, #tile.spans<hist_local_lanes>>
// CHECK-NEXT:          %13 = tile.select %7, %12, %1
// CHECK-NEXT:          tile.store %13, %hist_local[%hist_local_lanes]
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      %14 = tile.load %hist_local[:]
// CHECK-NEXT:      tile.store %14, %hist[:]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %hist : memref<16xi32>
// CHECK-NEXT:  }

// A window that only a condition keeps inside the array is not read ahead of it: the array is resident.
func.func @guarded(%x: memref<8x128xf32>, %out: memref<5x128xf32>) {
  %five = arith.constant 5 : index
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    %inside = arith.cmpi slt, %g, %five : index
    scf.if %inside {
      tile.atomic_rmw add %v, %out[%g, :]
    }
  }
  return
}
// CHECK-LABEL: func.func @guarded(%x: memref<8x128xf32>, %out: memref<5x128xf32>) {
// CHECK-NEXT:    %five = arith.constant 5 : index
// CHECK-NEXT:    tile.grid %cell = 0 to 1 {
// CHECK-NEXT:      %out_local = tile.local : memref<5x128xf32>
// CHECK-NEXT:      %0 = tile.load %out[:, :]
// CHECK-NEXT:      tile.store %0, %out_local[:, :]
// CHECK-NEXT:      tile.for %g = 0 to 8 {
// CHECK-NEXT:        %v = tile.load %x[%g, :]
// CHECK-NEXT:        %inside = arith.cmpi slt, %g, %five : index
// CHECK-NEXT:        scf.if %inside {
// CHECK-NEXT:          %1 = tile.load %out_local[%g, :]
// CHECK-NEXT:          %2 = arith.addf %1, %v : tensor<128xf32>
// CHECK-NEXT:          tile.store %2, %out_local[%g, :]
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      %3 = tile.load %out_local[:, :]
// CHECK-NEXT:      tile.store %3, %out[:, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Sums of bytes wrap as those in the array would before a greatest one is sought.
func.func @bytes(%x: memref<8x128xi8>, %out: memref<128xi8>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %r = 0 to 8 {
      %v = tile.load %x[%r, %n]
      tile.atomic_rmw add %v, %out[%n]
      tile.atomic_rmw max %v, %out[%n]
    }
  }
  return
}
// CHECK-LABEL: func.func @bytes(%x: memref<8x128xi8>, %out: memref<128xi8>) {
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 {
// CHECK-NEXT:      %0 = tile.load %out[%n]
// CHECK-NEXT:      %out_1 = tile.cast %0 to i32
// CHECK-NEXT:      %out_2 = tile.for %r = 0 to 8 iter_args(%out_3 = %out_1) {
// CHECK-NEXT:        %v = tile.load %x[%r, %n]
// CHECK-NEXT:        %1 = tile.cast %v to i32
// CHECK-NEXT:        %2 = arith.addi %out_3, %1 : tensor<128xi32, #tile.spans<n>>
// CHECK-NEXT:        %3 = tile.cast %2 to i8
// CHECK-NEXT:        %4 = tile.cast %3 to i32
// CHECK-NEXT:        %5 = tile.cast %v to i32
// CHECK-NEXT:        %6 = arith.maxsi %4, %5 : tensor<128xi32, #tile.spans<n>>
// CHECK-NEXT:        tile.yield %6
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %out_2, %out[%n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// An array on the chip is updated where it is.
func.func @local(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %l = tile.local : memref<128xf32>
    %v = tile.load %x[%g, :]
    tile.store %v, %l[:]
    tile.atomic_rmw add %v, %l[:]
    %w = tile.load %l[:]
    tile.store %w, %out[%g, :]
  }
  return
}
// CHECK-LABEL: func.func @local(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %l = tile.local : memref<128xf32>
// CHECK-NEXT:      %v = tile.load %x[%g, :]
// CHECK-NEXT:      tile.store %v, %l[:]
// CHECK-NEXT:      %0 = tile.load %l[:]
// CHECK-NEXT:      %1 = arith.addf %0, %v : tensor<128xf32>
// CHECK-NEXT:      tile.store %1, %l[:]
// CHECK-NEXT:      %w = tile.load %l[:]
// CHECK-NEXT:      tile.store %w, %out[%g, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
