// RUN: tile-opt %s --plan-memory --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --plan-memory="chip=v1" 2>&1 | filecheck %s --check-prefix=CHIP --match-full-lines
// CHIP: {{.*}}error: plan-memory: there is no chip v1; the chips are v4, v5e, v5p, v6e, tpu7x

// The owners come by size, with all their buffers, and half the block of the largest would do.
func.func @too_large(%x: memref<65536x4096xf32>, %w: memref<4096x1024xf32>, %out: memref<65536x4096xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 65536 by m:2048 parallel
    %xw = tile.window read %x[%m, :]
    %ww = tile.window read %w[:, :]
    %ow = tile.window write %out[%m, :] preload
    %s = tile.scratch : tensor<2048x1024xf32, #tile.spans<m, _>>
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}/plan-memory-invalid.mlir:7:3: error: plan-memory: 184.00 MiB do not fit the 128 MiB of v5e; the largest are %ow 96.00 MiB ({{.*}}/plan-memory-invalid.mlir:11:5), %xw 64.00 MiB ({{.*}}/plan-memory-invalid.mlir:9:5), %ww 16.00 MiB ({{.*}}/plan-memory-invalid.mlir:10:5); m:1024 in place of m:2048 would fit

// -----
// The columns of a row each take a register of 128 lanes, and all that padding does not fit.
func.func @padding(%x: memref<65536x1xf32>, %out: memref<65536x1xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 65536 by m:65536 parallel
    %n = tile.axis 0 to 4 ordered
    %xw = tile.window read %x[%m, :] buffers 3
    %ow = tile.window write %out[%m, :] buffers 2
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}: error: plan-memory: 160.00 MiB do not fit the 128 MiB of v5e; the largest are %xw 96.00 MiB, 95.25 MiB of it padding ({{.*}}), %ow 64.00 MiB, 63.50 MiB of it padding ({{.*}}); m:32768 in place of m:65536 would fit

// -----
// No axis indexes the array, so that all of it must fit.
func.func @whole(%x: memref<16384x4096xf32>, %out: memref<16xf32>) {
  tile.pipeline grid {
    %i = tile.axis 0 to 16 ordered
    %xw = tile.window read %x[:, :]
    %ow = tile.window write %out[:]
    %v = tile.get %ow
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}: error: plan-memory: 256.00 MiB do not fit the 128 MiB of v5e; the largest are %xw 256.00 MiB ({{.*}}), %ow 512 B, 448 B of it padding ({{.*}}); none of them depends on a block size; index a dimension by a tile axis in place of `:`

// -----
// Half of a block, and half of that, is still too much beside what does not depend on it.
func.func @neither(%x: memref<16384x4096xf32>, %y: memref<4096x512xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 4096 by m:512 parallel
    %n = tile.axis 0 to 512 by n:128 parallel
    %xw = tile.window read %x[:, :]
    %yw = tile.window write %y[%m, %n]
    %v = tile.get %yw
    tile.set %v, %yw
  }
  return
}
// CHECK: {{.*}}: error: plan-memory: 256.50 MiB do not fit the 128 MiB of v5e; the largest are %xw 256.00 MiB ({{.*}}), %yw 512.0 KiB ({{.*}}); no smaller block of m or n alone would fit; choose smaller blocks
