// RUN: tile-opt %s --convert-tile-to-pallas --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @program(%x: memref<512xf32>, %out: memref<512xf32>) -> memref<512xf32> {
  tile.grid %m = 0 to 512 by m:128 parallel {
    %v = tile.load %x[%m]
    tile.store %v, %out[%m]
  }
  return %out : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:4:3: error: convert-tile-to-pallas: tile.grid is not scheduled; run --fold-outer-pipeline first

// -----

func.func @not_returned(%x: memref<512xf32>, %out: memref<512xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:18:5: error: convert-tile-to-pallas: the argument %out is written but not returned; an array of JAX does not change, so return it

// -----

func.func @never_written(%x: memref<512xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  return %out : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:29:3: error: convert-tile-to-pallas: result 0 is never written

// -----

func.func @jagged(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.axis %b to %e by m:128 ordered aligned
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:41:5: error: convert-tile-to-pallas: axis m has as many steps as each segment needs, and a grid has fixed extents; run --compact-worklist, --overlaunch-jagged or --stream-jagged-items (grouping=worklist, overlaunch or stream)

// -----

// A single element of a 16-bit array.
func.func @element(%x: memref<8x128xf32>, %scales: memref<8xbf16>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %s = tile.load %scales[%g]
    %xw = tile.window read %x[%g, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    %short = tile.cast %v to bf16
    %wide = tile.broadcast %s dims [] : tensor<128xbf16>
    %w = arith.mulf %short, %wide : tensor<128xbf16>
    tile.set %w, %ow
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:58:5: error: convert-tile-to-pallas: tile.load reads single elements of memref<8xbf16>; i32, i64 and f32 can be read so

// -----

// A window of one element.
func.func @one_element(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %xw = tile.window read %x[%g, 0]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    %wide = tile.broadcast %v dims [] : tensor<128xf32>
    tile.set %wide, %ow
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:80:5: error: convert-tile-to-pallas: a single element of an array in VMEM cannot be read; index it by a tile axis

// -----

// A window of one element whose array has one dimension.
func.func @one_of_one(%x: memref<8xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %xw = tile.window read %x[%g]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    %wide = tile.broadcast %v dims [] : tensor<128xf32>
    tile.set %wide, %ow
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:97:5: error: convert-tile-to-pallas: a single element of an array in VMEM cannot be read; index it by a tile axis

// -----

// A column: its elements do not lie side by side.
func.func @column(%x: memref<512x128xf32>) -> memref<512x128xf32> {
  %out = tile.empty : memref<512x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m, 3]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    %wide = tile.broadcast %v dims [0] : tensor<128x128xf32, #tile.spans<m, _>>
    tile.set %wide, %ow
  }
  return %out : memref<512x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:112:5: error: convert-tile-to-pallas: %x is indexed by a scalar in its last dimension, whose elements lie side by side in a register; index it by `:` or a tile axis

// -----

// Rows from 3 on.
func.func @between_tiles(%x: memref<515x128xf32>) -> memref<515x128xf32> {
  %out = tile.empty : memref<515x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m + 3, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<515x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:129:5: error: convert-tile-to-pallas: dimension 0 of %x is cut at places that are no multiples of 128; that is possible in a leading dimension where the steps are no grid, and --split-unaligned-loops copies all of a dimension whose extent is known

// -----

// A block of 100 rows, and below one of 64 lanes of a run-time extent.
func.func @rows(%x: memref<500x128xf32>) -> memref<500x128xf32> {
  %out = tile.empty : memref<500x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 500 by m:100 parallel
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<500x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:145:5: error: convert-tile-to-pallas: a block of %x is refused on a TPU: dimension 0: a block is all of a dimension or a multiple of 8; got 100 of 500; the nearest legal window: size 96x128; run --split-unaligned-loops

// -----

func.func @lanes(%x: memref<?xbf16>, %n: index) -> memref<?xbf16> {
  %out = tile.empty like(%x) : memref<?xbf16>
  tile.pipeline grid {
    %m = tile.axis 0 to %n by m:64 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?xbf16>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:160:5: error: convert-tile-to-pallas: a block of %x is refused on a TPU: dimension 0: a block is all of a dimension or a multiple of 128; got 64 of ?; the nearest legal window: size 1x128; run --split-unaligned-loops

// -----

// An exact tile that is written although it may have no rows.
func.func @no_rows(%x: memref<?x8x128xf32>, %o: memref<9xi32>) -> memref<?x8x128xf32> {
  %out = tile.empty like(%x) : memref<?x8x128xf32>
  tile.pipeline emit_pipeline {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.span %g of %b to %e by m:16 keep
    %xw = tile.window read %x[%m, :, :]
    %ow = tile.window write %out[%m, :, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:179:5: error: convert-tile-to-pallas: %out is written through a window that may have no rows in a step, and a copy of no rows cannot be made; use grouping=worklist, and a grid of its own for what stands around the loop

// -----

func.func @mixed(%x: memref<128x300xf32>) -> memref<128xf32> {
  %out = tile.empty : memref<128xf32>
  tile.pipeline grid {
    %k = tile.axis 0 to 300 by k:384 ordered
    %xw = tile.window read %x[:, %k]
    %ow = tile.window write %out[:]
    %v = tile.get %xw
    %sum = tile.reduce add %v dims [1]
    tile.set %sum, %ow
  }
  return %out : memref<128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:196:5: error: convert-tile-to-pallas: tile.reduce mixes lanes of axis k, of which some may be dead; run --materialize-masks first

// -----

// A worklist's code makes no values.
func.func @worklist(%x: memref<512xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  %c4 = arith.constant 4 : index
  %count, %ms = tile.worklist capacity %c4 columns 1 {
    %v = tile.splat 0.0 : tensor<8xf32>
    %c0 = arith.constant 0 : index
    tile.append %c0
  }
  tile.pipeline grid {
    %item = tile.axis 0 to %count ordered
    %m = tile.span %item of 0 to 512 by m:128
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:210:5: error: convert-tile-to-pallas: tile.splat cannot be in a worklist; scalars and loops can

// -----

// Program operations in a schedule.
func.func @store(%x: memref<512xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.store %v, %out[%m]
    tile.set %v, %ow
  }
  return %out : memref<512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:236:5: error: convert-tile-to-pallas: tile.store cannot stand in the body of a kernel

// -----

// A scalar that no step can compute decides which block a window has.
func.func @scalar(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %s = tile.scratch : tensor<f32>
    %u = tile.get %s
    %j = arith.fptosi %u : f32 to i32
    %i = arith.index_cast %j : i32 to index
    %xw = tile.window read %x[%i, :]
    %ow = tile.window write %out[%g, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:251:5: error: convert-tile-to-pallas: tile.get is no scalar that a step can compute

// -----

// Elements of 64 bits that are no indices.
func.func @wide(%x: memref<512xi64>) -> memref<512xi64> {
  %out = tile.empty : memref<512xi64>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[%m]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512xi64>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:270:5: error: convert-tile-to-pallas: tile.window uses elements of memref<512xi64>, and a TPU has no 64-bit integers; such an array can hold offsets and indices, otherwise use i32

// -----

// An axis that passes the array's end.
func.func @too_far(%x: memref<500x128xf32>) -> memref<512x128xf32> {
  %out = tile.empty : memref<512x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:286:5: error: convert-tile-to-pallas: an axis runs to 512 in dimension 0 of %x, whose extent is 500

// -----

// A single element that is read under a condition.
func.func @conditional_element(%x: memref<8x128xf32>, %scales: memref<8xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 parallel
    %xw = tile.window read %x[%g, :]
    %ow = tile.window write %out[%g, :]
    %first = tile.first %g
    scf.if %first {
      %s = tile.load %scales[%g]
      %wide = tile.broadcast %s dims [] : tensor<128xf32>
      tile.set %wide, %ow
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:300:3: error: convert-tile-to-pallas: %scales is not in scalar memory

// -----

// An array written through two blocks.
func.func @two_writes(%x: memref<512xf32>, %out: memref<8x512xf32>) -> memref<8x512xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %xw = tile.window read %x[%m]
    %ow = tile.window write %out[0, %m] preload
    %pw = tile.window write %out[1, %m] preload
    %v = tile.get %xw
    tile.set %v, %ow
    tile.set %v, %pw
  }
  return %out : memref<8x512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:323:5: error: convert-tile-to-pallas: %out, which is written, is accessed through another window than at {{.*}}/convert-tile-to-pallas-invalid.mlir:322:5; a kernel writes an array through one block, run --split-unaligned-loops

// -----

// Every step of k leaves the blocks of out and comes back to them.
func.func @comes_back(%x: memref<256x512xf32>) -> memref<256x512xf32> {
  %out = tile.empty : memref<256x512xf32>
  tile.pipeline grid {
    %k = tile.axis 0 to 4 ordered
    %m = tile.axis 0 to 256 by m:128 parallel
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<256x512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:341:5: error: convert-tile-to-pallas: the steps of axis k ({{.*}}/convert-tile-to-pallas-invalid.mlir:338:5) come back to a block of %out that others have left; make k an inner axis, take another grouping, or run --split-unaligned-loops before

// -----

// Columns run inside rows whose tiles are shared, and each column depends on the one before.
func.func @shared_tile(%x: memref<?x512xf32>, %o: memref<9xi32>) -> memref<?x512xf32> {
  %out = tile.empty like(%x) : memref<?x512xf32>
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %m = tile.span %g of %b to %e by m:128 aligned keep
    %n = tile.axis 0 to 512 by n:128 ordered
    %xw = tile.window read %x[%m, %n]
    %ow = tile.window write %out[%m, %n]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x512xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:360:5: error: convert-tile-to-pallas: the steps of axis g ({{.*}}/convert-tile-to-pallas-invalid.mlir:355:5) come back to a block of %out that others have left; make g an inner axis, take another grouping, or run --split-unaligned-loops before

// -----

// Rows of a leading dimension from two above on, where blocks begin at rows of the array.
func.func @leading_from_above(%x: memref<16x8x128xf32>) -> memref<16x8x128xf32> {
  %out = tile.empty : memref<16x8x128xf32>
  tile.pipeline grid {
    %m = tile.axis 0 to 16 by m:8 parallel
    %xw = tile.window read %x[%m - 2, :, :] clipped fetch [24, 8, 128]
    %ow = tile.window write %out[%m, :, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<16x8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:375:5: error: convert-tile-to-pallas: tiles of %x may begin before its dimension 0, which is copied whole: lanes that a mask leaves out, or that come before a range; one of the last two dimensions can be shifted so, any can by 0 or more, and tiles of loop=fori_loop begin with their range there

// -----

// More buffers would take memory and hide nothing.
func.func @buffers(%x: memref<512x128xf32>, %out: memref<512x128xf32>) -> memref<512x128xf32> {
  tile.pipeline fori_loop nested {
    %m = tile.axis 0 to 512 by m:128 ordered
    %xw = tile.window read %x[%m, :] buffers 9
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:390:5: error: convert-tile-to-pallas: %x has 9 buffers; 1 to 8 are accepted here

// -----

// Steps of one loop never come back to tiles.
func.func @kept(%x: memref<512x128xf32>, %out: memref<512x128xf32>) -> memref<512x128xf32> {
  tile.pipeline fori_loop {
    %m = tile.axis 0 to 512 by m:128 ordered
    %xw = tile.window read %x[%m, :] buffers 2 kept 4
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<512x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:405:5: error: convert-tile-to-pallas: %x is kept for windows that come back to its tiles, which only a `nested` pipeline can; run --stream-jagged-items

// -----

// What a loop within a step counts by.
func.func @every_other(%x: memref<512x128xf32>, %out: memref<512x128xf32>) -> memref<512x128xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  tile.pipeline fori_loop {
    %m = tile.axis 0 to 512 by m:128 ordered
    %xw = tile.window read %x[%m, :] buffers 2
    %ow = tile.window write %out[%m, :] buffers 2
    %v = tile.get %xw
    tile.set %v, %ow
    scf.for %i = %c0 to %c8 step %c2 {
    }
  }
  return %out : memref<512x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:427:5: error: convert-tile-to-pallas: scf.for counts by a step that is not known to be 1, which is needed

// -----

// What a loop within a step carries.
func.func @carried_mask(%out: memref<8x128xf32>) -> memref<8x128xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  tile.pipeline grid {
    %m = tile.axis 0 to 8 by m:8 ordered
    %ow = tile.window write %out[%m, :]
    %none = tile.splat 0 : tensor<128xi1>
    %any = scf.for %i = %c0 to %c8 step %c1 iter_args(%before = %none) -> (tensor<128xi1>) {
      scf.yield %before : tensor<128xi1>
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:445:5: error: convert-tile-to-pallas: scf.for carries a tensor<128xi1>, for which the TPU compiler has no layout; numbers are accepted, as i32

// -----

func.func @carried_place(%x: memref<32x128xf32>, %out: memref<32x128xf32>) -> memref<32x128xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.pipeline grid {
    %m = tile.axis 0 to 32 by m:32 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %end = scf.for %i = %c0 to %c4 step %c1 iter_args(%at = %c0) -> (index) {
      %part = tile.span %at of 0 to 32 by part:8 aligned
      %v = tile.get %xw at %part of %m
      tile.set %v, %ow at %part of %m
      %next = arith.addi %at, %c1 : index
      scf.yield %next : index
    }
  }
  return %out : memref<32x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:463:5: error: convert-tile-to-pallas: %at, which a loop carries, is no scalar that a step can compute; the number of the iteration is one

// -----

func.func @masked(%x: memref<32x128xf32>, %out: memref<32x128xf32>) -> memref<32x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 32 by m:8 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    %zero = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<m, _>>
    %some = tile.compare gt %v, %zero
    tile.set %v, %ow mask %some
  }
  return %out : memref<32x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:485:5: error: convert-tile-to-pallas: tile.set has a mask; run --materialize-masks first

// -----

func.func @not_by_rows(%x: memref<32x128xf32>, %ids: memref<32xi32>, %out: memref<32x128xf32>) -> memref<32x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 32 by m:32 ordered
    %iw = tile.window read %ids[%m]
    %ow = tile.window write %out[%m, :]
    %p = tile.get %iw
    %v = tile.gather %x[%p, :]
    tile.set %v, %ow
  }
  return %out : memref<32x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:499:5: error: convert-tile-to-pallas: tile.gather without `rows`; run --expand-gathers first

// -----

func.func @rows_of_no_tile(%x: memref<7x128xbf16>, %ids: memref<32xi32>, %out: memref<32x128xbf16>) -> memref<32x128xbf16> {
  tile.pipeline grid {
    %m = tile.axis 0 to 32 by m:32 ordered
    %iw = tile.window read %ids[%m]
    %ow = tile.window write %out[%m, :]
    %p = tile.get %iw
    %v = tile.gather %x[%p, :] rows
    tile.set %v, %ow
  }
  return %out : memref<32x128xbf16>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:514:5: error: convert-tile-to-pallas: rows cannot be copied one by one: neither rows nor tiles of 8 rows of bf16[7, 128] can be copied

// -----

func.func @rows_that_change(%x: memref<32x128xf32>, %ids: memref<32xi32>) -> memref<32x128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 32 by m:32 ordered
    %iw = tile.window read %ids[%m]
    %ow = tile.window write %x[%m, :]
    %p = tile.get %iw
    %v = tile.gather %x[%p, :] rows
    tile.set %v, %ow
  }
  return %x : memref<32x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:529:5: error: convert-tile-to-pallas: rows cannot be copied one by one: the array is on the chip, or the kernel writes to it

// -----

func.func @list_too_long(%x: memref<65536x128xf32>, %ids: memref<64xi32>, %out: memref<65536x128xf32>) -> memref<65536x128xf32> {
  %c = arith.constant 70000 : index
  %count, %ms, %ns = tile.worklist capacity %c columns 2 {
    %c0 = arith.constant 0 : index
    tile.append %c0, %c0
  }
  tile.pipeline grid {
    %i = tile.axis 0 to %count ordered
    %m = tile.load %ms[%i]
    %at = arith.index_cast %m : i32 to index
    %xw = tile.window read %x[%at, :]
    %ow = tile.window write %out[%at, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<65536x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:540:3: error: convert-tile-to-pallas: the list may have 70000 tiles, and scalar memory has room for 65536; larger tiles and a smaller `max` need less, grouping=overlaunch and stream none

// -----

// One tile of 32 rows may be more than there is.
func.func @rows_of_i8(%x: memref<?x128xi8>) -> memref<64x128xf32> {
  %out = tile.full 0.0 : memref<64x128xf32>
  %zero = arith.constant 0 : index
  %n = memref.dim %x, %zero : memref<?x128xi8>
  tile.pipeline fori_loop {
    %m = tile.axis 0 to %n by m:32 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    %f = tile.cast %v to f32
    tile.set %f, %ow
  }
  return %out : memref<64x128xf32>
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:566:5: error: convert-tile-to-pallas: the last rows of %x cannot be copied: with an extent known only at run time, i8 may lie in tiles of 8 rows or of 32; loop=grid and loop=emit_pipeline can

// -----

// A block that follows tiles has a tile of memory more.
func.func @short_block(%x: memref<1000x128xf32>, %out: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %xw = tile.window read %x[%m + 3, :] fetch [20, 128]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:582:5: error: convert-tile-to-pallas: %x fetches 20 in dimension 0 for tiles that may begin anywhere; 24 or more is accepted

// -----

// A block begins with the first of its tiles.
func.func @behind_its_tile(%x: memref<1000x128xf32>, %out: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %xw = tile.window read %x[%m + 3, :] fetch [32, 128] from 5
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:597:5: error: convert-tile-to-pallas: a block of %x begins as if shifted by 5, behind its tile; a number that is no more than its shift is accepted

// -----

// The block of the tile shifted by 3 has no room for that shifted by 40.
func.func @shared_and_short(%x: memref<1000x128xf32>, %out: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %xw = tile.window read %x[%m + 40, :] fetch [32, 128] from 3
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:612:5: error: convert-tile-to-pallas: %x fetches 32 in dimension 0 for tiles that may begin anywhere; 64 or more is accepted

// -----

// Tiles of the array begin at their multiples.
func.func @from_without(%x: memref<1000x128xf32>, %out: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %xw = tile.window read %x[%m, :] fetch [32, 128] from 3
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:627:5: error: convert-tile-to-pallas: a block of %x begins `from` a shift and follows no tiles; only those of tiles that begin anywhere do

// -----

func.func @runs_as_lanes(%out: memref<512xi32>, %i: index) {
  tile.pipeline grid {
    %t = tile.axis 0 to 512 by t:256 parallel
    %w = tile.window write %out[%t]
    %ids = tile.runs %i, %i by 128 of %t
    tile.set %ids, %w
  }
  return
}
// CHECK: {{.*}}/convert-tile-to-pallas-invalid.mlir:642:5: error: convert-tile-to-pallas: tile.runs in tile.set at {{.*}}; it says which rows a tile.gather copies, and nothing else is accepted
