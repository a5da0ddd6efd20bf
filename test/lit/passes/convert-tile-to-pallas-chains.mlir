// A sum over many rows without masks first leaves some; one of few rows, or with masks, is made at once.

// RUN: tile-opt %s --convert-tile-to-pallas | filecheck %s

func.func @sums(%x: memref<512x256xf32>, %out: memref<256xf32>) -> memref<256xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:256 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[:] preload
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @sums
// CHECK:         %[[CHAINS:.*]] = tile.reshape %v : tensor<8x32x256xf32>
// CHECK-NEXT:    %[[SOME:.*]] = tile.reduce add %[[CHAINS]] dims [0]
// CHECK-NEXT:    tile.reduce add %[[SOME]] dims [0]

func.func @few(%x: memref<512x256xf32>, %out: memref<256xf32>) -> memref<256xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 512 by m:64 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[:] preload
    %v = tile.get %xw
    %s = tile.reduce add %v dims [0]
    tile.set %s, %ow
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @few
// CHECK:         tile.reduce add %v dims [0]

func.func @masked(%x: memref<500x256xf32>, %out: memref<256xf32>) -> memref<256xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 500 by m:256 ordered
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[:] preload
    %v = tile.get %xw
    %zero = arith.constant 0.0 : f32
    %f = tile.fill %v outside %m with %zero
    %s = tile.reduce add %f dims [0]
    tile.set %s, %ow
  }
  return %out : memref<256xf32>
}
// CHECK-LABEL: func.func @masked
// CHECK:         %f = tile.select
// CHECK-NEXT:    tile.reduce add %f dims [0]
