// out[r] = x[r + s] + x[r], where the call says s: the last three bits of an integer.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @rows_from(%x: memref<57x200xbf16>, %shift: memref<1xi32>) -> memref<50x200xbf16> {
  %out = tile.empty : memref<50x200xbf16>
  %first = arith.constant 0 : index
  %most = arith.constant 7 : i32
  tile.grid %m = 0 to 50 by m {
    %any = tile.load %shift[%first]
    %bits = arith.andi %any, %most : i32
    %s = arith.index_cast %bits : i32 to index
    %here = tile.load %x[%m, :]
    %there = tile.load %x[%m + %s, :]
    %y = arith.addf %there, %here : !tile
    tile.store %y, %out[%m, :]
  }
  return %out : memref<50x200xbf16>
}
