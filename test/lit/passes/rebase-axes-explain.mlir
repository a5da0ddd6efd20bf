// --explain tells why an axis begins where it did; nothing is said of one whose length is a literal.

// RUN: tile-opt %s --rebase-axes --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%x: memref<512xf32>, %y: memref<512xf32>, %starts: memref<8xi32>) {
  tile.grid %g = 0 to 8 {
    %s0 = tile.load %starts[%g]
    %s = arith.index_cast %s0 : i32 to index
    tile.for %static = 0 to 8 by static {
      %v = tile.load %x[%static + %s]
    }
    tile.for %same = 0 to %s by same {
      %v = tile.load %x[%same + 1]
    }
    tile.for %two = 0 to %s by two {
      %v = tile.load %x[%two + %s]
      %w = tile.load %y[%two]
    }
    tile.for %changes = 0 to %s by changes {
      tile.for %j = 0 to 2 {
        %v = tile.load %x[%changes + %j]
      }
    }
  }
  return
}
// CHECK: {{.*}}/rebase-axes-explain.mlir:15:5: note: rebase-axes: what is accessed through two does not all begin at one place
// CHECK-NEXT: {{.*}}/rebase-axes-explain.mlir:19:5: note: rebase-axes: where what is accessed through changes begins changes in the loop
