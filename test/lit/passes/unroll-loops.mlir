// Inner loops of static extent are written out; each iteration has a span of its own.

// RUN: tile-opt %s --unroll-loops | filecheck %s

// What is carried becomes a chain of values. The last tile is cut by the end.
func.func @carried(%x: memref<128x300xf32>) -> memref<128xf32> {
  %out = tile.empty : memref<128xf32>
  tile.grid %m = 0 to 128 by m:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %sum = tile.for %k = 0 to 300 by k:256 iter_args(%acc = %zero) {
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %out[%m]
  }
  return %out : memref<128xf32>
}
// CHECK-LABEL: func.func @carried(%x: memref<128x300xf32>) -> memref<128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<128xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 128 by m:128 {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %0 = arith.constant 0 : index
// CHECK-NEXT:      %k = tile.span %0 of 0 to 300 by k_0:256
// CHECK-NEXT:      %v = tile.load %x[%m, %k]
// CHECK-NEXT:      %part = tile.reduce add %v dims [1]
// CHECK-NEXT:      %next = arith.addf %zero, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %1 = arith.constant 1 : index
// CHECK-NEXT:      %k_1 = tile.span %1 of 0 to 300 by k_1:256
// CHECK-NEXT:      %v_1 = tile.load %x[%m, %k_1]
// CHECK-NEXT:      %part_1 = tile.reduce add %v_1 dims [1]
// CHECK-NEXT:      %next_1 = arith.addf %next, %part_1 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.store %next_1, %out[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128xf32>
// CHECK-NEXT:  }

// An index is a constant.
func.func @index(%x: memref<8x128xf32>) -> memref<128xf32> {
  %out = tile.empty : memref<128xf32>
  tile.grid %n = 0 to 128 by n:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
    %sum = tile.for %i = 3 to 5 iter_args(%acc = %zero) {
      %v = tile.load %x[%i, %n]
      %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<n>>
      tile.yield %next
    }
    tile.store %sum, %out[%n]
  }
  return %out : memref<128xf32>
}
// CHECK-LABEL: func.func @index(%x: memref<8x128xf32>) -> memref<128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<128xf32>
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      %0 = arith.constant 3 : index
// CHECK-NEXT:      %v = tile.load %x[%0, %n]
// CHECK-NEXT:      %next = arith.addf %zero, %v : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      %1 = arith.constant 4 : index
// CHECK-NEXT:      %v_1 = tile.load %x[%1, %n]
// CHECK-NEXT:      %next_1 = arith.addf %next, %v_1 : tensor<128xf32, #tile.spans<n>>
// CHECK-NEXT:      tile.store %next_1, %out[%n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128xf32>
// CHECK-NEXT:  }

// Nested loops, the inner one first; spans of one number are not one value.
func.func @nested(%x: memref<2x8x256xf32>) -> memref<8xf32> {
  %out = tile.empty : memref<8xf32>
  tile.grid %g = 0 to 1 {
    %zero = tile.splat 0.0 : tensor<8xf32>
    %sum = tile.for %i = 0 to 2 iter_args(%a = %zero) {
      %row = tile.for %n = 0 to 256 by n:128 iter_args(%b = %a) {
        %v = tile.load %x[%i, :, %n]
        %part = tile.reduce add %v dims [1]
        %next = arith.addf %b, %part : tensor<8xf32>
        tile.yield %next
      }
      tile.yield %row
    }
    tile.store %sum, %out[:]
  }
  return %out : memref<8xf32>
}
// CHECK-LABEL: func.func @nested(%x: memref<2x8x256xf32>) -> memref<8xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 1 {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<8xf32>
// CHECK-NEXT:      %0 = arith.constant 0 : index
// CHECK-NEXT:      %1 = arith.constant 0 : index
// CHECK-NEXT:      %n = tile.span %1 of 0 to 256 by n_0:128
// CHECK-NEXT:      %v = tile.load %x[%0, :, %n]
// CHECK-NEXT:      %part = tile.reduce add %v dims [1]
// CHECK-NEXT:      %next = arith.addf %zero, %part : tensor<8xf32>
// CHECK-NEXT:      %2 = arith.constant 1 : index
// CHECK-NEXT:      %n_1 = tile.span %2 of 0 to 256 by n_1:128
// CHECK-NEXT:      %v_1 = tile.load %x[%0, :, %n_1]
// CHECK-NEXT:      %part_1 = tile.reduce add %v_1 dims [1]
// CHECK-NEXT:      %next_1 = arith.addf %next, %part_1 : tensor<8xf32>
// CHECK-NEXT:      %3 = arith.constant 1 : index
// CHECK-NEXT:      %4 = arith.constant 0 : index
// CHECK-NEXT:      %n_2 = tile.span %4 of 0 to 256 by n_0:128
// CHECK-NEXT:      %v_2 = tile.load %x[%3, :, %n_2]
// CHECK-NEXT:      %part_2 = tile.reduce add %v_2 dims [1]
// CHECK-NEXT:      %next_2 = arith.addf %next_1, %part_2 : tensor<8xf32>
// CHECK-NEXT:      %5 = arith.constant 1 : index
// CHECK-NEXT:      %n_3 = tile.span %5 of 0 to 256 by n_1:128
// CHECK-NEXT:      %v_3 = tile.load %x[%3, :, %n_3]
// CHECK-NEXT:      %part_3 = tile.reduce add %v_3 dims [1]
// CHECK-NEXT:      %next_3 = arith.addf %next_2, %part_3 : tensor<8xf32>
// CHECK-NEXT:      tile.store %next_3, %out[:]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8xf32>
// CHECK-NEXT:  }

