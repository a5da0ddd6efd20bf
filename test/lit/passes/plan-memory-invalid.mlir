// RUN: tile-opt %s --plan-memory --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --plan-memory="chip=v1" 2>&1 | filecheck %s --check-prefix=CHIP --match-full-lines
// CHIP: {{.*}}error: plan-memory: there is no chip v1; the chips are v4, v5e, v5p, v6e, tpu7x

// The owners come by size, with all their buffers.
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
// CHECK: {{.*}}/plan-memory-invalid.mlir:7:3: error: plan-memory: 184.00 MiB of windows and scratch do not fit the 128 MiB of v5e; the largest are %ow 96.00 MiB ({{.*}}/plan-memory-invalid.mlir:11:5), %xw 64.00 MiB ({{.*}}/plan-memory-invalid.mlir:9:5), %ww 16.00 MiB ({{.*}}/plan-memory-invalid.mlir:10:5); choose smaller blocks
