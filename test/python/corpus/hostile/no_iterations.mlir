// A loop of no iteration hands its first state on; a grid of none leaves the fill.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @no_iterations(%x: memref<100x200xbf16>) -> (memref<100x200xbf16>, memref<100x200xbf16>) {
  %out = tile.empty : memref<100x200xbf16>
  %rest = tile.full 2.0 : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %y = tile.for %k = 0 to 0 iter_args(%a = %v) {
      %n = arith.negf %a : !tile
      tile.yield %n
    }
    tile.store %y, %out[%m, :]
  }
  tile.grid %r = 0 to 0 by r {
    %v = tile.load %x[%r, :]
    tile.store %v, %rest[%r, :]
  }
  return %out, %rest : memref<100x200xbf16>, memref<100x200xbf16>
}
