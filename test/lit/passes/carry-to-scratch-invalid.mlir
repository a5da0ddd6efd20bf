// RUN: tile-opt %s --carry-to-scratch --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @index(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %one = arith.constant 1 : index
    %last = tile.for %i = 0 to 4 iter_args(%at = %one) {
      %v = tile.load %x[%at, %n]
      tile.store %v, %out[%i, %n]
      %next = arith.addi %at, %one : index
      tile.yield %next
    }
  }
  return
}
// CHECK: {{.*}}/carry-to-scratch-invalid.mlir:6:5: error: carry-to-scratch: the loop carries an index; only tiles and 32-bit scalars can be carried
