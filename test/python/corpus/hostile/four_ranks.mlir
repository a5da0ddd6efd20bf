// Index axes on leading and second-last dimensions of arrays of rank 4 and 3.
!tile = tensor<?x72xf32, #tile.spans<m, _>>
func.func @four_ranks(%x: memref<3x50x5x72xbf16>, %w: memref<3x5x72xbf16>) -> memref<3x50x5x72xbf16> {
  %out = tile.empty : memref<3x50x5x72xbf16>
  tile.grid %b = 0 to 3, %m = 0 to 50 by m, %h = 0 to 5 {
    %v = tile.load %x[%b, %m, %h, :]
    %f = tile.cast %v to f32
    %c = tile.load %w[%b, %h, :]
    %cf = tile.cast %c to f32
    %cw = tile.broadcast %cf dims [1] : !tile
    %y = arith.addf %f, %cw : !tile
    tile.store %y, %out[%b, %m, %h, :]
  }
  return %out : memref<3x50x5x72xbf16>
}
