// --explain tells why an axis stays one of indices though an access takes a run for each of them.

// RUN: tile-opt %s --widen-axes --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

func.func @kept_indices(%x: memref<200x20000xf32>, %from: memref<1xi32>, %out: memref<640xf32>) -> (memref<640xf32>, memref<5x200xf32>) {
  %rows = tile.empty : memref<5x200xf32>
  %w = arith.constant 128 : index
  %w100 = arith.constant 100 : index
  %five = arith.constant 5 : i32
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 5 : index
  %ones = tile.splat 1 : tensor<128xi32>
  %counted = tile.scan add %ones dim 0
  %lanes = arith.subi %counted, %ones : tensor<128xi32>
  %ones100 = tile.splat 1 : tensor<100xi32>
  %counted100 = tile.scan add %ones100 dim 0
  tile.grid %m = 0 to 200 by m:8 {
    tile.for %c = 0 to 5 {
      %first = arith.muli %c, %w : index
      %first0 = arith.index_cast %first : index to i32
      %firsts = tile.broadcast %first0 dims [] : tensor<128xi32>
      %places = arith.addi %lanes, %firsts : tensor<128xi32>
      %last = tile.splat 620 : tensor<128xi32>
      %in = tile.compare lt %places, %last
      %mask = tile.broadcast %in dims [1] : tensor<8x128xi1, #tile.spans<m, _>>
      %v = tile.gather %x[%m, %places] mask %mask other %zero
      %s = tile.reduce add %v dims [1]
      %first100 = arith.muli %c, %w100 : index
      %first100_0 = arith.index_cast %first100 : index to i32
      %firsts100 = tile.broadcast %first100_0 dims [] : tensor<100xi32>
      %places100 = arith.addi %counted100, %firsts100 : tensor<100xi32>
      %v100 = tile.gather %x[%m, %places100 - 1]
      %s100 = tile.reduce add %v100 dims [1]
      %both = arith.addf %s, %s100 : tensor<8xf32, #tile.spans<m>>
      tile.store %both, %rows[%c, %m]
    }
  }
  tile.grid %c = 0 to 5 {
    %v = tile.splat 1.0 : tensor<128xf32>
    %first = arith.muli %c, %w : index
    %first0 = arith.index_cast %first : index to i32
    %firsts = tile.broadcast %first0 dims [] : tensor<128xi32>
    %places = arith.addi %lanes, %firsts : tensor<128xi32>
    tile.scatter %v, %out[%places]
  }
  return %out, %rows : memref<640xf32>, memref<5x200xf32>
}
// CHECK: {{.*}}/widen-axes-explain.mlir:26:7: note: widen-axes: runs of 128 along c are no tiles of an axis: the mask has lanes of its own
// CHECK-NEXT: {{.*}}/widen-axes-explain.mlir:32:7: note: widen-axes: runs of 100 along c are no tiles of an axis: a multiple of 128 can be copied, and all of %x would stay on the chip, of which 4194304 bytes may
// CHECK-NEXT: {{.*}}/widen-axes-explain.mlir:44:5: note: widen-axes: runs of 128 along c are no tiles of an axis: what is written has lanes of its own
// CHECK-NOT: {{.+}}
