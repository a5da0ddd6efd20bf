// out[rows of g] = x[rows of g] + bias[g], where a row is a (heads, features) matrix.
// The jagged dimension leads here, so a tile of rows may begin anywhere.
!tile = tensor<?x6x72xf32, #tile.spans<m, _, _>>
func.func @jagged_bias_lhd(%x: memref<?x6x72xbf16>, %bias: memref<8x6x72xbf16>, %offsets: memref<9xi32>)
    -> memref<?x6x72xbf16> {
  %out = tile.empty like(%x) : memref<?x6x72xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :, :]
      %f = tile.cast %v to f32
      %b = tile.load %bias[%g, :, :]
      %bf = tile.cast %b to f32
      %bw = tile.broadcast %bf dims [1, 2] : !tile
      %y = arith.addf %f, %bw : !tile
      tile.store %y, %out[%m, :, :]
    }
  }
  return %out : memref<?x6x72xbf16>
}
