// RUN: tile-opt %s --expand-gathers --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --expand-gathers="order=whole" 2>&1 | filecheck %s --check-prefix=ORDER --match-full-lines
// RUN: not tile-opt %s --expand-gathers="rows=0" 2>&1 | filecheck %s --check-prefix=ROWS --match-full-lines
// ORDER: {{.*}}/expand-gathers-invalid.mlir:1:1: error: expand-gathers: order=whole; auto, inner, outer, rows are accepted
// ROWS: {{.*}}/expand-gathers-invalid.mlir:1:1: error: expand-gathers: rows=0; 1 or more is accepted

func.func @bits(%x: memref<70xi1>, %ids: memref<64xi32>) -> memref<64xi1> {
  %out = tile.empty : memref<64xi1>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id]
    tile.store %v, %out[%m]
  }
  return %out : memref<64xi1>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:11:5: error: expand-gathers: elements of type i1; floats and integers of 8 to 32 bits are accepted

// -----

func.func @wide(%x: memref<64xi64>, %ids: memref<64xi32>, %out: memref<70xi64>) -> memref<70xi64> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw add %v, %out[%id]
  }
  return %out : memref<70xi64>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:24:5: error: expand-gathers: elements of type i64; floats and integers of 8 to 32 bits are accepted

// -----

func.func @square_of_positions(%x: memref<700xf32>, %ids: memref<64x8xi32>) -> memref<64x8xf32> {
  %out = tile.empty : memref<64x8xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m, :]
    %v = tile.gather %x[%id]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<64x8xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:36:5: error: expand-gathers: positions of type tensor<32x8xi32, #tile.spans<m, _>>; a tile of rank 1 is accepted, or a table of up to 256 elements to read

// -----

func.func @parts_of_planes(%x: memref<70x8x128xf32>, %ids: memref<64xi32>) -> memref<64x8x128xf32> {
  %out = tile.empty : memref<64x8x128xf32>
  tile.grid %r = 0 to 8 by r:4 {
    tile.for %m = 0 to 64 by m:32 {
      %id = tile.load %ids[%m]
      %v = tile.gather %x[%id, %r, :]
      tile.store %v, %out[%m, %r, :]
    }
  }
  return %out : memref<64x8x128xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:50:7: error: expand-gathers: tile.gather at computed positions moves a value of rank 3; 1 and 2 are accepted, and to read planes, of which copies are made (--explain says why not): index the other dimensions by an axis, or go through the positions one by one

// -----

func.func @most_of_rows(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<70x128xf32>) -> memref<70x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw max %v, %out[%id, :] drop
  }
  return %out : memref<70x128xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:64:5: error: expand-gathers: only sums of whole rows are products, and the grid cannot go through these positions one by one (--explain says why); update single elements, or load each position alone

// -----

func.func @mask_keeps_inside(%x: memref<70x128xf32>, %ids: memref<64xi32>) -> memref<64x128xf32> {
  %out = tile.empty : memref<64x128xf32>
  tile.grid %m = 0 to 64 by m:32, %n = 0 to 128 by n:128 {
    %id = tile.load %ids[%m]
    %column = tile.indices %n
    %last = tile.splat 127 : tensor<128xi32, #tile.spans<n>>
    %inside = tile.compare lt %column, %last
    %p = tile.broadcast %inside dims [1] : tensor<32x128xi1, #tile.spans<m, n>>
    %zero = tile.splat 0.0 : tensor<32x128xf32, #tile.spans<m, n>>
    %v = tile.gather %x[%id, %n + 1] mask %p other %zero
    tile.store %v, %out[%m, %n]
  }
  return %out : memref<64x128xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:81:5: error: expand-gathers: only the mask of tile.gather may keep dimension 1 inside %x, and blocks of rows are accessed without it; index that dimension by an axis or by `:`

// -----

func.func @no_grid(%x: memref<64xf32>, %ids: memref<64xi32>, %out: memref<70xf32>) -> memref<70xf32> {
  %id = tile.load %ids[:]
  %v = tile.load %x[:]
  tile.atomic_rmw add %v, %out[%id]
  return %out : memref<70xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:93:3: error: expand-gathers: tile.atomic_rmw outside of a tile.grid; put it into one

// -----

func.func @wide_positions(%x: memref<70xf32>, %ids: memref<64xi64>) -> memref<64xf32> {
  %out = tile.empty : memref<64xf32>
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id]
    tile.store %v, %out[%m]
  }
  return %out : memref<64xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:104:5: error: expand-gathers: positions of type tensor<32xi64, #tile.spans<m>>; a TPU has no 64-bit integers, those of up to 32 bits are accepted

// -----

func.func @on_the_chip(%x: memref<4x64xf32>, %ids: memref<64xi32>) -> memref<4x64xf32> {
  %out = tile.empty : memref<4x64xf32>
  tile.grid %g = 0 to 4 {
    %local = tile.local : memref<64xf32>
    %v = tile.load %x[%g, :]
    tile.store %v, %local[:]
    %id = tile.load %ids[:]
    %w = tile.gather %local[%id]
    tile.store %w, %out[%g, :]
  }
  return %out : memref<4x64xf32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:120:5: error: expand-gathers: tile.gather at computed positions of on-chip memory; use an array, of which what is updated stays on the chip

// -----

func.func @long_sums(%x: memref<70000x128xi32>, %ids: memref<70000xi32>, %out: memref<70x128xi32>) -> memref<70x128xi32> {
  tile.grid %m = 0 to 70000 by m:70000 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    %b = tile.cast %v to i1
    %c = tile.cast %b to i32
    tile.atomic_rmw add %c, %out[%id, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<70x128xi32>
}
// CHECK: {{.*}}/expand-gathers-invalid.mlir:136:5: error: expand-gathers: sums of integers in tiles of 70000 positions; up to 65793 are exact: choose a smaller block

// -----

func.func @runs_of_what_is_written(%x: memref<64x128xf32>, %i: index) {
  tile.grid %t = 0 to 64 by t:16 {
    %ids = tile.runs %i, %i by 8 of %t
    %v = tile.gather %x[%ids, :]
    tile.store %v, %x[%t, :]
  }
  return
}
// CHECK: {{.*}}:147:5: error: expand-gathers: tile.gather at positions in runs, which are only copied: the array is on the chip, or the kernel writes to it
