// Views read back as they print, in their own and in the generic form.

// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

func.func @views(%x: memref<8x128xf32>, %y: memref<?x4x64xbf16>) -> memref<1x8x128xf32> {
  %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
  %t = tile.view %x permute [1, 0] : memref<8x128xf32> to memref<128x8xf32>
  %one = tile.view %flat : memref<1024xf32> to memref<1x8x128xf32>
  %rows = tile.view %y : memref<?x4x64xbf16> to memref<?x256xbf16>
  %inner = tile.view %y permute [0, 2, 1] : memref<?x4x64xbf16> to memref<?x64x4xbf16>
  return %one : memref<1x8x128xf32>
}
// CHECK-LABEL: func.func @views(%x: memref<8x128xf32>, %y: memref<?x4x64xbf16>) -> memref<1x8x128xf32> {
// CHECK-NEXT:    %flat = tile.view %x : memref<8x128xf32> to memref<1024xf32>
// CHECK-NEXT:    %t = tile.view %x permute [1, 0] : memref<8x128xf32> to memref<128x8xf32>
// CHECK-NEXT:    %one = tile.view %flat : memref<1024xf32> to memref<1x8x128xf32>
// CHECK-NEXT:    %rows = tile.view %y : memref<?x4x64xbf16> to memref<?x256xbf16>
// CHECK-NEXT:    %inner = tile.view %y permute [0, 2, 1] : memref<?x4x64xbf16> to memref<?x64x4xbf16>
// CHECK-NEXT:    func.return %one : memref<1x8x128xf32>

func.func @copies(%x: memref<?x128xi1>) -> memref<?x128xi8> {
  %bytes = tile.convert %x : memref<?x128xi1> to memref<?x128xi8>
  return %bytes : memref<?x128xi8>
}
// CHECK-LABEL: func.func @copies(%x: memref<?x128xi1>) -> memref<?x128xi8> {
// CHECK-NEXT:    %bytes = tile.convert %x : memref<?x128xi1> to memref<?x128xi8>
// CHECK-NEXT:    func.return %bytes : memref<?x128xi8>
