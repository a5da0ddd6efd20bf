// The whole way is the passes that it names, in their order; what is no option is the size of an axis.

// RUN: tile-opt %s --tile-to-pallas="m=64" > %t.1
// RUN: tile-opt %s --choose-blocks="m=64" --classify-axes --carry-to-scratch --fold-outer-pipeline --compact-worklist --materialize-masks --plan-memory --convert-tile-to-pallas > %t.2
// RUN: diff %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="grouping=overlaunch loop=emit_pipeline chip=v6e" > %t.1
// RUN: tile-opt %s --choose-blocks --classify-axes --carry-to-scratch --fold-outer-pipeline="loop=emit_pipeline" --overlaunch-jagged --materialize-masks --plan-memory="chip=v6e" --convert-tile-to-pallas > %t.2
// RUN: diff %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="loop=unroll" > %t.1
// RUN: tile-opt %s --choose-blocks --classify-axes --unroll-loops --carry-to-scratch --fold-outer-pipeline --compact-worklist --materialize-masks --plan-memory --convert-tile-to-pallas > %t.2
// RUN: diff %t.1 %t.2
// RUN: tile-opt %s --tile-to-pallas="m=64" | filecheck %s

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
