// A name gets its size, one that is not given 128, or 8 if it runs through matrices; values change their types
// with their axes.

// RUN: tile-opt %s --choose-blocks="m=64" | filecheck %s

func.func @row_sum(%x: memref<512x256xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  tile.grid %m = 0 to 512 by m {
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %sum = tile.for %k = 0 to 256 by k iter_args(%acc = %zero) {
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %out[%m]
  }
  return %out : memref<512xf32>
}
// CHECK-LABEL: func.func @row_sum(%x: memref<512x256xf32>) -> memref<512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<512xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 512 by m:64 {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<64xf32, #tile.spans<m>>
// CHECK-NEXT:      %sum = tile.for %k = 0 to 256 by k:128 iter_args(%acc = %zero) {
// CHECK-NEXT:        %v = tile.load %x[%m, %k]
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<64xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.yield %next
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %sum, %out[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<512xf32>
// CHECK-NEXT:  }

// A size in the program stays. Two axes of one name share it.
func.func @bound(%x: memref<512x64xf32>, %y: memref<512x64xf32>) -> memref<512x64xf32> {
  tile.grid %n = 0 to 64 by n:32 {
    tile.for %m = 0 to 512 by m {
      %v = tile.load %x[%m, %n]
      tile.store %v, %y[%m, %n]
    }
    tile.for %again = 0 to 512 by m {
      %v = tile.load %y[%again, %n]
      tile.store %v, %y[%again, %n]
    }
  }
  return %y : memref<512x64xf32>
}
// CHECK-LABEL: func.func @bound(%x: memref<512x64xf32>, %y: memref<512x64xf32>) -> memref<512x64xf32> {
// CHECK-NEXT:    tile.grid %n = 0 to 64 by n:32 {
// CHECK-NEXT:      tile.for %m = 0 to 512 by m:64 {
// CHECK-NEXT:        %v = tile.load %x[%m, %n]
// CHECK-NEXT:        tile.store %v, %y[%m, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.for %again = 0 to 512 by m:64 {
// CHECK-NEXT:        %v_1 = tile.load %y[%again, %n]
// CHECK-NEXT:        tile.store %v_1, %y[%again, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y : memref<512x64xf32>
// CHECK-NEXT:  }

// An axis of indices has no size, and a condition around values changes with them.
func.func @condition(%x: memref<8x512xf32>, %c: i1) -> memref<8x512xf32> {
  %out = tile.empty : memref<8x512xf32>
  tile.grid %g = 0 to 8, %m = 0 to 512 by m {
    %v = tile.load %x[%g, %m]
    %w = scf.if %c -> (tensor<?xf32, #tile.spans<m>>) {
      %twice = arith.addf %v, %v : tensor<?xf32, #tile.spans<m>>
      scf.yield %twice : tensor<?xf32, #tile.spans<m>>
    } else {
      scf.yield %v : tensor<?xf32, #tile.spans<m>>
    }
    tile.store %w, %out[%g, %m]
  }
  return %out : memref<8x512xf32>
}
// CHECK-LABEL: func.func @condition(%x: memref<8x512xf32>, %c: i1) -> memref<8x512xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x512xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8, %m = 0 to 512 by m:64 {
// CHECK-NEXT:      %v = tile.load %x[%g, %m]
// CHECK-NEXT:      %w = scf.if %c -> (tensor<64xf32, #tile.spans<m>>) {
// CHECK-NEXT:        %twice = arith.addf %v, %v : tensor<64xf32, #tile.spans<m>>
// CHECK-NEXT:        scf.yield %twice : tensor<64xf32, #tile.spans<m>>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %v : tensor<64xf32, #tile.spans<m>>
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %w, %out[%g, %m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x512xf32>
// CHECK-NEXT:  }

// The lanes of a block are a constant, also of one that had its size.
func.func @sizes(%x: memref<512x1024xf32>) {
  tile.grid %m = 0 to 512 by m, %n = 0 to 512 by n:32 {
    %a = tile.bound size %m
    %b = tile.bound size %n
    %c = tile.bound begin %m
    %d = tile.load %x[%a, %n + %c]
    %e = tile.load %x[%b, %n]
  }
  return
}
// CHECK-LABEL: func.func @sizes(%x: memref<512x1024xf32>) {
// CHECK-NEXT:    tile.grid %m = 0 to 512 by m:64, %n = 0 to 512 by n:32 {
// CHECK-NEXT:      %a = arith.constant 64 : index
// CHECK-NEXT:      %b = arith.constant 32 : index
// CHECK-NEXT:      %c = tile.bound begin %m
// CHECK-NEXT:      %d = tile.load %x[%a, %n + %c]
// CHECK-NEXT:      %e = tile.load %x[%b, %n]

// Eight matrices at once: %a is before the last two dimensions of every window, %c is not in that of %y.
func.func @matrices(%x: memref<64x512x256xf32>, %y: memref<64x256xf32>) -> memref<64x512x256xf32> {
  %out = tile.empty : memref<64x512x256xf32>
  tile.grid %a = 0 to 64 by a, %m = 0 to 512 by m {
    %v = tile.load %x[%a, %m, :]
    tile.store %v, %out[%a, %m, :]
    tile.for %c = 0 to 64 by c {
      %w = tile.load %x[%c, %m, :]
      %u = tile.load %y[%c, :]
    }
  }
  return %out : memref<64x512x256xf32>
}
// CHECK-LABEL: func.func @matrices
// CHECK:           tile.grid %a = 0 to 64 by a:8, %m = 0 to 512 by m:64 {
// CHECK:             tile.for %c = 0 to 64 by c:128 {

// Of several the last one gets 8; the rows of one matrix after another are no batch.
func.func @heads(%q: memref<4x16x512x64xf32>, %rows: memref<512x16x64xf32>) -> memref<4x16x512x64xf32> {
  %out = tile.empty : memref<4x16x512x64xf32>
  tile.grid %h = 0 to 16 by h, %b = 0 to 4 by b, %t = 0 to 512 by t {
    %v = tile.load %q[%b, %h, %t, :]
    tile.store %v, %out[%b, %h, %t, :]
  }
  tile.grid %r = 0 to 512 by r, %i = 0 to 16, %m = 0 to 1 by m {
    %v = tile.load %rows[%r, %i, :]
  }
  return %out : memref<4x16x512x64xf32>
}
// CHECK-LABEL: func.func @heads
// CHECK:           tile.grid %h = 0 to 16 by h:8, %b = 0 to 4 by b:1, %t = 0 to 512 by t:128 {
// CHECK:           tile.grid %r = 0 to 512 by r:128, %i = 0 to 16, %m = 0 to 1 by m:64 {

// An axis along rows that are updated at computed positions gets whole rows, short ones.
func.func @updated(%x: memref<512x400xf32>, %y: memref<512x4000xf32>, %ids: memref<512xi32>, %out: memref<40x400xf32>, %wide: memref<40x4000xf32>) {
  tile.grid %u = 0 to 512 by u, %cols = 0 to 400 by cols, %w = 0 to 4000 by w {
    %id = tile.load %ids[%u]
    %v = tile.load %x[%u, %cols]
    tile.atomic_rmw add %v, %out[%id, %cols]
    %z = tile.load %y[%u, %w]
    tile.atomic_rmw add %z, %wide[%id, %w]
  }
  return
}
// CHECK-LABEL: func.func @updated
// CHECK:           tile.grid %u = 0 to 512 by u:128, %cols = 0 to 400 by cols:512, %w = 0 to 4000 by w:128 {

// An axis that goes through tiles of another one has no more than such a tile.
func.func @divided(%x: memref<512x256xf32>) {
  tile.grid %o = 0 to 512 by o:16, %p = 0 to 512 by p:256, %q = 3 to 512 by q:16 {
    %a = tile.bound begin %o
    %b = tile.bound end %o
    tile.for %i = %a to %b by i {
      %v = tile.load %x[%i, :]
    }
    %c = tile.bound begin %p
    %d = tile.bound end %p
    tile.for %j = %c to %d by j {
      %v = tile.load %x[%j, :]
    }
    %e = tile.bound begin %q
    %f = tile.bound end %q
    tile.for %k = %e to %f by k {
      %v = tile.load %x[%k, :]
    }
  }
  return
}
// CHECK-LABEL: func.func @divided
// CHECK:             tile.for %i = %a to %b by i:16 {
// CHECK:             tile.for %j = %c to %d by j:128 {
// CHECK:             tile.for %k = %e to %f by k:128 {
