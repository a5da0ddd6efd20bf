// Results are summarized one a line. Where there is one function it need not be named.

// RUN: tile-run %s --random --seed 1 --extent 20 | filecheck %s
// RUN: tile-run - --random --seed 1 --extent 20 --blocks "m=3" < %s | filecheck %s
// RUN: rm -rf %t && tile-run %s --entry scale --random --extent 20 --seed 1 --out %t | filecheck %s

// What was saved can be given: y is twice x, so that y from y is four times x.
// RUN: tile-run %s --random --seed 1 --arg x=%t/y.npy | filecheck %s --check-prefix AGAIN

// CHECK: y: memref<?xbf16> shape [20] min -{{[0-9.]+}} max {{[0-9.]+}} mean {{-?[0-9.e-]+}} defined 100% crc32 [[SUM:[0-9a-f]+]]
// CHECK-NEXT: z: memref<3xi32> shape [3] min 7 max 7 mean 7 defined 33.33% crc32 {{[0-9a-f]+}}
// CHECK-NEXT: 2: i1 shape [] min 0 max 0 mean 0 defined 100% crc32 {{[0-9a-f]+}}
// CHECK-NOT: {{.}}

// AGAIN: y: memref<?xbf16> shape [20]

func.func @scale(%x: memref<?xbf16>) -> (memref<?xbf16>, memref<3xi32>, i1) {
  %y = tile.empty like(%x) : memref<?xbf16>
  %z = tile.empty : memref<3xi32>
  %zero = arith.constant 0 : index
  %n = memref.dim %x, %zero : memref<?xbf16>
  tile.grid %m = 0 to %n by m {
    %v = tile.load %x[%m]
    %w = arith.addf %v, %v : tensor<?xbf16, #tile.spans<m>>
    tile.store %w, %y[%m]
  }
  %c = arith.constant 7 : i32
  tile.store %c, %z[1]
  %1 = arith.constant false
  return %y, %z, %1 : memref<?xbf16>, memref<3xi32>, i1
}
