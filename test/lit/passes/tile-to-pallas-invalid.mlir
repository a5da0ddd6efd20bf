// RUN: not tile-opt %s --tile-to-pallas="grouping=list" 2>&1 | filecheck %s --check-prefix=GROUPING --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="loop=while" 2>&1 | filecheck %s --check-prefix=LOOP --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="chip=v1" 2>&1 | filecheck %s --check-prefix=CHIP --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="operands=hbm" 2>&1 | filecheck %s --check-prefix=OPERANDS --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="depth=9" 2>&1 | filecheck %s --check-prefix=DEPTH --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="fetch=0" 2>&1 | filecheck %s --check-prefix=FETCH --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="fetch=99999999999999999999" 2>&1 | filecheck %s --check-prefix=MANY --match-full-lines
// MANY: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: double-buffer: fetch=99999999999999999999; 1 to 65536 is accepted
// RUN: not tile-opt %s --tile-to-pallas="rows=8" 2>&1 | filecheck %s --check-prefix=AXIS --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="gathers=whole" 2>&1 | filecheck %s --check-prefix=GATHERS --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="shared=split" 2>&1 | filecheck %s --check-prefix=SHARED --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="grouping=stream loop=grid" 2>&1 | filecheck %s --check-prefix=STREAM --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="depth=2,3" 2>&1 | filecheck %s --check-prefix=SEVERAL --match-full-lines
// RUN: not tile-opt %s --tile-to-pallas="grouping" 2>&1 | filecheck %s --check-prefix=BARE --match-full-lines
// SEVERAL: tile-opt: error: tile-to-pallas: option depth has 2 values; one is accepted
// BARE: tile-opt: error: tile-to-pallas: option grouping has 0 values; one is accepted
// GROUPING: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: tile-to-pallas: grouping=list; auto, worklist, overlaunch, stream, one_hot, none are accepted
// STREAM: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: tile-to-pallas: loop=grid with grouping=stream; fori_loop is accepted
// LOOP: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: tile-to-pallas: loop=while; grid, emit_pipeline, fori_loop, unroll are accepted
// CHIP: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: expand-gathers: there is no chip v1; the chips are v4, v5e, v5p, v6e, tpu7x
// OPERANDS: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: split-unaligned-loops: operands=hbm; auto, resident, stream are accepted
// DEPTH: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: double-buffer: depth=9; 1 to 8 is accepted
// FETCH: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: double-buffer: fetch=0; 1 to 65536 is accepted
// GATHERS: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: pad-elements: order=whole; auto, inner, outer, rows are accepted
// SHARED: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: insert-atomic-scratch: shared=split; auto, resident, phases are accepted
// AXIS: {{.*}}/tile-to-pallas-invalid.mlir:1:1: error: choose-blocks: no axis is named rows; the axes are m

func.func @f(%x: memref<512xf32>) -> memref<512xf32> {
  %out = tile.empty : memref<512xf32>
  tile.grid %m = 0 to 512 by m {
    %v = tile.load %x[%m]
    tile.store %v, %out[%m]
  }
  return %out : memref<512xf32>
}
