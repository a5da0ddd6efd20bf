// RUN: not tile-opt %s --double-buffer="chip=v1" 2>&1 | filecheck %s --match-full-lines --check-prefix=CHIP
// RUN: not tile-opt %s --double-buffer="depth=9" 2>&1 | filecheck %s --match-full-lines --check-prefix=DEPTH
// RUN: not tile-opt %s --double-buffer="fetch=0" 2>&1 | filecheck %s --match-full-lines --check-prefix=FETCH
// RUN: tile-opt %s --double-buffer="depth=3 fetch=4" --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

// DEPTH: {{.*}}: error: double-buffer: depth=9; 1 to 8 is accepted
// CHIP: {{.*}}: error: double-buffer: there is no chip v1; the chips are v4, v5e, v5p, v6e, tpu7x
// FETCH: {{.*}}: error: double-buffer: fetch=0; 1 to 65536 is accepted

func.func @notes(%x: memref<512x200xf32>, %y: memref<256x128xf32>, %z: memref<512x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:128 parallel
    %k = tile.axis 0 to 256 by k:128 ordered
    %xw = tile.window read %x[%m, :]
    %yw = tile.window read %y[%k, :]
    %a = tile.get %xw
    %b = tile.get %yw
  }
  return
}
// CHECK: {{.*}}/double-buffer-invalid.mlir:14:5: note: double-buffer: one tile at a time; the innermost axis does not index the window
// CHECK: {{.*}}/double-buffer-invalid.mlir:15:5: note: double-buffer: one tile at a time; the axis has fewer than 4
// CHECK: {{.*}}/double-buffer-invalid.mlir:14:5: note: double-buffer: 2 buffers in place of 3; this window takes no more
