// RUN: tile-opt %s --mask-jagged --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @no_limit(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p {
      %v = tile.load %x[%p, %k]
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:6:5: error: mask-jagged: axis k of p has an extent for each lane of p, which --scalarize-jagged left a tile (--explain says why); a tile makes all steps that a lane may have, and nothing says how many: give the axis `max N` (max_extent=N in torch)

// -----

func.func @beyond(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p max 512 {
      %v = tile.load %x[%p, %k + 1]
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:20:7: error: mask-jagged: tile.load goes along k, whose `max` is 512, in a dimension of 512; a known one that all of `max` is inside is accepted

// -----

func.func @unknown(%x: memref<?x64xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p max 512 {
      %v = tile.load %x[%k, %p]
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:33:7: error: mask-jagged: tile.load goes along k, whose `max` is 512, in a dimension of an extent that is not known; a known one that all of `max` is inside is accepted

// -----

func.func @begin(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p max 512 {
      %b = tile.bound begin %k
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:46:7: error: mask-jagged: tile.bound asks where a tile of k begins, and there may be none

// -----

func.func @pairs(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p max 512 {
      %v = tile.load %x[%p, %k]
      %d = tile.dot %v, %v contract [1] x [1]
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:60:7: error: mask-jagged: a tensor<?x?xf32, #tile.spans<p, p>> pairs lanes of p with each other

// -----

func.func @back(%x: memref<64x1024xf32>, %lens: memref<64xi32>, %y: memref<64x1024xf32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p max 512 {
      %v = tile.load %x[%p, %k]
      %s = tile.associative_scan %v dim 1 reverse {
      ^bb0(%a: f32, %b: f32):
        %c = arith.mulf %a, %b : f32
        tile.yield %c
      }
      tile.store %s, %y[%p, %k]
    }
  }
  return
}
// CHECK: {{.*}}/mask-jagged-invalid.mlir:74:7: error: mask-jagged: tile.associative_scan goes along k through lanes that may be dead; along k, from its first lane on, is accepted
