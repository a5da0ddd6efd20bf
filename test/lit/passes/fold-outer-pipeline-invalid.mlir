// RUN: tile-opt %s --fold-outer-pipeline --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --fold-outer-pipeline="loop=while" 2>&1 | filecheck %s --check-prefix=LOOP --match-full-lines
// LOOP: {{.*}}error: fold-outer-pipeline: loop=while; grid or emit_pipeline is accepted

func.func @carried(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 parallel {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
    %sum = tile.for %i = 0 to 8 ordered iter_args(%acc = %zero) {
      %v = tile.load %x[%i, %n]
      %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<n>>
      tile.yield %next
    }
    tile.store %sum, %out[%n]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:8:5: error: fold-outer-pipeline: the loop carries values; run --carry-to-scratch first

// -----

func.func @grid_in_grid(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 parallel {
    tile.grid %n = 0 to 128 by n:128 parallel {
      %v = tile.load %x[%g, %n]
      tile.store %v, %out[%g, %n]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:23:5: error: fold-outer-pipeline: a tile.grid inside a tile.grid; use tile.for

// -----

func.func @no_order(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.store %v, %out[%g, :]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:35:3: error: fold-outer-pipeline: an axis is neither parallel nor ordered; run --classify-axes first

// -----

// A condition around a loop, with an else.
func.func @else(%x: memref<8x512xf32>, %out: memref<8x512xf32>, %c: i1) {
  tile.grid %g = 0 to 8 parallel {
    scf.if %c {
      tile.for %m = 0 to 512 by m:128 parallel {
        %v = tile.load %x[%g, %m]
        tile.store %v, %out[%g, %m]
      }
    } else {
      scf.yield
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:48:5: error: fold-outer-pipeline: a condition around a loop has an else or results; give each branch a condition of its own, and let the loop store what it computes

// -----

// Two conditions around a loop.
func.func @two_conditions(%x: memref<8x512xf32>, %out: memref<8x512xf32>, %c: i1, %d: i1) {
  tile.grid %g = 0 to 8 parallel {
    scf.if %c {
      scf.if %d {
        tile.for %m = 0 to 512 by m:128 parallel {
          %v = tile.load %x[%g, %m]
          tile.store %v, %out[%g, %m]
        }
      }
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:68:9: error: fold-outer-pipeline: a loop under a condition is no axis; move the condition inside the loop

// -----

// An array written through two windows.
func.func @two_writes(%x: memref<512xf32>, %out: memref<8x512xf32>) {
  tile.grid %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[%m]
    tile.store %v, %out[0, %m]
    tile.store %v, %out[1, %m]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:85:5: error: fold-outer-pipeline: %out is written through another window than at {{.*}}/fold-outer-pipeline-invalid.mlir:86:5; one kernel writes an array through one window, and reads it through no other

// -----

// An array read through another window than it is written.
func.func @read_elsewhere(%x: memref<8x512xf32>) {
  tile.grid %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[0, %m]
    tile.store %v, %x[1, %m]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:97:5: error: fold-outer-pipeline: %x is read through another window than at {{.*}}/fold-outer-pipeline-invalid.mlir:98:5; one kernel writes an array through one window, and reads it through no other

// -----

// An index that a tile decides.
func.func @index_from_tile(%x: memref<512xi32>, %y: memref<512x128xf32>, %out: memref<4x128xf32>) {
  tile.grid %g = 0 to 4 parallel {
    %v = tile.load %x[:]
    %top = tile.reduce max %v dims [0]
    %i = arith.index_cast %top : i32 to index
    %w = tile.load %y[%i, :]
    tile.store %w, %out[%g, :]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:112:5: error: fold-outer-pipeline: tile.load is indexed by a value computed from tiles; an index of a window must follow from axes, segments and scalars

// -----

// Every step of k leaves the tiles of out and comes back to them.
func.func @comes_back(%x: memref<256x512xf32>, %out: memref<256x512xf32>) {
  tile.grid %g = 0 to 1 parallel {
    tile.for %k = 0 to 4 ordered {
      tile.for %m = 0 to 256 by m:128 parallel {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%m, :]
      }
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:127:9: error: fold-outer-pipeline: the steps of axis k ({{.*}}/fold-outer-pipeline-invalid.mlir:124:5) come back to a block of %out that others have left; make k an inner axis

// -----

// Columns run inside rows whose tiles are shared, and each column depends on the one before: they cannot move out.
func.func @shared_tile(%x: memref<?x512xf32>, %o: memref<9xi32>, %out: memref<?x512xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 parallel {
      tile.for %n = 0 to 512 by n:128 ordered {
        %v = tile.load %x[%m, %n]
        tile.store %v, %out[%m, %n]
      }
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:144:9: error: fold-outer-pipeline: the steps of axis g ({{.*}}/fold-outer-pipeline-invalid.mlir:139:3) come back to a block of %out that others have left; make g an inner axis

// -----

// A promise about a bound that only the kernel computes.
func.func @promise(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x512xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    %two = arith.constant 2 : index
    %twice = arith.muli %end, %two : index
    tile.for %m = 0 to %twice by m:128 max 512 parallel {
      %v = tile.load %x[%g, %m]
      tile.store %v, %out[%g, %m]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:161:5: error: fold-outer-pipeline: axis m promises max 512, which cannot be checked before the kernel runs; it can for a segment, or from 0 to an element of an array
