// out[b] = x[b, :, 36:] @ w[b, 36:, :]. The sum begins where neither rows of registers nor lanes do.
func.func @bmm_from_36(%x: memref<3x40x172xbf16>, %w: memref<3x172x136xbf16>) -> memref<3x40x136xbf16> {
  %out = tile.empty : memref<3x40x136xbf16>
  tile.grid %b = 0 to 3, %m = 0 to 40 by m {
    %zero = tile.splat 0.0 : tensor<?x136xf32, #tile.spans<m, _>>
    %acc = tile.for %k = 36 to 172 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%b, %m, %k]
      %rhs = tile.load %w[%b, %k, :]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    tile.store %acc, %out[%b, %m, :]
  }
  return %out : memref<3x40x136xbf16>
}
