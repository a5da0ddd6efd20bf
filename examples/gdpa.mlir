// Attention with an activation in place of softmax: out[rows of g] = relu(q[rows of g] @ k[g]^T) @ v[g].
// Each group has its own number of queries and the same number of keys.
!scores = tensor<?x?xf32, #tile.spans<m, n>>
func.func @gdpa(%q: memref<?x128xbf16>, %k: memref<8x256x128xbf16>, %v: memref<8x256x128xbf16>,
                %offsets: memref<9xi32>) -> memref<?x128xbf16> {
  %out = tile.empty like(%q) : memref<?x128xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %queries = tile.load %q[%m, :]
      %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
      %acc = tile.for %n = 0 to 256 by n iter_args(%a = %zero) {
        %keys = tile.load %k[%g, %n, :]
        %scores = tile.dot %queries, %keys contract [1] x [1]
        %none = tile.splat 0.0 : !scores
        %positive = arith.maximumf %scores, %none : !scores
        %weights = tile.cast %positive to bf16
        %values = tile.load %v[%g, %n, :]
        %sum = tile.dot %weights, %values, %a
        tile.yield %sum
      }
      tile.store %acc, %out[%m, :]
    }
  }
  return %out : memref<?x128xbf16>
}
