// RUN: tile-opt %s --fold-outer-pipeline --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --fold-outer-pipeline="loop=while" 2>&1 | filecheck %s --check-prefix=LOOP --match-full-lines
// LOOP: {{.*}}error: fold-outer-pipeline: loop=while; grid, emit_pipeline, fori_loop are accepted

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
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:51:5: error: fold-outer-pipeline: tile.load is indexed by a value computed from tiles; an index of a window must follow from axes, segments and scalars

// -----

// A promise about a bound that only the kernel computes.
func.func @promise(%x: memref<8x512xf32>, %lengths: memref<8xi32>, %out: memref<8x512xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %length = tile.load %lengths[%g]
    %end = arith.index_cast %length : i32 to index
    %two = arith.constant 2 : index
    %twice = arith.muli %end, %two : index
    tile.for %m = 0 to %twice by m:128 max 500 parallel {
      %v = tile.load %x[%g, %m]
      tile.store %v, %out[%g, %m]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:67:5: error: fold-outer-pipeline: axis m promises max 500, which cannot be checked before the kernel runs; it can for a segment, or from 0 to an element of an array, or a number more

// -----

// An atomic that is still there.
func.func @atomic(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[%g, :]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:82:5: error: fold-outer-pipeline: tile.atomic_rmw has no window of its own; run --insert-atomic-scratch first

// -----

// An access at computed positions.
func.func @gather(%x: memref<8x128xf32>, %ids: memref<8xi32>, %out: memref<8x128xf32>) {
  tile.grid %m = 0 to 8 by m:8 parallel {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i, :]
    tile.store %v, %out[%m, :]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:94:5: error: fold-outer-pipeline: tile.gather has no window of its own; run --expand-gathers first

// -----

// A promise that is less than what the axis may have.
func.func @too_little(%x: memref<150x128xf32>) {
  tile.grid %m = 0 to 150 by m:64 parallel {
    %end = tile.bound end %m
    tile.for %k = 0 to %end by k:64 max 100 ordered {
      %v = tile.load %x[%k, :]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:107:5: error: fold-outer-pipeline: axis k promises max 100, which cannot be checked before the kernel runs; it can for a segment, or from 0 to an element of an array, or a number more; a limit of 150 holds in any case

// -----

// A bound that only a step can know.
func.func @from_tiles(%x: memref<64x128xi32>, %out: memref<64x128xi32>) {
  tile.grid %m = 0 to 64 by m:8 parallel {
    %v = tile.load %x[%m, :]
    %most = tile.reduce max %v dims [0, 1]
    %end = arith.index_cast %most : i32 to index
    tile.for %k = 0 to %end ordered {
      %w = tile.load %x[%m, :]
      tile.store %w, %out[%m, :]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:123:5: error: fold-outer-pipeline: axis k has a bound that is computed from tiles; bounds must follow from axes, segments and scalars

// -----

// A store whose mask leaves out what lies beyond the array.
func.func @store_beyond(%out: memref<500xf32>, %v: tensor<128xf32, #tile.spans<m>>, %mask: tensor<128xi1, #tile.spans<m>>) {
  tile.grid %m = 0 to 500 by m:128 parallel {
    tile.store %v, %out[%m + 3] mask %mask
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:137:5: error: fold-outer-pipeline: where its condition or mask is false, tile.store may name a position outside of dimension 0 of %out, and its window would touch that; select a position inside, or keep the axis within the array

// -----

// The same where only the kernel knows where the axis ends. %x is longer than %out, so reading it says nothing.
func.func @store_beyond_computed(%x: memref<256x128xf32>, %counts: memref<4xi32>, %out: memref<100x128xf32>, %mask: tensor<32x128xi1, #tile.spans<m, _>>) {
  tile.grid %g = 0 to 4 parallel {
    %count = tile.load %counts[%g]
    %end = arith.index_cast %count : i32 to index
    tile.for %m = 0 to %end by m:32 max 256 ordered {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :] mask %mask
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:152:7: error: fold-outer-pipeline: where its condition or mask is false, tile.store may name a position outside of dimension 0 of %out, and its window would touch that; select a position inside, or keep the axis within the array

// -----

func.func @beyond(%w: memref<2x256xf32>, %out: memref<5x256xf32>) {
  tile.grid %g = 0 to 5 parallel, %m = 0 to 256 by m:256 parallel {
    %v = tile.load %w[%g, %m]
    tile.store %v, %out[%g, %m]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:163:5: error: fold-outer-pipeline: axis g runs 3 beyond dimension 0 of %w; a mask or a condition on the access may leave those indices out

// -----

func.func @before(%w: memref<5x256xf32>, %out: memref<5x256xf32>) {
  tile.grid %g = 0 to 5 parallel, %m = 0 to 256 by m:256 parallel {
    %v = tile.load %w[%g, %m]
    tile.store %v, %out[%g - 2, %m]
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:175:5: error: fold-outer-pipeline: axis g begins 2 before dimension 0 of %out; a mask or a condition on the access may leave those indices out

// -----

// Rows before a segment, which may be the first of the array.
func.func @before_a_segment(%x: memref<64x128xf32>, %offsets: memref<9xi32>, %out: memref<64x128xf32>) {
  %two = arith.constant 2 : index
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %offsets[%g]
    %from = arith.subi %b, %two : index
    tile.for %m = %from to %e by m:8 ordered {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return
}
// CHECK: {{.*}}/fold-outer-pipeline-invalid.mlir:191:7: error: fold-outer-pipeline: what is written may begin before dimension 0 of %out: it begins some elements before an index that may be 0; begin at the largest of that and 0
