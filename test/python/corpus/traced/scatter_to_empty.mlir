// Every row of %out is stored, but none by one tile alone: rows are reversed, and named in a segment.
func.func @scatter_to_empty(%x: memref<45x128xf32>, %offsets: memref<7xi32>) -> memref<45x128xf32> {
  %out = tile.empty : memref<45x128xf32>
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %i = tile.indices %m
      %last = tile.splat 44 : tensor<?xi32, #tile.spans<m>>
      %rows = arith.subi %last, %i : tensor<?xi32, #tile.spans<m>>
      %v = tile.load %x[%m, :]
      tile.scatter %v, %out[%rows, :]
    }
  }
  return %out : memref<45x128xf32>
}
