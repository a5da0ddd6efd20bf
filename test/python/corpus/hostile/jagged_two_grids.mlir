// The first grid writes rows by group, the second sums them by group: sums[g] = sum of (x + g) over g's rows.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @jagged_two_grids(%x: memref<?x200xbf16>, %bias: memref<8x200xbf16>, %offsets: memref<9xi32>)
    -> (memref<8x200xbf16>, memref<?x200xf32>) {
  %middle = tile.full 0.5 like(%x) : memref<?x200xf32>
  %sums = tile.empty : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %b = tile.load %bias[%g, :]
      %bf = tile.cast %b to f32
      %bw = tile.broadcast %bf dims [1] : !tile
      %y = arith.addf %f, %bw : !tile
      tile.store %y, %middle[%m, :]
    }
  }
  tile.grid %h = 0 to 8 {
    %begin, %end = tile.segment %offsets[%h]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %r = %begin to %end by r iter_args(%a = %zero) {
      %v = tile.load %middle[%r, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %sums[%h, :]
  }
  return %sums, %middle : memref<8x200xbf16>, memref<?x200xf32>
}
