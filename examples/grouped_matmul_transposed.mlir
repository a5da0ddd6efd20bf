// dw[g] = x[rows of g]^T @ dy[rows of g]: the sum runs over the rows of a group. An empty group gives zeros.
func.func @grouped_matmul_transposed(%x: memref<?x200xbf16>, %dy: memref<?x136xbf16>, %offsets: memref<9xi32>)
    -> memref<8x200x136xbf16> {
  %dw = tile.empty : memref<8x200x136xbf16>
  tile.grid %g = 0 to 8, %k = 0 to 200 by k, %n = 0 to 136 by n {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<k, n>>
    %acc = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %dy[%m, %n]
      %sum = tile.dot %lhs, %rhs, %a contract [0] x [0]
      tile.yield %sum
    }
    tile.store %acc, %dw[%g, %k, %n]
  }
  return %dw : memref<8x200x136xbf16>
}
