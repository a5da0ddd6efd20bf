// out = x where row >= column, else -1. What is masked off is never read.
!index = tensor<?x?xi32, #tile.spans<m, n>>
func.func @masked_load(%x: memref<260x200xbf16>) -> memref<260x200xbf16> {
  %out = tile.empty : memref<260x200xbf16>
  tile.grid %m = 0 to 260 by m, %n = 0 to 200 by n {
    %r = tile.indices %m
    %c = tile.indices %n
    %rows = tile.broadcast %r dims [0] : !index
    %columns = tile.broadcast %c dims [1] : !index
    %p = tile.compare ge %rows, %columns
    %other = arith.constant -1.0 : bf16
    %v = tile.load %x[%m, %n] mask %p other %other
    tile.store %v, %out[%m, %n]
  }
  return %out : memref<260x200xbf16>
}
