// RUN: tile-opt %s --tile-to-pallas="grouping=worklist m=512 n=1024" | filecheck %s
// RUN: tile-opt %s --tile-to-pallas="grouping=worklist m=512 n=1024 clean=peel" --explain 2>&1 >/dev/null | filecheck %s --check-prefix SIDES
// RUN: sed 's/tile.reduce max/tile.reduce min/' %s | tile-opt --tile-to-pallas="grouping=worklist m=512 n=1024" | filecheck %s --check-prefix OTHER
// RUN: sed 's/tile.reduce [a-z]* %[a-z]* dims .1./tile.splat 1.0 : tensor<?xf32, #tile.spans<m>>/' %s | tile-opt --tile-to-pallas="grouping=worklist m=512 n=1024" --explain 2>&1 >/dev/null | filecheck %s --check-prefix NOTHING

// What steps keep lies with rows along lanes; there is room for the scores of two strips.
// CHECK:      pallas.call "attention" grid
// CHECK:        %total = pallas.scratch : memref<1x512xf32, #pallas.space<vmem>>
// CHECK:        %acc = pallas.scratch : memref<64x512xf32, #pallas.space<vmem>>
// CHECK:        %[[KEPT:.*]] = pallas.scratch : memref<2048x256xf32, #pallas.space<vmem>>
// CHECK:        pallas.when %first_n {
// CHECK:          pallas.store %{{.*}}, %acc[:, ds(0, 512)]
// CHECK:        pallas.when %some_n {

// A tile whose rows begin with its columns, of which all are live: three of eight parts, two of them masked.
// CHECK:          pallas.when
// CHECK:            pallas.load %q_window[ds(0, 256), :]
// CHECK:            tile.compare ge
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(0, 256), :]
// CHECK:            pallas.load %q_window[ds(256, 256), :]
// CHECK-NOT:        tile.compare
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(1024, 256), :]
// CHECK:            tile.compare ge
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(1280, 256), :]
// CHECK:            pallas.store %{{.*}}, %last[:, ds(0, 256)]
// CHECK-NOT:        tile.compare
// CHECK:            pallas.store %{{.*}}, %acc[:, ds(256, 256)]

// Where some lanes are dead, of one live strip and part only that is done, where it is: scores are filled
// before they are kept, and columns when they are read.
// CHECK:          %[[FIRST:.*]] = arith.shrsi %{{.*}}, %c8 : index
// CHECK:          %[[FEW:.*]] = arith.subi %{{.*}}, %[[FIRST]] : index
// CHECK:          %[[TOP:.*]] = arith.muli %[[FIRST]], %{{.*}} : index
// CHECK:          arith.cmpi eq, %[[FEW]], %{{.*}} : index
// CHECK:          pallas.when
// CHECK:            pallas.load %q_window[ds(%[[TOP]], 256), :]
// CHECK:            tile.compare ge
// CHECK:            tile.compare ge
// CHECK:            tile.compare lt
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(0, 256), :]
// CHECK:            pallas.load %v_window[ds(%{{.*}}, 256), :]
// CHECK:            tile.compare lt

// Of two strips and parts, columns may begin late in the first part and end early in the second. What the
// strips share is filled once.
// CHECK:          pallas.when
// CHECK:            tile.compare ge
// CHECK:            tile.compare ge
// CHECK-NOT:        tile.compare lt
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(0, 256), :]
// CHECK-NOT:        tile.compare
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(1024, 256), :]
// CHECK:            tile.compare ge
// CHECK-NOT:        tile.compare ge
// CHECK:            tile.compare lt
// CHECK:            pallas.store %{{.*}}, %[[KEPT]][ds(1280, 256), :]
// CHECK:            pallas.load %v_window
// CHECK:            pallas.load %v_window
// CHECK-NOT:        pallas.load %v_window
// CHECK:          pallas.when

