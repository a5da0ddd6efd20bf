// On a schedule: windows that need no old contents lose `preload`, and steps fill the blocks of a filled array.

// RUN: tile-opt %s --classify-outputs | filecheck %s

// Two of seven blocks are visited, and all of both is set: the others stay where they are.
func.func @some_blocks(%x: memref<200x128xf32>, %y: memref<200x128xf32>) -> memref<200x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 32 to 96 by m:32 parallel
    %x_window = tile.window read %x[%m, :]
    %y_window = tile.window write %y[%m, :] preload
    %v = tile.get %x_window
    tile.set %v, %y_window
  }
  return %y : memref<200x128xf32>
}
// CHECK-LABEL: func.func @some_blocks
// CHECK:           %y_window = tile.window write %y[%m, :]{{$}}

// The last of them ends inside the array.
func.func @part_of_a_block(%x: memref<200x128xf32>, %y: memref<200x128xf32>) -> memref<200x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 32 to 90 by m:32 parallel
    %x_window = tile.window read %x[%m, :]
    %y_window = tile.window write %y[%m, :] preload
    %v = tile.get %x_window
    tile.set %v, %y_window
  }
  return %y : memref<200x128xf32>
}
// CHECK-LABEL: func.func @part_of_a_block
// CHECK:           %y_window = tile.window write %y[%m, :] preload

// Four tiles are copied at once, and not all four are set.
func.func @fetched(%x: memref<200x128xf32>, %y: memref<200x128xf32>) -> memref<200x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 32 to 96 by m:32 parallel
    %x_window = tile.window read %x[%m, :]
    %y_window = tile.window write %y[%m, :] preload fetch [128, 128]
    %v = tile.get %x_window
    tile.set %v, %y_window
  }
  return %y : memref<200x128xf32>
}
// CHECK-LABEL: func.func @fetched
// CHECK:           %y_window = tile.window write %y[%m, :] preload fetch [128, 128]

// The last step of each block sets it, but not where the condition is false.
func.func @last(%y: memref<64x128xf32>, %z: memref<64x128xf32>) -> (memref<64x128xf32>, memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %k = tile.axis 0 to 4 ordered
    %y_window = tile.window write %y[%m, :] preload
    %z_window = tile.window write %z[%m, :] preload
    %last = tile.last %k
    %c3 = arith.constant 3 : index
    %third = arith.cmpi eq, %k, %c3 : index
    %v = tile.splat 1.0 : tensor<32x128xf32, #tile.spans<m, _>>
    scf.if %last {
      tile.set %v, %y_window
      scf.if %third {
        tile.set %v, %z_window
      }
    }
  }
  return %y, %z : memref<64x128xf32>, memref<64x128xf32>
}
// CHECK-LABEL: func.func @last
// CHECK:           %y_window = tile.window write %y[%m, :]{{$}}
// CHECK-NEXT:      %z_window = tile.window write %z[%m, :] preload

// What is added up begins as the fill.
func.func @added_up(%x: memref<50x512xf32>) -> memref<50x128xf32> {
  %out = tile.full 2.0 : memref<50x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 50 by m:32 parallel
    %k = tile.axis 0 to 512 by k:128 ordered
    %x_window = tile.window read %x[%m, %k]
    %out_window = tile.window write %out[%m, :] preload
    %v = tile.get %x_window
    %old = tile.get %out_window
    %sum = tile.reduce add %v dims [1]
    %wide = tile.broadcast %sum dims [0] : tensor<32x128xf32, #tile.spans<m, _>>
    %new = arith.addf %old, %wide : tensor<32x128xf32, #tile.spans<m, _>>
    tile.set %new, %out_window
  }
  return %out : memref<50x128xf32>
}
// CHECK-LABEL: func.func @added_up
// CHECK-NEXT:    %out = tile.empty : memref<50x128xf32>
// CHECK:           %out_window = tile.window write %out[%m, :]{{$}}
// CHECK:           %first_k = tile.first %k
// CHECK-NEXT:      scf.if %first_k {
// CHECK-NEXT:        %fill = tile.splat 2.0 : tensor<32x128xf32>
// CHECK-NEXT:        tile.set %fill, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:      %old = tile.get %out_window

// Where a step has a block of its own, the fill is known where it is read.
func.func @around(%x: memref<50x128xf32>) -> memref<50x128xf32> {
  %out = tile.full 2.0 : memref<50x128xf32>
  tile.pipeline grid {
    %m = tile.axis 5 to 40 by m:32 ordered aligned
    %x_window = tile.window read %x[%m, :]
    %out_window = tile.window write %out[%m, :] preload
    %v = tile.get %x_window
    %old = tile.get %out_window raw
    %new = tile.fill %v outside %m with %old
    tile.set %new, %out_window
  }
  return %out : memref<50x128xf32>
}
// CHECK-LABEL: func.func @around
// CHECK-NEXT:    %out = tile.empty : memref<50x128xf32>
// CHECK:           %out_window = tile.window write %out[%m, :]{{$}}
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %old = tile.splat 2.0 : tensor<32x128xf32>
// CHECK-NEXT:      %new = tile.fill %v outside %m with %old
// CHECK-NEXT:      tile.set %new, %out_window

