// RUN: tile-opt %s --choose-blocks="m=1024 n=2048" --classify-axes --carry-to-scratch --fold-outer-pipeline --materialize-masks --overlap-strips | filecheck %s
// RUN: tile-opt %s --tile-to-pallas="m=1024 n=2048" | filecheck %s --check-prefix KERNEL
// RUN: tile-opt %s --tile-to-pallas="m=256 n=2048" --explain 2>&1 >/dev/null | filecheck %s --check-prefix FEW
// RUN: tile-opt %s --choose-blocks="m=1024 n=2048" --classify-axes --carry-to-scratch --fold-outer-pipeline --materialize-masks | sed 's/tile.fill %w outside %n with %[0-9]*/tile.fill %w outside %n with %half/; s/tile.pipeline grid {/tile.pipeline grid { %half = arith.constant 0.5 : f32/' | tile-opt --overlap-strips --explain 2>&1 >/dev/null | filecheck %s --check-prefix NEUTRAL

// Each row sees the columns up to its own, and how many there are only the kernel knows: as many as rows before
// the end of the tile. All are one tile, so that there is nothing to carry.
// CHECK:      tile.pipeline grid strips m:256 n:256 {
// CHECK:        %m = tile.axis 0 to 2048 by m:1024 parallel
// CHECK:        %n = tile.span %{{.*}} of 0 to %end by n:2048
// CHECK-NOT:    tile.scratch
// CHECK-NOT:    scf.if
// CHECK:        tile.compare ge
// CHECK:        tile.fill

// Steps take 1024 or 2048 columns. All of these are live, so that only the program's own mask is left.
// KERNEL:       pallas.call "causal" grid [parallel 2] vmem 33554432 unchecked {
// KERNEL:         %[[LOW:.*]] = arith.cmpi sle, %end, %{{.*}}
// KERNEL:         %[[HIGH:.*]] = arith.cmpi slt, %{{.*}}, %end
// KERNEL-NEXT:    pallas.when %[[LOW]] {
// KERNEL:           pallas.iota
// KERNEL:           tile.compare ge
// KERNEL-NOT:       tile.compare lt
// KERNEL-NOT:       ds(1024, 256)
// KERNEL:         pallas.when %[[HIGH]] {
// KERNEL:           pallas.load %k_window[ds(1792, 256), :]
// KERNEL-NOT:       tile.compare lt
// KERNEL:         func.return

// FEW: overlap-strips: the steps are done at once: 256 x 2048 are neither 8 to 16 parts of 256 x 256 in two strips or more, nor more in 4 strips or more of up to 32 parts
// NEUTRAL: overlap-strips: the steps are done at once: they have a tile.reduce that is not done for some rows and columns alone
func.func @causal(%q: memref<2048x128xbf16>, %k: memref<2048x128xbf16>, %v: memref<2048x128xbf16>) -> memref<2048x128xbf16> {
  %out = tile.empty : memref<2048x128xbf16>
  tile.grid %m = 0 to 2048 by m {
    %end = tile.bound end %m
    %x = tile.load %q[%m, :]
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %lowest = tile.splat -1.0e30 : tensor<?xf32, #tile.spans<m>>
    %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<m, _>>
    %top, %total, %acc = tile.for %n = 0 to %end by n max 2048 iter_args(%t = %lowest, %s = %none, %a = %zero) {
      %y = tile.load %k[%n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %r = tile.indices %m
      %c = tile.indices %n
      %rw = tile.broadcast %r dims [0] : tensor<?x?xi32, #tile.spans<m, n>>
      %cw = tile.broadcast %c dims [1] : tensor<?x?xi32, #tile.spans<m, n>>
      %seen = tile.compare ge %rw, %cw
      %never = tile.splat -inf : tensor<?x?xf32, #tile.spans<m, n>>
      %scores = tile.select %seen, %raw, %never
      %here = tile.reduce max %scores dims [1]
      %next = arith.maximumf %t, %here : tensor<?xf32, #tile.spans<m>>
      %nextw = tile.broadcast %next dims [0] : tensor<?x?xf32, #tile.spans<m, n>>
      %d = arith.subf %scores, %nextw : tensor<?x?xf32, #tile.spans<m, n>>
      %w = math.exp %d : tensor<?x?xf32, #tile.spans<m, n>>
      %new = tile.reduce add %w dims [1]
      %sum = arith.addf %s, %new : tensor<?xf32, #tile.spans<m>>
      %weights = tile.cast %w to bf16
      %values = tile.load %v[%n, :]
      %both = tile.dot %weights, %values, %a
      tile.yield %next, %sum, %both
    }
    %totalw = tile.broadcast %total dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
    %result = arith.divf %acc, %totalw : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %result, %out[%m, :]
  }
  return %out : memref<2048x128xbf16>
}
