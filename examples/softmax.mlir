// out[r, :] = softmax(x[r, :]), a whole row at a time. How many rows there are is known only in the call.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @softmax(%x: memref<?x200xbf16>) -> memref<?x200xbf16> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x200xbf16>
  %out = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %top = tile.reduce max %f dims [1]
    %topw = tile.broadcast %top dims [0] : !tile
    %d = arith.subf %f, %topw : !tile
    %e = math.exp %d : !tile
    %sum = tile.reduce add %e dims [1]
    %sumw = tile.broadcast %sum dims [0] : !tile
    %p = arith.divf %e, %sumw : !tile
    tile.store %p, %out[%m, :]
  }
  return %out : memref<?x200xbf16>
}
