// out[r] = x[r + 1] - x[r] on a leading dimension, where a tile may begin at any row.
!tile = tensor<?x5x72xbf16, #tile.spans<m, _, _>>
func.func @shifted_rows(%x: memref<51x5x72xbf16>) -> memref<50x5x72xbf16> {
  %out = tile.empty : memref<50x5x72xbf16>
  tile.grid %m = 0 to 50 by m {
    %here = tile.load %x[%m, :, :]
    %next = tile.load %x[%m + 1, :, :]
    %d = arith.subf %next, %here : !tile
    tile.store %d, %out[%m, :, :]
  }
  return %out : memref<50x5x72xbf16>
}
