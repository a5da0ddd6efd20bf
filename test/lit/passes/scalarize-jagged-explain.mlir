// --explain tells which operation keeps parents from being taken one by one; they stay a tile.

// RUN: tile-opt %s --scalarize-jagged --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --scalarize-jagged | filecheck %s --check-prefix=SAME

func.func @notes(%x: memref<8x512xf32>, %h: memref<8xbf16>, %lens: memref<8xi32>, %out: memref<8xf32>) {
  tile.grid %sum = 0 to 8 by sum {
    %l = tile.load %lens[%sum]
    tile.for %k1 = 0 to %l by k1 of sum {
      %v = tile.load %x[%sum, %k1]
      %s = tile.reduce add %v dims [0, 1]
      tile.atomic_rmw add %s, %out[0]
    }
  }
  tile.grid %running = 0 to 8 by running {
    %l = tile.load %lens[%running]
    %s = tile.scan add %l dim 0
    tile.for %k2 = 0 to %s by k2 of running {
      %v = tile.load %x[%running, %k2]
    }
  }
  tile.grid %dot = 0 to 8 by dot {
    %l = tile.load %lens[%dot]
    tile.for %k3 = 0 to %l by k3 of dot {
      %v = tile.load %x[%dot, %k3]
      %p = tile.dot %v, %v contract [0] x [0]
    }
  }
  tile.grid %pairs = 0 to 8 by pairs {
    %l = tile.load %lens[%pairs]
    tile.for %k4 = 0 to %l by k4 of pairs {
      %v = tile.load %x[%pairs, %k4]
      %p = tile.dot %v, %v contract [1] x [1]
    }
  }
  tile.grid %half = 0 to 8 by half {
    %l = tile.load %lens[%half]
    %v = tile.load %h[%half]
    tile.for %k5 = 0 to %l by k5 of half {
      %w = tile.load %x[%half, %k5]
    }
  }
  tile.grid %masked = 0 to 8 by masked {
    %l = tile.load %lens[%masked]
    %eight = tile.splat 8 : tensor<?xi32, #tile.spans<masked>>
    %p = tile.compare lt %l, %eight
    %v = tile.gather %lens[%l] mask %p other %eight
    tile.for %k6 = 0 to %v by k6 of masked {
      %w = tile.load %x[%masked, %k6]
    }
  }
  tile.grid %turned = 0 to 8 by turned {
    %l = tile.load %lens[%turned]
    tile.for %k7 = 0 to %l by k7 of turned {
      %w = tile.load %x[%k7, %turned]
    }
  }
  return
}
// CHECK: {{.*}}/scalarize-jagged-explain.mlir:7:3: note: scalarize-jagged: the lanes of sum stay a tile: tile.reduce at {{.*}}/scalarize-jagged-explain.mlir:11:7 combines lanes of sum
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:15:3: note: scalarize-jagged: the lanes of running stay a tile: tile.scan at {{.*}}/scalarize-jagged-explain.mlir:17:5 combines lanes of running
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:22:3: note: scalarize-jagged: the lanes of dot stay a tile: tile.dot at {{.*}}/scalarize-jagged-explain.mlir:26:7 sums over lanes of dot
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:29:3: note: scalarize-jagged: the lanes of pairs stay a tile: a tensor<?x?xf32, #tile.spans<pairs, pairs>> pairs lanes of pairs with each other
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:36:3: note: scalarize-jagged: the lanes of half stay a tile: tile.load at {{.*}}/scalarize-jagged-explain.mlir:38:5 has single elements of bf16; f32 and i32 are read alone
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:43:3: note: scalarize-jagged: the lanes of masked stay a tile: a mask or `drop` may keep positions of tile.gather at {{.*}}/scalarize-jagged-explain.mlir:47:5 inside the array
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:52:3: note: scalarize-jagged: the lanes of turned stay a tile: lanes of turned are the last dimension of tile.load at {{.*}}/scalarize-jagged-explain.mlir:55:7, whose elements are not copied one by one
// SAME:     tile.grid %sum = 0 to 8 by sum {
// SAME:       tile.for %k1 = 0 to %l by k1 of sum {
// SAME:     tile.grid %masked = 0 to 8 by masked {
