// out[r, c] = (the largest of row r of x + c) / 16: only what is written is cut.
!tile = tensor<40x?xf32, #tile.spans<_, n>>
func.func @narrow_lanes_written(%x: memref<40x200xbf16>) -> memref<40x200xbf16> {
  %out = tile.empty : memref<40x200xbf16>
  tile.grid %n = 0 to 200 by n {
    %v = tile.load %x[:, :]
    %f = tile.cast %v to f32
    %top = tile.reduce max %f dims [1]
    %topw = tile.broadcast %top dims [0] : !tile
    %c = tile.indices %n
    %cf = tile.cast %c to f32
    %cw = tile.broadcast %cf dims [1] : !tile
    %sum = arith.addf %topw, %cw : !tile
    %part = tile.splat 0.0625 : !tile
    %y = arith.mulf %sum, %part : !tile
    %z = tile.cast %y to bf16
    tile.store %z, %out[:, %n]
  }
  return %out : memref<40x200xbf16>
}