// Rows come last, and are written beside those of other sequences.
// CHECK:        pallas.when %last_n {
// CHECK:          pallas.load %acc[:, ds(0, 512)]
// CHECK:          pallas.load %out_window[ds(0, 512), :]
// CHECK:          tile.transpose
// CHECK:          pallas.store %{{.*}}, %out_window[ds(0, 512), :]

// With another statistic, exponentials of what no row sees are not known: no part is left out.
// OTHER:          pallas.call "attention" grid
// OTHER:          %[[KEPT:.*]] = pallas.scratch : memref<2048x256xf32, #pallas.space<vmem>>
// OTHER:          pallas.when %some_n {
// OTHER:            pallas.when
// OTHER-COUNT-8:    pallas.store %{{.*}}, %[[KEPT]][ds(
// OTHER:            pallas.when

// SIDES: overlap-strips: the steps are done at once: they have no product of two axes, or are not those of a grid
// NOTHING: overlap-strips: the steps are done at once: nothing waits for all columns of a row
func.func @attention(%q: memref<1900x64xbf16>, %k: memref<1900x64xbf16>, %v: memref<1900x64xbf16>,
                     %offsets: memref<7xi32>) -> memref<1900x64xbf16> {
  %out = tile.empty : memref<1900x64xbf16>
  tile.grid %s = 0 to 6 {
    %begin, %end = tile.segment %offsets[%s]
    tile.for %m = %begin to %end by m {
      %rows_end = tile.bound end %m
      %query = tile.load %q[%m, :]
      %top = tile.splat -1.0e+30 : tensor<?xf32, #tile.spans<m>>
      %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
      %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<m, _>>
      %total, %acc, %last = tile.for %n = %begin to %rows_end by n iter_args(%t = %none, %a = %zero, %o = %top) {
        %y = tile.load %k[%n, :]
        %raw = tile.dot %query, %y contract [1] x [1]
        %rows = tile.indices %m
        %cols = tile.indices %n
        %r = tile.broadcast %rows dims [0] : tensor<?x?xi32, #tile.spans<m, n>>
        %c = tile.broadcast %cols dims [1] : tensor<?x?xi32, #tile.spans<m, n>>
        %seen = tile.compare ge %r, %c
        %never = tile.splat -inf : tensor<?x?xf32, #tile.spans<m, n>>
        %scores = tile.select %seen, %raw, %never
        %here = tile.reduce max %scores dims [1]
        %next = arith.maximumf %o, %here : tensor<?xf32, #tile.spans<m>>
        %nextw = tile.broadcast %next dims [0] : tensor<?x?xf32, #tile.spans<m, n>>
        %d = arith.subf %scores, %nextw : tensor<?x?xf32, #tile.spans<m, n>>
        %p = math.exp %d : tensor<?x?xf32, #tile.spans<m, n>>
        %drop = arith.subf %o, %next : tensor<?xf32, #tile.spans<m>>
        %kept = math.exp %drop : tensor<?xf32, #tile.spans<m>>
        %less = arith.mulf %t, %kept : tensor<?xf32, #tile.spans<m>>
        %more = tile.reduce add %p dims [1]
        %sum = arith.addf %less, %more : tensor<?xf32, #tile.spans<m>>
        %weights = tile.cast %p to bf16
        %values = tile.load %v[%n, :]
        %wide = tile.broadcast %kept dims [0] : tensor<?x64xf32, #tile.spans<m, _>>
        %scaled = arith.mulf %a, %wide : tensor<?x64xf32, #tile.spans<m, _>>
        %both = tile.dot %weights, %values, %scaled
        tile.yield %sum, %both, %next
      }
      %wide = tile.broadcast %total dims [0] : tensor<?x64xf32, #tile.spans<m, _>>
      %result = arith.divf %acc, %wide : tensor<?x64xf32, #tile.spans<m, _>>
      tile.store %result, %out[%m, :]
    }
  }
  return %out : memref<1900x64xbf16>
}
