// RUN: tile-opt %s --choose-blocks="g=8 m=64" --explain 2>&1 | filecheck %s --match-full-lines

// An axis of indices, which may have been a tile of parents: its size is passed over.
func.func @parents(%x: memref<8x512xf32>) {
  tile.grid %g = 0 to 8, %m = 0 to 512 by m {
  }
  return
}
// CHECK: {{.*}}/choose-blocks-explain.mlir:5:3: note: choose-blocks: axis g goes index by index: blocks of 8 are passed over
// CHECK:     tile.grid %g = 0 to 8, %m = 0 to 512 by m:64 {
