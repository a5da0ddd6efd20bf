// out = 2 x where row >= column, and the fill elsewhere.
!index = tensor<?x?xi32, #tile.spans<m, n>>
!tile = tensor<?x?xbf16, #tile.spans<m, n>>
func.func @masked_store(%x: memref<260x200xbf16>) -> memref<260x200xbf16> {
  %out = tile.full 7.0 : memref<260x200xbf16>
  tile.grid %m = 0 to 260 by m, %n = 0 to 200 by n {
    %r = tile.indices %m
    %c = tile.indices %n
    %rows = tile.broadcast %r dims [0] : !index
    %columns = tile.broadcast %c dims [1] : !index
    %p = tile.compare ge %rows, %columns
    %v = tile.load %x[%m, %n]
    %y = arith.addf %v, %v : !tile
    tile.store %y, %out[%m, %n] mask %p
  }
  return %out : memref<260x200xbf16>
}
