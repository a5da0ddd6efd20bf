// Every operation of the program level reads back what it prints, in its own and in the generic form.

// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

func.func @allocations(%x: memref<?x8xf32>, %n: index) -> (memref<4xf32>, memref<?x4xi32>, memref<?x2xf32>) {
  %a = tile.empty : memref<4xf32>
  %b = tile.empty like(%x) : memref<?x8xbf16>
  %c = tile.empty (%n) : memref<?xi1>
  %d = tile.full 0.0 : memref<4xf32>
  %e = tile.full -1 like(%x) : memref<?x4xi32>
  %f = tile.full -inf (%n) : memref<?x2xf32>
  return %d, %e, %f : memref<4xf32>, memref<?x4xi32>, memref<?x2xf32>
}
// CHECK-LABEL: func.func @allocations(%x: memref<?x8xf32>, %n: index) -> (memref<4xf32>, memref<?x4xi32>, memref<?x2xf32>) {
// CHECK-NEXT:    %a = tile.empty : memref<4xf32>
// CHECK-NEXT:    %b = tile.empty like(%x) : memref<?x8xbf16>
// CHECK-NEXT:    %c = tile.empty (%n) : memref<?xi1>
// CHECK-NEXT:    %d = tile.full 0.0 : memref<4xf32>
// CHECK-NEXT:    %e = tile.full -1 like(%x) : memref<?x4xi32>
// CHECK-NEXT:    %f = tile.full -inf (%n) : memref<?x2xf32>
// CHECK-NEXT:    func.return %d, %e, %f : memref<4xf32>, memref<?x4xi32>, memref<?x2xf32>