// A condition leaves a block as it was: the fill is set before it.
func.func @maybe(%c: memref<4xi32>) -> memref<64x128xf32> {
  %out = tile.full 2.0 : memref<64x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %out_window = tile.window write %out[%m, :] preload
    %c0 = arith.constant 0 : index
    %flag = tile.load %c[%c0]
    %off = arith.constant 0 : i32
    %on = arith.cmpi ne, %flag, %off : i32
    %v = tile.splat 1.0 : tensor<32x128xf32, #tile.spans<m, _>>
    scf.if %on {
      tile.set %v, %out_window
    }
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @maybe
// CHECK-NEXT:    %out = tile.empty : memref<64x128xf32>
// CHECK:           %out_window = tile.window write %out[%m, :]{{$}}
// CHECK:           %fill = tile.splat 2.0 : tensor<32x128xf32>
// CHECK-NEXT:      tile.set %fill, %out_window
// CHECK-NEXT:      scf.if %on {

// A block without a step keeps what the fill put there before the kernel.
func.func @left_out(%x: memref<50x128xf32>) -> memref<50x128xf32> {
  %out = tile.full 2.0 : memref<50x128xf32>
  tile.pipeline grid {
    %m = tile.axis 5 to 32 by m:32 ordered aligned
    %x_window = tile.window read %x[%m, :]
    %out_window = tile.window write %out[%m, :] preload
    %v = tile.get %x_window
    %old = tile.get %out_window raw
    %new = tile.fill %v outside %m with %old
    tile.set %new, %out_window
  }
  return %out : memref<50x128xf32>
}
// CHECK-LABEL: func.func @left_out
// CHECK-NEXT:    %out = tile.full 2.0 : memref<50x128xf32>
// CHECK:           %out_window = tile.window write %out[%m, :] preload

// What is read after a block is set is not the fill.
func.func @twice(%c: i1) -> memref<64x128xf32> {
  %out = tile.full 2.0 : memref<64x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %out_window = tile.window write %out[%m, :] preload
    %a = tile.get %out_window
    %b = arith.addf %a, %a : tensor<32x128xf32, #tile.spans<m, _>>
    tile.set %b, %out_window
    %d = tile.get %out_window
    %e = arith.mulf %d, %d : tensor<32x128xf32, #tile.spans<m, _>>
    tile.set %e, %out_window
  }
  return %out : memref<64x128xf32>
}
// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %out = tile.empty : memref<64x128xf32>
// CHECK:           %a = tile.splat 2.0
// CHECK:           %d = tile.get %out_window

// The first kernel reads the fill; the last one makes no difference.
func.func @read_before(%n: index) -> (memref<64x128xf32>, memref<64x128xf32>, memref<64x128xf32>) {
  %early = tile.full 2.0 : memref<64x128xf32>
  %late = tile.full 2.0 : memref<64x128xf32>
  %sums = tile.empty : memref<64x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %early_window = tile.window read %early[%m, :]
    %sums_window = tile.window write %sums[%m, :]
    %v = tile.get %early_window
    tile.set %v, %sums_window
  }
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %early_window = tile.window write %early[%m, :] preload
    %late_window = tile.window write %late[%m, :] preload
    %v = tile.get %early_window
    %w = tile.get %late_window
    tile.set %v, %late_window
    tile.set %w, %early_window
  }
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:32 parallel
    %late_window = tile.window read %late[%m, :]
    %sums_window = tile.window write %sums[%m, :] preload
    %v = tile.get %late_window
    tile.set %v, %sums_window
  }
  return %early, %late, %sums : memref<64x128xf32>, memref<64x128xf32>, memref<64x128xf32>
}
// CHECK-LABEL: func.func @read_before
// CHECK-NEXT:    %early = tile.full 2.0 : memref<64x128xf32>
// CHECK-NEXT:    %late = tile.empty : memref<64x128xf32>
// CHECK:           %early_window_1 = tile.window write %early[%m_1, :] preload
// CHECK-NEXT:      %late_window = tile.window write %late[%m_1, :]{{$}}
// CHECK:           %sums_window_1 = tile.window write %sums[%m_2, :]{{$}}

// A window of one element, one whose position comes from a table, and one that steps come back to begin as the
// array does.
func.func @left_alone(%t: memref<4xi32>, %c: i1) -> (memref<4x8xf32>, memref<4x128xf32>, memref<8x128xf32>) {
  %out = tile.full 2.0 : memref<4x8xf32>
  %rows = tile.full 2.0 : memref<4x128xf32>
  %again = tile.full 2.0 : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 4 ordered
    %h = tile.axis 0 to 8 ordered
    %i = tile.load %t[%g]
    %row = arith.index_cast %i : i32 to index
    %out_window = tile.window write %out[%g, %h] preload
    %rows_window = tile.window write %rows[%row, :] preload
    %again_window = tile.window write %again[%h, :] preload
    %v = tile.get %out_window
    tile.set %v, %out_window
    %w = tile.get %rows_window
    tile.set %w, %rows_window
    %u = tile.get %again_window
    tile.set %u, %again_window
  }
  return %out, %rows, %again : memref<4x8xf32>, memref<4x128xf32>, memref<8x128xf32>
}
// CHECK-LABEL: func.func @left_alone
// CHECK-NEXT:    %out = tile.full 2.0 : memref<4x8xf32>
// CHECK-NEXT:    %rows = tile.full 2.0 : memref<4x128xf32>
// CHECK-NEXT:    %again = tile.full 2.0 : memref<8x128xf32>
// CHECK:           %out_window = tile.window write %out[%g, %h] preload
// CHECK-NEXT:      %rows_window = tile.window write %rows[%row, :] preload
// CHECK-NEXT:      %again_window = tile.window write %again[%h, :] preload
