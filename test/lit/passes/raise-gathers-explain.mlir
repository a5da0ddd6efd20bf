// --explain tells why an access keeps its computed positions.

// RUN: tile-opt %s --choose-blocks="m=16" --raise-gathers --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @kept_positions(%x: memref<100x128xf32>, %deep: memref<100x8x128xf32>, %any: memref<?xf32>, %large: memref<20000x8x128xf32>, %ids: memref<64xi32>, %table: memref<64xi32>, %out: memref<64xf32>, %rows: memref<64x8x128xf32>) -> (memref<64xf32>, memref<64x8x128xf32>, memref<64xi32>) {
  %one = arith.constant 1 : i32
  %four = arith.constant 4 : index
  tile.grid %g = 0 to 1 {
    tile.for %m = 0 to 64 by m {
      %i = tile.indices %m
      %ones = tile.splat 1 : tensor<?xi32, #tile.spans<m>>
      %id = tile.load %ids[%m]
      %some = arith.addi %id, %ones : tensor<?xi32, #tile.spans<m>>
      %v1 = tile.gather %any[%some]
      %square = arith.muli %i, %i : tensor<?xi32, #tile.spans<m>>
      %v2 = tile.gather %any[%square]
      %twice = arith.addi %i, %i : tensor<?xi32, #tile.spans<m>>
      %v3 = tile.gather %any[%twice]
      %same = tile.splat 3 : tensor<?xi32, #tile.spans<m>>
      %v4 = tile.gather %any[%same]
      %v5 = tile.gather %any[%i + 1]
      %v6 = tile.gather %large[%i + 1, :, :]
      %v7 = tile.gather %large[%i + 16, :, :]
      %live = tile.compare lt %i, %ones
      %zero = arith.constant 0.0 : f32
      %deeper = tile.broadcast %live dims [0] : tensor<?x8x128xi1, #tile.spans<m, _, _>>
      %v8 = tile.gather %deep[%i - 4, :, :] mask %deeper other %zero
      %least = tile.reduce min %id dims [0]
      %all = tile.broadcast %least dims [] : tensor<?xi32, #tile.spans<m>>
      %late = arith.addi %i, %all : tensor<?xi32, #tile.spans<m>>
      %v9 = tile.gather %any[%late]
      %first = tile.load %table[0]
      %every = tile.broadcast %first dims [] : tensor<?xi32, #tile.spans<m>>
      %changing = arith.addi %i, %every : tensor<?xi32, #tile.spans<m>>
      %v10 = tile.gather %x[%changing, :]
      tile.store %one, %table[%g]
      %p = arith.cmpi sgt, %g, %four : index
      scf.if %p {
        %v11 = tile.gather %deep[%i - 4, :, :]
        tile.store %v11, %rows[%m, :, :]
      }
      %short = tile.cast %i to i16
      %v12 = tile.gather %any[%short]
      %last = tile.for %j = 0 to 2 iter_args(%a = %one) {
        %carried = tile.broadcast %a dims [] : tensor<?xi32, #tile.spans<m>>
        %more = arith.addi %i, %carried : tensor<?xi32, #tile.spans<m>>
        %v13 = tile.gather %x[%more, :]
        %next = arith.addi %a, %one : i32
        tile.yield %next
      }
    }
  }
  return %out, %rows, %table : memref<64xf32>, memref<64x8x128xf32>, memref<64xi32>
}

func.func @scattered(%x: memref<64xf32>, %starts: memref<8xi32>, %out: memref<100xf32>) -> memref<100xf32> {
  tile.grid %g = 0 to 8, %m = 0 to 8 by m {
    %i = tile.indices %m
    %start = tile.load %starts[%g]
    %all = tile.broadcast %start dims [] : tensor<?xi32, #tile.spans<m>>
    %p = arith.addi %i, %all : tensor<?xi32, #tile.spans<m>>
    %v = tile.load %x[%m]
    tile.scatter %v, %out[%p]
    tile.atomic_rmw add %v, %out[%p] drop
  }
  return %out : memref<100xf32>
}

// Lanes of a jagged tile, which are as many as each lane of another axis says.
func.func @jagged(%x: memref<64xf32>, %lengths: memref<8xi32>) -> memref<64xf32> {
  tile.grid %g = 0 to 8 by g {
    %n = tile.load %lengths[%g]
    tile.for %k = 0 to %n by k of g {
      %i = tile.indices %k
      %v = tile.gather %x[%i + 16]
    }
  }
  return %x : memref<64xf32>
}

// CHECK: {{.*}}/raise-gathers-explain.mlir:14:7: note: raise-gathers: tile.gather keeps its computed positions: they are no linear form: tile.load at {{.*}}/raise-gathers-explain.mlir:12:7
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:16:7: note: raise-gathers: tile.gather keeps its computed positions: they are no linear form: arith.muli at {{.*}}/raise-gathers-explain.mlir:15:7
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:18:7: note: raise-gathers: tile.gather keeps its computed positions: they are 2 apart, in an extent known at run time
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:20:7: note: raise-gathers: tile.gather keeps its computed positions: they are all the same
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:21:7: note: raise-gathers: tile.gather keeps its computed positions: a window of them begins between tiles of memory, and %any has an extent known at run time
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:22:7: note: raise-gathers: tile.gather keeps its computed positions: a window of them begins between tiles of memory, and 81920000 bytes of %large would stay on the chip; 8388608 may
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:27:7: note: raise-gathers: tile.gather keeps its computed positions: a mask may keep them inside dimension 0 of %deep
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:31:7: note: raise-gathers: tile.gather keeps its computed positions: tile.reduce at {{.*}}/raise-gathers-explain.mlir:28:7, on which all depend, is no scalar that is known before
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:35:7: note: raise-gathers: tile.gather keeps its computed positions: tile.load at {{.*}}/raise-gathers-explain.mlir:32:7, on which all depend, is no scalar that is known before
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:39:9: note: raise-gathers: tile.gather keeps its computed positions: a condition may keep them inside dimension 0 of %deep
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:43:7: note: raise-gathers: tile.gather keeps its computed positions: they are no linear form: tile.cast at {{.*}}/raise-gathers-explain.mlir:42:7
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:47:9: note: raise-gathers: tile.gather keeps its computed positions: %a, which all share, is carried by a loop
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:63:5: note: raise-gathers: tile.scatter keeps its computed positions: as a store it might meet another access in two iterations of g
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:64:5: note: raise-gathers: tile.atomic_rmw keeps its computed positions: `drop` may leave some out, outside of dimension 0 of %out
// CHECK-NEXT: {{.*}}/raise-gathers-explain.mlir:75:7: note: raise-gathers: tile.gather keeps its computed positions: they are of a jagged tile, whose lanes have extents of their own
