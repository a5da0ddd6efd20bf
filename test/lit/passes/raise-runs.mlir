// RUN: tile-opt %s --raise-runs | filecheck %s
// RUN: tile-opt %s --raise-runs --explain 2>&1 >/dev/null | filecheck %s --check-prefix=WHY

// Row t is row t % 16 of page table[t // 16]. Of 32 lanes there are two runs; one behind the live lanes is the
// last of those once more.
// CHECK-LABEL: func.func @pages
// CHECK:           tile.for %t = 0 to %end by t:32 max 128 {
// CHECK-NEXT:        %[[BEGIN:.*]] = tile.bound begin %t
// CHECK-NEXT:        %[[END:.*]] = tile.bound end %t
// CHECK-NEXT:        %[[LIVE:.*]] = arith.subi %[[END]], %[[BEGIN]] : index
// CHECK:             %[[LAST:.*]] = arith.floordivsi %{{.*}}, %c16 : index
// CHECK-NEXT:        %[[NUMBER:.*]] = arith.floordivsi %[[BEGIN]], %c16 : index
// CHECK:             %[[ONE:.*]] = arith.minsi %c1, %[[LAST]] : index
// CHECK-NEXT:        %{{.*}} = arith.addi %[[NUMBER]], %[[ONE]] : index
// CHECK:             %pages = tile.load %table[%b, %{{.*}}]
// CHECK:             %[[ROW:.*]] = arith.muli %pages, %{{.*}} : i32
// CHECK:             %[[FIRST:.*]] = arith.index_cast %[[ROW]] : i32 to index
// CHECK:             %pages_1 = tile.load %table[%b, %{{.*}}]
// CHECK-NEXT:        %[[ROW_1:.*]] = arith.muli %pages_1, %{{.*}} : i32
// CHECK-NEXT:        %[[SECOND:.*]] = arith.index_cast %[[ROW_1]] : i32 to index
// CHECK-NEXT:        %at = tile.runs %[[FIRST]], %[[SECOND]] by 16 of %t
// CHECK-NEXT:        %k = tile.gather %keys[%at, :]
// CHECK-NEXT:        %v = tile.gather %values[%at, :]
// WHY:      {{.*}}:39:7: note: raise-runs: scalars find its rows, in runs of 16
// WHY-NEXT: {{.*}}:40:7: note: raise-runs: scalars find its rows, in runs of 16
func.func @pages(%keys: memref<256x128xf32>, %values: memref<256x128xf32>, %table: memref<4x8xi32>, %n: memref<4xi32>) {
  tile.grid %b = 0 to 4 {
    %rows = tile.load %n[%b]
    %end = arith.index_cast %rows : i32 to index
    tile.for %t = 0 to %end by t:32 max 128 {
      %i = tile.indices %t
      %page_size = tile.splat 16 : tensor<32xi32, #tile.spans<t>>
      %number = arith.floordivsi %i, %page_size : tensor<32xi32, #tile.spans<t>>
      %pages = tile.gather %table[%b, %number]
      %before = arith.muli %number, %page_size : tensor<32xi32, #tile.spans<t>>
      %rest = arith.subi %i, %before : tensor<32xi32, #tile.spans<t>>
      %firsts = arith.muli %pages, %page_size : tensor<32xi32, #tile.spans<t>>
      %at = arith.addi %firsts, %rest : tensor<32xi32, #tile.spans<t>>
      %k = tile.gather %keys[%at, :]
      %v = tile.gather %values[%at, :]
      "test.op"(%k, %v) : (tensor<32x128xf32, #tile.spans<t, _>>, tensor<32x128xf32, #tile.spans<t, _>>) -> ()
    }
  }
  return
}

// Of pages of 16 rows of all heads, those rows of one head: kernels see what is before the lanes and the pages
// outside of them. Of all heads, planes.
// CHECK-LABEL: func.func @heads
// CHECK-NEXT:    %keys_1 = tile.view %keys permute [1, 2, 0, 3] : memref<64x2x8x128xf32> to memref<2x8x64x128xf32>
// CHECK-NEXT:    %keys_2 = tile.view %keys_1 : memref<2x8x64x128xf32> to memref<1024x128xf32>
// CHECK-NEXT:    tile.grid %h = 0 to 8, %t = 0 to 64 by t:16 {
// CHECK:           %[[HEAD:.*]] = arith.addi %{{.*}}, %h : index
// CHECK:           %[[FIRST:.*]] = arith.muli %[[HEAD]], %c64 : index
// CHECK-NEXT:      %[[ROW:.*]] = arith.addi %[[FIRST]], %[[PAGE:.*]] : index
// CHECK-NEXT:      %at = tile.runs %[[ROW]] by 16 of %t
// CHECK-NEXT:      %k = tile.gather %keys_2[%at, :]
// CHECK-NEXT:      %at_1 = tile.runs %[[PAGE]] by 16 of %t
// CHECK-NEXT:      %v = tile.gather %values[%at_1, :, :]
// WHY-NEXT: {{.*}} note: raise-runs: scalars find its rows, in runs of 16
// WHY-NEXT: {{.*}} note: raise-runs: the host transposes a memref<64x2x8x128xf32> to memref<2x8x64x128xf32>
// WHY-NEXT: {{.*}} note: raise-runs: scalars find its rows, in runs of 16
func.func @heads(%keys: memref<64x2x8x128xf32>, %values: memref<64x8x128xf32>, %table: memref<4xi32>) {
  tile.grid %h = 0 to 8, %t = 0 to 64 by t:16 {
    %i = tile.indices %t
    %page_size = tile.splat 16 : tensor<16xi32, #tile.spans<t>>
    %number = arith.floordivsi %i, %page_size : tensor<16xi32, #tile.spans<t>>
    %rest = arith.remsi %i, %page_size : tensor<16xi32, #tile.spans<t>>
    %pages = tile.gather %table[%number]
    %firsts = arith.muli %pages, %page_size : tensor<16xi32, #tile.spans<t>>
    %at = arith.addi %firsts, %rest : tensor<16xi32, #tile.spans<t>>
    %k = tile.gather %keys[%at, 1, %h, :]
    %v = tile.gather %values[%at, :, :]
    "test.op"(%k, %v) : (tensor<16x128xf32, #tile.spans<t, _>>, tensor<16x8x128xf32, #tile.spans<t, _, _>>) -> ()
  }
  return
}

// Rows from inside of a page on; a table that the kernel writes, and one that is too large; too many
// runs; positions that are shifted.
// CHECK-LABEL: func.func @left
// CHECK-NOT:     tile.runs
// WHY-NEXT: {{.*}} note: raise-runs: its positions do not go up by one from multiples of what divides them
// WHY-NEXT: {{.*}} note: raise-runs: %written is written where it is read
// WHY-NEXT: {{.*}} note: raise-runs: %large takes 1048576 bytes of scalar memory; 524288 are left for tables
// WHY-NEXT: {{.*}} note: raise-runs: 2048 lanes have 256 runs of 8; 128 are accepted
// WHY-NEXT: {{.*}} note: raise-runs: it has a mask or a shift, or is in no grid
func.func @left(%x: memref<256x128xf32>, %table: memref<64xi32>, %large: memref<262144xi32>, %written: memref<2048xi32>, %out: memref<2048x128xf32>) {
  tile.grid %t = 0 to 2048 by t:2048 {
    %i = tile.indices %t
    %one = tile.splat 1 : tensor<2048xi32, #tile.spans<t>>
    %eight = tile.splat 8 : tensor<2048xi32, #tile.spans<t>>
    %many = tile.splat 32 : tensor<2048xi32, #tile.spans<t>>
    %low = tile.splat 31 : tensor<2048xi32, #tile.spans<t>>
    %zero = arith.constant 0.0 : f32
    %shifted = arith.addi %i, %one : tensor<2048xi32, #tile.spans<t>>
    %inside = arith.remsi %shifted, %many : tensor<2048xi32, #tile.spans<t>>
    %a = tile.gather %x[%inside, :]
    %number = arith.floordivsi %i, %many : tensor<2048xi32, #tile.spans<t>>
    %rest = arith.andi %i, %low : tensor<2048xi32, #tile.spans<t>>
    %p = tile.gather %written[%number]
    %p_first = arith.muli %p, %many : tensor<2048xi32, #tile.spans<t>>
    %p_at = arith.addi %p_first, %rest : tensor<2048xi32, #tile.spans<t>>
    %b = tile.gather %x[%p_at, :]
    %q = tile.gather %large[%number]
    %q_first = arith.muli %q, %many : tensor<2048xi32, #tile.spans<t>>
    %q_at = arith.addi %q_first, %rest : tensor<2048xi32, #tile.spans<t>>
    %c = tile.gather %x[%q_at, :]
    %short = arith.remsi %i, %eight : tensor<2048xi32, #tile.spans<t>>
    %e = tile.gather %x[%short, :]
    %f = tile.gather %x[%rest + 1, :]
    tile.store %one, %written[%t]
    "test.op"(%a, %b, %c, %e, %f) : (tensor<2048x128xf32, #tile.spans<t, _>>, tensor<2048x128xf32, #tile.spans<t, _>>, tensor<2048x128xf32, #tile.spans<t, _>>, tensor<2048x128xf32, #tile.spans<t, _>>, tensor<2048x128xf32, #tile.spans<t, _>>) -> ()
  }
  return
}

// CHECK-LABEL: func.func @bytes
// CHECK-NOT:     tile.runs
// WHY-NEXT: {{.*}} note: raise-runs: runs of 2 are not copied: no 2 rows together of i8[256, 128] can be copied
func.func @bytes(%x: memref<256x128xi8>, %out: memref<64x128xi8>) {
  tile.grid %t = 0 to 64 by t:64 {
    %i = tile.indices %t
    %two = tile.splat 2 : tensor<64xi32, #tile.spans<t>>
    %last = arith.remsi %i, %two : tensor<64xi32, #tile.spans<t>>
    %v = tile.gather %x[%last, :]
    tile.store %v, %out[%t, :]
  }
  return
}
