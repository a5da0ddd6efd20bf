// --explain tells why an axis between loaded integers is no segment; nothing is said of other axes.

// RUN: tile-opt %s --raise-segments --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @notes(%offsets: memref<20xi32>, %ends: memref<9xi32>, %written: memref<9xi32>, %table: memref<8x2xi32>, %p: i1, %out: memref<8xi32>) -> (memref<9xi32>, memref<8xi32>) {
  %view = tile.view %table : memref<8x2xi32> to memref<16xi32>
  %zero = arith.constant 0 : i32
  %two = arith.constant 2 : index
  tile.grid %g = 0 to 8 {
    tile.store %zero, %written[%g]
  }
  tile.grid %g = 0 to 8 {
    %b0 = tile.load %offsets[%g]
    %b = arith.index_cast %b0 : i32 to index
    %e0 = tile.load %offsets[%g + 1]
    %e = arith.index_cast %e0 : i32 to index
    tile.for %static = 0 to 8 by static {
    }
    tile.for %count = 0 to %e by count {
    }
    %more = arith.muli %e, %two : index
    tile.for %longer = %b to %more by longer {
    }
    tile.for %backwards = %e to %b by backwards {
    }
    %f0 = tile.load %ends[%g]
    %f = arith.index_cast %f0 : i32 to index
    tile.for %two_arrays = %b to %f by two_arrays {
    }
    %c0 = tile.load %table[%g, 0]
    %c = arith.index_cast %c0 : i32 to index
    %d0 = tile.load %table[%g, 1]
    %d = arith.index_cast %d0 : i32 to index
    tile.for %rank = %c to %d by rank {
    }
    %double = arith.muli %g, %two : index
    %h0 = tile.load %view[%double]
    %h = arith.index_cast %h0 : i32 to index
    %i0 = tile.load %view[%double + 1]
    %i = arith.index_cast %i0 : i32 to index
    tile.for %viewed = %h to %i by viewed {
    }
    %j0 = tile.load %written[%g]
    %j = arith.index_cast %j0 : i32 to index
    %k0 = tile.load %written[%g + 1]
    %k = arith.index_cast %k0 : i32 to index
    tile.for %stored = %j to %k by stored {
    }
    %l0 = tile.load %offsets[%g + 1] mask %p other %zero
    %l = arith.index_cast %l0 : i32 to index
    tile.for %masked = %b to %l by masked {
    }
    %m0 = tile.load %offsets[%double]
    %m = arith.index_cast %m0 : i32 to index
    %n0 = tile.load %offsets[%double + 1]
    %n = arith.index_cast %n0 : i32 to index
    tile.for %doubled = %m to %n by doubled {
    }
    %o0 = tile.load %offsets[0]
    %o = arith.index_cast %o0 : i32 to index
    %p0 = tile.load %offsets[1]
    %p1 = arith.index_cast %p0 : i32 to index
    tile.for %first = %o to %p1 by first {
    }
    %q0 = tile.load %offsets[%g + 2]
    %q = arith.index_cast %q0 : i32 to index
    tile.for %far = %b to %q by far {
    }
    tile.for %unknown = %b to %n by unknown {
    }
  }
  return %written, %out : memref<9xi32>, memref<8xi32>
}

// CHECK: {{.*}}/raise-segments-explain.mlir:19:5: note: raise-segments: axis count does not run between offsets[i] and offsets[i + 1]: its length is not one loaded integer less another
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:22:5: note: raise-segments: axis longer does not run between offsets[i] and offsets[i + 1]: its length is not one loaded integer less another
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:24:5: note: raise-segments: axis backwards does not run between offsets[i] and offsets[i + 1]: they are -1 elements apart
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:28:5: note: raise-segments: axis two_arrays does not run between offsets[i] and offsets[i + 1]: they are elements of two arrays, %offsets and %ends
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:34:5: note: raise-segments: axis rank does not run between offsets[i] and offsets[i + 1]: %table is a memref<8x2xi32>; a memref of rank 1 of i32 or i64 is needed
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:41:5: note: raise-segments: axis viewed does not run between offsets[i] and offsets[i + 1]: %view is a view
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:47:5: note: raise-segments: axis stored does not run between offsets[i] and offsets[i + 1]: %written is written at {{.*}}/raise-segments-explain.mlir:10:5
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:51:5: note: raise-segments: axis masked does not run between offsets[i] and offsets[i + 1]: a mask may leave one of them out
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:57:5: note: raise-segments: axis doubled does not run between offsets[i] and offsets[i + 1]: their index in %offsets takes no steps of 1
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:63:5: note: raise-segments: axis first does not run between offsets[i] and offsets[i + 1]: their index in %offsets takes no steps of 1
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:67:5: note: raise-segments: axis far does not run between offsets[i] and offsets[i + 1]: they are 2 elements apart
// CHECK-NEXT: {{.*}}/raise-segments-explain.mlir:69:5: note: raise-segments: axis unknown does not run between offsets[i] and offsets[i + 1]: they are an unknown number of elements apart
