// out = x @ w with 13 rows, 100 summed elements and 64 columns: no size is a multiple of a register's.
func.func @matmul_narrow(%x: memref<13x100xbf16>, %w: memref<100x64xbf16>) -> memref<13x64xbf16> {
  %out = tile.empty : memref<13x64xbf16>
  tile.grid %m = 0 to 13 by m {
    %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<m, _>>
    // %k cuts the lanes of %x and the rows of %w.
    %acc = tile.for %k = 0 to 100 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, :]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%m, :]
  }
  return %out : memref<13x64xbf16>
}
