// A jagged loop over the segments of a group, each a jagged run of rows: sums[g] over all of them.
func.func @segments_of_segments(%x: memref<?x200xbf16>, %parts: memref<5xi32>, %offsets: memref<9xi32>)
    -> memref<4x200xbf16> {
  %sums = tile.empty : memref<4x200xbf16>
  tile.grid %g = 0 to 4 {
    %first, %last = tile.segment %parts[%g]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %s = %first to %last max 8 iter_args(%a = %zero) {
      %begin, %end = tile.segment %offsets[%s]
      %inner = tile.for %m = %begin to %end by m iter_args(%b = %a) {
        %v = tile.load %x[%m, :]
        %f = tile.cast %v to f32
        %r = tile.reduce add %f dims [0]
        %next = arith.addf %b, %r : tensor<200xf32>
        tile.yield %next
      }
      tile.yield %inner
    }
    tile.store %sum, %sums[%g, :]
  }
  return %sums : memref<4x200xbf16>
}
