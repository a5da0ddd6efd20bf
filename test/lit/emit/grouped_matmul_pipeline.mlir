// The same in one kernel: the list is built in scalar memory, and an emit_pipeline runs over it.

// RUN: tile-opt -t pallas %s | filecheck %s

// CHECK-LABEL: def grouped_matmul_kernel(offset_of, x_hbm, w_hbm, _init_ref, out_hbm, group_of, tile_of):
// CHECK-NEXT:        def for_g(g, n):
// CHECK:              steps = lax.fori_loop(0, 4, for_g, jnp.int32(0))
// CHECK-EMPTY:
// CHECK-NEXT:        def pipeline_step(x_ref, w_ref, before_ref, out_ref):
// CHECK-NEXT:            step = pl.program_id(1)
// CHECK-NEXT:            tile = tile_of[step]
// CHECK-NEXT:            earlier = step - 1
// CHECK-NEXT:            previous = jnp.maximum(earlier, 0)
// CHECK-NEXT:            tile_before = tile_of[previous]
// CHECK-NEXT:            moved = tile != tile_before
// CHECK-NEXT:            first_step = step == 0
// CHECK-NEXT:            enters = moved | first_step
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(enters)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                old = before_ref[...]
// CHECK-NEXT:                out_ref[...] = old
// CHECK:              pltpu.emit_pipeline(
// CHECK-NEXT:            pipeline_step,
// CHECK-NEXT:            grid=(2, steps),
// CHECK-NEXT:            in_specs=[
// CHECK-NEXT:                pl.BlockSpec((32, 256), lambda n, step: (tile_of[step], 0)),
// CHECK-NEXT:                pl.BlockSpec((None, 256, 128), lambda n, step: (group_of[step], 0, n)),
// CHECK-NEXT:                pl.BlockSpec((32, 128), lambda n, step: (tile_of[step], n)),
// CHECK-NEXT:            ],
// CHECK-NEXT:            out_specs=[
// CHECK-NEXT:                pl.BlockSpec((32, 128), lambda n, step: (tile_of[step], n)),
// CHECK-NEXT:            ],
// CHECK-NEXT:        )(x_hbm, w_hbm, out_hbm, out_hbm)
// CHECK:                  grid_spec=pltpu.PrefetchScalarGridSpec(
// CHECK-NEXT:                num_scalar_prefetch=0,
// CHECK-NEXT:                grid=(),
// CHECK-NEXT:                in_specs=[
// CHECK-NEXT:                    pl.BlockSpec(memory_space=pltpu.SMEM),
// CHECK-NEXT:                    pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                    pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                    pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                ],
// CHECK-NEXT:                out_specs=pl.BlockSpec(memory_space=pl.ANY),
// CHECK-NEXT:                scratch_shapes=[
// CHECK-NEXT:                    pltpu.SMEM((64,), jnp.int32),
// CHECK-NEXT:                    pltpu.SMEM((64,), jnp.int32),
// CHECK-NEXT:                ],
// CHECK-NEXT:            ),
// CHECK-NEXT:            out_shape=jax.ShapeDtypeStruct(start.shape, start.dtype),
// CHECK-NEXT:            input_output_aliases={3: 0},
// CHECK-NEXT:            interpret=False if interpret is None else interpret,
// CHECK-NEXT:            name="grouped_matmul",
// CHECK-NEXT:        )(offsets, x, w, start)
func.func @grouped_matmul(%x: memref<?x256xbf16>, %w: memref<4x256x256xbf16>, %offsets: memref<5xi32>)
    -> memref<?x256xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %rows = memref.dim %x, %c0 : memref<?x256xbf16>
  pallas.check_segments %offsets limit %rows
  %start = pallas.full 1.0 extent %rows : memref<?x256xbf16>
  %out = pallas.call "grouped_matmul" {
    %offset_of = pallas.in_space %offsets smem
    %x_hbm = pallas.in_space %x any
    %w_hbm = pallas.in_space %w any
    %out_hbm = pallas.out_space any extent %rows alias %start : memref<?x256xbf16>
    %group_of = pallas.scratch : memref<64xi32, #pallas.space<smem>>
    %tile_of = pallas.scratch : memref<64xi32, #pallas.space<smem>>
    %steps = pallas.fori %g = 0 to 4 iter_args(%n = %c0) {
      %begin_32 = pallas.load %offset_of[%g]
      %begin = arith.index_cast %begin_32 : i32 to index
      %next = arith.addi %g, %c1 : index
      %end_32 = pallas.load %offset_of[%next]
      %end = arith.index_cast %end_32 : i32 to index
      %first = arith.floordivsi %begin, %c32 : index
      %past = arith.ceildivsi %end, %c32 : index
      %some = arith.cmpi sgt, %end, %begin : index
      %stop = arith.select %some, %past, %first : index
      %after = pallas.fori %t = %first to %stop iter_args(%i = %n) {
        %g_32 = arith.index_cast %g : index to i32
        pallas.store %g_32, %group_of[%i]
        %t_32 = arith.index_cast %t : index to i32
        pallas.store %t_32, %tile_of[%i]
        %more = arith.addi %i, %c1 : index
        pallas.yield %more
      }
      pallas.yield %after
    }
    pallas.emit_pipeline grid [2, %steps] {
      %x_ref = pallas.pipe_in %x_hbm block [32, 256] map (%n, %step) {
        %tile = pallas.load %tile_of[%step]
        %position = arith.index_cast %tile : i32 to index
        pallas.yield %position, %c0
      }
      %w_ref = pallas.pipe_in %w_hbm block [_, 256, 128] map (%n, %step) {
        %group = pallas.load %group_of[%step]
        %position = arith.index_cast %group : i32 to index
        pallas.yield %position, %c0, %n
      }
      %before_ref = pallas.pipe_in %out_hbm block [32, 128] map (%n, %step) {
        %tile = pallas.load %tile_of[%step]
        %position = arith.index_cast %tile : i32 to index
        pallas.yield %position, %n
      }
      %out_ref = pallas.pipe_out %out_hbm block [32, 128] map (%n, %step) {
        %tile = pallas.load %tile_of[%step]
        %position = arith.index_cast %tile : i32 to index
        pallas.yield %position, %n
      }
      %step = pallas.program_id 1
      %tile = pallas.load %tile_of[%step]
      %earlier = arith.subi %step, %c1 : index
      %previous = arith.maxsi %earlier, %c0 : index
      %tile_before = pallas.load %tile_of[%previous]
      %moved = arith.cmpi ne, %tile, %tile_before : i32
      %first_step = arith.cmpi eq, %step, %c0 : index
      %enters = arith.ori %moved, %first_step : i1
      pallas.when %enters {
        %old = pallas.load %before_ref
        pallas.store %old, %out_ref
      }
      %g_32 = pallas.load %group_of[%step]
      %g = arith.index_cast %g_32 : i32 to index
      %g_next = arith.addi %g, %c1 : index
      %begin = pallas.load %offset_of[%g]
      %end = pallas.load %offset_of[%g_next]
      %size = arith.constant 32 : i32
      %base = arith.muli %tile, %size : i32
      %base_rows = tile.broadcast %base dims [] : tensor<32x128xi32>
      %lanes = pallas.iota dim 0 : tensor<32x128xi32>
      %row = arith.addi %base_rows, %lanes : tensor<32x128xi32>
      %begins = tile.broadcast %begin dims [] : tensor<32x128xi32>
      %ends = tile.broadcast %end dims [] : tensor<32x128xi32>
      %from = tile.compare ge %row, %begins
      %to = tile.compare lt %row, %ends
      %live = arith.andi %from, %to : tensor<32x128xi1>
      %lhs = pallas.load %x_ref
      %rhs = pallas.load %w_ref
      %product = tile.dot %lhs, %rhs
      %kept = pallas.load %out_ref
      %wide = tile.cast %kept to f32
      %chosen = tile.select %live, %product, %wide
      %rounded = tile.cast %chosen to bf16
      pallas.store %rounded, %out_ref
    }
  } : memref<?x256xbf16>
  return %out : memref<?x256xbf16>
}
