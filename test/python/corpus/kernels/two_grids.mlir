// out[r] = sum of x[r, :]^2, through an array that the first grid writes and the second reads.
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @two_grids(%x: memref<60x200xbf16>) -> memref<60xbf16> {
  %square = tile.empty : memref<60x200xf32>
  %out = tile.empty : memref<60xbf16>
  tile.grid %m = 0 to 60 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %f = tile.cast %v to f32
    %s = arith.mulf %f, %f : !tile
    tile.store %s, %square[%m, %n]
  }
  // Its tiles are its own: they need not be those of the first grid.
  tile.grid %r = 0 to 60 by r {
    %s = tile.load %square[%r, :]
    %sum = tile.reduce add %s dims [1]
    tile.store %sum, %out[%r]
  }
  return %out : memref<60xbf16>
}
