// out = x @ w, summed split by split: split s has the elements 100 s to 100 s + 100, and none begins where a
// tile of the array does but the first.
func.func @split_k(%x: memref<40x400xbf16>, %w: memref<400x136xbf16>) -> memref<40x136xbf16> {
  %out = tile.empty : memref<40x136xbf16>
  %size = arith.constant 100 : index
  tile.grid %m = 0 to 40 by m {
    %zero = tile.splat 0.0 : tensor<?x136xf32, #tile.spans<m, _>>
    %all = tile.for %s = 0 to 4 iter_args(%splits = %zero) {
      %begin = arith.muli %s, %size : index
      %end = arith.addi %begin, %size : index
      %acc = tile.for %k = %begin to %end by k iter_args(%a = %splits) {
        %lhs = tile.load %x[%m, %k]
        %rhs = tile.load %w[%k, :]
        %sum = tile.dot %lhs, %rhs, %a
        tile.yield %sum
      }
      tile.yield %acc
    }
    tile.store %all, %out[%m, :]
  }
  return %out : memref<40x136xbf16>
}
