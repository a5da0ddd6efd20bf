// --explain names what the host transposes, at the access or the end of the function that asks for it.

// RUN: tile-opt %s --permute-arrays --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @f(%x: memref<512x8x128xf32>) -> memref<512x8x128xf32> {
  %out = tile.empty : memref<512x8x128xf32>
  tile.grid %h = 0 to 8, %m = 0 to 512 by m:128 {
    %v = tile.load %x[%m, %h, :]
    tile.store %v, %out[%m, %h, :]
  }
  return %out : memref<512x8x128xf32>
}
// CHECK: {{.*}}/permute-arrays-explain.mlir:8:5: note: permute-arrays: the host transposes a memref<512x8x128xf32> to memref<8x512x128xf32>
// CHECK-NEXT: {{.*}}/permute-arrays-explain.mlir:11:3: note: permute-arrays: the host transposes a memref<8x512x128xf32> to memref<512x8x128xf32>
// CHECK-NOT: {{.}}
