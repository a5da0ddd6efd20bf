// --explain says why tiles stay of rank 1.

// RUN: tile-opt %s --choose-blocks="m=4096 few=512" --fold-lanes --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --fold-lanes --explain 2>&1 >/dev/null | filecheck %s --check-prefix EARLY

func.func @f(%x: memref<16384xf32>, %odd: memref<4100xf32>, %ids: memref<4096xi32>, %n: index)
    -> (memref<16384xf32>, memref<4096xf32>) {
  %out = tile.empty : memref<16384xf32>
  %other = tile.empty : memref<4096xf32>
  tile.grid %few = 0 to 4096 by few {
    %v = tile.load %x[%few]
    tile.store %v, %out[%few]
  }
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %odd[%m]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %i = tile.load %ids[%m]
    %v = tile.gather %x[%i]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to %n by m {
    %v = tile.load %x[%m + 1]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %x[%m + 1]
    tile.store %v, %other[%m]
  }
  tile.grid %m = 0 to 4096 by m {
    %v = tile.load %x[%m]
    tile.store %v, %other[%m]
    %w = tile.load %other[:]
    %s = tile.reduce add %w dims [0]
    tile.for %k = 0 to 1 {
      tile.store %s, %out[%k]
    }
  }
  return %out, %other : memref<16384xf32>, memref<4096xf32>
}
// CHECK: {{.*}}/fold-lanes-explain.mlir:10:3: note: fold-lanes: tiles of axis few stay of rank 1: a block of 512 has no 8 rows of 128
// CHECK-NEXT: {{.*}}/fold-lanes-explain.mlir:14:3: note: fold-lanes: tiles of axis m stay of rank 1: its 4096 lanes, or those of an array, are no whole rows of 128
// CHECK-NEXT: {{.*}}/fold-lanes-explain.mlir:18:3: note: fold-lanes: tiles of axis m stay of rank 1: tile.gather takes lanes of it
// CHECK-NEXT: {{.*}}/fold-lanes-explain.mlir:23:3: note: fold-lanes: tiles of axis m stay of rank 1: it does not run from 0 to a number that the program says
// CHECK-NEXT: {{.*}}/fold-lanes-explain.mlir:27:3: note: fold-lanes: tiles of axis m stay of rank 1: tile.load takes it with a shift, or as one of several dimensions or positions
// CHECK-NEXT: {{.*}}/fold-lanes-explain.mlir:31:3: note: fold-lanes: tiles of axis m stay of rank 1: an array is also accessed otherwise
// CHECK-NOT: {{.}}
// EARLY: axis few stay of rank 1: its blocks have no size yet; --choose-blocks gives them one
