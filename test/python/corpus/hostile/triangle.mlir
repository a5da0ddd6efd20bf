// A loop whose end is computed from the axis around it: out[g] = sum of w[0 .. 2 g + 1].
func.func @triangle(%w: memref<32x200xbf16>) -> memref<12x200xbf16> {
  %two = arith.constant 2 : index
  %one = arith.constant 1 : index
  %out = tile.empty : memref<12x200xbf16>
  tile.grid %g = 0 to 12 {
    %twice = arith.muli %g, %two : index
    %stop = arith.addi %twice, %one : index
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %i = %g to %stop iter_args(%a = %zero) {
      %v = tile.load %w[%i, :]
      %f = tile.cast %v to f32
      %next = arith.addf %a, %f : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%g, :]
  }
  return %out : memref<12x200xbf16>
}
