// out = x @ w. Sizes need not be multiples of a block: lanes past the end of an axis take no part.
func.func @matmul(%x: memref<300x200xbf16>, %w: memref<200x260xbf16>) -> memref<300x260xbf16> {
  %out = tile.empty : memref<300x260xbf16>
  // One iteration for each tile of the result. They are independent: any order, any core.
  tile.grid %m = 0 to 300 by m, %n = 0 to 260 by n {
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, n>>
    // Tiles of the summed dimension run in order and carry the sum.
    %acc = tile.for %k = 0 to 200 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%m, %n]  // rounds to the element type of %out
  }
  return %out : memref<300x260xbf16>
}
