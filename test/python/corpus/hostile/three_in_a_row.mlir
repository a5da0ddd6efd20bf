// Three loops in a row, the second using the first's result and the third both:
// out = (x - mean) / sqrt(variance + 1), over column tiles.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @three_in_a_row(%x: memref<60x200xbf16>) -> memref<60x200xbf16> {
  %out = tile.empty : memref<60x200xbf16>
  tile.grid %m = 0 to 60 by m {
    %zero = tile.splat 0.0 : !row
    %count = tile.splat 0.005 : !row
    %sum = tile.for %n = 0 to 200 by n iter_args(%a = %zero) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [1]
      %next = arith.addf %a, %s : !row
      tile.yield %next
    }
    %mean = arith.mulf %sum, %count : !row
    %squares = tile.for %n = 0 to 200 by n iter_args(%a = %zero) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %meanw = tile.broadcast %mean dims [0] : !tile
      %d = arith.subf %f, %meanw : !tile
      %q = arith.mulf %d, %d : !tile
      %s = tile.reduce add %q dims [1]
      %next = arith.addf %a, %s : !row
      tile.yield %next
    }
    %variance = arith.mulf %squares, %count : !row
    %one = tile.splat 1.0 : !row
    %safe = arith.addf %variance, %one : !row
    %inverse = math.rsqrt %safe : !row
    tile.for %n = 0 to 200 by n {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %meanw = tile.broadcast %mean dims [0] : !tile
      %inversew = tile.broadcast %inverse dims [0] : !tile
      %d = arith.subf %f, %meanw : !tile
      %y = arith.mulf %d, %inversew : !tile
      tile.store %y, %out[%m, %n]
    }
  }
  return %out : memref<60x200xbf16>
}
