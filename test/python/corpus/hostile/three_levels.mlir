// Three levels of loops, with statements before, between and after at each:
// out[r] = x[r] + sum over j of w[j] (x[r] . w[j]), sums[g] = sum of x over the rows of g, less one.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
!part = tensor<?x?xf32, #tile.spans<m, k>>
func.func @three_levels(%x: memref<?x200xbf16>, %w: memref<4x200xbf16>, %offsets: memref<9xi32>)
    -> (memref<?x200xbf16>, memref<8x200xbf16>) {
  %out = tile.empty like(%x) : memref<?x200xbf16>
  %sums = tile.empty : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %less = tile.splat -1.0 : tensor<200xf32>
    %total = tile.for %m = %begin to %end by m iter_args(%t = %less) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %all = tile.for %j = 0 to 4 iter_args(%a = %f) {
        %none = tile.splat 0.0 : !row
        %dot = tile.for %k = 0 to 200 by k iter_args(%b = %none) {
          %p = tile.load %x[%m, %k]
          %pf = tile.cast %p to f32
          %c = tile.load %w[%j, %k]
          %cf = tile.cast %c to f32
          %cw = tile.broadcast %cf dims [1] : !part
          %q = arith.mulf %pf, %cw : !part
          %s = tile.reduce add %q dims [1]
          %bb = arith.addf %b, %s : !row
          tile.yield %bb
        }
        %d = tile.load %w[%j, :]
        %df = tile.cast %d to f32
        %dw = tile.broadcast %df dims [1] : !tile
        %dotw = tile.broadcast %dot dims [0] : !tile
        %prod = arith.mulf %dw, %dotw : !tile
        %aa = arith.addf %a, %prod : !tile
        tile.yield %aa
      }
      tile.store %all, %out[%m, :]
      %here = tile.reduce add %f dims [0]
      %tt = arith.addf %t, %here : tensor<200xf32>
      tile.yield %tt
    }
    tile.store %total, %sums[%g, :]
  }
  return %out, %sums : memref<?x200xbf16>, memref<8x200xbf16>
}
