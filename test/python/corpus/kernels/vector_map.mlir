// out = x y + x, element by element of two vectors.
!tile = tensor<?xf32, #tile.spans<i>>
func.func @vector_map(%x: memref<200xbf16>, %y: memref<200xbf16>) -> memref<200xbf16> {
  %out = tile.empty : memref<200xbf16>
  tile.grid %i = 0 to 200 by i {
    %a = tile.load %x[%i]
    %b = tile.load %y[%i]
    %f = tile.cast %a to f32
    %g = tile.cast %b to f32
    %p = arith.mulf %f, %g : !tile
    %z = arith.addf %p, %f : !tile
    tile.store %z, %out[%i]
  }
  return %out : memref<200xbf16>
}
