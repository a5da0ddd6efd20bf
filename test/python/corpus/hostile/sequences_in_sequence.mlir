// Two loops in a row inside the first of two loops in a row, where order matters.
func.func @sequences_in_sequence(%w: memref<8x200xbf16>) -> memref<4x200xbf16> {
  %out = tile.empty : memref<4x200xbf16>
  tile.grid %g = 0 to 4 {
    %zero = tile.splat 1.0 : tensor<200xf32>
    %half = tile.splat -0.5 : tensor<200xf32>
    %a = tile.for %i = 0 to 3 iter_args(%b = %zero) {
      %c = tile.for %j = 0 to 2 iter_args(%d = %b) {
        %v = tile.load %w[%j, :]
        %f = tile.cast %v to f32
        %e = arith.addf %d, %f : tensor<200xf32>
        tile.yield %e
      }
      %h = tile.for %k = 0 to 2 iter_args(%d = %c) {
        %e = arith.mulf %d, %half : tensor<200xf32>
        tile.yield %e
      }
      tile.yield %h
    }
    %p = tile.for %i = 0 to 3 iter_args(%q = %a) {
      %r = arith.addf %q, %a : tensor<200xf32>
      %s = arith.mulf %r, %half : tensor<200xf32>
      tile.yield %s
    }
    tile.store %p, %out[%g, :]
  }
  return %out : memref<4x200xbf16>
}
