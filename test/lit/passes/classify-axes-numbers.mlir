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
