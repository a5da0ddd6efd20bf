// --explain tells why steps are done at once; nothing is said of those with fewer than two products.

// RUN: tile-opt %s --tile-to-pallas="loop=grid m=512 n=512" --explain 2>&1 >/dev/null | filecheck %s --check-prefix FEW
// RUN: tile-opt %s --tile-to-pallas="loop=grid m=1024 n=256" --explain 2>&1 >/dev/null | filecheck %s --check-prefix NARROW
// RUN: sed 's/tile.reduce max/tile.reduce mul/' %s | tile-opt --tile-to-pallas="loop=grid m=1024 n=512" --explain 2>&1 >/dev/null | filecheck %s --check-prefix OTHER
// FEW: overlap-strips: the steps are done at once: 512 x 512 are neither 8 to 16 parts of 256 x 256 in two strips or more, nor more in 4 strips or more of up to 32 parts
// NARROW: overlap-strips: the steps are done at once: 1024 x 256 are neither 8 to 16 parts of 256 x 256 in two strips or more, nor more in 4 strips or more of up to 32 parts
// OTHER: overlap-strips: the steps are done at once: they have a tile.reduce that is not done for some rows and columns alone

func.func @attention(%q: memref<2x1024x128xbf16>, %k: memref<2x512x128xbf16>, %v: memref<2x512x128xbf16>) -> memref<2x1024x128xbf16> {
  %out = tile.empty : memref<2x1024x128xbf16>
  tile.grid %h = 0 to 2, %m = 0 to 1024 by m {
    %x = tile.load %q[%h, %m, :]
    %lowest = tile.splat -1.0e30 : tensor<?xf32, #tile.spans<m>>
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
    %top, %total, %acc = tile.for %n = 0 to 512 by n iter_args(%t = %lowest, %s = %none, %a = %zero) {
      %y = tile.load %k[%h, %n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %c = tile.splat 0.125 : tensor<?x?xf32, #tile.spans<m, n>>
      %scores = arith.mulf %raw, %c : tensor<?x?xf32, #tile.spans<m, n>>
      %here = tile.reduce max %scores dims [1]
      %next = arith.maximumf %t, %here : tensor<?xf32, #tile.spans<m>>
      %nextw = tile.broadcast %next dims [0] : tensor<?x?xf32, #tile.spans<m, n>>
      %d = arith.subf %scores, %nextw : tensor<?x?xf32, #tile.spans<m, n>>
      %p = math.exp %d : tensor<?x?xf32, #tile.spans<m, n>>
      %drop = arith.subf %t, %next : tensor<?xf32, #tile.spans<m>>
      %scale = math.exp %drop : tensor<?xf32, #tile.spans<m>>
      %kept = arith.mulf %s, %scale : tensor<?xf32, #tile.spans<m>>
      %new = tile.reduce add %p dims [1]
      %sum = arith.addf %kept, %new : tensor<?xf32, #tile.spans<m>>
      %scalew = tile.broadcast %scale dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
      %corrected = arith.mulf %a, %scalew : tensor<?x128xf32, #tile.spans<m, _>>
      %weights = tile.cast %p to bf16
      %values = tile.load %v[%h, %n, :]
      %both = tile.dot %weights, %values, %corrected
      tile.yield %next, %sum, %both
    }
    %totalw = tile.broadcast %total dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
    %result = arith.divf %acc, %totalw : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %result, %out[%h, %m, :]
  }
  return %out : memref<2x1024x128xbf16>
}
