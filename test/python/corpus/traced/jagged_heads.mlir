// Rows are jagged and heads lie between them and the lanes: %out stays with all heads of a tile of rows.
func.func @jagged_heads(%q: memref<60x3x64xbf16>, %offsets: memref<6xi32>) -> (memref<60x3x64xbf16>, memref<60x3x64xf32>) {
  %out = tile.empty : memref<60x3x64xbf16>
  %sums = tile.empty : memref<60x3x64xf32>
  tile.grid %s = 0 to 5, %h = 0 to 3 {
    %begin, %end = tile.segment %offsets[%s]
    tile.for %rows = %begin to %end by rows {
      %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<rows, _>>
      %acc = tile.for %cols = %begin to %end by cols iter_args(%a = %zero) {
        %x = tile.load %q[%rows, %h, :]
        %y = tile.load %q[%cols, %h, :]
        %s_1 = tile.dot %x, %y contract [1] x [1]
        %p = tile.cast %s_1 to bf16
        %sum = tile.dot %p, %y, %a
        tile.yield %sum
      }
      tile.store %acc, %out[%rows, %h, :]
      tile.store %acc, %sums[%rows, %h, :]
    }
  }
  return %out, %sums : memref<60x3x64xbf16>, memref<60x3x64xf32>
}
