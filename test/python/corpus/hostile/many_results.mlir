// Results of many shapes from one kernel: per row, per row and column, per group as rows, as one number in
// [8, 1], and counts of integers.
!row = tensor<?xf32, #tile.spans<m>>
func.func @many_results(%x: memref<?x200xbf16>, %offsets: memref<9xi32>)
    -> (memref<?xbf16>, memref<?x200xbf16>, memref<8x200xbf16>, memref<8x1xf32>, memref<8x1xi32>) {
  %row_sums = tile.full 3.0 like(%x) : memref<?xbf16>
  %out = tile.full -3.0 like(%x) : memref<?x200xbf16>
  %sums = tile.empty : memref<8x200xbf16>
  %totals = tile.empty : memref<8x1xf32>
  %counts = tile.empty : memref<8x1xi32>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %none = tile.splat 0.0 : f32
    %nil = tile.splat 0 : i32
    %sum, %total, %count = tile.for %m = %begin to %end by m
        iter_args(%a = %zero, %b = %none, %c = %nil) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %r = tile.reduce add %f dims [1]
      tile.store %r, %row_sums[%m]
      %d = arith.addf %f, %f : tensor<?x200xf32, #tile.spans<m, _>>
      tile.store %d, %out[%m, :]
      %s = tile.reduce add %f dims [0]
      %aa = arith.addf %a, %s : tensor<200xf32>
      %t = tile.reduce add %f dims [0, 1]
      %bb = arith.addf %b, %t : f32
      %one = tile.splat 1 : tensor<?x200xi32, #tile.spans<m, _>>
      %k = tile.reduce add %one dims [0, 1]
      %cc = arith.addi %c, %k : i32
      tile.yield %aa, %bb, %cc
    }
    tile.store %sum, %sums[%g, :]
    %totalw = tile.broadcast %total dims [] : tensor<1xf32>
    tile.store %totalw, %totals[%g, :]
    %countw = tile.broadcast %count dims [] : tensor<1xi32>
    tile.store %countw, %counts[%g, :]
  }
  return %row_sums, %out, %sums, %totals, %counts
    : memref<?xbf16>, memref<?x200xbf16>, memref<8x200xbf16>, memref<8x1xf32>, memref<8x1xi32>
}