func.func @grids(%n: index) {
  tile.grid %g = 0 to 8 {
  }
  tile.grid %m = 2 to 100 by m, %g = 0 to %n max 64 mean 0, %k = %n to %n by k:128 max 512 {
  }
  tile.grid %m = 0 to 100 by m parallel, %k = 0 to 8 parallel {
  }
  return
}
// CHECK-LABEL: func.func @grids(%n: index) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.grid %m = 2 to 100 by m, %g_1 = 0 to %n max 64 mean 0, %k = %n to %n by k:128 max 512 {
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.grid %m_1 = 0 to 100 by m parallel, %k_1 = 0 to 8 parallel {
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @loops(%x: f32, %y: i32) -> (f32, i32) {
  tile.for %m = 0 to 100 by m {
  }
  %a, %b = tile.for %k = 0 to 100 by k:32 ordered iter_args(%p = %x, %q = %y) {
    tile.yield %p, %q
  }
  return %a, %b : f32, i32
}
// CHECK-LABEL: func.func @loops(%x: f32, %y: i32) -> (f32, i32) {
// CHECK-NEXT:    tile.for %m = 0 to 100 by m {
// CHECK-NEXT:    }
// CHECK-NEXT:    %a, %b = tile.for %k = 0 to 100 by k:32 ordered iter_args(%p = %x, %q = %y) {
// CHECK-NEXT:      tile.yield %p, %q
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %a, %b : f32, i32

func.func @segments(%o: memref<9xi32>, %b: memref<8xi64>, %e: memref<8xi64>) {
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %o[%g]
    %first, %last = tile.segment %b[%g] to %e[%g]
    %from, %until = tile.segment %o[%g to %last]
    %since, %till = tile.segment %b[%g to %last] to %e[%g to %last]
    tile.for %m = %begin to %last by m mean 12 {
    }
  }
  return
}
// CHECK-LABEL: func.func @segments(%o: memref<9xi32>, %b: memref<8xi64>, %e: memref<8xi64>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %begin, %end = tile.segment %o[%g]
// CHECK-NEXT:      %first, %last = tile.segment %b[%g] to %e[%g]
// CHECK-NEXT:      %from, %until = tile.segment %o[%g to %last]
// CHECK-NEXT:      %since, %till = tile.segment %b[%g to %last] to %e[%g to %last]
// CHECK-NEXT:      tile.for %m = %begin to %last by m mean 12 {
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @accesses(%x: memref<?x4x8xf32>, %y: memref<?xbf16>, %p: i1, %z: f32) {
  tile.grid %m = 0 to 64 by m, %g = 0 to 4 {
    %a = tile.load %x[%m, %g, :]
    %b = tile.load %x[%m + 1, 3, :]
    %c = tile.load %x[%m - 2, %g + 1, 0]
    %d = tile.load %x[%m + %g, %g - 1, 7]
    %e = tile.load %x[%g, %g, 7]
    %f = tile.load %x[0, 0, 0] mask %p other %z
    tile.store %c, %y[%m]
    tile.store %e, %y[%g] mask %p
  }
  return
}
// CHECK-LABEL: func.func @accesses(%x: memref<?x4x8xf32>, %y: memref<?xbf16>, %p: i1, %z: f32) {
// CHECK-NEXT:    tile.grid %m = 0 to 64 by m, %g = 0 to 4 {
// CHECK-NEXT:      %a = tile.load %x[%m, %g, :]
// CHECK-NEXT:      %b = tile.load %x[%m + 1, 3, :]
// CHECK-NEXT:      %c = tile.load %x[%m - 2, %g + 1, 0]
// CHECK-NEXT:      %d = tile.load %x[%m + %g, %g - 1, 7]
// CHECK-NEXT:      %e = tile.load %x[%g, %g, 7]
// CHECK-NEXT:      %f = tile.load %x[0, 0, 0] mask %p other %z
// CHECK-NEXT:      tile.store %c, %y[%m]
// CHECK-NEXT:      tile.store %e, %y[%g] mask %p
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @placements(%x: memref<?x8xf32>, %y: memref<64xf32>, %p: i1, %z: f32) {
  tile.grid %m = 0 to 64 by m {
    %a = tile.load %x[%m, :] resident
    %b = tile.load %x[0, 0] stream mask %p other %z
    tile.store %b, %y[0] resident
    tile.store %b, %y[1] stream mask %p
  }
  return
}
// CHECK-LABEL: func.func @placements(%x: memref<?x8xf32>, %y: memref<64xf32>, %p: i1, %z: f32) {
// CHECK-NEXT:    tile.grid %m = 0 to 64 by m {
// CHECK-NEXT:      %a = tile.load %x[%m, :] resident
// CHECK-NEXT:      %b = tile.load %x[0, 0] stream mask %p other %z
// CHECK-NEXT:      tile.store %b, %y[0] resident
// CHECK-NEXT:      tile.store %b, %y[1] stream mask %p
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @lanes() {
  tile.grid %m = 0 to 64 by m {
    %a = tile.splat 0.5 : tensor<?x8xf32, #tile.spans<m, _>>
    %b = tile.splat 1.0e+30 : f32
    %c = tile.splat -inf : tensor<8xbf16>
    %d = tile.splat -7 : tensor<?xi32, #tile.spans<m>>
    %e = tile.indices %m
    %p = tile.compare ne %d, %e
    %f = tile.select %p, %d, %e
    %g = tile.cast %f to bf16
    %h = tile.cast %b to i32
  }
  return
}
// CHECK-LABEL: func.func @lanes() {
// CHECK-NEXT:    tile.grid %m = 0 to 64 by m {
// CHECK-NEXT:      %a = tile.splat 0.5 : tensor<?x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %b = tile.splat 1.0e+30 : f32
// CHECK-NEXT:      %c = tile.splat -inf : tensor<8xbf16>
// CHECK-NEXT:      %d = tile.splat -7 : tensor<?xi32, #tile.spans<m>>
// CHECK-NEXT:      %e = tile.indices %m
// CHECK-NEXT:      %p = tile.compare ne %d, %e
// CHECK-NEXT:      %f = tile.select %p, %d, %e
// CHECK-NEXT:      %g = tile.cast %f to bf16
// CHECK-NEXT:      %h = tile.cast %b to i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @mixing(%q: tensor<8x64xbf16>, %k: tensor<16x64xbf16>, %v: tensor<16x32xf32>, %i: tensor<4x8xi32>) {
  %a = tile.dot %q, %k contract [1] x [1]
  %b = tile.dot %a, %v
  %c = tile.dot %a, %v, %b precision highest
  %d = tile.reduce max %c dims [1]
  %e = tile.reduce add %c dims [0, 1]
  %f = tile.reduce xor %i dims [0]
  %g = tile.scan mul %i dim 1
  %h = tile.scan add %i dim 0 reverse
  return
}
// CHECK-LABEL: func.func @mixing(%q: tensor<8x64xbf16>, %k: tensor<16x64xbf16>, %v: tensor<16x32xf32>, %i: tensor<4x8xi32>) {
// CHECK-NEXT:    %a = tile.dot %q, %k contract [1] x [1]
// CHECK-NEXT:    %b = tile.dot %a, %v
// CHECK-NEXT:    %c = tile.dot %a, %v, %b precision highest
// CHECK-NEXT:    %d = tile.reduce max %c dims [1]
// CHECK-NEXT:    %e = tile.reduce add %c dims [0, 1]
// CHECK-NEXT:    %f = tile.reduce xor %i dims [0]
// CHECK-NEXT:    %g = tile.scan mul %i dim 1
// CHECK-NEXT:    %h = tile.scan add %i dim 0 reverse
// CHECK-NEXT:    func.return

