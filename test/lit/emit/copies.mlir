// Asynchronous copies, semaphores, promised multiples, rolls by an index, numbers of buffers.

// RUN: tile-opt -t pallas %s | filecheck %s

// Rows come and go while others are worked on: two slots each way, and the next rows start before these are
// awaited.
// CHECK-LABEL: def turn_kernel(x_hbm, out_hbm, x_buffer, out_buffer, sems):
// CHECK-NEXT:      pltpu.make_async_copy(x_hbm.at[pl.ds(0, 8), :], x_buffer.at[0, :, :], sems.at[0, 0]).start()
// CHECK-EMPTY:
// CHECK-NEXT:      def for_i(i, carried):
// CHECK-NEXT:          slot, now = carried
// CHECK-NEXT:          row = pl.multiple_of(now, 8)
// CHECK-NEXT:          after = row + 8
// CHECK-NEXT:          other = 1 - slot
// CHECK-NEXT:          more = after < 64
// CHECK-EMPTY:
// CHECK-NEXT:          @pl.when(more)
// CHECK-NEXT:          def _():
// CHECK-NEXT:              pltpu.make_async_copy(x_hbm.at[pl.ds(after, 8), :], x_buffer.at[other, :, :], sems.at[0, other]).start()
// CHECK-EMPTY:
// CHECK-NEXT:          pltpu.make_async_copy(x_hbm.at[pl.ds(row, 8), :], x_buffer.at[slot, :, :], sems.at[0, slot]).wait()
// CHECK-NEXT:          tile = x_buffer[slot, :, :]
// CHECK-NEXT:          turned = pltpu.roll(tile, i, 1)
// CHECK-NEXT:          used = i >= 2
// CHECK-NEXT:          gone = row - 16
// CHECK-EMPTY:
// CHECK-NEXT:          @pl.when(used)
// CHECK-NEXT:          def _():
// CHECK-NEXT:              pltpu.make_async_copy(out_buffer.at[slot, :, :], out_hbm.at[pl.ds(gone, 8), :], sems.at[1, slot]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:          out_buffer[slot, :, :] = turned
// CHECK-NEXT:          pltpu.make_async_copy(out_buffer.at[slot, :, :], out_hbm.at[pl.ds(row, 8), :], sems.at[1, slot]).start()
// CHECK-NEXT:          return other, after
// CHECK-EMPTY:
// CHECK-NEXT:      last_slot, end = lax.fori_loop(0, 8, for_i, (jnp.int32(0), jnp.int32(0)))
// CHECK-NEXT:      pltpu.make_async_copy(out_buffer.at[0, :, :], out_hbm.at[pl.ds(48, 8), :], sems.at[1, 0]).wait()
// CHECK-NEXT:      pltpu.make_async_copy(out_buffer.at[1, :, :], out_hbm.at[pl.ds(56, 8), :], sems.at[1, 1]).wait()
// CHECK-LABEL: def turn(x, *, interpret=None):
// CHECK:           in_specs=[
// CHECK-NEXT:          pl.BlockSpec(memory_space=pl.ANY),
// CHECK:           scratch_shapes=[
// CHECK-NEXT:          pltpu.VMEM((2, 8, 256), jnp.float32),
// CHECK-NEXT:          pltpu.VMEM((2, 8, 256), jnp.float32),
// CHECK-NEXT:          pltpu.SemaphoreType.DMA((2, 2)),
// CHECK-NEXT:      ],
func.func @turn(%x: memref<64x256xf32>) -> memref<64x256xf32> {
  %out = pallas.call "turn" {
    %x_hbm = pallas.in_space %x any
    %out_hbm = pallas.out_space any : memref<64x256xf32>
    %x_buffer = pallas.scratch : memref<2x8x256xf32, #pallas.space<vmem>>
    %out_buffer = pallas.scratch : memref<2x8x256xf32, #pallas.space<vmem>>
    %sems = pallas.scratch : memref<2x2x!pallas.dma_semaphore, #pallas.space<semaphore>>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    pallas.copy_start %x_hbm[ds(0, 8), :], %x_buffer[0, :, :], %sems[0, 0]
    %last_slot, %end = pallas.fori %i = 0 to 8 iter_args(%slot = %c0, %now = %c0) {
      %row = pallas.multiple_of %now by 8
      %after = arith.addi %row, %c8 : index
      %other = arith.subi %c1, %slot : index
      %more = arith.cmpi slt, %after, %c64 : index
      pallas.when %more {
        pallas.copy_start %x_hbm[ds(%after, 8), :], %x_buffer[%other, :, :], %sems[0, %other]
      }
      pallas.copy_wait %x_hbm[ds(%row, 8), :], %x_buffer[%slot, :, :], %sems[0, %slot]
      %tile = pallas.load %x_buffer[%slot, :, :]
      %turned = pallas.roll %tile by %i dim 1
      %used = arith.cmpi sge, %i, %c2 : index
      %gone = arith.subi %row, %c16 : index
      pallas.when %used {
        pallas.copy_wait %out_buffer[%slot, :, :], %out_hbm[ds(%gone, 8), :], %sems[1, %slot]
      }
      pallas.store %turned, %out_buffer[%slot, :, :]
      pallas.copy_start %out_buffer[%slot, :, :], %out_hbm[ds(%row, 8), :], %sems[1, %slot]
      pallas.yield %other, %after
    }
    pallas.copy_wait %out_buffer[0, :, :], %out_hbm[ds(48, 8), :], %sems[1, 0]
    pallas.copy_wait %out_buffer[1, :, :], %out_hbm[ds(56, 8), :], %sems[1, 1]
  } : memref<64x256xf32>
  return %out : memref<64x256xf32>
}

