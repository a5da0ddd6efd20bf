// RUN: tile-opt %s --choose-blocks="m=64 n=0" --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --choose-blocks="m=big" 2>&1 | filecheck %s --check-prefix=SPELLED --match-full-lines
// RUN: not tile-opt %s --choose-blocks="k=99999999999999999999 j=1" --split-input-file 2>&1 | filecheck %s --check-prefix=LARGE
// LARGE: {{.*}}/choose-blocks-invalid.mlir:9:3: error: choose-blocks: axis k cannot have blocks of 99999999999999999999; 1 to 2147483647 is accepted
// SPELLED: tile-opt: error: choose-blocks: axis 'm' needs one integer block size, as in m=128

// A name that no axis has.
func.func @no_such_axis(%x: memref<8x512xf32>) {
  tile.grid %k = 0 to 512 by k, %g = 0 to 8, %j = 0 to 512 by j {
  }
  return
}
// CHECK: {{.*}}/choose-blocks-invalid.mlir:1:1: error: choose-blocks: no axis is named m; the axes are j, k

// -----

func.func @no_axis() {
  return
}
// CHECK: {{.*}}/choose-blocks-invalid.mlir:1:1: error: choose-blocks: no axis is named m; the axes are none

// -----

// A size below 1.
func.func @too_small(%x: memref<512x512xf32>) {
  tile.grid %m = 0 to 512 by m {
    tile.for %n = 0 to 512 by n {
    }
  }
  return
}
// CHECK: {{.*}}/choose-blocks-invalid.mlir:27:5: error: choose-blocks: axis n cannot have blocks of 0; 1 to 2147483647 is accepted

// -----

// A name that has another size.
func.func @bound(%x: memref<512xf32>) {
  tile.grid %m = 0 to 512 by m:32 {
  }
  return
}
// CHECK: {{.*}}/choose-blocks-invalid.mlir:38:3: error: choose-blocks: axis m cannot have blocks of 64; 32, to which it is bound is accepted
