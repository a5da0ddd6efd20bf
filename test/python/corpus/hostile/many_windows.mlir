// One array read through four windows: a row tile, a column tile of it, its first row, row g.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @many_windows(%x: memref<64x200xbf16>) -> memref<64x200xbf16> {
  %out = tile.empty : memref<64x200xbf16>
  tile.grid %m = 0 to 64 by m {
    %zero = tile.splat 0.0 : !row
    %sum = tile.for %n = 0 to 200 by n iter_args(%a = %zero) {
      %p = tile.load %x[%m, %n]
      %pf = tile.cast %p to f32
      %s = tile.reduce add %pf dims [1]
      %next = arith.addf %a, %s : !row
      tile.yield %next
    }
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %rows = tile.for %r = 0 to 5 iter_args(%b = %f) {
      %c = tile.load %x[%r, :]
      %d = tile.load %x[%r + 7, :]
      %cf = tile.cast %c to f32
      %df = tile.cast %d to f32
      %e = arith.mulf %cf, %df : tensor<200xf32>
      %ew = tile.broadcast %e dims [1] : !tile
      %bb = arith.addf %b, %ew : !tile
      tile.yield %bb
    }
    %top = tile.load %x[0, :]
    %topf = tile.cast %top to f32
    %topw = tile.broadcast %topf dims [1] : !tile
    %sumw = tile.broadcast %sum dims [0] : !tile
    %y = arith.addf %rows, %topw : !tile
    %z = arith.addf %y, %sumw : !tile
    tile.store %z, %out[%m, :]
  }
  return %out : memref<64x200xbf16>
}
