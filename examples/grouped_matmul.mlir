// out[rows of g] = x[rows of g] @ w[g]: rows are sorted by group, offsets[g] is where group g begins.
func.func @grouped_matmul(%x: memref<?x512xbf16>, %w: memref<8x512x256xbf16>,
                          %offsets: memref<9xi32>) -> memref<?x256xbf16> {
  %out = tile.empty like(%x) : memref<?x256xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %zero = tile.splat 0.0 : tensor<?x256xf32, #tile.spans<m, _>>
      %acc = tile.for %k = 0 to 512 by k iter_args(%a = %zero) {
        %lhs = tile.load %x[%m, %k]
        %rhs = tile.load %w[%g, %k, :]
        %sum = tile.dot %lhs, %rhs, %a
        tile.yield %sum
      }
      tile.store %acc, %out[%m, :]
    }
  }
  return %out : memref<?x256xbf16>
}
