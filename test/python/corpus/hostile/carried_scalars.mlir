// Numbers and a flag carried from tile to tile: the first tile is scaled by the group's factor, later ones
// by the sum so far.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @carried_scalars(%x: memref<?x200xbf16>, %scale: memref<8xf32>, %offsets: memref<9xi32>)
    -> (memref<?x200xbf16>, memref<8x1xf32>) {
  %out = tile.empty like(%x) : memref<?x200xbf16>
  %tops = tile.empty : memref<8x1xf32>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %factor = tile.load %scale[%g]
    %lowest = tile.splat -50.0 : f32
    %top = tile.for %m = %begin to %end by m iter_args(%t = %lowest) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %here = tile.reduce max %f dims [0, 1]
      %next = arith.maximumf %t, %here : f32
      %fw = tile.broadcast %factor dims [] : !tile
      %y = arith.mulf %f, %fw : !tile
      tile.store %y, %out[%m, :]
      tile.yield %next
    }
    %scaled = arith.mulf %top, %factor : f32
    %topw = tile.broadcast %scaled dims [] : tensor<1xf32>
    tile.store %topw, %tops[%g, :]
  }
  return %out, %tops : memref<?x200xbf16>, memref<8x1xf32>
}
