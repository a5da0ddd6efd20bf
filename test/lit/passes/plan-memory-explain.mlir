// --explain prints the ledger: each owner with all its buffers, largest first, then the other memories.

// RUN: tile-opt %s --plan-memory --explain 2>&1 >/dev/null | filecheck %s --match-full-lines
// RUN: tile-opt %s --plan-memory="chip=v4" --explain 2>&1 >/dev/null | filecheck %s --check-prefix=V4 --match-full-lines

// A value that is used again after the sum over it is held as a whole. What does not fit the registers goes to memory.
!tile = tensor<1024x200xf32, #tile.spans<m, _>>
func.func @held(%x: memref<4096x200xf32>, %out: memref<4096x200xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 4096 by m:1024 parallel
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :]
    %v = tile.get %xw
    %e = math.exp %v : !tile
    %e2 = math.exp %e : !tile
    %sum = tile.reduce add %e2 dims [1]
    %wide = tile.broadcast %sum dims [0] : !tile
    %d = arith.mulf %e2, %wide : !tile
    %top = tile.reduce max %d dims [1]
    %topw = tile.broadcast %top dims [0] : !tile
    %p = arith.divf %d, %topw : !tile
    tile.set %p, %ow
  }
  return
}
// CHECK: {{.*}}:9:3: note: plan-memory: 4.81 MiB of the 128 MiB of v5e: %xw 2.00 MiB ({{.*}}:11:5), %ow 2.00 MiB ({{.*}}:12:5), %d 832.0 KiB ({{.*}}:18:5); 8.00 MiB of hbm, 0 B of smem, 16 B of semaphores
// V4: {{.*}}:9:3: note: plan-memory: 4.96 MiB of the 16 MiB of v4: %xw 2.00 MiB ({{.*}}:11:5), %ow 2.00 MiB ({{.*}}:12:5), %d 984.0 KiB ({{.*}}:18:5); 8.00 MiB of hbm, 0 B of smem, 16 B of semaphores

// Integers for scalars are in scalar memory, as is a scalar scratch. A row is padded to 128 lanes, and not to 8 rows.
func.func @scalars(%x: memref<8x100xf32>, %o: memref<9xi32>, %out: memref<8x100xf32>) {
  tile.pipeline grid {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %o[%g]
    %xw = tile.window read %x[%g, :]
    %ow = tile.window write %out[%g, :]
    %s = tile.scratch : tensor<f32>
    %v = tile.get %xw
    tile.set %v, %ow
  }
  return
}
// CHECK: {{.*}}:31:3: note: plan-memory: 2.0 KiB of the 128 MiB of v5e: %xw 1.0 KiB ({{.*}}), %ow 1.0 KiB ({{.*}}); 8.0 KiB of hbm, 516 B of smem, 16 B of semaphores
