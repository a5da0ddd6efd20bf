// RUN: tile-opt %s --expand-gathers | filecheck %s --match-full-lines
// RUN: tile-opt %s --expand-gathers --explain 2>&1 >/dev/null | filecheck %s --check-prefix=EXPLAIN --match-full-lines

// One column is selected of rows that are read; one of what the grid writes is left for a later pass to refuse.
func.func @column(%x: memref<64x700xbf16>, %y: memref<64x8xf32>, %j: index) -> memref<64xbf16> {
  %out = tile.empty : memref<64xbf16>
  tile.grid %m = 0 to 64 by m:32 {
    %v = tile.load %x[%m, %j + 1]
    tile.store %v, %out[%m]
    %w = tile.load %y[%m, 3]
    %wide = tile.broadcast %w dims [0] : tensor<32x8xf32, #tile.spans<m, _>>
    tile.store %wide, %y[%m, :]
  }
  return %out : memref<64xbf16>
}
// CHECK-LABEL:   func.func @column(%x: memref<64x700xbf16>, %y: memref<64x8xf32>, %j: index) -> memref<64xbf16> {
// CHECK-NEXT:     %out = tile.empty : memref<64xbf16>
// CHECK-NEXT:     tile.grid %m = 0 to 64 by m:32 {
// CHECK-NEXT:       %c1 = arith.constant 1 : index
// CHECK-NEXT:       %0 = arith.addi %j, %c1 : index
// CHECK-NEXT:       %1 = arith.index_cast %0 : index to i32
// CHECK-NEXT:       %2 = tile.splat 0.0 : tensor<32xf32, #tile.spans<m>>
// CHECK-NEXT:       %3 = tile.for %x_columns = 0 to 700 by x_columns:512 iter_args(%v = %2) {
// CHECK-NEXT:         %4 = tile.load %x[%m, %x_columns]
// CHECK-NEXT:         %5 = tile.cast %4 to f32
// CHECK-NEXT:         %6 = tile.indices %x_columns
// CHECK-NEXT:         %7 = tile.broadcast %1 dims [] : tensor<512xi32, #tile.spans<x_columns>>
// CHECK-NEXT:         %8 = tile.broadcast %6 dims [1] : tensor<32x512xi32, #tile.spans<m, x_columns>>
// CHECK-NEXT:         %9 = tile.broadcast %7 dims [1] : tensor<32x512xi32, #tile.spans<m, x_columns>>
// CHECK-NEXT:         %10 = tile.compare eq %8, %9
// CHECK-NEXT:         %11 = tile.splat 0.0 : tensor<32x512xf32, #tile.spans<m, x_columns>>
// CHECK-NEXT:         %12 = tile.select %10, %5, %11
// CHECK-NEXT:         %13 = tile.reduce add %12 dims [1]
// CHECK-NEXT:         %14 = arith.addf %v, %13 : tensor<32xf32, #tile.spans<m>>
// CHECK-NEXT:         tile.yield %14
// CHECK-NEXT:       }
// CHECK-NEXT:       %v_1 = tile.cast %3 to bf16
// CHECK-NEXT:       tile.store %v_1, %out[%m]
// CHECK-NEXT:       %w = tile.load %y[%m, 3]
// CHECK-NEXT:       %wide = tile.broadcast %w dims [0] : tensor<32x8xf32, #tile.spans<m, _>>
// CHECK-NEXT:       tile.store %wide, %y[%m, :]
// CHECK-NEXT:     }
// CHECK-NEXT:     func.return %out : memref<64xbf16>
// CHECK-NEXT:   }
// EXPLAIN: {{.*}}/expand-gathers-columns.mlir:8:5: note: expand-gathers: one lane is selected of the rows around it
