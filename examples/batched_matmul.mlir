// out[b] = x[b] @ w[b]: %b is an index, so it selects one matrix; %m, %n and %k are tiles.
func.func @batched_matmul(%x: memref<3x100x200xbf16>, %w: memref<3x200x136xbf16>) -> memref<3x100x136xbf16> {
  %out = tile.empty : memref<3x100x136xbf16>
  tile.grid %b = 0 to 3, %m = 0 to 100 by m, %n = 0 to 136 by n {
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, n>>
    %acc = tile.for %k = 0 to 200 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%b, %m, %k]
      %rhs = tile.load %w[%b, %k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%b, %m, %n]
  }
  return %out : memref<3x100x136xbf16>
}
