// Three loops in a row inside a jagged loop, the second using the first's result and the third both:
// out = (x - mean) / sqrt(variance + 1) @ w, over column tiles.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @jagged_three_in_a_row(%x: memref<?x200xbf16>, %w: memref<200x136xbf16>, %offsets: memref<9xi32>)
    -> memref<?x136xbf16> {
  %out = tile.empty like(%x) : memref<?x136xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
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
      %nothing = tile.splat 0.0 : tensor<?x136xf32, #tile.spans<m, _>>
      %acc = tile.for %n = 0 to 200 by n iter_args(%a = %nothing) {
        %v = tile.load %x[%m, %n]
        %f = tile.cast %v to f32
        %meanw = tile.broadcast %mean dims [0] : !tile
        %inversew = tile.broadcast %inverse dims [0] : !tile
        %d = arith.subf %f, %meanw : !tile
        %y = arith.mulf %d, %inversew : !tile
        %part = tile.load %w[%n, :]
        %partf = tile.cast %part to f32
        %sum2 = tile.dot %y, %partf, %a precision highest
        tile.yield %sum2
      }
      tile.store %acc, %out[%m, :]
    }
  }
  return %out : memref<?x136xbf16>
}