func.func @associative(%a: tensor<8x64xf32>, %i: tensor<8x64xi32>) {
  %s, %l = tile.associative_scan %a, %i dim 1 reverse {
  ^bb0(%s0: f32, %l0: i32, %s1: f32, %l1: i32):
    %same = arith.cmpi eq, %l0, %l1 : i32
    %sum = arith.addf %s0, %s1 : f32
    %s2 = tile.select %same, %sum, %s1
    tile.yield %s2, %l1
  }
  return
}
// CHECK-LABEL: func.func @associative(%a: tensor<8x64xf32>, %i: tensor<8x64xi32>) {
// CHECK-NEXT:    %s, %l = tile.associative_scan %a, %i dim 1 reverse {
// CHECK-NEXT:    ^bb0(%s0: f32, %l0: i32, %s1: f32, %l1: i32):
// CHECK-NEXT:      %same = arith.cmpi eq, %l0, %l1 : i32
// CHECK-NEXT:      %sum = arith.addf %s0, %s1 : f32
// CHECK-NEXT:      %s2 = tile.select %same, %sum, %s1
// CHECK-NEXT:      tile.yield %s2, %l1
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @batches(%q: tensor<4x8x64xbf16>, %k: tensor<4x16x64xbf16>, %v: tensor<4x16x32xf32>, %w: tensor<4x16x8xf32>) {
  %a = tile.dot %q, %k contract [2] x [2]
  %b = tile.dot %a, %v contract [2] x [1]
  %c = tile.dot %v, %w contract [1] x [1] precision highest
  %d = tile.dot %a, %v, %b contract [2] x [1]
  %e = tile.reduce add %c dims [1]
  return
}
// CHECK-LABEL: func.func @batches(%q: tensor<4x8x64xbf16>, %k: tensor<4x16x64xbf16>, %v: tensor<4x16x32xf32>, %w: tensor<4x16x8xf32>) {
// CHECK-NEXT:    %a = tile.dot %q, %k contract [2] x [2]
// CHECK-NEXT:    %b = tile.dot %a, %v contract [2] x [1]
// CHECK-NEXT:    %c = tile.dot %v, %w contract [1] x [1] precision highest
// CHECK-NEXT:    %d = tile.dot %a, %v, %b contract [2] x [1]
// CHECK-NEXT:    %e = tile.reduce add %c dims [1]
// CHECK-NEXT:    func.return

func.func @shapes(%r: tensor<8xf32>, %s: f32, %o: tensor<1x8xf32>) {
  tile.grid %m = 0 to 64 by m {
    %a = tile.broadcast %r dims [1] : tensor<?x8xf32, #tile.spans<m, _>>
    %b = tile.broadcast %s dims [] : tensor<4xf32>
    %w = tile.broadcast %o dims [0, 1] : tensor<?x8xf32, #tile.spans<m, _>>
    %c = tile.transpose %a [1, 0]
    %d = tile.reshape %a : tensor<?x2x4xf32, #tile.spans<m, _, _>>
    %e = tile.concatenate %a, %a dim 1
    %f = tile.slice %e dim 1 from 4 size 8
    %g = tile.strided_slice %e from 1 step 3
    %h = tile.interleave %g, %g
  }
  return
}
// CHECK-LABEL: func.func @shapes(%r: tensor<8xf32>, %s: f32, %o: tensor<1x8xf32>) {
// CHECK-NEXT:    tile.grid %m = 0 to 64 by m {
// CHECK-NEXT:      %a = tile.broadcast %r dims [1] : tensor<?x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %b = tile.broadcast %s dims [] : tensor<4xf32>
// CHECK-NEXT:      %w = tile.broadcast %o dims [0, 1] : tensor<?x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %c = tile.transpose %a [1, 0]
// CHECK-NEXT:      %d = tile.reshape %a : tensor<?x2x4xf32, #tile.spans<m, _, _>>
// CHECK-NEXT:      %e = tile.concatenate %a, %a dim 1
// CHECK-NEXT:      %f = tile.slice %e dim 1 from 4 size 8
// CHECK-NEXT:      %g = tile.strided_slice %e from 1 step 3
// CHECK-NEXT:      %h = tile.interleave %g, %g
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

func.func @bounds() {
  tile.grid %m = 0 to 100 by m {
    %b = tile.bound begin %m
    %e = tile.bound end %m
    %s = tile.bound size %m
  }
  return
}
// CHECK-LABEL: func.func @bounds() {
// CHECK-NEXT:    tile.grid %m = 0 to 100 by m {
// CHECK-NEXT:      %b = tile.bound begin %m
// CHECK-NEXT:      %e = tile.bound end %m
// CHECK-NEXT:      %s = tile.bound size %m
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