// A copy may have a size that the kernel computed. A semaphore without dimensions, a whole reference, slots of
// buffers of rank 4 with part of another dimension.
// CHECK-LABEL: def place_kernel(place_ref, x_hbm, _init_ref, out_hbm, buffer, sem):
// CHECK-NEXT:      start = place_ref[0]
// CHECK-NEXT:      count = place_ref[1]
// CHECK-NEXT:      pltpu.make_async_copy(x_hbm, buffer.at[0, 1, :, :], sem).start()
// CHECK-NEXT:      pltpu.make_async_copy(x_hbm, buffer.at[0, 1, :, :], sem).wait()
// CHECK-NEXT:      upper = buffer[0, 1, pl.ds(start, 8), :]
// CHECK-NEXT:      buffer[1, 0, pl.ds(0, 8), :] = upper
// CHECK-NEXT:      pltpu.make_async_copy(buffer.at[1, 0, pl.ds(0, count), :], out_hbm.at[pl.ds(start, count), :], sem).start()
// CHECK-NEXT:      pltpu.make_async_copy(buffer.at[1, 0, pl.ds(0, count), :], out_hbm.at[pl.ds(start, count), :], sem).wait()
// CHECK-LABEL: def place(x, old, place_1, *, interpret=None):
// CHECK:           pltpu.SemaphoreType.DMA(()),
func.func @place(%x: memref<16x128xf32>, %old: memref<16x128xf32>, %place: memref<2xi32>) -> memref<16x128xf32> {
  %out = pallas.call "place" {
    %place_ref = pallas.in_space %place smem
    %x_hbm = pallas.in_space %x any
    %out_hbm = pallas.out_space any alias %old : memref<16x128xf32>
    %buffer = pallas.scratch : memref<2x2x16x128xf32, #pallas.space<vmem>>
    %sem = pallas.scratch : memref<!pallas.dma_semaphore, #pallas.space<semaphore>>
    %start_32 = pallas.load %place_ref[0]
    %start = arith.index_cast %start_32 : i32 to index
    %count_32 = pallas.load %place_ref[1]
    %count = arith.index_cast %count_32 : i32 to index
    pallas.copy_start %x_hbm, %buffer[0, 1, :, :], %sem
    pallas.copy_wait %x_hbm, %buffer[0, 1, :, :], %sem
    %upper = pallas.load %buffer[0, 1, ds(%start, 8), :]
    pallas.store %upper, %buffer[1, 0, ds(0, 8), :]
    pallas.copy_start %buffer[1, 0, ds(0, %count), :], %out_hbm[ds(%start, %count), :], %sem
    pallas.copy_wait %buffer[1, 0, ds(0, %count), :], %out_hbm[ds(%start, %count), :], %sem
  } : memref<16x128xf32>
  return %out : memref<16x128xf32>
}

// Numbers of buffers: of a grid's windows, and of those of an emit_pipeline, whose inputs can have more.
// CHECK-LABEL: def buffers_kernel(
// CHECK:           pl.BlockSpec((8, 128), lambda i: (i, 0), pipeline_mode=pl.Buffered(4)),
// CHECK:           pl.BlockSpec((8, 128), lambda i: (i, 0), pipeline_mode=pl.Buffered(2)),
// CHECK:           pl.BlockSpec((8, 128), lambda: (0, 0), pipeline_mode=pl.Buffered(1)),
func.func @buffers(%x: memref<32x128xf32>, %y: memref<8x128xf32>) -> memref<32x128xf32> {
  %c0 = arith.constant 0 : index
  %out = pallas.call "buffers" {
    %x_hbm = pallas.in_space %x any
    %y_ref = pallas.in %y block [8, 128] buffers 1 map () {
      pallas.yield %c0, %c0
    }
    %out_hbm = pallas.out_space any : memref<32x128xf32>
    %y_value = pallas.load %y_ref
    pallas.emit_pipeline grid [4] {
      %x_ref = pallas.pipe_in %x_hbm block [8, 128] buffers 4 map (%i) {
        pallas.yield %i, %c0
      }
      %out_ref = pallas.pipe_out %out_hbm block [8, 128] buffers 2 map (%i) {
        pallas.yield %i, %c0
      }
      %v = pallas.load %x_ref
      %total = arith.addf %v, %y_value : tensor<8x128xf32>
      pallas.store %total, %out_ref
    }
  } : memref<32x128xf32>
  return %out : memref<32x128xf32>
}
