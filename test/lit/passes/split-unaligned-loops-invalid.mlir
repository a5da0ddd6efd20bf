// RUN: tile-opt %s --split-unaligned-loops --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --split-unaligned-loops="operands=hbm" 2>&1 | filecheck %s --match-full-lines --check-prefix=OPERANDS

// OPERANDS: {{.*}}: error: split-unaligned-loops: operands=hbm; auto, resident, stream are accepted

// Rows that begin between tiles, of an array whose extent is known only at run time: there is no "all".
func.func @shifted(%x: memref<?x256xbf16>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 56 by m:8 parallel
    %xw = tile.window read %x[%m + 1, :]
    %v = tile.get %xw
  }
  return
}
// CHECK: {{.*}}/split-unaligned-loops-invalid.mlir:10:5: error: split-unaligned-loops: %x cannot be copied in any block: its tiles begin between multiples of 8 in dimension 0; dimension 0 has an extent known only at run time

// -----

func.func @asked_in_vain(%x: memref<?x256xf32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 4 parallel
    %m = tile.axis 0 to 64 by m:8 ordered
    %xw = tile.window read %x[%m, :] resident
    %v = tile.get %xw
  }
  return
}
// CHECK: {{.*}}/split-unaligned-loops-invalid.mlir:23:5: error: split-unaligned-loops: %x cannot be resident: dimension 0 has an extent known only at run time

// -----

func.func @cannot_stream(%x: memref<100x8x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 99 by m:9 parallel
    %xw = tile.window read %x[%m + 1, :, :] stream
    %v = tile.get %xw
  }
  return
}
// CHECK: {{.*}}/split-unaligned-loops-invalid.mlir:35:5: error: split-unaligned-loops: %x cannot be streamed: its tiles begin between multiples of 9 in dimension 0

// -----

// Of an array of any length not all can stay.
func.func @loaded(%x: memref<6x8x128xf32>, %ids: memref<6xi32>, %out: memref<?x8x128xf32>) -> memref<?x8x128xf32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 6 ordered
    %id = tile.load %ids[%g]
    %i = arith.index_cast %id : i32 to index
    %xw = tile.window read %x[%g, :, :]
    %ow = tile.window write %out[%i, :, :]
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return %out : memref<?x8x128xf32>
}
// CHECK: {{.*}}/split-unaligned-loops-invalid.mlir:51:5: error: split-unaligned-loops: %out cannot be copied in any block: steps of axis g ({{.*}}/split-unaligned-loops-invalid.mlir:47:5) come back to blocks of 1 x 8 x 128 that others have left; dimension 0 has an extent known only at run time
