// out[b] = x[b] @ w[b], two matrices at once: %b is a tile too, and its last block has only one.
!bmn = tensor<2x?x?xf32, #tile.spans<b, m, n>>
func.func @batches(%x: memref<5x100x200xbf16>, %w: memref<5x200x136xbf16>) -> memref<5x100x136xbf16> {
  %out = tile.empty : memref<5x100x136xbf16>
  tile.grid %b = 0 to 5 by b:2, %m = 0 to 100 by m, %n = 0 to 136 by n {
    %zero = tile.splat 0.0 : !bmn
    %acc = tile.for %k = 0 to 200 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%b, %m, %k]
      %rhs = tile.load %w[%b, %k, %n]
      %sum = tile.dot %lhs, %rhs, %a contract [2] x [1]
      tile.yield %sum
    }
    tile.store %acc, %out[%b, %m, %n]
  }
  return %out : memref<5x100x136xbf16>
}
