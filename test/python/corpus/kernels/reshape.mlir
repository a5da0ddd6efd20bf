// Divides each of the four 128-wide heads of a row by one plus its sum of squares.
!flat = tensor<?x512xf32, #tile.spans<m, _>>
!heads = tensor<?x4x128xf32, #tile.spans<m, _, _>>
func.func @reshape(%x: memref<100x512xbf16>) -> memref<100x512xbf16> {
  %out = tile.empty : memref<100x512xbf16>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %h = tile.reshape %f : !heads
    %square = arith.mulf %h, %h : !heads
    %squares = tile.reduce add %square dims [2]
    %wide = tile.broadcast %squares dims [0, 1] : !heads
    %one = tile.splat 1.0 : !heads
    %scale = arith.addf %wide, %one : !heads
    %divided = arith.divf %h, %scale : !heads
    %y = tile.reshape %divided : !flat
    tile.store %y, %out[%m, :]
  }
  return %out : memref<100x512xbf16>
}
