// RUN: tile-opt %s --classify-axes | filecheck %s
// A tile's number tells it from the others: the cells store to rows of their own.
func.func @parts(%x: memref<512xf32>) -> memref<4xf32> {
  %out = tile.empty : memref<4xf32>
  tile.grid %m = 0 to 512 by m:128 {
    %b = tile.bound begin %m
    %size = arith.constant 128 : index
    %number = arith.floordivsi %b, %size : index
    %v = tile.load %x[%m]
    %s = tile.reduce add %v dims [0]
    tile.store %s, %out[%number]
  }
  return %out : memref<4xf32>
}
// CHECK: tile.grid %m = 0 to 512 by m:128 parallel

// Four workers take every fourth segment each: no two the same.
func.func @workers(%x: memref<?x128xf32>, %offsets: memref<33xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %worker = 0 to 4 {
    tile.for %turn = 0 to 8 {
      %four = arith.constant 4 : index
      %first = arith.muli %turn, %four : index
      %g = arith.addi %first, %worker : index
      %b, %e = tile.segment %offsets[%g]
      tile.for %m = %b to %e by m:128 {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%m, :]
      }
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK: tile.grid %worker = 0 to 4 parallel
