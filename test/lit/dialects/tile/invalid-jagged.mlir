// What the verifier and the parser refuse of jagged tiles, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @missing_of(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:8:5: error: tile.for axis k has a bound of type tensor<?xi32, #tile.spans<p>>; an index is needed, or `by k of` the axis whose lanes have these extents

// -----

func.func @no_parent(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of q {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:20:5: error: tile.for axis k of q is jagged, and no axis q is around it

// -----

func.func @jagged_parent(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p {
      %m = tile.indices %k
      tile.for %f = 0 to %m by f of k {
      }
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:34:7: error: tile.for axis f of k is jagged, and so is k itself, of p; a jagged axis is of one whose lanes are live up to a common end

// -----

func.func @extents_of_another_span(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p, %q = 0 to 64 by q {
    %l = tile.load %lens[%q]
    tile.for %k = 0 to %l by k of p {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:47:5: error: tile.for axis k of p is jagged and ends at a value of type tensor<?xi32, #tile.spans<q>>; tensor<?xi32, #tile.spans<p>> is needed

// -----

func.func @extents_of_another_type(%lens: memref<64xi64>) {
  tile.grid %p = 0 to 64 by p:8 {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k:8 of p {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:59:5: error: tile.for axis k of p is jagged and ends at a value of type tensor<8xi64, #tile.spans<p>>; tensor<8xi32, #tile.spans<p>> is needed

// -----

func.func @one_extent_for_all() {
  tile.grid %p = 0 to 64 by p {
    tile.for %k = 0 to 8 by k of p {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:70:5: error: tile.for axis k of p is jagged and ends at 8; tensor<?xi32, #tile.spans<p>> is needed

// -----

func.func @begin(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 1 to %l by k of p {
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:82:5: error: tile.for axis k of p is jagged and does not begin at 0; write `0 to`, and add the begins

// -----

func.func @in_a_grid(%n: index) {
  tile.grid %p = 0 to 64 by p, %k = 0 to %n by k of p {
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:92:3: error: tile.grid axis k of p is jagged; its extents are lanes, and tile.for takes such an axis

// -----

func.func @end_of_a_jagged_tile(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p {
      %e = tile.bound end %k
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:104:7: error: tile.bound asks for the end of a !tile.jagged_span<k of p>, whose lanes of p have ends of their own; compare tile.indices with these

// -----

func.func @fill(%lens: memref<64xi32>, %x: memref<64x64xf32>, %zero: f32) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k of p {
      %v = tile.load %x[%p, %k]
      %w = tile.fill %v outside %k with %zero
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:118:22: error: tile.fill outside a !tile.jagged_span<k of p>, whose live lanes differ from lane to lane of p; a plain span is needed

// -----

func.func @lanes_of_another_block(%lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    tile.for %k = 0 to %l by k:8 of p {
      %v = tile.splat 0.0 : tensor<?x16xf32, #tile.spans<p, k>>
    }
  }
  return
}
// CHECK: {{.*}}/invalid-jagged.mlir:131:7: error: tile.splat makes a tensor<?x16xf32, #tile.spans<p, k>>: 16 lanes of k, whose span has 8
