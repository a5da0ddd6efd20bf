// Axes of unknown length get the extent of what each of their indices accesses as their max.

// RUN: tile-opt %s --bound-axes --split-input-file | filecheck %s

// Of %x the indices are columns, of %w rows: there are fewer of those.
func.func @counted(%x: memref<40x96xf32>, %w: memref<64xf32>, %counts: memref<4xi32>) -> memref<4x96xf32> {
  %out = tile.full 0.0 : memref<4x96xf32>
  tile.grid %g = 0 to 4 {
    %n = tile.load %counts[%g]
    %end = arith.index_cast %n : i32 to index
    tile.for %k = 0 to %end by k {
      %v = tile.load %x[%g, %k]
      %f = tile.load %w[%k]
      %p = arith.mulf %v, %f : tensor<?xf32, #tile.spans<k>>
      tile.store %p, %out[%g, %k]
    }
  }
  return %out : memref<4x96xf32>
}
// CHECK-LABEL: func.func @counted(
// CHECK:           tile.for %k = 0 to %end by k max 64 {

// -----

// A mask, a condition and an inner loop that may be empty leave accesses out; a segment and `max` are known.
func.func @unknown(%x: memref<40x96xf32>, %counts: memref<4xi32>, %mask: tensor<128xi1, #tile.spans<k>>, %z: f32, %c: i1, %o: memref<5xi32>) {
  tile.grid %g = 0 to 4 {
    %n = tile.load %counts[%g]
    %end = arith.index_cast %n : i32 to index
    tile.for %k = 0 to %end by k:128 {
      %v = tile.load %x[%g, %k] mask %mask other %z
    }
    tile.for %k = 0 to %end by k {
      scf.if %c {
        %v = tile.load %x[%g, %k]
      }
    }
    tile.for %k = 0 to %end by k {
      tile.for %i = 0 to %end {
        %v = tile.load %x[%g, %k]
      }
    }
    tile.for %k = 0 to %end by k max 20 {
      tile.for %i = 0 to 8 {
        %v = tile.load %x[%g, %k]
      }
    }
    %b, %e = tile.segment %o[%g]
    tile.for %k = %b to %e by k {
      %v = tile.load %x[%k, :]
    }
    tile.for %k = 0 to %end by k {
      tile.for %i = 0 to 8 {
        %v = tile.load %x[%i, %k + 3]
      }
    }
  }
  return
}
// CHECK-LABEL: func.func @unknown(
// CHECK:           tile.for %k = 0 to %end by k:128 {
// CHECK:           tile.for %k_1 = 0 to %end by k {
// CHECK:           tile.for %k_2 = 0 to %end by k {
// CHECK:           tile.for %k_3 = 0 to %end by k max 20 {
// CHECK:           tile.for %k_4 = %b to %e by k {
// CHECK:           tile.for %k_5 = 0 to %end by k max 96 {

// -----

// Positions in a segment: its end is not known from %p, its length is.
func.func @padded(%p: memref<5x32x256xf32>, %o: memref<6xi32>, %x: memref<45x256xf32>) {
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %o[%g]
    %zero = arith.constant 0 : index
    %back = arith.subi %zero, %b : index
    tile.for %m = %b to %e by m {
      %v = tile.load %p[%g, %m + %back, :]
    }
    %length = arith.subi %e, %b : index
    tile.for %m = 0 to %length by m {
      %v = tile.load %p[%g, %m, :]
    }
    tile.for %m = %b to %e by m {
      %v = tile.load %p[%g, %m + %back, :]
      %w = tile.load %x[%m, :]
    }
  }
  func.return
}
// CHECK-LABEL: func.func @padded(
// CHECK:           tile.for %m = %b to %e by m max 32 {
// CHECK:           tile.for %m_1 = 0 to %length by m max 32 {
// CHECK:           tile.for %m_2 = %b to %e by m {

// -----

// Single elements have no window that tells where segments end, which others have.
func.func @elements(%x: memref<45xf32>, %y: memref<50x128xf32>, %o: memref<6xi32>, %out: memref<5xf32>) {
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %o[%g]
    %none = tile.splat 0.0 : f32
    %sum = tile.for %i = %b to %e iter_args(%s = %none) {
      %v = tile.load %x[%i]
      %t = arith.addf %s, %v : f32
      tile.yield %t
    }
    tile.for %i = %b to %e {
      %v = tile.load %x[%i]
      %w = tile.load %y[%i, :]
    }
    tile.store %sum, %out[%g]
  }
  func.return
}
// CHECK-LABEL: func.func @elements(
// CHECK:           tile.for %i = %b to %e max 45 iter_args
// CHECK:           tile.for %i_1 = %b to %e {

// -----

// The pages of a table bound the rows of a sequence, and how many pages it has.
func.func @pages(%table: memref<4x8xi32>, %lengths: memref<4xi32>) {
  tile.grid %b = 0 to 4 {
    %n = tile.load %lengths[%b]
    %end = arith.index_cast %n : i32 to index
    tile.for %t = 0 to %end by t:32 {
      %i = tile.indices %t
      %size = tile.splat 16 : tensor<32xi32, #tile.spans<t>>
      %number = arith.floordivsi %i, %size : tensor<32xi32, #tile.spans<t>>
      %pages = tile.gather %table[%b, %number]
      "test.op"(%pages) : (tensor<32xi32, #tile.spans<t>>) -> ()
    }
    %c15 = arith.constant 15 : index
    %c16 = arith.constant 16 : index
    %up = arith.addi %end, %c15 : index
    %count = arith.floordivsi %up, %c16 : index
    tile.for %p = 0 to %count {
      %page = tile.load %table[%b, %p]
      "test.op"(%page) : (i32) -> ()
    }
  }
  return
}
// CHECK-LABEL: func.func @pages(
// CHECK:           tile.for %t = 0 to %end by t:32 max 128 {
// CHECK:           tile.for %p = 0 to %count max 8 {
