// One array is updated by two grids, the second of which reads what the first has left elsewhere.
func.func @atomic_two_grids(%x: memref<100x200xbf16>, %out: memref<200xbf16>) -> memref<200xbf16> {
  %rows = tile.full 0.0 : memref<100xf32>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %r = tile.reduce add %w dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %w dims [0]
    tile.atomic_rmw add %c, %out[%n]
  }
  tile.grid %p = 0 to 100 by p, %q = 0 to 200 by q {
    %v = tile.load %x[%p, %q]
    %w = tile.cast %v to f32
    %r = tile.load %rows[%p]
    %rw = tile.broadcast %r dims [0] : tensor<?x?xf32, #tile.spans<p, q>>
    %y = arith.addf %w, %rw : tensor<?x?xf32, #tile.spans<p, q>>
    %top = tile.reduce max %y dims [0]
    tile.atomic_rmw max %top, %out[%q]
  }
  return %out : memref<200xbf16>
}
