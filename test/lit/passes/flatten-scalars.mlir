// RUN: tile-opt %s --flatten-scalars | filecheck %s
// RUN: tile-opt %s --flatten-scalars --explain 2>&1 >/dev/null | filecheck %s --check-prefix=EXPLAIN

// Block numbers of 1 MiB in scalar memory are 128 KiB as one row.
// CHECK-LABEL: func.func @blocks
// CHECK-NEXT:    %ids_1 = tile.view %ids : memref<1024x2x16xi32> to memref<32768xi32>
// CHECK:           %[[A:.*]] = arith.muli %t, %{{.*}} : index
// CHECK-NEXT:      %[[B:.*]] = arith.addi %[[A]], %h : index
// CHECK:           %[[C:.*]] = arith.muli %[[B]], %{{.*}} : index
// CHECK:           %[[D:.*]] = arith.addi %[[C]], %{{.*}} : index
// CHECK-NEXT:      %id = tile.load %ids_1[%[[D]]]
// EXPLAIN: flatten-scalars.mlir:16:5: note: flatten-scalars: the host reshapes a memref<1024x2x16xi32> to memref<32768xi32>
func.func @blocks(%ids: memref<1024x2x16xi32>, %x: memref<64x128xf32>) -> memref<1024x2x128xf32> {
  %out = tile.empty : memref<1024x2x128xf32>
  tile.grid %t = 0 to 1024, %h = 0 to 2 {
    %id = tile.load %ids[%t, %h, 3]
    %i = arith.index_cast %id : i32 to index
    %v = tile.load %x[%i, :]
    tile.store %v, %out[%t, %h, :]
  }
  return %out : memref<1024x2x128xf32>
}

// Of a table eight places are read in a step.
// CHECK-LABEL: func.func @table
// CHECK-NEXT:    %table_1 = tile.view %table : memref<16x128xi32> to memref<2048xi32>
// CHECK-COUNT-8: tile.load %table_1[
func.func @table(%table: memref<16x128xi32>, %out: memref<16x128xi32>) {
  tile.grid %t = 0 to 16 {
    %v0 = tile.load %table[%t, 0]
    %v1 = tile.load %table[%t, 1]
    %v2 = tile.load %table[%t, 2]
    %v3 = tile.load %table[%t, 3]
    %v4 = tile.load %table[%t, 4]
    %v5 = tile.load %table[%t, 5]
    %v6 = tile.load %table[%t, 6]
    %v7 = tile.load %table[%t, 7]
    %s1 = arith.addi %v0, %v1 : i32
    %s2 = arith.addi %s1, %v2 : i32
    %s3 = arith.addi %s2, %v3 : i32
    %s4 = arith.addi %s3, %v4 : i32
    %s5 = arith.addi %s4, %v5 : i32
    %s6 = arith.addi %s5, %v6 : i32
    %s7 = arith.addi %s6, %v7 : i32
    %row = tile.broadcast %s7 dims [] : tensor<128xi32>
    tile.store %row, %out[%t, :]
  }
  return
}

// Small arrays, those of any number of rows, those that tiles are read of too, and full rows are left.
// CHECK-LABEL: func.func @left
// CHECK-NOT:     tile.view
// CHECK:         return
func.func @left(%few: memref<64x4xi32>, %any: memref<?x128xi32>, %both: memref<1024x128xi32>,
                %full: memref<1024x128xi32>, %out: memref<64x128xi32>) {
  tile.grid %t = 0 to 64 {
    %a = tile.load %few[%t, 1]
    %b = tile.load %any[%t, 1]
    %c = tile.load %both[%t, 1]
    %f = tile.load %full[%t, 1]
    %ab = arith.addi %a, %b : i32
    %d = arith.addi %ab, %f : i32
    %e = arith.addi %c, %d : i32
    %row = tile.load %both[%t, :]
    %all = tile.broadcast %e dims [] : tensor<128xi32>
    %sum = arith.addi %row, %all : tensor<128xi32>
    tile.store %sum, %out[%t, :]
  }
  return
}
