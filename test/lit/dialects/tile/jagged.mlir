// Jagged tiles read back what they print, in their own and in the generic form, and get blocks as any axis does.

// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s
// RUN: tile-opt %s --choose-blocks="p=8 k=16" | tile-opt | filecheck %s --check-prefix=BLOCKS
// RUN: tile-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

func.func @lanes(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
  tile.grid %p = 0 to 64 by p {
    %l = tile.load %lens[%p]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %l by k of p max 512 iter_args(%a = %zero) {
      %i = tile.indices %k
      %b = tile.bound begin %k
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [1]
      tile.for %f = 0 to %l by f of p {
        %w = tile.splat 0.0 : tensor<?x?x?xf32, #tile.spans<f, p, k>>
      }
      %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %next
    }
  }
  return
}
// CHECK-LABEL: func.func @lanes(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
// CHECK-NEXT:    tile.grid %p = 0 to 64 by p {
// CHECK-NEXT:      %l = tile.load %lens[%p]
// CHECK-NEXT:      %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
// CHECK-NEXT:      %sum = tile.for %k = 0 to %l by k of p max 512 iter_args(%a = %zero) {
// CHECK-NEXT:        %i = tile.indices %k
// CHECK-NEXT:        %b = tile.bound begin %k
// CHECK-NEXT:        %v = tile.load %x[%p, %k]
// CHECK-NEXT:        %s = tile.reduce add %v dims [1]
// CHECK-NEXT:        tile.for %f = 0 to %l by f of p {
// CHECK-NEXT:          %w = tile.splat 0.0 : tensor<?x?x?xf32, #tile.spans<f, p, k>>
// CHECK-NEXT:        }
// CHECK-NEXT:        %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<p>>
// CHECK-NEXT:        tile.yield %next

// BLOCKS-LABEL: func.func @lanes(%x: memref<64x512xf32>, %lens: memref<64xi32>) {
// BLOCKS-NEXT:    tile.grid %p = 0 to 64 by p:8 {
// BLOCKS-NEXT:      %l = tile.load %lens[%p]
// BLOCKS-NEXT:      %zero = tile.splat 0.0 : tensor<8xf32, #tile.spans<p>>
// BLOCKS-NEXT:      %sum = tile.for %k = 0 to %l by k:16 of p max 512 iter_args(%a = %zero) {
// BLOCKS:             tile.for %f = 0 to %l by f:128 of p {
// BLOCKS-NEXT:          %w = tile.splat 0.0 : tensor<128x8x16xf32, #tile.spans<f, p, k>>

// GENERIC: ^{{.*}}(%k: !tile.jagged_span<k of p>, %a: tensor<?xf32, #tile.spans<p>>):
// GENERIC: ^{{.*}}(%f: !tile.jagged_span<f of p>):
