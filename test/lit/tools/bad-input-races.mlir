// What two iterations may both touch is refused, with both places; so is a block larger than the memory.

// RUN: not tile-opt %s --split-input-file --tile-to-pallas 2>&1 >/dev/null | filecheck %s --match-full-lines

// CHECK: {{.*}}bad-input-races.mlir:9:5: error: race: the store at {{.*}}bad-input-races.mlir:9:5 and the load at {{.*}}bad-input-races.mlir:8:5 may touch one element of %x in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for
func.func @neighbours(%x: memref<17x128xf32>) -> memref<17x128xf32> {
  tile.grid %g = 0 to 16 {
    %v = tile.load %x[%g, :]
    tile.store %v, %x[%g + 1, :]
  }
  return %x : memref<17x128xf32>
}

// -----

// CHECK: {{.*}}: error: race: the store at {{.*}}, with itself, may touch one element of %out in two iterations of the parallel axis i; index a dimension by i, or loop over it with tile.for
func.func @claimed(%x: memref<16x128xf32>) -> memref<4x128xf32> {
  %out = tile.empty : memref<4x128xf32>
  tile.grid %g = 0 to 4 {
    tile.for %i = 0 to 16 parallel {
      %v = tile.load %x[%i, :]
      tile.store %v, %out[%g, :]
    }
  }
  return %out : memref<4x128xf32>
}

// -----

// CHECK: {{.*}}: error: plan-memory: 176.00 MiB do not fit the 128 MiB of v5e; the largest are %x_window {{.*}}; m:64 in place of m:128 would fit
func.func @large(%x: memref<9000x90000xf32>) -> memref<9000x90000xf32> {
  %out = tile.empty : memref<9000x90000xf32>
  tile.grid %m = 0 to 9000 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<9000x90000xf32>
}
// CHECK-NOT: {{.}}
