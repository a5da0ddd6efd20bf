// out[r, c] = (x[c] + r) / 2: only what is written is cut.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @narrow_rows_written(%x: memref<200xbf16>) -> memref<100x200xbf16> {
  %out = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[:]
    %f = tile.cast %v to f32
    %fw = tile.broadcast %f dims [1] : !tile
    %r = tile.indices %m
    %rf = tile.cast %r to f32
    %rw = tile.broadcast %rf dims [0] : !tile
    %sum = arith.addf %fw, %rw : !tile
    %half = tile.splat 0.5 : !tile
    %y = arith.mulf %sum, %half : !tile
    %z = tile.cast %y to bf16
    tile.store %z, %out[%m, :]
  }
  return %out : memref<100x200xbf16>
}
