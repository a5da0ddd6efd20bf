// A loop of no iteration hands its first state on.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @no_iterations(%x: memref<100x200xbf16>) -> memref<100x200xbf16> {
  %out = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %y = tile.for %k = 0 to 0 iter_args(%a = %v) {
      %n = arith.negf %a : !tile
      tile.yield %n
    }
    tile.store %y, %out[%m, :]
  }
  return %out : memref<100x200xbf16>
}
