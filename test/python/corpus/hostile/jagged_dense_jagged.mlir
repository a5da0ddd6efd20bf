// A jagged loop in a dense loop in a jagged loop: out[r] = sum over h and the keys t of the group of
// relu(q[r] . (k[t] * s[h])) k[t].
!acc = tensor<?x128xf32, #tile.spans<m, _>>
!keys = tensor<?x128xbf16, #tile.spans<n, _>>
!scores = tensor<?x?xf32, #tile.spans<m, n>>
func.func @jagged_dense_jagged(%q: memref<?x128xbf16>, %k: memref<?x128xbf16>, %s: memref<3x128xbf16>,
                               %q_offsets: memref<9xi32>, %kv_offsets: memref<9xi32>) -> memref<?x128xbf16> {
  %out = tile.empty like(%q) : memref<?x128xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %q_offsets[%g]
    %kv_begin, %kv_end = tile.segment %kv_offsets[%g]
    tile.for %m = %begin to %end by m {
      %queries = tile.load %q[%m, :]
      %zero = tile.splat 0.0 : !acc
      %acc = tile.for %h = 0 to 3 iter_args(%a = %zero) {
        %c = tile.load %s[%h, :]
        %inner = tile.for %n = %kv_begin to %kv_end by n iter_args(%b = %a) {
          %keys = tile.load %k[%n, :]
          %cw = tile.broadcast %c dims [1] : !keys
          %scaled = arith.mulf %keys, %cw : !keys
          %raw = tile.dot %queries, %scaled contract [1] x [1]
          %none = tile.splat 0.0 : !scores
          %p = arith.maximumf %raw, %none : !scores
          %weights = tile.cast %p to bf16
          %sum = tile.dot %weights, %keys, %b
          tile.yield %sum
        }
        tile.yield %inner
      }
      tile.store %acc, %out[%m, :]
    }
  }
  return %out : memref<?x128xbf16>
}
