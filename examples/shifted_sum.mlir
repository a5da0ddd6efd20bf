// out[i, :] = x[i, :] + x[i + 1, :]. The rows of the second tile begin between those of the first.
func.func @shifted_sum(%x: memref<101x512xbf16>) -> memref<100x512xbf16> {
  %out = tile.empty : memref<100x512xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 512 by n {
    %here = tile.load %x[%m, %n]
    %below = tile.load %x[%m + 1, %n]
    %sum = arith.addf %here, %below : tensor<?x?xbf16, #tile.spans<m, n>>
    tile.store %sum, %out[%m, %n]
  }
  return %out : memref<100x512xbf16>
}
