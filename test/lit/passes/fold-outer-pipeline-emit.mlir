// Where the steps are no grid the tiles of a leading dimension begin at the segment: they are exact, and none is shared.

// RUN: tile-opt %s --fold-outer-pipeline="loop=emit_pipeline" | filecheck %s
// RUN: tile-opt %s --fold-outer-pipeline="loop=fori_loop" | filecheck %s --check-prefix=FORI

// FORI-LABEL: func.func @leading
// FORI:         tile.pipeline fori_loop {
// FORI:           %m = tile.axis %b to %e by m:128 parallel{{$}}
func.func @leading(%x: memref<?x8x128xf32>, %o: memref<9xi32>) -> memref<?x8x128xf32> {
  %out = tile.empty like(%x) : memref<?x8x128xf32>
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 parallel {
      %v = tile.load %x[%m, :, :]
      %w = arith.addf %v, %v : tensor<128x8x128xf32, #tile.spans<m, _, _>>
      tile.store %w, %out[%m, :, :]
    }
  }
  return %out : memref<?x8x128xf32>
}
// CHECK-LABEL: func.func @leading(%x: memref<?x8x128xf32>, %o: memref<9xi32>) -> memref<?x8x128xf32> {
// CHECK-NEXT:    %out = tile.empty like(%x) : memref<?x8x128xf32>
// CHECK-NEXT:    tile.pipeline emit_pipeline {
// CHECK-NEXT:      %g = tile.axis 0 to 8 parallel
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 parallel
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, :, :]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %w = arith.addf %v, %v : tensor<128x8x128xf32, #tile.spans<m, _, _>>
// CHECK-NEXT:      tile.set %w, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x8x128xf32>
// CHECK-NEXT:  }

// The same axis indexes rows too, which lie in tiles of memory: aligned.
// FORI-LABEL: func.func @rows_too
// FORI:         tile.pipeline fori_loop {
// FORI:           %m = tile.axis %b to %e by m:128 ordered aligned
func.func @rows_too(%x: memref<?x8x128xf32>, %y: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%y) : memref<?x128xf32>
  tile.grid %g = 0 to 8 parallel {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:128 parallel {
      %v = tile.load %x[%m, :, :]
      %w = tile.load %y[%m, :]
      %s = tile.reduce add %v dims [1]
      %t = arith.addf %s, %w : tensor<128x128xf32, #tile.spans<m, _>>
      tile.store %t, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK-LABEL: func.func @rows_too(%x: memref<?x8x128xf32>, %y: memref<?x128xf32>, %o: memref<9xi32>) -> memref<?x128xf32> {
// CHECK-NEXT:    %out = tile.empty like(%y) : memref<?x128xf32>
// CHECK-NEXT:    tile.pipeline emit_pipeline {
// CHECK-NEXT:      %g = tile.axis 0 to 8 ordered
// CHECK-NEXT:      %b, %e = tile.segment %o[%g]
// CHECK-NEXT:      %m = tile.axis %b to %e by m:128 ordered aligned
// CHECK-NEXT:      %x_window = tile.window read %x[%m, :, :]
// CHECK-NEXT:      %y_window = tile.window read %y[%m, :]
// CHECK-NEXT:      %out_window = tile.window write %out[%m, :]
// CHECK-NEXT:      %v = tile.get %x_window
// CHECK-NEXT:      %w = tile.get %y_window
// CHECK-NEXT:      %s = tile.reduce add %v dims [1]
// CHECK-NEXT:      %t = arith.addf %s, %w : tensor<128x128xf32, #tile.spans<m, _>>
// CHECK-NEXT:      tile.set %t, %out_window
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %out : memref<?x128xf32>
// CHECK-NEXT:  }
