// Products over each pair of dimensions, where the summed axis ends inside the arrays and what lies behind
// may be NaN.
!mn = tensor<?x?xf32, #tile.spans<m, n>>
func.func @dots(%a: memref<100x180xbf16>, %at: memref<180x100xbf16>, %b: memref<180x136xbf16>,
                %bt: memref<136x180xbf16>) -> memref<100x136xbf16> {
  %out = tile.empty : memref<100x136xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 136 by n {
    %zero = tile.splat 0.0 : !mn
    %acc = tile.for %k = 0 to 150 by k iter_args(%s = %zero) {
      %l = tile.load %a[%m, %k]
      %lt = tile.load %at[%k, %m]
      %r = tile.load %b[%k, %n]
      %rt = tile.load %bt[%n, %k]
      %one = tile.dot %l, %r, %s
      %two = tile.dot %lt, %r, %one contract [0] x [0]
      %three = tile.dot %l, %rt, %two contract [1] x [1]
      %four = tile.dot %lt, %rt, %three contract [0] x [1]
      tile.yield %four
    }
    tile.store %acc, %out[%m, %n]
  }
  return %out : memref<100x136xbf16>
}
