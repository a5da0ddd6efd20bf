// A program and a schedule of it give the same results, whatever the order and the blocks.

// RUN: tile-run %s --entry program --random --extent 50 --seed 3 --blocks "m=7" > %t.1
// RUN: tile-run %s --entry program --random --extent 50 --seed 3 --blocks "m=16" > %t.2
// RUN: tile-run %s --entry schedule --random --extent 50 --seed 3 > %t.3
// RUN: diff %t.1 %t.2
// RUN: diff %t.1 %t.3
// RUN: filecheck %s < %t.1

// CHECK: y: memref<?x3xi32> shape [50, 3] min {{-?[0-9]+}} max {{[0-9]+}} mean {{.*}} defined 100%

func.func @program(%x: memref<?x3xi32>, %offsets: memref<5xi32>) -> memref<?x3xi32> {
  %y = tile.empty like(%x) : memref<?x3xi32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %i = tile.indices %m
      %b = tile.broadcast %i dims [0] : tensor<?x3xi32, #tile.spans<m, _>>
      %s = arith.muli %v, %b : tensor<?x3xi32, #tile.spans<m, _>>
      tile.store %s, %y[%m, :]
    }
  }
  return %y : memref<?x3xi32>
}

func.func @schedule(%x: memref<?x3xi32>, %offsets: memref<5xi32>) -> memref<?x3xi32> {
  %y = tile.empty like(%x) : memref<?x3xi32>
  tile.pipeline grid {
    %g = tile.axis 0 to 4 ordered
    %begin, %end = tile.segment %offsets[%g]
    %m = tile.axis %begin to %end by m:8 ordered aligned keep
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[%m, :] preload
    %v = tile.get %xw
    %i = tile.indices %m
    %b = tile.broadcast %i dims [0] : tensor<8x3xi32, #tile.spans<m, _>>
    %s = arith.muli %v, %b : tensor<8x3xi32, #tile.spans<m, _>>
    %old = tile.get %yw raw
    %new = tile.fill %s outside %m with %old
    tile.set %new, %yw
  }
  return %y : memref<?x3xi32>
}
