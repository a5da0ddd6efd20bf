// As triangle, but in tiles of rows: out[g] = sum of w[g .. 2 g].
func.func @triangle_tiles(%w: memref<32x200xbf16>) -> memref<12x200xbf16> {
  %two = arith.constant 2 : index
  %out = tile.empty : memref<12x200xbf16>
  tile.grid %g = 0 to 12 {
    %stop = arith.muli %two, %g : index
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = %g to %stop by m iter_args(%a = %zero) {
      %v = tile.load %w[%m, :]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<12x200xbf16>
}
