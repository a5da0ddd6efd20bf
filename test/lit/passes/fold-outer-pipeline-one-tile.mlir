// RUN: tile-opt %s --choose-blocks="m=64 n=256" --classify-axes --carry-to-scratch --fold-outer-pipeline | filecheck %s
// RUN: tile-opt %s --choose-blocks="m=64 n=256" --classify-axes --carry-to-scratch --fold-outer-pipeline="loop=fori_loop" | filecheck %s
// RUN: tile-opt %s --choose-blocks="m=64 n=128" --classify-axes --carry-to-scratch --fold-outer-pipeline | filecheck %s --check-prefix SEVERAL
// RUN: sed 's/%end = tile.bound end/%end = tile.bound begin/' %s | tile-opt --choose-blocks="m=64 n=256" --classify-axes --carry-to-scratch --fold-outer-pipeline | filecheck %s --check-prefix EMPTY

// A loop that only the kernel knows the end of, and that surely is one tile, is no axis: nothing is its first
// step or its last, and cells of the grid stay independent.
// CHECK:      %m = tile.axis 0 to 256 by m:64 parallel
// CHECK:      %n = tile.span %{{.*}} of 0 to %end by n:256
// CHECK-NOT:  tile.first
// CHECK-NOT:  scf.if

// Of two tiles, or of a range that may be empty, it is one.
// SEVERAL:    %n = tile.axis 0 to %end by n:128 max 256 ordered
// SEVERAL:    tile.first %n
// EMPTY:      %n = tile.axis 0 to %end by n:256 max 256 ordered
// EMPTY:      tile.live %n
func.func @below(%x: memref<256x256xf32>) -> memref<256xf32> {
  %out = tile.empty : memref<256xf32>
  tile.grid %m = 0 to 256 by m {
    %end = tile.bound end %m
    %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %total = tile.for %n = 0 to %end by n max 256 iter_args(%s = %none) {
      %v = tile.load %x[%m, %n]
      %here = tile.reduce add %v dims [1]
      %next = arith.addf %s, %here : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %total, %out[%m]
  }
  return %out : memref<256xf32>
}
