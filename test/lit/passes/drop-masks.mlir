// Masks and conditions that hold in every live lane go.

// RUN: tile-opt %s --drop-masks | filecheck %s

// By the least end of an axis, and by that of the axis whose tiles another one ends with.
func.func @dropped(%x: memref<64xf32>, %n: index) -> (memref<64xf32>, memref<64xf32>) {
  %out = tile.full 0.0 : memref<64xf32>
  %sums = tile.full 0.0 : memref<64xf32>
  %c64 = arith.constant 64 : index
  %most = arith.minsi %c64, %n : index
  %zero = arith.constant 0.0 : f32
  tile.grid %g = 0 to 1 {
    tile.for %m = 0 to %most by m max 64 {
      %begin = tile.bound begin %m
      %end = tile.bound end %m
      %below = arith.index_cast %begin : index to i32
      %n0 = arith.index_cast %n : index to i32
      %some = tile.compare lt %below, %n0
      scf.if %some {
        %i = tile.indices %m
        %ns = tile.broadcast %n0 dims [] : tensor<?xi32, #tile.spans<m>>
        %all = tile.splat 63 : tensor<?xi32, #tile.spans<m>>
        %live = tile.compare gt %ns, %i
        %inside = tile.compare le %i, %all
        %both = arith.andi %live, %inside : tensor<?xi1, #tile.spans<m>>
        %v = tile.load %x[%m] mask %both other %zero
        %negated = arith.negf %v : tensor<?xf32, #tile.spans<m>>
        %w = tile.select %live, %v, %negated
        tile.store %w, %out[%m] mask %live
        tile.for %j = 0 to %end by j max 64 {
          %k = tile.indices %j
          %kns = tile.broadcast %n0 dims [] : tensor<?xi32, #tile.spans<j>>
          %klive = tile.compare lt %k, %kns
          tile.atomic_rmw add %w, %sums[%m] mask %live
          %u = tile.load %x[%j] mask %klive other %zero
          tile.store %u, %out[%j] mask %klive
        }
      }
    }
  }
  return %out, %sums : memref<64xf32>, memref<64xf32>
}
// CHECK-LABEL: func.func @dropped
// CHECK:         tile.for %m
// CHECK-NOT:       scf.if
// CHECK:           [[V:%[a-z0-9_]+]] = tile.load %x[%m]{{$}}
// CHECK-NEXT:      tile.store [[V]], %out[%m]{{$}}
// CHECK:           tile.for %j
// CHECK:             tile.atomic_rmw add [[V]], %sums[%m] mask
// CHECK-NEXT:        [[U:%[a-z0-9_]+]] = tile.load %x[%j]{{$}}
// CHECK-NEXT:        tile.store [[U]], %out[%j]{{$}}

// Not what may hold in some lanes, or what is not known to.
func.func @left(%x: memref<64xf32>, %n: index, %flags: memref<64xi1>) -> memref<64xf32> {
  %out = tile.full 0.0 : memref<64xf32>
  %zero = arith.constant 0.0 : f32
  tile.grid %m = 0 to 64 by m {
    %i = tile.indices %m
    %n0 = arith.index_cast %n : index to i32
    %ns = tile.broadcast %n0 dims [] : tensor<?xi32, #tile.spans<m>>
    %less = tile.splat 63 : tensor<?xi32, #tile.spans<m>>
    %live = tile.compare lt %i, %ns
    %inside = tile.compare lt %i, %less
    %same = tile.compare eq %i, %less
    %flag = tile.load %flags[%m]
    %v = tile.load %x[%m] mask %live other %zero
    %u = tile.load %x[%m] mask %inside other %zero
    %w = tile.load %x[%m] mask %flag other %zero
    %t = tile.load %x[%m] mask %same other %zero
    %s = arith.addf %v, %u : tensor<?xf32, #tile.spans<m>>
    %r = arith.addf %w, %t : tensor<?xf32, #tile.spans<m>>
    %q = arith.addf %s, %r : tensor<?xf32, #tile.spans<m>>
    tile.store %q, %out[%m]
  }
  return %out : memref<64xf32>
}
// CHECK-LABEL: func.func @left
// CHECK:         tile.load %x[%m] mask %live
// CHECK-NEXT:    tile.load %x[%m] mask %inside
// CHECK-NEXT:    tile.load %x[%m] mask %flag
// CHECK-NEXT:    tile.load %x[%m] mask %same
