// out[queries of g] = softmax(q @ k^T / sqrt(128)) @ v over the keys of g: both queries and keys are jagged.
// Keys pass by in tiles; each step corrects what was summed against the maximum known so far.
// A group that has queries and no keys gets zeros.
!row = tensor<?xf32, #tile.spans<m>>
!scores = tensor<?x?xf32, #tile.spans<m, n>>
!acc = tensor<?x128xf32, #tile.spans<m, _>>
func.func @jagged_flash_attention(%q: memref<?x128xbf16>, %k: memref<?x128xbf16>, %v: memref<?x128xbf16>,
                                  %q_offsets: memref<9xi32>, %kv_offsets: memref<9xi32>)
    -> memref<?x128xbf16> {
  %out = tile.empty like(%q) : memref<?x128xbf16>
  tile.grid %g = 0 to 8 {
    %q_begin, %q_end = tile.segment %q_offsets[%g]
    %kv_begin, %kv_end = tile.segment %kv_offsets[%g]
    tile.for %m = %q_begin to %q_end by m {
      %queries = tile.load %q[%m, :]
      // Finite, not -inf: then a difference of two of these is 0 and never NaN.
      %lowest = tile.splat -1.0e30 : !row
      %none = tile.splat 0.0 : !row
      %zero = tile.splat 0.0 : !acc
      %top, %total, %acc = tile.for %n = %kv_begin to %kv_end by n
          iter_args(%t = %lowest, %s = %none, %a = %zero) {
        %keys = tile.load %k[%n, :]
        %raw = tile.dot %queries, %keys contract [1] x [1]
        %root = tile.splat 0.08838834764831845 : !scores
        %scores = arith.mulf %raw, %root : !scores
        %here = tile.reduce max %scores dims [1]
        %next = arith.maximumf %t, %here : !row
        %nextw = tile.broadcast %next dims [0] : !scores
        %d = arith.subf %scores, %nextw : !scores
        %p = math.exp %d : !scores
        %drop = arith.subf %t, %next : !row
        %scale = math.exp %drop : !row
        %kept = arith.mulf %s, %scale : !row
        %new = tile.reduce add %p dims [1]
        %sum = arith.addf %kept, %new : !row
        %scalew = tile.broadcast %scale dims [0] : !acc
        %corrected = arith.mulf %a, %scalew : !acc
        %weights = tile.cast %p to bf16
        %values = tile.load %v[%n, :]
        %both = tile.dot %weights, %values, %corrected
        tile.yield %next, %sum, %both
      }
      // The largest score has weight 1, so a total is at least 1, but for no keys at all: then 0 / tiny.
      %tiny = tile.splat 1.0e-30 : !row
      %safe = arith.maximumf %total, %tiny : !row
      %safew = tile.broadcast %safe dims [0] : !acc
      %result = arith.divf %acc, %safew : !acc
      tile.store %result, %out[%m, :]
    }
  }
  return %out : memref<?x128xbf16>
}
