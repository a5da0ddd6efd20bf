// Axes end where all that they write is masked.

// RUN: tile-opt %s --clip-axes | filecheck %s
// RUN: tile-opt %s --clip-axes --drop-masks --raise-segments --rebase-axes --choose-blocks --raise-gathers | filecheck %s --check-prefix=SEGMENTS

// The axis of a grid, whose length is loaded inside; an inner axis to the end of its tiles, which is idle beyond.
func.func @padded(%q: memref<60x64xf32>, %k: memref<60x64xf32>, %offsets: memref<9xi32>) -> memref<60x64xf32> {
  %out = tile.empty : memref<60x64xf32>
  tile.grid %g = 0 to 8, %m = 0 to 20 by m {
    %b = tile.load %offsets[%g]
    %e = tile.load %offsets[%g + 1]
    %n = arith.subi %e, %b : i32
    %m_begin = tile.bound begin %m
    %m_end = tile.bound end %m
    %first = arith.index_cast %m_begin : index to i32
    %some = tile.compare lt %first, %n
    scf.if %some {
      %i = tile.indices %m
      %bs = tile.broadcast %b dims [] : tensor<?xi32, #tile.spans<m>>
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %p = arith.addi %i, %bs : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare gt %ns, %i
      %mask = tile.broadcast %live dims [0] : tensor<?x64xi1, #tile.spans<m, _>>
      %zero = arith.constant 0.0 : f32
      %none = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<m, _>>
      %rows = tile.gather %q[%p, :] mask %mask other %zero
      %sum = tile.for %j = 0 to %m_end by j max 20 iter_args(%a = %none) {
        %ji = tile.indices %j
        %jbs = tile.broadcast %b dims [] : tensor<?xi32, #tile.spans<j>>
        %jns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<j>>
        %jp = arith.addi %ji, %jbs : tensor<?xi32, #tile.spans<j>>
        %jlive = tile.compare lt %ji, %jns
        %jmask = tile.broadcast %jlive dims [0] : tensor<?x64xi1, #tile.spans<j, _>>
        %keys = tile.gather %k[%jp, :] mask %jmask other %zero
        %s = tile.dot %rows, %keys contract [1] x [1]
        %wide = tile.broadcast %i dims [0] : tensor<?x?xi32, #tile.spans<m, j>>
        %high = tile.broadcast %ji dims [1] : tensor<?x?xi32, #tile.spans<m, j>>
        %causal = tile.compare ge %wide, %high
        %zeros = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, j>>
        %t = tile.select %causal, %s, %zeros
        %next = tile.dot %t, %keys, %a
        tile.yield %next
      }
      tile.scatter %sum, %out[%p, :] mask %mask
    }
  }
  return %out : memref<60x64xf32>
}
// CHECK-LABEL: func.func @padded
// CHECK:         tile.grid %g = 0 to 8 {
// CHECK-DAG:       %b = tile.load %offsets[%g]
// CHECK-DAG:       %e = tile.load %offsets[%g + 1]
// CHECK:           [[N:%[a-z0-9_]+]] = arith.subi {{.*}} : index
// CHECK:           [[END:%[a-z0-9_]+]] = arith.minsi %c20, [[N]] : index
// CHECK-NEXT:      tile.for %m = 0 to [[END]] by m max 20 {
// CHECK:             %sum = tile.for %j = 0 to %m_end by j max 20
// SEGMENTS-LABEL: func.func @padded
// SEGMENTS:         %b, %e = tile.segment %offsets[%g]
// SEGMENTS:         tile.for %m = %b to {{%[a-z0-9_]+}} by m:128 max 20 {
// SEGMENTS:           tile.load %q[%m, :]
// SEGMENTS:           tile.for %j = %b to %m_end by j:128 max 20
// SEGMENTS:             tile.load %k[%j, :]
// SEGMENTS-NOT:       mask

// An axis in a loop, of lengths that are loaded around it.
func.func @inner(%x: memref<60x64xf32>, %offsets: memref<9xi32>) -> memref<60xf32> {
  %out = tile.empty : memref<60xf32>
  tile.grid %g = 0 to 8 {
    %b = tile.load %offsets[%g]
    %e = tile.load %offsets[%g + 1]
    %n = arith.subi %e, %b : i32
    %from = arith.index_cast %b : i32 to index
    tile.for %m = 0 to 60 by m {
      %i = tile.indices %m
      %ns = tile.broadcast %n dims [] : tensor<?xi32, #tile.spans<m>>
      %one = tile.splat 1 : tensor<?xi32, #tile.spans<m>>
      %after = arith.addi %i, %one : tensor<?xi32, #tile.spans<m>>
      %live = tile.compare le %after, %ns
      %mask = tile.broadcast %live dims [0] : tensor<?x64xi1, #tile.spans<m, _>>
      %zero = arith.constant 0.0 : f32
      %v = tile.load %x[%m + %from, :] mask %mask other %zero
      %s = tile.reduce add %v dims [1]
      tile.store %s, %out[%m + %from] mask %live
    }
  }
  return %out : memref<60xf32>
}
// CHECK-LABEL: func.func @inner
// CHECK:         [[END:%[a-z0-9_]+]] = arith.minsi %c60, {{%[a-z0-9_]+}} : index
// CHECK-NEXT:    tile.for %m = 0 to [[END]] by m max 60 {
// SEGMENTS-LABEL: func.func @inner
// SEGMENTS:         tile.load %x[%m, :]
// SEGMENTS:         tile.store {{%[a-z0-9_]+}}, %out[%m]
