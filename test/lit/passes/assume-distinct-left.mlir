// RUN: tile-opt %s --assume-distinct --classify-axes --split-input-file --verify-diagnostics | filecheck %s

// A mask may leave out all of a position that others have.
// CHECK: race: the store at {{.*}}, with itself, may touch one element of %cache in two iterations of the parallel axis i
func.func @masked(%x: memref<8x128xf32>, %slots: memref<8xi32>, %cache: memref<64x128xf32>,
                  %mask: tensor<128xi1>) {
  tile.grid %i = 0 to 8 {
    %v = tile.load %x[%i, :]
    %p = tile.load %slots[%i]
    %slot = arith.index_cast %p : i32 to index
    tile.store %v, %cache[%slot, :] mask %mask
  }
  return
}

// -----

// Rounds of a loop have an order: a later one may store where an earlier one did.
// CHECK: race: the store at {{.*}}, with itself, may touch one element of %cache in two iterations of the parallel axis i
func.func @rounds(%x: memref<8x4x128xf32>, %slots: memref<8x4xi32>, %cache: memref<64x128xf32>) {
  tile.grid %i = 0 to 8 {
    tile.for %j = 0 to 4 {
      %v = tile.load %x[%i, %j, :]
      %p = tile.load %slots[%i, %j]
      %slot = arith.index_cast %p : i32 to index
      tile.store %v, %cache[%slot, :]
    }
  }
  return
}

// -----

// What is read elsewhere may be what another iteration stores.
// CHECK: race: the store at {{.*}} and the load at {{.*}} may touch one element of %cache in two iterations of the parallel axis i
func.func @moved(%from: memref<8xi32>, %slots: memref<8xi32>, %cache: memref<64x128xf32>) {
  tile.grid %i = 0 to 8 {
    %q = tile.load %from[%i]
    %other = arith.index_cast %q : i32 to index
    %v = tile.load %cache[%other, :]
    %p = tile.load %slots[%i]
    %slot = arith.index_cast %p : i32 to index
    tile.store %v, %cache[%slot, :]
  }
  return
}

// -----

// CHECK: tile.distinct takes 0 positions for 0 results; one result for each of one position or several is accepted
"tile.distinct"() : () -> ()
