// --explain tells why items stay one by one; such a grid stays as it is.

// RUN: tile-opt %s --one-hot-segments=items=all --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --one-hot-segments=items=all | filecheck %s --check-prefix=SAME --match-full-lines

func.func @notes(%x: memref<?x256xf32>, %y: memref<?x4x64xf32>, %w: memref<8x256xf32>, %offsets: memref<9xi32>,
                 %long: memref<9xi64>, %begins: memref<8xi32>, %ends: memref<8xi32>, %ids: memref<?xi32>, %some: memref<?xi32>,
                 %out: memref<8x256xf32>, %heads: memref<8x4x64xf32>, %rows: memref<?x256xf32>) {
  %zero = tile.splat 0.0 : tensor<256xf32>
  tile.grid %most = 0 to 8 {
    %b, %e = tile.segment %offsets[%most]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce max %v dims [0]
      %n = arith.maximumf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%most, :]
  }
  tile.grid %largest = 0 to 8 {
    %b, %e = tile.segment %offsets[%largest]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce max %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%largest, :]
  }
  tile.grid %weighted = 0 to 8 {
    %b, %e = tile.segment %offsets[%weighted]
    %f = tile.load %w[%weighted, :]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %g = tile.broadcast %f dims [1] : tensor<?x256xf32, #tile.spans<m, _>>
      %p = arith.mulf %v, %g : tensor<?x256xf32, #tile.spans<m, _>>
      %t = tile.reduce add %p dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%weighted, :]
  }
  tile.grid %decayed = 0 to 8 {
    %b, %e = tile.segment %offsets[%decayed]
    %half = tile.splat 0.5 : tensor<256xf32>
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %u = arith.mulf %a, %half : tensor<256xf32>
      %n = arith.addf %u, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%decayed, :]
  }
  tile.grid %twice = 0 to 8 {
    %b, %e = tile.segment %offsets[%twice]
    %s, %r = tile.for %m = %b to %e by m iter_args(%a = %zero, %c = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      %q = tile.reduce add %v dims [0]
      %o = arith.addf %c, %q : tensor<256xf32>
      %unused = arith.mulf %n, %o : tensor<256xf32>
      tile.yield %n, %o
    }
    tile.store %s, %out[%twice, :]
  }
  tile.grid %copied = 0 to 8 {
    %b, %e = tile.segment %offsets[%copied]
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %rows[%m, :]
    }
  }
  tile.grid %running = 0 to 8 {
    %b, %e = tile.segment %offsets[%running]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %u = tile.scan add %v dim 0
      %t = tile.reduce add %u dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%running, :]
  }
  tile.grid %centred = 0 to 8 {
    %b, %e = tile.segment %offsets[%centred]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %u = tile.reduce add %v dims [0]
      %g = tile.broadcast %u dims [1] : tensor<?x256xf32, #tile.spans<m, _>>
      %p = arith.subf %v, %g : tensor<?x256xf32, #tile.spans<m, _>>
      %t = tile.reduce add %p dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%centred, :]
  }
  tile.grid %cut = 0 to 8 {
    %b, %e = tile.segment %offsets[%cut]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %i = tile.bound begin %m
      %u = tile.load %x[%i, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%cut, :]
  }
  tile.grid %single = 0 to 8 {
    %b, %e = tile.segment %offsets[%single]
    %s = tile.for %m = %b to %e iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %n = arith.addf %a, %v : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%single, :]
  }
  tile.grid %wide = 0 to 8 {
    %b, %e = tile.segment %long[%wide]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%wide, :]
  }
  tile.grid %deep = 0 to 8 {
    %b, %e = tile.segment %offsets[%deep]
    %none = tile.splat 0.0 : tensor<4x64xf32>
    %s = tile.for %m = %b to %e by m iter_args(%a = %none) {
      %v = tile.load %y[%m, :, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<4x64xf32>
      tile.yield %n
    }
    tile.store %s, %heads[%deep, :, :]
  }
  tile.grid %between = 0 to 8 {
    %b, %e = tile.segment %begins[%between] to %ends[%between]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %i = tile.load %ids[%m]
      %v = tile.gather %x[%i, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%between, :]
  }
  tile.grid %masked = 0 to 8 {
    %b, %e = tile.segment %offsets[%masked]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    %p = tile.compare gt %s, %zero
    tile.store %s, %out[%masked, :] mask %p
  }
  tile.grid %added = 0 to 8 {
    %b, %e = tile.segment %offsets[%added]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.atomic_rmw add %s, %out[0, :]
  }
  tile.grid %any = 0 to 8 {
    %b, %e = tile.segment %some[%any]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%any, :]
  }
  tile.grid %columns = 0 to 8 {
    %b, %e = tile.segment %offsets[%columns]
    %w0 = tile.load %begins[%columns]
    %w1 = arith.index_cast %w0 : i32 to index
    tile.for %c = 0 to %w1 by c {
      %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<c>>
      %s = tile.for %m = %b to %e by m iter_args(%a = %none) {
        %v = tile.load %x[%m, %c]
        %t = tile.reduce add %v dims [0]
        %n = arith.addf %a, %t : tensor<?xf32, #tile.spans<c>>
        tile.yield %n
      }
      tile.store %s, %out[%columns, %c]
    }
  }
  tile.grid %halves = 0 to 4 {
    %two = arith.constant 2 : index
    %g = arith.muli %halves, %two : index
    %b, %e = tile.segment %offsets[%halves]
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %t = tile.reduce add %v dims [0]
      %n = arith.addf %a, %t : tensor<256xf32>
      tile.yield %n
    }
    tile.store %s, %out[%g, :]
  }
  return
}
// CHECK: {{.*}}/one-hot-segments-explain.mlir:10:3: note: one-hot-segments: most stays: %a of tile.for at {{.*}}/one-hot-segments-explain.mlir:12:5 is no sum of floats over rows
// CHECK: {{.*}}/one-hot-segments-explain.mlir:20:3: note: one-hot-segments: largest stays: tile.reduce max at {{.*}}/one-hot-segments-explain.mlir:24:7 of tensor<?x256xf32, #tile.spans<m, _>>; only sums of floats are products
// CHECK: {{.*}}/one-hot-segments-explain.mlir:30:3: note: one-hot-segments: weighted stays: the rows that tile.reduce at {{.*}}/one-hot-segments-explain.mlir:37:7 adds depend on the item
// CHECK: {{.*}}/one-hot-segments-explain.mlir:43:3: note: one-hot-segments: decayed stays: %a of tile.for at {{.*}}/one-hot-segments-explain.mlir:46:5 is no sum of floats over rows
// CHECK: {{.*}}/one-hot-segments-explain.mlir:55:3: note: one-hot-segments: twice stays: arith.mulf at {{.*}}/one-hot-segments-explain.mlir:63:7 uses a sum before it is complete
// CHECK: {{.*}}/one-hot-segments-explain.mlir:68:3: note: one-hot-segments: copied stays: tile.store at {{.*}}/one-hot-segments-explain.mlir:72:7 writes rows of one item
// CHECK: {{.*}}/one-hot-segments-explain.mlir:75:3: note: one-hot-segments: running stays: tile.scan at {{.*}}/one-hot-segments-explain.mlir:79:7 combines rows of one item, other than to add them up
// CHECK: {{.*}}/one-hot-segments-explain.mlir:86:3: note: one-hot-segments: centred stays: tile.reduce at {{.*}}/one-hot-segments-explain.mlir:90:7 combines rows of one item, other than to add them up
// CHECK: {{.*}}/one-hot-segments-explain.mlir:99:3: note: one-hot-segments: cut stays: tile.bound at {{.*}}/one-hot-segments-explain.mlir:103:7 asks for a tile of rows, and tiles will hold those of several items
// CHECK: {{.*}}/one-hot-segments-explain.mlir:111:3: note: one-hot-segments: single stays: the axis at {{.*}}/one-hot-segments-explain.mlir:113:5 goes through rows one by one; use a tile axis
// CHECK: {{.*}}/one-hot-segments-explain.mlir:120:3: note: one-hot-segments: wide stays: segments of memref<9xi64> are compared with rows, which are i32
// CHECK: {{.*}}/one-hot-segments-explain.mlir:130:3: note: one-hot-segments: deep stays: tile.reduce at {{.*}}/one-hot-segments-explain.mlir:135:7 leaves rows of rank 2 or more; 0 and 1 are accepted
// CHECK: {{.*}}/one-hot-segments-explain.mlir:141:3: note: one-hot-segments: between stays: tile.gather at {{.*}}/one-hot-segments-explain.mlir:145:7 would read rows between the segments, of which nothing is known there
// CHECK: {{.*}}/one-hot-segments-explain.mlir:152:3: note: one-hot-segments: masked stays: tile.store at {{.*}}/one-hot-segments-explain.mlir:161:5 has a mask
// CHECK: {{.*}}/one-hot-segments-explain.mlir:163:3: note: one-hot-segments: added stays: tile.atomic_rmw at {{.*}}/one-hot-segments-explain.mlir:171:5 is not done for several items at once
// CHECK: {{.*}}/one-hot-segments-explain.mlir:173:3: note: one-hot-segments: any stays: %some has an extent known only at run time, and tiles of it that begin between tiles of memory cannot be copied; begins and ends in two arrays can
// CHECK: {{.*}}/one-hot-segments-explain.mlir:183:3: note: one-hot-segments: columns stays: tile.for at {{.*}}/one-hot-segments-explain.mlir:187:5 has another range for every item, and does not only add rows
// CHECK: {{.*}}/one-hot-segments-explain.mlir:198:3: note: one-hot-segments: halves stays: tile.store at {{.*}}/one-hot-segments-explain.mlir:208:5 is at a place that is computed from the item
// SAME:   tile.grid %most = 0 to 8 {
// SAME:   tile.grid %largest = 0 to 8 {
// SAME:   tile.grid %weighted = 0 to 8 {
// SAME:   tile.grid %decayed = 0 to 8 {
// SAME:   tile.grid %twice = 0 to 8 {
// SAME:   tile.grid %copied = 0 to 8 {
// SAME:   tile.grid %running = 0 to 8 {
// SAME:   tile.grid %centred = 0 to 8 {
// SAME:   tile.grid %cut = 0 to 8 {
// SAME:   tile.grid %single = 0 to 8 {
// SAME:   tile.grid %wide = 0 to 8 {
// SAME:   tile.grid %deep = 0 to 8 {
// SAME:   tile.grid %between = 0 to 8 {
// SAME:   tile.grid %masked = 0 to 8 {
// SAME:   tile.grid %added = 0 to 8 {
// SAME:   tile.grid %any = 0 to 8 {
// SAME:   tile.grid %columns = 0 to 8 {
// SAME:   tile.grid %halves = 0 to 4 {
