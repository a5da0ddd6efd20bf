// RUN: tile-opt %s --split-unaligned-loops --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --split-unaligned-loops="operands=resident" --explain 2>&1 >/dev/null | filecheck %s --match-full-lines --check-prefix=RESIDENT

func.func @notes(%x: memref<64x512xf32>, %y: memref<?x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:8 parallel
    %k = tile.axis 0 to 512 by k:32 ordered
    %xw = tile.window read %x[%m, %k]
    %yw = tile.window read %y[%k, :]
    %a = tile.get %xw
    %b = tile.get %yw
  }
  return
}
// CHECK: {{.*}}/split-unaligned-loops-explain.mlir:8:5: note: split-unaligned-loops: %x is copied in blocks of 8 x 128 for tiles of 8 x 32: dimension 1: {{.*}}; got 32 of 512; the nearest legal window: size 8x128
// CHECK-NOT: {{.+}}

// RESIDENT: {{.*}}/split-unaligned-loops-explain.mlir:8:5: note: split-unaligned-loops: %x is copied in blocks of 8 x 512 for tiles of 8 x 32: dimension 1: {{.*}}
// RESIDENT: {{.*}}/split-unaligned-loops-explain.mlir:9:5: note: split-unaligned-loops: %y cannot be resident: {{.*}}
