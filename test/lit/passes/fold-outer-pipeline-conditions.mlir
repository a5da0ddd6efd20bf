// Conditions around loops: no loop is under one in the pipeline.

// RUN: tile-opt %s --choose-blocks="m=128 k=128" --classify-axes --carry-to-scratch --fold-outer-pipeline | filecheck %s

// A sum that a condition goes on with: the range is empty where it does not hold, and the scratch begins with
// what the sum was before in any case.
func.func @goes_on(%x: memref<8x512xf32>, %flags: memref<8xi1>) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %g = 0 to 8 {
    %flag = tile.load %flags[%g]
    %before = tile.splat 1.0 : tensor<512xf32>
    %after = scf.if %flag -> (tensor<512xf32>) {
      %sum = tile.for %i = 0 to 8 iter_args(%acc = %before) {
        %row = tile.load %x[%i, :]
        %next = arith.addf %acc, %row : tensor<512xf32>
        tile.yield %next
      }
      scf.yield %sum : tensor<512xf32>
    } else {
      scf.yield %before : tensor<512xf32>
    }
    tile.store %after, %out[%g, :]
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @goes_on(%x: memref<8x512xf32>, %flags: memref<8xi1>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %flag = tile.load %flags[%g]
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %0 = arith.select %flag, %c8, %c0 : index
// CHECK-NEXT:      %i = tile.axis 0 to %0 max 8 ordered keep
// CHECK-NEXT:      %first_i = tile.first %i
// CHECK-NEXT:      %some_i = tile.live %i
// CHECK-NEXT:      %last_i = tile.last %i
// CHECK-NEXT:      %sum = tile.scratch : tensor<512xf32>
// CHECK-NEXT:      %x_window = tile.window read %x[%i, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, :]
// CHECK-NEXT:      scf.if %first_i {
// CHECK-NEXT:        %before = tile.splat 1.0 : tensor<512xf32>
// CHECK-NEXT:        tile.set %before, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %some_i {
// CHECK-NEXT:        %acc = tile.get %sum
// CHECK-NEXT:        %row = tile.get %x_window
// CHECK-NEXT:        %next = arith.addf %acc, %row : tensor<512xf32>
// CHECK-NEXT:        tile.set %next, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %last_i {
// CHECK-NEXT:        %after = tile.get %sum
// CHECK-NEXT:        tile.set %after, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// Loops in both branches are stretches of one axis. What they began with is set under their conditions, and
// the value is that of the branch that is taken, whatever the other one has computed.
func.func @chosen(%x: memref<8x512xf32>, %flags: memref<8xi1>) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %g = 0 to 8 {
    %flag = tile.load %flags[%g]
    %value = scf.if %flag -> (tensor<512xf32>) {
      %zero = tile.splat 0.0 : tensor<512xf32>
      %sum = tile.for %i = 0 to 8 iter_args(%acc = %zero) {
        %row = tile.load %x[%i, :]
        %next = arith.addf %acc, %row : tensor<512xf32>
        tile.yield %next
      }
      %part = arith.divf %sum, %sum : tensor<512xf32>
      scf.yield %part : tensor<512xf32>
    } else {
      %one = tile.splat 1.0 : tensor<512xf32>
      %product = tile.for %j = 0 to 4 iter_args(%acc = %one) {
        %row = tile.load %x[%j, :]
        %next = arith.mulf %acc, %row : tensor<512xf32>
        tile.yield %next
      }
      scf.yield %product : tensor<512xf32>
    }
    tile.store %value, %out[%g, :]
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @chosen(%x: memref<8x512xf32>, %flags: memref<8xi1>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %flag = tile.load %flags[%g]
// CHECK-NEXT:      %c8 = arith.constant 8 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %0 = arith.select %flag, %c8, %c0 : index
// CHECK-NEXT:      %1 = arith.constant true
// CHECK-NEXT:      %2 = arith.xori %flag, %1 : i1
// CHECK-NEXT:      %c4 = arith.constant 4 : index
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %3 = arith.select %2, %c4, %c0_1 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %4 = arith.maxsi %0, %c1 : index
// CHECK-NEXT:      %5 = arith.maxsi %3, %c1 : index
// CHECK-NEXT:      %6 = arith.addi %4, %5 : index
// CHECK-NEXT:      %step = tile.axis 0 to %6 max 12 ordered
// CHECK-NEXT:      %7 = arith.cmpi slt, %step, %4 : index
// CHECK-NEXT:      %8 = arith.subi %4, %c1 : index
// CHECK-NEXT:      %9 = arith.minsi %step, %8 : index
// CHECK-NEXT:      %10 = tile.span %9 of 0 to %0 by i_place:1 keep
// CHECK-NEXT:      %i = tile.bound begin %10
// CHECK-NEXT:      %c0_2 = arith.constant 0 : index
// CHECK-NEXT:      %11 = arith.cmpi slt, %c0_2, %0 : index
// CHECK-NEXT:      %12 = arith.cmpi sge, %step, %4 : index
// CHECK-NEXT:      %13 = arith.subi %step, %4 : index
// CHECK-NEXT:      %14 = arith.maxsi %13, %c0_2 : index
// CHECK-NEXT:      %15 = tile.span %14 of 0 to %3 by j_place:1 keep
// CHECK-NEXT:      %j = tile.bound begin %15
// CHECK-NEXT:      %16 = arith.cmpi eq, %step, %4 : index
// CHECK-NEXT:      %17 = arith.cmpi slt, %c0_2, %3 : index
// CHECK-NEXT:      %first_step = tile.first %step
// CHECK-NEXT:      %18 = arith.andi %7, %11 : i1
// CHECK-NEXT:      %19 = arith.andi %12, %17 : i1
// CHECK-NEXT:      %last_step = tile.last %step
// CHECK-NEXT:      %sum = tile.scratch : tensor<512xf32>
// CHECK-NEXT:      %x_window = tile.window read %x[%i, :]
// CHECK-NEXT:      %product = tile.scratch : tensor<512xf32>
// CHECK-NEXT:      %x_window_1 = tile.window read %x[%j, :]
// CHECK-NEXT:      %part = tile.scratch : tensor<512xf32>
// CHECK-NEXT:      %out_window = tile.window write %out[%g, :]
// CHECK-NEXT:      scf.if %first_step {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<512xf32>
// CHECK-NEXT:        scf.if %flag {
// CHECK-NEXT:          tile.set %zero, %sum
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %18 {
// CHECK-NEXT:        %acc = tile.get %sum
// CHECK-NEXT:        %row = tile.get %x_window
// CHECK-NEXT:        %next = arith.addf %acc, %row : tensor<512xf32>
// CHECK-NEXT:        tile.set %next, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %16 {
// CHECK-NEXT:        %sum_1 = tile.get %sum
// CHECK-NEXT:        %part_1 = arith.divf %sum_1, %sum_1 : tensor<512xf32>
// CHECK-NEXT:        %one = tile.splat 1.0 : tensor<512xf32>
// CHECK-NEXT:        scf.if %2 {
// CHECK-NEXT:          tile.set %one, %product
// CHECK-NEXT:        }
// CHECK-NEXT:        tile.set %part_1, %part
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %19 {
// CHECK-NEXT:        %acc_1 = tile.get %product
// CHECK-NEXT:        %row_1 = tile.get %x_window_1
// CHECK-NEXT:        %next_1 = arith.mulf %acc_1, %row_1 : tensor<512xf32>
// CHECK-NEXT:        tile.set %next_1, %product
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %last_step {
// CHECK-NEXT:        %product_1 = tile.get %product
// CHECK-NEXT:        %20 = tile.broadcast %flag dims [] : tensor<512xi1>
// CHECK-NEXT:        %part_2 = tile.get %part
// CHECK-NEXT:        %value = tile.select %20, %part_2, %product_1
// CHECK-NEXT:        tile.set %value, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// Conditions in a condition: a loop of the inner one has iterations where both hold, or the outer one alone.
func.func @inner(%x: memref<8x512xf32>, %out: memref<8x512xf32>, %c: i1, %d: i1) {
  tile.grid %g = 0 to 8 {
    scf.if %c {
      scf.if %d {
        tile.for %m = 0 to 512 by m {
          %v = tile.load %x[%g, %m]
          tile.store %v, %out[%g, %m]
        }
      } else {
        %n = tile.splat 0.0 : tensor<512xf32>
        tile.store %n, %out[%g, :]
      }
    }
  }
  return
}
// CHECK-LABEL: func.func @inner(%x: memref<8x512xf32>, %out: memref<8x512xf32>, %c: i1, %d: i1) {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %c512 = arith.constant 512 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %0 = arith.select %d, %c512, %c0 : index
// CHECK-NEXT:      %c0_1 = arith.constant 0 : index
// CHECK-NEXT:      %1 = arith.select %c, %0, %c0_1 : index
// CHECK-NEXT:      %2 = arith.constant true
// CHECK-NEXT:      %3 = arith.xori %d, %2 : i1
// CHECK-NEXT:      %m = tile.axis 0 to %1 by m:128 max 512 ordered keep
// CHECK-NEXT:      %some_m = tile.live %m
// CHECK-NEXT:      %last_m = tile.last %m
// CHECK-NEXT:      %x_window = tile.window read %x[%g, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m] preload
// CHECK-NEXT:      %out_window_1 = tile.window write %out[%g, :] preload
// CHECK-NEXT:      scf.if %some_m {
// CHECK-NEXT:        %v = tile.get %x_window
// CHECK-NEXT:        tile.set %v, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %last_m {
// CHECK-NEXT:        %n = tile.splat 0.0 : tensor<512xf32>
// CHECK-NEXT:        scf.if %c {
// CHECK-NEXT:          scf.if %3 {
// CHECK-NEXT:            tile.set %n, %out_window_1
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Where tiles decide, the number of steps is known before them: the loop makes them all.
func.func @tiles_decide(%x: memref<8x512xf32>, %out: memref<8x512xf32>) {
  %zero = tile.splat 0.0 : f32
  tile.grid %g = 0 to 8 {
    %row = tile.load %x[%g, :]
    %sum = tile.reduce add %row dims [0]
    %positive = tile.compare gt %sum, %zero
    scf.if %positive {
      tile.for %m = 0 to 512 by m {
        %v = tile.load %x[%g, %m]
        tile.store %v, %out[%g, %m]
      }
    }
  }
  return
}
// CHECK-LABEL: func.func @tiles_decide(%x: memref<8x512xf32>, %out: memref<8x512xf32>) {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 ordered
// CHECK-NEXT:      %first_m = tile.first %m
// CHECK-NEXT:      %x_window = tile.window read %x[%g, :]
// CHECK-NEXT:      %positive = tile.scratch : tensor<i1>
// CHECK-NEXT:      %x_window_1 = tile.window read %x[%g, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m] preload
// CHECK-NEXT:      scf.if %first_m {
// CHECK-NEXT:        %row = tile.get %x_window
// CHECK-NEXT:        %sum = tile.reduce add %row dims [0]
// CHECK-NEXT:        %zero = tile.splat 0.0 : f32
// CHECK-NEXT:        %positive_1 = tile.compare gt %sum, %zero
// CHECK-NEXT:        tile.set %positive_1, %positive
// CHECK-NEXT:      }
// CHECK-NEXT:      %positive_2 = tile.get %positive
// CHECK-NEXT:      scf.if %positive_2 {
// CHECK-NEXT:        %v = tile.get %x_window_1
// CHECK-NEXT:        tile.set %v, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// A tile that only the condition keeps inside of its array: where that does not hold, the nearest is fetched.
func.func @kept_inside(%x: memref<512x128xf32>, %y: memref<256x512xf32>, %out: memref<512xf32>) {
  %half = arith.constant 256 : index
  tile.grid %m = 0 to 512 by m {
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %begin = tile.bound begin %m
    %first = arith.cmpi slt, %begin, %half : index
    %value = scf.if %first -> (tensor<?xf32, #tile.spans<m>>) {
      %sum = tile.for %k = 0 to 512 by k iter_args(%acc = %none) {
        %v = tile.load %y[%m, %k]
        %part = tile.reduce add %v dims [1]
        %next = arith.addf %acc, %part : tensor<?xf32, #tile.spans<m>>
        tile.yield %next
      }
      scf.yield %sum : tensor<?xf32, #tile.spans<m>>
    } else {
      scf.yield %none : tensor<?xf32, #tile.spans<m>>
    }
    tile.store %value, %out[%m]
  }
  return
}
// CHECK-LABEL: func.func @kept_inside(%x: memref<512x128xf32>, %y: memref<256x512xf32>, %out: memref<512xf32>) {
// CHECK-NEXT:    %half = arith.constant 256 : index
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 ordered
// CHECK-NEXT:      %begin = tile.bound begin %m
// CHECK-NEXT:      %first = arith.cmpi slt, %begin, %half : index
// CHECK-NEXT:      %c512 = arith.constant 512 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %0 = arith.select %first, %c512, %c0 : index
// CHECK-NEXT:      %k = tile.axis 0 to %0 by k:128 max 512 ordered keep
// CHECK-NEXT:      %first_k = tile.first %k
// CHECK-NEXT:      %some_k = tile.live %k
// CHECK-NEXT:      %last_k = tile.last %k
// CHECK-NEXT:      %sum = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %y_window = tile.window read %y[%m, %k] clipped
// CHECK-NEXT:      %out_window = tile.window write %out[%m] preload
// CHECK-NEXT:      scf.if %first_k {
// CHECK-NEXT:        %none = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %none, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %some_k {
// CHECK-NEXT:        %acc = tile.get %sum
// CHECK-NEXT:        %v = tile.get %y_window
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %next, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %last_k {
// CHECK-NEXT:        %value = tile.get %sum
// CHECK-NEXT:        tile.set %value, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
