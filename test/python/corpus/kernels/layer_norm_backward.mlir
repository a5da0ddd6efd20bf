// Gradients of layer norm for all of a batch at once. A row's dx needs that row alone; dgamma and dbeta are
// sums over all rows, which pass by in order. Statistics are computed anew, so that x alone must be kept.
!row = tensor<?xf32, #tile.spans<m>>
!sum = tensor<256xf32>
!tile = tensor<?x256xf32, #tile.spans<m, _>>
func.func @layer_norm_backward(%x: memref<200x256xbf16>, %dy: memref<200x256xbf16>, %gamma: memref<256xbf16>)
    -> (memref<200x256xbf16>, memref<256xf32>, memref<256xf32>) {
  %dx = tile.empty : memref<200x256xbf16>
  %dgamma = tile.empty : memref<256xf32>
  %dbeta = tile.empty : memref<256xf32>
  tile.grid %all = 0 to 1 {
    %zero = tile.splat 0.0 : !sum
    %gs, %bs = tile.for %m = 0 to 200 by m iter_args(%g = %zero, %b = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %count = tile.splat 256.0 : !row
      %total = tile.reduce add %f dims [1]
      %mean = arith.divf %total, %count : !row
      %meanw = tile.broadcast %mean dims [0] : !tile
      %d = arith.subf %f, %meanw : !tile
      %square = arith.mulf %d, %d : !tile
      %squares = tile.reduce add %square dims [1]
      %variance = arith.divf %squares, %count : !row
      %epsilon = tile.splat 1.0e-5 : !row
      %safe = arith.addf %variance, %epsilon : !row
      %inverse = math.rsqrt %safe : !row
      %inversew = tile.broadcast %inverse dims [0] : !tile
      %normal = arith.mulf %d, %inversew : !tile
      %e = tile.load %dy[%m, :]
      %h = tile.cast %e to f32
      %w = tile.load %gamma[:]
      %wf = tile.cast %w to f32
      %ww = tile.broadcast %wf dims [1] : !tile
      %dn = arith.mulf %h, %ww : !tile
      %dns = tile.reduce add %dn dims [1]
      %dnm = arith.divf %dns, %count : !row
      %dnmw = tile.broadcast %dnm dims [0] : !tile
      %cross = arith.mulf %dn, %normal : !tile
      %crosses = tile.reduce add %cross dims [1]
      %crossm = arith.divf %crosses, %count : !row
      %crossw = tile.broadcast %crossm dims [0] : !tile
      %along = arith.mulf %normal, %crossw : !tile
      %centred = arith.subf %dn, %dnmw : !tile
      %rest = arith.subf %centred, %along : !tile
      %y = arith.mulf %rest, %inversew : !tile
      tile.store %y, %dx[%m, :]
      %hn = arith.mulf %h, %normal : !tile
      %ghere = tile.reduce add %hn dims [0]
      %gnext = arith.addf %g, %ghere : !sum
      %bhere = tile.reduce add %h dims [0]
      %bnext = arith.addf %b, %bhere : !sum
      tile.yield %gnext, %bnext
    }
    tile.store %gs, %dgamma[:]
    tile.store %bs, %dbeta[:]
  }
  return %dx, %dgamma, %dbeta : memref<200x256xbf16>, memref<256xf32>, memref<256xf32>
}
