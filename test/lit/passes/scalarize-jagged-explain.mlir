// --explain tells which operation keeps parents from being taken one by one; they stay a tile.

// RUN: tile-opt %s --scalarize-jagged --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --scalarize-jagged | filecheck %s --check-prefix=SAME

func.func @notes(%x: memref<8x512xf32>, %h: memref<8xbf16>, %lens: memref<8xi32>) {
  tile.grid %sum = 0 to 8 by sum {
    %l = tile.load %lens[%sum]
    tile.for %k1 = 0 to %l by k1 of sum {
      %v = tile.load %x[%sum, %k1]
      %s = tile.reduce add %v dims [0, 1]
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

func.func @for_the_tile(%x: memref<8x512xf32>, %w: memref<512xf32>, %lens: memref<8xi32>, %counts: memref<1xi32>,
                        %out: memref<16xf32>, %q: memref<16xf32>) {
  %one = arith.constant 1 : i32
  %none = arith.constant 0 : i32
  tile.grid %count = 0 to 8 by count {
    %l = tile.load %lens[%count]
    %steps = tile.for %k1 = 0 to %l by k1 of count iter_args(%c = %none) {
      %next = arith.addi %c, %one : i32
      tile.yield %next
    }
    tile.for %k2 = 0 to %l by k2 of count iter_args(%c = %steps) {
      tile.yield %c
    }
  }
  tile.grid %longest = 0 to 8 by longest {
    %l = tile.load %lens[%longest]
    tile.for %k3 = 0 to %l by k3 of longest {
      %v = tile.load %w[%k3]
      %s = tile.reduce add %v dims [0]
      %a = tile.broadcast %s dims [] : tensor<?xf32, #tile.spans<longest>>
      tile.atomic_rmw add %a, %out[%longest]
    }
  }
  tile.grid %norm = 0 to 8 by norm {
    %l = tile.load %lens[%norm]
    tile.for %k4 = 0 to %l by k4 of norm {
      %v = tile.load %x[:, %k4]
      %s = tile.dot %v, %v contract [1] x [1]
    }
  }
  tile.grid %calls = 0 to 8 by calls {
    %l = tile.load %lens[%calls]
    tile.for %k6 = 0 to %l by k6 of calls {
      tile.atomic_rmw add %one, %counts[0]
    }
  }
  tile.grid %often = 0 to 8 by often {
    %l = tile.load %lens[%often]
    %s = tile.reduce add %l dims [0]
    tile.for %k7 = 0 to %l by k7 of often {
      tile.atomic_rmw add %s, %counts[0]
    }
  }
  tile.grid %next = 0 to 8 by next:8 {
    %l = tile.load %lens[%next]
    %v = tile.load %q[%next]
    tile.store %v, %out[%next]
    %u = tile.load %out[%next + 1]
    tile.for %k8 = 0 to %l by k8 of next {
      %w8 = tile.load %x[%next, %k8]
    }
  }
  tile.grid %cell = 0 to 1 {
    %last = tile.for %state = 0 to 8 by state iter_args(%c = %none) {
      %l = tile.load %lens[%state]
      tile.for %k9 = 0 to %l by k9 of state {
        %v = tile.load %x[%state, %k9]
      }
      %n = arith.addi %c, %one : i32
      tile.yield %n
    }
    tile.atomic_rmw add %last, %counts[0]
  }
  return
}
// CHECK: {{.*}}/scalarize-jagged-explain.mlir:7:3: note: scalarize-jagged: the lanes of sum stay a tile: tile.reduce at {{.*}}/scalarize-jagged-explain.mlir:11:7 combines lanes of sum
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:14:3: note: scalarize-jagged: the lanes of running stay a tile: tile.scan at {{.*}}/scalarize-jagged-explain.mlir:16:5 combines lanes of running
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:21:3: note: scalarize-jagged: the lanes of dot stay a tile: tile.dot at {{.*}}/scalarize-jagged-explain.mlir:25:7 sums over lanes of dot
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:28:3: note: scalarize-jagged: the lanes of pairs stay a tile: a tensor<?x?xf32, #tile.spans<pairs, pairs>> pairs lanes of pairs with each other
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:35:3: note: scalarize-jagged: the lanes of half stay a tile: tile.load at {{.*}}/scalarize-jagged-explain.mlir:37:5 has single elements of bf16; f32 and i32 are read alone
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:42:3: note: scalarize-jagged: the lanes of masked stay a tile: a mask or `drop` may keep positions of tile.gather at {{.*}}/scalarize-jagged-explain.mlir:46:5 inside the array
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:51:3: note: scalarize-jagged: the lanes of turned stay a tile: lanes of turned are the last dimension of tile.load at {{.*}}/scalarize-jagged-explain.mlir:54:7, whose elements are not copied one by one
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:64:3: note: scalarize-jagged: the lanes of count stay a tile: tile.for at {{.*}}/scalarize-jagged-explain.mlir:66:5 carries %c from step to step for all of its lanes at once
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:74:3: note: scalarize-jagged: the lanes of longest stay a tile: tile.reduce at {{.*}}/scalarize-jagged-explain.mlir:78:7 goes on to the longest of its lanes, where there is no dimension for them
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:83:3: note: scalarize-jagged: the lanes of norm stay a tile: tile.dot at {{.*}}/scalarize-jagged-explain.mlir:87:7 goes on to the longest of its lanes, where there is no dimension for them
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:90:3: note: scalarize-jagged: the lanes of calls stay a tile: tile.atomic_rmw at {{.*}}/scalarize-jagged-explain.mlir:93:7 is done once for each of its tiles
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:96:3: note: scalarize-jagged: the lanes of often stay a tile: tile.atomic_rmw at {{.*}}/scalarize-jagged-explain.mlir:100:7 is done once for each of its tiles
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:103:3: note: scalarize-jagged: the lanes of next stay a tile: the store at {{.*}}/scalarize-jagged-explain.mlir:106:5 and the load at {{.*}}/scalarize-jagged-explain.mlir:107:5 may touch one element in two lanes of next
// CHECK-NEXT: {{.*}}/scalarize-jagged-explain.mlir:113:5: note: scalarize-jagged: the lanes of state stay a tile: tile.for at {{.*}}/scalarize-jagged-explain.mlir:113:5 carries %c from step to step for all of its lanes at once
// SAME:     tile.grid %sum = 0 to 8 by sum {
// SAME:       tile.for %k1 = 0 to %l by k1 of sum {
// SAME:     tile.grid %masked = 0 to 8 by masked {
