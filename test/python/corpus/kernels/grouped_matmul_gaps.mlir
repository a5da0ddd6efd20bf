// out[rows of g] = x[rows of g] @ w[g], where rows of no group keep the fill.
func.func @grouped_matmul_gaps(%x: memref<?x200xbf16>, %w: memref<8x200x136xbf16>,
                               %begins: memref<8xi32>, %ends: memref<8xi32>) -> memref<?x136xbf16> {
  %out = tile.full -2.0 like(%x) : memref<?x136xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %zero = tile.splat 0.0 : tensor<?x136xf32, #tile.spans<m, _>>
      %acc = tile.for %k = 0 to 200 by k iter_args(%a = %zero) {
        %lhs = tile.load %x[%m, %k]
        %rhs = tile.load %w[%g, %k, :]
        %sum = tile.dot %lhs, %rhs, %a
        tile.yield %sum
      }
      tile.store %acc, %out[%m, :]
    }
  }
  return %out : memref<?x136xbf16>
}
