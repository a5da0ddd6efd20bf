// What a loop carries moves to scratch: set before the loop, read at the top of its body and set at the end.

// RUN: tile-opt %s --carry-to-scratch | filecheck %s

func.func @one(%x: memref<128x512xf32>) -> memref<128xf32> {
  %out = tile.empty : memref<128xf32>
  tile.grid %m = 0 to 128 by m:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %sum = tile.for %k = 0 to 512 by k:128 iter_args(%acc = %zero) {
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %out[%m]
  }
  return %out : memref<128xf32>
}
// CHECK-LABEL: func.func @one(%x: memref<128x512xf32>) -> memref<128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<128xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 128 by m:128 {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %sum = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %zero, %sum
// CHECK-NEXT:      tile.for %k = 0 to 512 by k:128 {
// CHECK-NEXT:        %acc = tile.get %sum
// CHECK-NEXT:        %v = tile.load %x[%m, %k]
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %next, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      %sum_1 = tile.get %sum
// CHECK-NEXT:      tile.store %sum_1, %out[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128xf32>
// CHECK-NEXT:  }

// Two values that change places; only the first is wanted after the loop. The order and the limit of the axis stay.
func.func @swap(%x: memref<128x128xf32>, %n: index) -> memref<128x128xf32> {
  %out = tile.empty : memref<128x128xf32>
  tile.grid %m = 0 to 128 by m:128 parallel {
    %v = tile.load %x[%m, :]
    %w = arith.addf %v, %v : tensor<128x128xf32, #tile.spans<m, _>>
    %p, %q = tile.for %i = 0 to %n max 8 ordered iter_args(%a = %v, %b = %w) {
      tile.yield %b, %a
    }
    tile.store %p, %out[%m, :]
  }
  return %out : memref<128x128xf32>
}
// CHECK-LABEL: func.func @swap(%x: memref<128x128xf32>, %n: index) -> memref<128x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<128x128xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 128 by m:128 parallel {
// CHECK-NEXT:      %v = tile.load %x[%m, :]
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<128x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %p = tile.scratch : tensor<128x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:      %q = tile.scratch : tensor<128x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:      tile.set %v, %p
// CHECK-NEXT:      tile.set %w, %q
// CHECK-NEXT:      tile.for %i = 0 to %n max 8 ordered {
// CHECK-NEXT:        %a = tile.get %p
// CHECK-NEXT:        %b = tile.get %q
// CHECK-NEXT:        tile.set %b, %p
// CHECK-NEXT:        tile.set %a, %q
// CHECK-NEXT:      }
// CHECK-NEXT:      %p_1 = tile.get %p
// CHECK-NEXT:      tile.store %p_1, %out[%m, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128x128xf32>
// CHECK-NEXT:  }

// A scalar, and a loop in a loop that carries the same value on: one scratch serves both.
func.func @nested(%x: memref<8x8xf32>) -> memref<8xf32> {
  %out = tile.empty : memref<8xf32>
  tile.grid %g = 0 to 8 {
    %zero = arith.constant 0.0 : f32
    %total = tile.for %i = 0 to 2 iter_args(%s = %zero) {
      %row = tile.for %j = 0 to 8 iter_args(%t = %s) {
        %v = tile.load %x[%g, %j]
        %u = arith.addf %t, %v : f32
        tile.yield %u
      }
      tile.yield %row
    }
    tile.store %total, %out[%g]
  }
  return %out : memref<8xf32>
}
// CHECK-LABEL: func.func @nested(%x: memref<8x8xf32>) -> memref<8xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %total = tile.scratch : tensor<f32>
// CHECK-NEXT:      tile.set %zero, %total
// CHECK-NEXT:      tile.for %i = 0 to 2 {
// CHECK-NEXT:        tile.for %j = 0 to 8 {
// CHECK-NEXT:          %t = tile.get %total
// CHECK-NEXT:          %v = tile.load %x[%g, %j]
// CHECK-NEXT:          %u = arith.addf %t, %v : f32
// CHECK-NEXT:          tile.set %u, %total
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      %total_1 = tile.get %total
// CHECK-NEXT:      tile.store %total_1, %out[%g]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8xf32>
// CHECK-NEXT:  }

// A loop that carries nothing stays as it is.
func.func @nothing(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 8 {
      %v = tile.load %x[%i, %n]
      tile.store %v, %out[%i, %n]
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @nothing(%x: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x128xf32>
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 {
// CHECK-NEXT:      tile.for %i = 0 to 8 {
// CHECK-NEXT:        %v = tile.load %x[%i, %n]
// CHECK-NEXT:        tile.store %v, %out[%i, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128xf32>
// CHECK-NEXT:  }
