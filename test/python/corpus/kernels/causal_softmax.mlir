// Softmax of a square of scores in which row r takes part with its columns 0 to r only.
!index = tensor<?x200xi32, #tile.spans<m, _>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @causal_softmax(%x: memref<200x200xbf16>) -> memref<200x200xbf16> {
  %out = tile.empty : memref<200x200xbf16>
  tile.grid %m = 0 to 200 by m {
    // Column numbers: a running sum of ones, less one.
    %one = tile.splat 1 : !index
    %counts = tile.scan add %one dim 1
    %columns = arith.subi %counts, %one : !index
    %r = tile.indices %m
    %rows = tile.broadcast %r dims [0] : !index
    %p = tile.compare le %columns, %rows
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %lowest = tile.splat -1.0e30 : !tile
    %scores = tile.select %p, %f, %lowest
    %top = tile.reduce max %scores dims [1]
    %topw = tile.broadcast %top dims [0] : !tile
    %d = arith.subf %scores, %topw : !tile
    %e = math.exp %d : !tile
    %sum = tile.reduce add %e dims [1]
    %sumw = tile.broadcast %sum dims [0] : !tile
    %y = arith.divf %e, %sumw : !tile
    tile.store %y, %out[%m, :]
  }
  return %out : memref<200x200xbf16>
}
