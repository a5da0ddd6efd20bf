// out[i] = x[0] + … + x[i]: a scan of each tile, and the total of the tiles before it.
!tile = tensor<?xf32, #tile.spans<i>>
func.func @vector_cumsum(%x: memref<200xbf16>) -> memref<200xbf16> {
  %out = tile.empty : memref<200xbf16>
  %zero = arith.constant 0.0 : f32
  tile.grid %all = 0 to 1 {
    %total = tile.for %i = 0 to 200 by i iter_args(%t = %zero) {
      %v = tile.load %x[%i]
      %f = tile.cast %v to f32
      %scan = tile.scan add %f dim 0
      %before = tile.broadcast %t dims [] : !tile
      %y = arith.addf %scan, %before : !tile
      tile.store %y, %out[%i]
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %t, %s : f32
      tile.yield %next
    }
  }
  return %out : memref<200xbf16>
}
