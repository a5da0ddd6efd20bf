// A grid and the loops in it become the axes of one pipeline, accesses become windows.

// RUN: tile-opt %s --fold-outer-pipeline | filecheck %s

// The axes of a grid, outermost first; a window for each access.
func.func @parallel(%x: memref<8x512xf32>) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %g = 0 to 8 parallel, %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[%g, %m]
    %w = arith.addf %v, %v : tensor<128xf32, #tile.spans<m>>
    tile.store %w, %out[%g, %m]
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @parallel(%x: memref<8x512xf32>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[%g, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %w, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// What stands before an inner loop runs at its first step, what stands after it at its last.
func.func @ordered(%x: memref<256x512xf32>) -> memref<256xf32> {
  %out = tile.empty : memref<256xf32>
  tile.grid %m = 0 to 256 by m:128 parallel {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
    tile.set %zero, %s
    tile.for %k = 0 to 512 by k:128 ordered {
      %acc = tile.get %s
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.set %next, %s
    }
    %sum = tile.get %s
    tile.store %sum, %out[%m]
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @ordered(%x: memref<256x512xf32>) -> memref<256xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 256 by m:128 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:128 ordered
// CHECK-NEXT:      %first_k = tile.first %k
// CHECK-NEXT:      %last_k = tile.last %k
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %x_window = tile.window read %x[%m, %k]
// CHECK-NEXT:      %out_window = tile.window write %out[%m]
// CHECK-NEXT:      scf.if %first_k {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %zero, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      %acc = tile.get %s
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %part = tile.reduce add %v dims [1]
// CHECK-NEXT:      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %next, %s
// CHECK-NEXT:      scf.if %last_k {
// CHECK-NEXT:        %sum = tile.get %s
// CHECK-NEXT:        tile.set %sum, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xf32>
// CHECK-NEXT:  }

// A loop of one step has no first and last.
func.func @one_step(%x: memref<256x128xf32>) -> memref<256xf32> {
  %out = tile.empty : memref<256xf32>
  tile.grid %m = 0 to 256 by m:128 parallel {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
    tile.set %zero, %s
    tile.for %k = 0 to 128 by k:128 ordered {
      %acc = tile.get %s
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.set %next, %s
    }
    %sum = tile.get %s
    tile.store %sum, %out[%m]
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @one_step(%x: memref<256x128xf32>) -> memref<256xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<256xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 256 by m:128 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 128 by k:128 ordered
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %x_window = tile.window read %x[%m, %k]
// CHECK-NEXT:      %out_window = tile.window write %out[%m]
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %zero, %s
// CHECK-NEXT:      %acc = tile.get %s
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %part = tile.reduce add %v dims [1]
// CHECK-NEXT:      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %next, %s
// CHECK-NEXT:      %sum = tile.get %s
// CHECK-NEXT:      tile.set %sum, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xf32>
// CHECK-NEXT:  }

// Bounds by a segment: tiles are those of the array, two segments may share one, so both axes are ordered.
func.func @segment(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 parallel {
      %v = tile.load %x[%m, :]
      %w = arith.addf %v, %v : tensor<128x128xf32, #tile.spans<m, _>>
      tile.store %w, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @segment(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %out = tile.empty like(%x) : memref<?x128xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, :]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<128x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:      tile.set %w, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }

// Bounds by arithmetic on an integer argument, with a limit. They begin on a tile, so the axis is exact.
// A length may be a number more than what is loaded.
func.func @one_more(%x: memref<8x512xf32>, %lengths: memref<8xi32>) -> memref<8x512xf32> {
  %out = tile.full 0.0 : memref<8x512xf32>
  tile.grid %g = 0 to 8 parallel {
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    %c1 = arith.constant 1 : index
    %after = arith.addi %end, %c1 : index
    tile.for %m = 0 to %after by m:128 max 384 parallel {
      %v = tile.load %x[%g, %m]
      tile.store %v, %out[%g, %m]
    }
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @one_more
// CHECK:         tile.expect elements %lengths max 383

func.func @arithmetic(%x: memref<8x512xf32>, %lengths: memref<8xi32>) -> memref<8x512xf32> {
  %out = tile.full 0.0 : memref<8x512xf32>
  tile.grid %g = 0 to 8 parallel {
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    tile.for %m = 0 to %end by m:128 max 512 mean 12 parallel {
      %v = tile.load %x[%g, %m]
      tile.store %v, %out[%g, %m]
    }
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @arithmetic(%x: memref<8x512xf32>, %lengths: memref<8xi32>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.full 0.0 : memref<8x512xf32>
// CHECK-NEXT:    tile.expect elements %lengths max 512
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %length = tile.load %lengths[%g]
// CHECK-NEXT:      %end = arith.index_cast %length : i32 to index
// CHECK-NEXT:      %m = tile.axis 0 to %end by m:128 max 512 mean 12 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[%g, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m] preload
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// A range that may be empty keeps a step for what stands around it, and is live if it is not.
func.func @keep(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.scratch : tensor<128xf32>
    tile.set %zero, %s
    tile.for %m = %b to %e by m:128 ordered {
      %acc = tile.get %s
      %v = tile.load %x[%m, :]
      %part = tile.reduce add %v dims [0]
      %next = arith.addf %acc, %part : tensor<128xf32>
      tile.set %next, %s
    }
    %sum = tile.get %s
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @keep(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x128xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned keep
// CHECK-NEXT:      %first_m = tile.first %m
// CHECK-NEXT:      %some_m = tile.live %m
// CHECK-NEXT:      %last_m = tile.last %m
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32>
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, :]
// CHECK-NEXT:      scf.if %first_m {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<128xf32>
// CHECK-NEXT:        tile.set %zero, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %some_m {
// CHECK-NEXT:        %acc = tile.get %s
// CHECK-NEXT:        %v = tile.get %x_window
// CHECK-NEXT:        %part = tile.reduce add %v dims [0]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<128xf32>
// CHECK-NEXT:        tile.set %next, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %last_m {
// CHECK-NEXT:        %sum = tile.get %s
// CHECK-NEXT:        tile.set %sum, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128xf32>
// CHECK-NEXT:  }

// A parallel axis inside one with shared tiles moves to the front: the visits to a tile must follow each other.
func.func @hoisted(%x: memref<?x512xf32>, %o: memref<9xi32>) -> memref<?x512xf32> {
  %out = tile.empty like(%x) : memref<?x512xf32>
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 parallel {
      tile.for %n = 0 to 512 by n:128 parallel {
        %v = tile.load %x[%m, %n]
        tile.store %v, %out[%m, %n]
      }
    }
  }
  return %out : memref<?x512xf32>
}
// CHECK-LABEL: func.func @hoisted(%x: memref<?x512xf32>, %o: memref<9xi32>) -> memref<?x512xf32> {
// CHECK-NEXT:    %out = tile.empty like(%x) : memref<?x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %n = tile.axis 0 to 512 by n:128 parallel
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned
// CHECK-NEXT:      %x_window = tile.window read %x[%m, %n]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, %n]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x512xf32>
// CHECK-NEXT:  }

// Two loops in sequence are stretches of one axis; the loop that does not run rests on a tile of its own. What stands between
// them runs at the first step of the second. The axes get a name each.
func.func @sequence(%x: memref<8x256xf32>, %y: memref<8x384xf32>) -> memref<8x384xf32> {
  %out = tile.empty : memref<8x384xf32>
  tile.grid %g = 0 to 1 parallel {
    %zero = tile.splat 0.0 : tensor<8xf32>
    %s = tile.scratch : tensor<8xf32>
    %t = tile.scratch : tensor<8xf32>
    tile.set %zero, %s
    tile.for %n = 0 to 256 by n:128 ordered {
      %acc = tile.get %s
      %v = tile.load %x[:, %n]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<8xf32>
      tile.set %next, %s
    }
    %sum = tile.get %s
    %double = arith.addf %sum, %sum : tensor<8xf32>
    tile.set %double, %t
    tile.for %n = 0 to 384 by n:128 parallel {
      %v = tile.load %y[:, %n]
      %d = tile.get %t
      %wide = tile.broadcast %d dims [0] : tensor<8x128xf32, #tile.spans<_, n>>
      %p = arith.mulf %v, %wide : tensor<8x128xf32, #tile.spans<_, n>>
      tile.store %p, %out[:, %n]
    }
  }
  return %out : memref<8x384xf32>
}
// CHECK-LABEL: func.func @sequence(%x: memref<8x256xf32>, %y: memref<8x384xf32>) -> memref<8x384xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x384xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 1 parallel
// CHECK-NEXT:      %step = tile.axis 0 to 5 ordered
// CHECK-NEXT:      %c2 = arith.constant 2 : index
// CHECK-NEXT:      %0 = arith.cmpi slt, %step, %c2 : index
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %1 = arith.minsi %step, %c1 : index
// CHECK-NEXT:      %n = tile.span %1 of 0 to 256 by n:128
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %2 = arith.cmpi sge, %step, %c2 : index
// CHECK-NEXT:      %3 = arith.subi %step, %c2 : index
// CHECK-NEXT:      %4 = arith.maxsi %3, %c0 : index
// CHECK-NEXT:      %n2 = tile.span %4 of 0 to 384 by n2:128
// CHECK-NEXT:      %5 = arith.cmpi eq, %step, %c2 : index
// CHECK-NEXT:      %first_step = tile.first %step
// CHECK-NEXT:      %s = tile.scratch : tensor<8xf32>
// CHECK-NEXT:      %t = tile.scratch : tensor<8xf32>
// CHECK-NEXT:      %x_window = tile.window read %x[:, %n]
// CHECK-NEXT:      %y_window = tile.window read %y[:, %n2]
// CHECK-NEXT:      %out_window = tile.window write %out[:, %n2]
// CHECK-NEXT:      scf.if %first_step {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<8xf32>
// CHECK-NEXT:        tile.set %zero, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %0 {
// CHECK-NEXT:        %acc = tile.get %s
// CHECK-NEXT:        %v = tile.get %x_window
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<8xf32>
// CHECK-NEXT:        tile.set %next, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %5 {
// CHECK-NEXT:        %sum = tile.get %s
// CHECK-NEXT:        %double = arith.addf %sum, %sum : tensor<8xf32>
// CHECK-NEXT:        tile.set %double, %t
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.if %2 {
// CHECK-NEXT:        %v_1 = tile.get %y_window
// CHECK-NEXT:        %d = tile.get %t
// CHECK-NEXT:        %wide = tile.broadcast %d dims [0] : tensor<8x128xf32, #tile.spans<_, n2>>
// CHECK-NEXT:        %p = arith.mulf %v_1, %wide : tensor<8x128xf32, #tile.spans<_, n2>>
// CHECK-NEXT:        tile.set %p, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x384xf32>
// CHECK-NEXT:  }

// A value that another section needs is made again if that is free (the splat), and goes through scratch if not (the root).
func.func @crossing(%x: memref<256x128xf32>, %y: memref<256x512xf32>) -> memref<256x512xf32> {
  %out = tile.empty : memref<256x512xf32>
  tile.grid %m = 0 to 256 by m:128 parallel {
    %one = tile.splat 1.0 : tensor<128xf32, #tile.spans<m>>
    %u = tile.load %x[%m, :]
    %norm = tile.reduce add %u dims [1]
    %root = math.sqrt %norm : tensor<128xf32, #tile.spans<m>>
    tile.for %n = 0 to 512 by n:128 parallel {
      %v = tile.load %y[%m, %n]
      %scale = arith.divf %one, %root : tensor<128xf32, #tile.spans<m>>
      %wide = tile.broadcast %scale dims [0] : tensor<128x128xf32, #tile.spans<m, n>>
      %p = arith.mulf %v, %wide : tensor<128x128xf32, #tile.spans<m, n>>
      tile.store %p, %out[%m, %n]
    }
  }
  return %out : memref<256x512xf32>
}
// CHECK-LABEL: func.func @crossing(%x: memref<256x128xf32>, %y: memref<256x512xf32>) -> memref<256x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<256x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 256 by m:128 parallel
// CHECK-NEXT:      %n = tile.axis 0 to 512 by n:128 ordered
// CHECK-NEXT:      %first_n = tile.first %n
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:      %y_window = tile.window read %y[%m, %n]
// CHECK-NEXT:      %root = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %out_window = tile.window write %out[%m, %n]
// CHECK-NEXT:      scf.if %first_n {
// CHECK-NEXT:        %u = tile.get %x_window
// CHECK-NEXT:        %norm = tile.reduce add %u dims [1]
// CHECK-NEXT:        %root_1 = math.sqrt %norm : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %root_1, %root
// CHECK-NEXT:      }
// CHECK-NEXT:      %v = tile.get %y_window
// CHECK-NEXT:      %one = tile.splat 1.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %root_2 = tile.get %root
// CHECK-NEXT:      %scale = arith.divf %one, %root_2 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %wide = tile.broadcast %scale dims [0] : tensor<128x128xf32, #tile.spans<m, n>>
// CHECK-NEXT:      %p = arith.mulf %v, %wide : tensor<128x128xf32, #tile.spans<m, n>>
// CHECK-NEXT:      tile.set %p, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256x512xf32>
// CHECK-NEXT:  }

// Under a condition a loop has an empty range where that is false.
func.func @condition(%x: memref<8x512xf32>, %flags: memref<8xi32>) -> memref<8x512xf32> {
  %out = tile.full 0.0 : memref<8x512xf32>
  tile.grid %g = 0 to 8 parallel {
    %flag = tile.load %flags[%g]
    %off = arith.constant 0 : i32
    %on = arith.cmpi ne, %flag, %off : i32
    scf.if %on {
      tile.for %m = 0 to 512 by m:128 parallel {
        %v = tile.load %x[%g, %m]
        tile.store %v, %out[%g, %m]
      }
    }
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @condition(%x: memref<8x512xf32>, %flags: memref<8xi32>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.full 0.0 : memref<8x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %flag = tile.load %flags[%g]
// CHECK-NEXT:      %off = arith.constant 0 : i32
// CHECK-NEXT:      %on = arith.cmpi ne, %flag, %off : i32
// CHECK-NEXT:      %c512 = arith.constant 512 : index
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %0 = arith.select %on, %c512, %c0 : index
// CHECK-NEXT:      %m = tile.axis 0 to %0 by m:128 max 512 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[%g, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m] preload
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// In place, masked, and read through the window that is written: all of it is one window.
func.func @in_place(%x: memref<8x512xf32>, %c: memref<8x512xi32>) -> memref<8x512xf32> {
  tile.grid %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[:, %m]
    %k = tile.load %c[:, %m]
    %none = tile.splat 0 : tensor<8x128xi32, #tile.spans<_, m>>
    %mask = tile.compare ne %k, %none
    %w = arith.addf %v, %v : tensor<8x128xf32, #tile.spans<_, m>>
    tile.store %w, %x[:, %m] mask %mask
  }
  return %x : memref<8x512xf32>
}
// CHECK-LABEL: func.func @in_place(%x: memref<8x512xf32>, %c: memref<8x512xi32>) -> memref<8x512xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %x_window = tile.window write %x[:, %m] preload
// CHECK-NEXT:      %c_window = tile.window read %c[:, %m]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %k = tile.get %c_window
// CHECK-NEXT:      %none = tile.splat 0 : tensor<8x128xi32, #tile.spans<_, m>>
// CHECK-NEXT:      %mask = tile.compare ne %k, %none
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<8x128xf32, #tile.spans<_, m>>
// CHECK-NEXT:      tile.set %w, %x_window mask %mask
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %x : memref<8x512xf32>
// CHECK-NEXT:  }

// What the first grid wrote has contents in the second, which adds to it.
func.func @two_grids(%x: memref<8x512xf32>) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[:, %m]
    tile.store %v, %out[:, %m]
  }
  tile.grid %n = 0 to 512 by n:256 parallel {
    %v = tile.load %out[:, %n]
    %w = arith.addf %v, %v : tensor<8x256xf32, #tile.spans<_, n>>
    tile.store %w, %out[:, %n]
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @two_grids(%x: memref<8x512xf32>) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x512xf32>
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[:, %m]
// CHECK-NEXT:      %out_window = tile.window write %out[:, %m]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %n = tile.axis 0 to 512 by n:256 parallel
// CHECK-NEXT:      %out_window_1 = tile.window write %out[:, %n] preload
// CHECK-NEXT:      %v_1 = tile.get %out_window_1
// CHECK-NEXT:      %w = arith.addf %v_1, %v_1 : tensor<8x256xf32, #tile.spans<_, n>>
// CHECK-NEXT:      tile.set %w, %out_window_1
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// Tiles of tiles: where each outer one is whole, the inner axis has as many steps in each.
func.func @whole(%x: memref<512x128xf32>, %out: memref<512x128xf32>) -> memref<512x128xf32> {
  tile.grid %mo = 0 to 512 by mo:128 parallel {
    %b = tile.bound begin %mo
    %e = tile.bound end %mo
    tile.for %m = %b to %e by m:64 parallel {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<512x128xf32>
}
// CHECK-LABEL: func.func @whole(%x: memref<512x128xf32>, %out: memref<512x128xf32>) -> memref<512x128xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %mo = tile.axis 0 to 512 by mo:128 parallel
// CHECK-NEXT:      %b = tile.bound begin %mo
// CHECK-NEXT:      %e = tile.bound end %mo
// CHECK-NEXT:      %m = tile.axis %b to %e by m:64 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, :] preload
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<512x128xf32>
// CHECK-NEXT:  }

// Inner tiles that do not divide outer ones are those of the array, and two outer ones share one.
func.func @across(%x: memref<500x128xf32>, %out: memref<500x128xf32>) -> memref<500x128xf32> {
  tile.grid %mo = 0 to 500 by mo:96 parallel {
    %b = tile.bound begin %mo
    %e = tile.bound end %mo
    tile.for %m = %b to %e by m:64 parallel {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<500x128xf32>
}
// CHECK-LABEL: func.func @across(%x: memref<500x128xf32>, %out: memref<500x128xf32>) -> memref<500x128xf32> {
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %mo = tile.axis 0 to 500 by mo:96 ordered
// CHECK-NEXT:      %b = tile.bound begin %mo
// CHECK-NEXT:      %e = tile.bound end %mo
// CHECK-NEXT:      %m = tile.axis %b to %e by m:64 ordered aligned
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, :] preload
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      tile.set %v, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<500x128xf32>
// CHECK-NEXT:  }

// A segment says how long an axis is wherever it begins, and loops in sequence promise their steps together.
func.func @lengths(%x: memref<8x512xf32>, %offsets: memref<9xi32>) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %g = 0 to 8 parallel {
    %begin, %end = tile.segment %offsets[%g]
    %n = arith.subi %end, %begin : index
    tile.for %m = 0 to 512 by m:128 parallel {
      %v = tile.load %x[%g, %m]
      tile.store %v, %out[%g, %m]
    }
    tile.for %k = 0 to %n by k:128 max 200 parallel {
      %v = tile.load %x[%g, %k]
      %w = arith.addf %v, %v : tensor<128xf32, #tile.spans<k>>
      tile.store %w, %out[%g, %k]
    }
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @lengths(
// CHECK:         tile.expect segments %offsets max 200
// CHECK-NEXT:    tile.pipeline grid {
// CHECK:           %step = tile.axis 0 to {{%[0-9]+}} max 6 ordered

// A mask may leave lanes beyond the array out: a window is clipped, an index is kept inside.
func.func @beyond(%x: memref<8x500xf32>, %mask: tensor<128xi1, #tile.spans<m>>) -> memref<8x500xf32> {
  %out = tile.empty : memref<8x500xf32>
  tile.grid %g = 0 to 8 parallel, %m = 0 to 500 by m:128 parallel {
    %z = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %v = tile.load %x[%g - 1, %m + 3] mask %mask other %z
    tile.store %v, %out[%g, %m]
  }
  return %out : memref<8x500xf32>
}
// CHECK-LABEL: func.func @beyond(
// CHECK:           %0 = arith.addi %g, %cm1 : index
// CHECK:           %1 = arith.maxsi %0, %c0 : index
// CHECK:           %2 = arith.minsi %1, %c7 : index
// CHECK-NEXT:      %x_window = tile.window read %x[%2, %m + 3] clipped
// CHECK-NEXT:      %out_window = tile.window write %out[%g, %m]

// Under a condition a loop is no longer than where that holds, and what both of its ends have is no matter.
func.func @conditional(%x: memref<500x128xf32>, %starts: memref<8xi32>, %p: i1) -> memref<500x128xf32> {
  %out = tile.empty : memref<500x128xf32>
  tile.grid %g = 0 to 8 parallel, %m = 0 to 50 by m:16 parallel {
    %s = tile.load %starts[%g]
    %begin = arith.index_cast %s : i32 to index
    %to = tile.bound end %m
    %end = arith.addi %begin, %to : index
    scf.if %p {
      tile.for %k = %begin to %end by k:8 max 50 parallel {
        %v = tile.load %x[%k, :]
        tile.store %v, %out[%k, :]
      }
    }
  }
  return %out : memref<500x128xf32>
}
// CHECK-LABEL: func.func @conditional(
// CHECK-NOT:     tile.expect
// CHECK:           %k = tile.axis %begin to %0 by k:8 max 50 ordered aligned

// Tiles that are exact are cut where their sizes say, not where those of the array are.
func.func @exact(%x: memref<500x128xf32>, %offsets: memref<9xi32>) -> memref<500x128xf32> {
  %out = tile.empty : memref<500x128xf32>
  tile.grid %g = 0 to 8 parallel {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m:16 exact parallel {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
    tile.for %k = %begin to %end by k:16 parallel {
      %v = tile.load %x[%k, :]
      tile.store %v, %out[%k, :]
    }
  }
  return %out : memref<500x128xf32>
}
// CHECK-LABEL: func.func @exact(
// CHECK:           %m = tile.span {{%[0-9]+}} of %begin to %end by m:16 keep
// CHECK:           %k = tile.span {{%[0-9]+}} of %begin to %end by k:16 aligned keep

// Rows of two arrays of segments, one after the other: where they end together is stated for the last group.
func.func @sums(%x: memref<64x128xf32>, %a: memref<9xi32>, %c: memref<9xi32>, %out: memref<?x128xf32>) -> memref<?x128xf32> {
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    %from = arith.addi %b, %s : index
    %ends = arith.addi %e, %s : index
    %to = arith.addi %ends, %g : index
    tile.for %m = %from to %to by m:8 parallel {
      %v = tile.load %x[0, :]
      %rows = tile.broadcast %v dims [1] : tensor<8x128xf32, #tile.spans<m, _>>
      tile.store %rows, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @sums
// CHECK:         [[MOST:%[a-z0-9_]+]] = arith.subi %{{.*}}, %c7{{[_0-9]*}} : index
// CHECK-NEXT:    tile.expect_sum %a[-1], %c[-2] max [[MOST]]

// Single elements at all indices of segments: these end inside of the arrays, one of them of any length.
func.func @elements(%x: memref<45xf32>, %y: memref<?xf32>, %o: memref<6xi32>) -> memref<5x128xf32> {
  %out = tile.empty : memref<5x128xf32>
  tile.grid %g = 0 to 5 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %i = %b to %e max 45 ordered {
      %v = tile.load %x[%i + 1]
      %w = tile.load %y[%i]
      %s = arith.addf %v, %w : f32
      %all = tile.broadcast %s dims [] : tensor<128xf32>
      tile.store %all, %out[%g, :]
    }
  }
  return %out : memref<5x128xf32>
}
// CHECK-LABEL: func.func @elements
// CHECK:         %[[ROWS:[0-9a-z_]+]] = memref.dim %y
// CHECK:         tile.expect elements %o max 44
// CHECK-NEXT:    tile.expect_sum %o[-1] max %[[ROWS]]
