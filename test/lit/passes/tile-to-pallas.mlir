// The whole way is the passes that it names, in their order; what is no option is the size of an axis.

// cmp, not diff: the diff built into lit loses PYTHONPATH for the lines after it.
// RUN: tile-opt %s --tile-to-pallas="k=256" > %t.1
// RUN: tile-opt %s --choose-blocks="k=256" --resolve-views --classify-axes --classify-outputs --carry-to-scratch --fold-outer-pipeline --compact-worklist --split-unaligned-loops --materialize-masks --classify-outputs --double-buffer --plan-memory --convert-tile-to-pallas --drop-bounds-checks > %t.2
// RUN: cmp %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="grouping=overlaunch loop=emit_pipeline chip=v6e" > %t.1
// RUN: tile-opt %s --choose-blocks --resolve-views --classify-axes --classify-outputs --carry-to-scratch --fold-outer-pipeline="loop=emit_pipeline" --overlaunch-jagged --split-unaligned-loops --materialize-masks --classify-outputs --double-buffer --plan-memory="chip=v6e" --convert-tile-to-pallas --drop-bounds-checks > %t.2
// RUN: cmp %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="loop=unroll" > %t.1
// RUN: tile-opt %s --choose-blocks --resolve-views --classify-axes --classify-outputs --unroll-loops --carry-to-scratch --fold-outer-pipeline --compact-worklist --split-unaligned-loops --materialize-masks --classify-outputs --double-buffer --plan-memory --convert-tile-to-pallas --drop-bounds-checks > %t.2
// RUN: cmp %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="loop=fori_loop operands=resident depth=1" > %t.1
// RUN: tile-opt %s --choose-blocks --resolve-views --classify-axes --classify-outputs --carry-to-scratch --fold-outer-pipeline="loop=fori_loop" --compact-worklist --split-unaligned-loops="operands=resident" --materialize-masks --classify-outputs --double-buffer="depth=1" --plan-memory --convert-tile-to-pallas --drop-bounds-checks > %t.2
// RUN: cmp %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="loop=fori_loop depth=3 fetch=2" > %t.1
// RUN: tile-opt %s --choose-blocks --resolve-views --classify-axes --classify-outputs --carry-to-scratch --fold-outer-pipeline="loop=fori_loop" --compact-worklist --split-unaligned-loops --materialize-masks --classify-outputs --double-buffer="depth=3 fetch=2" --plan-memory --convert-tile-to-pallas --drop-bounds-checks > %t.2
// RUN: cmp %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="k=256" | filecheck %s

// Nothing of the program is left but its arguments.
func.func @row_sum(%x: memref<200x300xf32>) -> memref<200xf32> {
  %out = tile.empty : memref<200xf32>
  tile.grid %m = 0 to 200 by m {
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %sum = tile.for %k = 0 to 300 by k iter_args(%acc = %zero) {
      %v = tile.load %x[%m, %k]
      %part = tile.reduce add %v dims [1]
      %next = arith.addf %acc, %part : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %out[%m]
  }
  return %out : memref<200xf32>
}
// CHECK-LABEL: func.func @row_sum(%x: memref<200x300xf32>) -> memref<200xf32> {
// CHECK-NEXT:    %out = pallas.call "row_sum" grid [parallel 2, arbitrary 2] unchecked {
// CHECK-NEXT:      %sum = pallas.scratch : memref<128x128xf32, #pallas.space<vmem>>
// CHECK-NEXT:      %x_window = pallas.in %x block [128, 256] map (%0, %1) -> (%0, %1)
// CHECK-NEXT:      %out_window = pallas.out block [1, 128] map (%0, %1) {
// CHECK-NEXT:        %c0 = arith.constant 0 : index
// CHECK-NEXT:        pallas.yield %c0, %0
// CHECK-NEXT:      } : memref<1x200xf32>
// CHECK-NEXT:      %m = pallas.program_id 0
// CHECK-NEXT:      %k = pallas.program_id 1
// CHECK-NEXT:      %c0 = arith.constant 0 : index
// CHECK-NEXT:      %first_k = arith.cmpi eq, %k, %c0 : index
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %c256 = arith.constant 256 : index
// CHECK-NEXT:      %k_start = arith.muli %k, %c256 : index
// CHECK-NEXT:      %c300 = arith.constant 300 : index
// CHECK-NEXT:      %k_stop = arith.subi %c300, %k_start : index
// CHECK-NEXT:      %k_stop_1 = arith.index_cast %k_stop : index to i32
// CHECK-NEXT:      %c1 = arith.constant 1 : index
// CHECK-NEXT:      %last_k = arith.cmpi eq, %k, %c1 : index
// CHECK-NEXT:      pallas.when %first_k {
// CHECK-NEXT:        %zero = tile.splat 0.0 : tensor<128x128xf32>
// CHECK-NEXT:        pallas.store %zero, %sum
// CHECK-NEXT:      }
// CHECK-NEXT:      %acc = pallas.load %sum
// CHECK-NEXT:      %v = pallas.load %x_window
// CHECK-NEXT:      %k_lanes = pallas.iota dim 1 : tensor<1x256xi32>
// CHECK-NEXT:      %1 = tile.broadcast %k_stop_1 dims [] : tensor<1x256xi32>
// CHECK-NEXT:      %k_live = tile.compare lt %k_lanes, %1
// CHECK-NEXT:      %k_mask = tile.broadcast %k_live dims [0, 1] : tensor<128x256xi1>
// CHECK-NEXT:      %2 = tile.broadcast %0 dims [] : tensor<128x256xf32>
// CHECK-NEXT:      %v_1 = tile.select %k_mask, %v, %2
// CHECK-NEXT:      %3 = tile.reduce add %v_1 dims [1]
// CHECK-NEXT:      %4 = tile.reshape %3 : tensor<128x1xf32>
// CHECK-NEXT:      %part = tile.broadcast %4 dims [0, 1] : tensor<128x128xf32>
// CHECK-NEXT:      %next = arith.addf %acc, %part : tensor<128x128xf32>
// CHECK-NEXT:      pallas.store %next, %sum
// CHECK-NEXT:      pallas.when %last_k {
// CHECK-NEXT:        %sum_1 = pallas.load %sum
// CHECK-NEXT:        %5 = tile.slice %sum_1 dim 1 from 0 size 1
// CHECK-NEXT:        %6 = tile.transpose %5 [1, 0]
// CHECK-NEXT:        pallas.store %6, %out_window
// CHECK-NEXT:      }
// CHECK-NEXT:    } : memref<1x200xf32>
// CHECK-NEXT:    %out_1 = pallas.reshape %out : memref<200xf32>
// CHECK-NEXT:    func.return %out_1 : memref<200xf32>
// CHECK-NEXT:  }
