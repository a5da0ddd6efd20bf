// An axis is parallel unless two of its iterations may touch one element, or a value goes from one to the next.

// RUN: tile-opt %s --classify-axes | filecheck %s

// Segments of different numbers have no row in common.
func.func @segments(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @segments(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %out = tile.empty like(%x) : memref<?x128xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8 parallel {
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      tile.for %m = %b to %e by m:128 parallel {
// CHECK-NEXT:        %v = tile.load %x[%m, :]
// CHECK-NEXT:        tile.store %v, %out[%m, :]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }

// Rows 4g to 4g+3: the outer axis steps over what the inner one adds.
func.func @linear(%x: memref<32x128xf32>) -> memref<32x128xf32> {
  %out = tile.empty : memref<32x128xf32>
  tile.grid %g = 0 to 8 {
    %four = arith.constant 4 : index
    %base = arith.muli %g, %four : index
    tile.for %j = 0 to 4 {
      %v = tile.load %x[%base + %j, :]
      tile.store %v, %out[%base + %j, :]
    }
  }
  return %out : memref<32x128xf32>
}
// CHECK-LABEL: func.func @linear(%x: memref<32x128xf32>) -> memref<32x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<32x128xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8 parallel {
// CHECK-NEXT:      %four = arith.constant 4 : index
// CHECK-NEXT:      %base = arith.muli %g, %four : index
// CHECK-NEXT:      tile.for %j = 0 to 4 parallel {
// CHECK-NEXT:        %v = tile.load %x[%base + %j, :]
// CHECK-NEXT:        tile.store %v, %out[%base + %j, :]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<32x128xf32>
// CHECK-NEXT:  }

// A sum is carried.
func.func @carried(%x: memref<256x512xf32>) -> memref<256xf32> {
  %out = tile.empty : memref<256xf32>
  tile.grid %m = 0 to 256 by m:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %sum = tile.for %k = 0 to 512 by k:128 iter_args(%acc = %zero) {
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %out[%m]
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @carried(%x: memref<256x512xf32>) -> memref<256xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<256xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 256 by m:128 parallel {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %sum = tile.for %k = 0 to 512 by k:128 ordered iter_args(%acc = %zero) {
// CHECK-NEXT:        %v = tile.load %x[%m, %k]
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.yield %next
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.store %sum, %out[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xf32>
// CHECK-NEXT:  }

// The same sum in scratch: a place outside the loop that the loop sets.
func.func @scratch(%x: memref<256x512xf32>) -> memref<256xf32> {
  %out = tile.empty : memref<256xf32>
  tile.grid %m = 0 to 256 by m:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
    %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
    tile.set %zero, %s
    tile.for %k = 0 to 512 by k:128 {
      %acc = tile.get %s
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
      tile.set %next, %s
    }
    %sum = tile.get %s
    tile.store %sum, %out[%m]
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @scratch(%x: memref<256x512xf32>) -> memref<256xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<256xf32>
// CHECK-NEXT:    tile.grid %m = 0 to 256 by m:128 parallel {
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      %s = tile.scratch : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:      tile.set %zero, %s
// CHECK-NEXT:      tile.for %k = 0 to 512 by k:128 ordered {
// CHECK-NEXT:        %acc = tile.get %s
// CHECK-NEXT:        %v = tile.load %x[%m, %k]
// CHECK-NEXT:        %part = tile.reduce add %v dims [1]
// CHECK-NEXT:        %next = arith.addf %acc, %part : tensor<128xf32, #tile.spans<m>>
// CHECK-NEXT:        tile.set %next, %s
// CHECK-NEXT:      }
// CHECK-NEXT:      %sum = tile.get %s
// CHECK-NEXT:      tile.store %sum, %out[%m]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<256xf32>
// CHECK-NEXT:  }

// Each iteration overwrites the row of the one before.
func.func @last_wins(%x: memref<8x128xf32>) -> memref<1x128xf32> {
  %out = tile.empty : memref<1x128xf32>
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 8 {
      %v = tile.load %x[%i, %n]
      tile.store %v, %out[0, %n]
    }
  }
  return %out : memref<1x128xf32>
}
// CHECK-LABEL: func.func @last_wins(%x: memref<8x128xf32>) -> memref<1x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<1x128xf32>
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 parallel {
// CHECK-NEXT:      tile.for %i = 0 to 8 ordered {
// CHECK-NEXT:        %v = tile.load %x[%i, %n]
// CHECK-NEXT:        tile.store %v, %out[0, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<1x128xf32>
// CHECK-NEXT:  }

// A row is computed from the one that the iteration before wrote.
func.func @recurrence(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 7 {
      %v = tile.load %x[%i, %n]
      tile.store %v, %x[%i + 1, %n]
    }
  }
  return %x : memref<8x128xf32>
}
// CHECK-LABEL: func.func @recurrence(%x: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 parallel {
// CHECK-NEXT:      tile.for %i = 0 to 7 ordered {
// CHECK-NEXT:        %v = tile.load %x[%i, %n]
// CHECK-NEXT:        tile.store %v, %x[%i + 1, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %x : memref<8x128xf32>
// CHECK-NEXT:  }

// What the program calls ordered stays so.
func.func @given(%x: memref<8x128xf32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 8 ordered {
      %v = tile.load %x[%i, %n]
      tile.store %v, %out[%i, %n]
    }
  }
  return %out : memref<8x128xf32>
}
// CHECK-LABEL: func.func @given(%x: memref<8x128xf32>) -> memref<8x128xf32> {
// CHECK-NEXT:    %out = tile.empty : memref<8x128xf32>
// CHECK-NEXT:    tile.grid %n = 0 to 128 by n:128 parallel {
// CHECK-NEXT:      tile.for %i = 0 to 8 ordered {
// CHECK-NEXT:        %v = tile.load %x[%i, %n]
// CHECK-NEXT:        tile.store %v, %out[%i, %n]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<8x128xf32>
// CHECK-NEXT:  }

// Tiles in smaller ones: no two have an index in common.
func.func @tiles_of_tiles(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    tile.for %mo = %b to %e by mo:128 {
      %c = tile.bound begin %mo
      %d = tile.bound end %mo
      tile.for %m = %c to %d by m:32 {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%m, :]
      }
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @tiles_of_tiles(%x: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %out = tile.empty like(%x) : memref<?x128xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8 parallel {
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      tile.for %mo = %b to %e by mo:128 parallel {
// CHECK-NEXT:        %c = tile.bound begin %mo
// CHECK-NEXT:        %d = tile.bound end %mo
// CHECK-NEXT:        tile.for %m = %c to %d by m:32 parallel {

// What is added to an index of the loop may make two the same.
func.func @shifted(%x: memref<256xf32>) {
  %c = arith.constant 1.0 : f32
  tile.for %i = 0 to 128 {
    tile.for %j = 0 to 8 {
      tile.store %c, %x[%i + %j]
    }
  }
  return
}
// CHECK-LABEL: func.func @shifted(%x: memref<256xf32>) {
// CHECK-NEXT:    %c = arith.constant 1.000000e+00 : f32
// CHECK-NEXT:    tile.for %i = 0 to 128 ordered {
// CHECK-NEXT:      tile.for %j = 0 to 8 parallel {

// The first eight rows of a segment and the others; the rows of two arrays of segments, one after the other.
func.func @in_order(%x: memref<64x128xf32>, %a: memref<9xi32>, %c: memref<9xi32>, %out: memref<64x128xf32>, %both: memref<96x128xf32>) -> (memref<64x128xf32>, memref<96x128xf32>) {
  %eight = arith.constant 8 : index
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    %far = arith.addi %b, %eight : index
    %m8 = arith.minsi %far, %e : index
    tile.for %m = %b to %m8 by m:8 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
    tile.for %n = %m8 to %e by n:8 {
      %v = tile.load %x[%n, :]
      tile.store %v, %out[%n, :]
    }
    %sum = arith.addi %e, %s : index
    %place = arith.addi %sum, %g : index
    %row = tile.load %x[%g, :]
    tile.store %row, %both[%place, :]
  }
  return %out, %both : memref<64x128xf32>, memref<96x128xf32>
}
// CHECK-LABEL: func.func @in_order
// CHECK: tile.grid %g = 0 to 8 parallel
