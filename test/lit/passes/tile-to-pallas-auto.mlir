// How segments are gone through follows from their average length, where axes say it.

// RUN: tile-opt %s --tile-to-pallas="loop=fori_loop m=128" | filecheck %s
// RUN: tile-opt %s --tile-to-pallas="m=128" | filecheck %s --check-prefix=GRID

// Nothing is known: a list of tiles.
// CHECK-LABEL: func.func @unknown(
// CHECK:         pallas.call "unknown_worklist"
// CHECK-NOT:     tile.dot
// GRID-LABEL:  func.func @unknown(
// GRID:          pallas.call "unknown_worklist"
// GRID-NOT:      tile.dot
func.func @unknown(%x: memref<4096x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<128xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}

// Long ones are streamed where there is a loop in the kernel.
// CHECK-LABEL: func.func @long(
// CHECK-NOT:     worklist
// CHECK:         pallas.call "long"
// GRID-LABEL:  func.func @long(
// GRID:          pallas.call "long_worklist"
// GRID-NOT:      tile.dot
func.func @long(%x: memref<4096x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %b to %e by m mean 512 iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<128xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}

// Short ones are summed by products, a tile of them at once.
// CHECK-LABEL: func.func @short(
// CHECK:         pallas.call "short_worklist"
// CHECK:         tile.dot
// GRID-LABEL:  func.func @short(
// GRID:          pallas.call "short_worklist"
// GRID:          tile.dot
func.func @short(%x: memref<4096x128xf32>, %o: memref<9xi32>) -> memref<8x128xf32> {
  %out = tile.empty : memref<8x128xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %b to %e by m mean 12 iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<128xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<8x128xf32>
}
