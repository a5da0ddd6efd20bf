// RUN: tile-opt %s --tile-to-pallas="loop=grid m=2304 n=512" | filecheck %s
// RUN: tile-opt %s --choose-blocks="m=2304 n=512" --classify-axes --carry-to-scratch --fold-outer-pipeline --split-unaligned-loops --overlap-strips | filecheck %s --check-prefix STRIPS
// RUN: tile-opt %s --choose-blocks="m=2304 n=512" --classify-axes --carry-to-scratch --fold-outer-pipeline --split-unaligned-loops --overlap-strips | tile-opt | filecheck %s --check-prefix STRIPS

// Nothing is left for scratch: what it held is passed on.
// STRIPS:      tile.pipeline grid strips m:256 n:256 {
// STRIPS-NOT:  tile.scratch
// STRIPS:      %next = arith.maximumf %lowest, %here
// STRIPS:      %totalw = tile.broadcast %sum dims [0]

// The first part of a strip, columns by rows, then for each strip but the last its second part with the first
// of the next, and the second of the last.
// CHECK:      pallas.call "attention" grid [parallel 2, parallel 1, arbitrary 1] unchecked {
// CHECK-NEXT:   %[[KEPT:.*]] = pallas.scratch : memref<512x256xf32, #pallas.space<vmem>>
// CHECK:        %[[Q:.*]] = pallas.load %q_window[ds(0, 256), :]
// CHECK:        %[[K:.*]] = pallas.load %k_window[ds(0, 256), :]
// CHECK:        %[[S:.*]] = tile.dot %[[K]], %[[Q]] contract [1] x [1]
// CHECK:        pallas.store %[[S]], %[[KEPT]][ds(0, 256), :]
// CHECK:        pallas.store %{{.*}}, %[[KEPT]][ds(256, 256), :]
// CHECK:        pallas.fori %strip = 0 to 8 iter_args(%{{.*}} = %{{.*}}) {
// CHECK:          %[[HERE:.*]] = pallas.load %[[KEPT]][ds(0, 256), :]
// CHECK:          pallas.store %{{.*}}, %[[KEPT]][ds(0, 256), :]
// CHECK:          arith.subf %[[HERE]], %{{.*}} : tensor<256x256xf32>
// CHECK:          tile.dot %{{.*}}, %weights{{.*}} contract [0] x [0]
// CHECK:          pallas.load %[[KEPT]][ds(256, 256), :]
// CHECK:          %[[OUT:.*]] = tile.transpose %{{.*}} [1, 0]
// CHECK:          pallas.store %[[OUT]], %out_window[ds(%{{.*}}, 256), :]
// CHECK:          pallas.yield
// CHECK-NOT:      pallas.store %{{.*}}, %[[KEPT]]
// CHECK:        pallas.store %{{.*}}, %out_window[ds(2048, 256), :]
func.func @attention(%q: memref<2x2304x128xbf16>, %k: memref<2x512x128xbf16>, %v: memref<2x512x128xbf16>) -> memref<2x2304x128xbf16> {
  %out = tile.empty : memref<2x2304x128xbf16>
  tile.grid %h = 0 to 2, %m = 0 to 2304 by m {
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
  return %out : memref<2x2304x128xbf16>
}
