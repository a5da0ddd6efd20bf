// --explain names the reshapes and transpositions of whole arrays around kernels.

// RUN: tile-opt %s --resolve-views --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @in_place(%x: memref<24x8x128xf32>) -> (memref<24x8x128xf32>, memref<1024x24xf32>) {
  %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  %t = tile.view %rows permute [1, 0] : memref<24x1024xf32> to memref<1024x24xf32>
  tile.grid %m = 0 to 24 by m:8 {
    %v = tile.load %t[:, %m]
    tile.store %v, %t[:, %m]
  }
  return %x, %t : memref<24x8x128xf32>, memref<1024x24xf32>
}
// CHECK:      {{.*}}/resolve-views-explain.mlir:8:3: note: resolve-views: the host reshapes a memref<24x8x128xf32> to memref<24x1024xf32> here
// CHECK-NEXT: {{.*}}/resolve-views-explain.mlir:12:3: note: resolve-views: the host reshapes a memref<24x1024xf32> to memref<24x8x128xf32> here
// CHECK-NEXT: {{.*}}/resolve-views-explain.mlir:12:3: note: resolve-views: the host transposes a memref<24x1024xf32> to memref<1024x24xf32> here