// With no iteration the result is the first state.
func.func @empty(%x: memref<128x128xf32>) -> memref<128x128xf32> {
  %out = tile.empty : memref<128x128xf32>
  tile.grid %m = 0 to 128 by m:128 {
    %v = tile.load %x[%m, :]
    %same = tile.for %i = 4 to 4 iter_args(%acc = %v) {
      %twice = arith.addf %acc, %acc : tensor<128x128xf32, #tile.spans<m, _>>
      tile.yield %twice
    }
    tile.store %same, %out[%m, :]
  }
  return %out : memref<128x128xf32>
}
// CHECK-LABEL: func.func @empty(%x: memref<128x128xf32>) -> memref<128x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<128x128xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 128 by m:128 {
// CHECK-NEXT:      %v = tile.load %x[%m, :]
// CHECK-NEXT:      tile.store %v, %out[%m, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<128x128xf32>
// CHECK-NEXT:  }

// Every iteration stores through a window of its own.
func.func @stored(%x: memref<200x128xf32>) -> memref<200x128xf32> {
  %out = tile.empty : memref<200x128xf32>
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %m = 0 to 200 by m:128 {
      %v = tile.load %x[%m, %n]
      tile.store %v, %out[%m, %n]
    }
  }
  return %out : memref<200x128xf32>
}
// CHECK-LABEL: func.func @stored(%x: memref<200x128xf32>) -> memref<200x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<200x128xf32>
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 {
// CHECK-NEXT:      %0 = arith.constant 0 : index
// CHECK-NEXT:      %m = tile.span %0 of 0 to 200 by m_0:128
// CHECK-NEXT:      %v = tile.load %x[%m, %n]
// CHECK-NEXT:      tile.store %v, %out[%m, %n]
// CHECK-NEXT:      %1 = arith.constant 1 : index
// CHECK-NEXT:      %m_1 = tile.span %1 of 0 to 200 by m_1:128
// CHECK-NEXT:      %v_1 = tile.load %x[%m_1, %n]
// CHECK-NEXT:      tile.store %v_1, %out[%m_1, %n]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<200x128xf32>
// CHECK-NEXT:  }

// Ranges that begin where an outer axis says; their extents are known.
func.func @moved(%x: memref<6x128xf32>) -> (memref<6x128xf32>, memref<6x128xf32>) {
  %y = tile.empty : memref<6x128xf32>
  %z = tile.empty : memref<6x128xf32>
  tile.grid %s = 0 to 3 {
    %c2 = arith.constant 2 : index
    %begin = arith.muli %s, %c2 : index
    %end = arith.addi %begin, %c2 : index
    tile.for %i = %begin to %end {
      %v = tile.load %x[%i, :]
      tile.store %v, %y[%i, :]
    }
    tile.for %m = %begin to %end by m:1 {
      %v = tile.load %x[%m, :]
      tile.store %v, %z[%m, :]
    }
  }
  return %y, %z : memref<6x128xf32>, memref<6x128xf32>
}
// CHECK-LABEL: func.func @moved(%x: memref<6x128xf32>) -> (memref<6x128xf32>, memref<6x128xf32>) {
// CHECK-NEXT:    %y = tile.empty : memref<6x128xf32>
// CHECK-NEXT:    %z = tile.empty : memref<6x128xf32>
// CHECK-NEXT:    tile.grid %s = 0 to 3 {
// CHECK-NEXT:      %c2 = arith.constant 2 : index
// CHECK-NEXT:      %begin = arith.muli %s, %c2 : index
// CHECK-NEXT:      %end = arith.addi %begin, %c2 : index
// CHECK-NEXT:      %0 = arith.constant 0 : index
// CHECK-NEXT:      %1 = arith.addi %begin, %0 : index
// CHECK-NEXT:      %v = tile.load %x[%1, :]
// CHECK-NEXT:      tile.store %v, %y[%1, :]
// CHECK-NEXT:      %2 = arith.constant 1 : index
// CHECK-NEXT:      %3 = arith.addi %begin, %2 : index
// CHECK-NEXT:      %v_1 = tile.load %x[%3, :]
// CHECK-NEXT:      tile.store %v_1, %y[%3, :]
// CHECK-NEXT:      %4 = arith.constant 0 : index
// CHECK-NEXT:      %m = tile.span %4 of %begin to %end by m_0:1
// CHECK-NEXT:      %v_2 = tile.load %x[%m, :]
// CHECK-NEXT:      tile.store %v_2, %z[%m, :]
// CHECK-NEXT:      %5 = arith.constant 1 : index
// CHECK-NEXT:      %m_1 = tile.span %5 of %begin to %end by m_1:1
// CHECK-NEXT:      %v_3 = tile.load %x[%m_1, :]
// CHECK-NEXT:      tile.store %v_3, %z[%m_1, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y, %z : memref<6x128xf32>, memref<6x128xf32>
// CHECK-NEXT:  }
