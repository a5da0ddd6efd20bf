// out[rows of g] = x[rows of g] @ w[g], other rows keep 1. A first kernel lists the pairs of a group and a tile of 32
// rows that meet; the second runs over the list.

// RUN: tile-opt -t pallas %s | filecheck %s

// CHECK-LABEL: def worklist_kernel(offsets_ref, groups_ref, tiles_ref, count_ref):
// CHECK-NEXT:        groups_ref[0] = 0
// CHECK-NEXT:        tiles_ref[0] = 0
// CHECK-EMPTY:
// CHECK-NEXT:        def for_g(g, n):
// CHECK-NEXT:            begin = offsets_ref[g]
// CHECK-NEXT:            next_1 = g + 1
// CHECK-NEXT:            end = offsets_ref[next_1]
// CHECK-NEXT:            first = begin // 32
// CHECK-NEXT:            past = -(-end // 32)
// CHECK-NEXT:            some = end > begin
// CHECK-NEXT:            stop = jnp.where(some, past, first)
// CHECK-EMPTY:
// CHECK-NEXT:            def for_t(t, i):
// CHECK-NEXT:                groups_ref[i] = g
// CHECK-NEXT:                tiles_ref[i] = t
// CHECK-NEXT:                more = i + 1
// CHECK-NEXT:                return more
// CHECK-EMPTY:
// CHECK-NEXT:            after = lax.fori_loop(first, stop, for_t, n)
// CHECK-NEXT:            return after
// CHECK-EMPTY:
// CHECK-NEXT:        found = lax.fori_loop(0, 4, for_g, jnp.int32(0))
// CHECK-NEXT:        count_ref[0] = found
// CHECK:              check_segments(offsets, None, rows)
// CHECK-NEXT:        tiles = pl.cdiv(rows, 32)
// CHECK-NEXT:        capacity = tiles + 4
// CHECK-NEXT:        groups, tile_ids, count = pl.pallas_call(
// CHECK-NEXT:            worklist_kernel,
// CHECK-NEXT:            grid=(),
// CHECK-NEXT:            in_specs=[
// CHECK-NEXT:                pl.BlockSpec(memory_space=pltpu.SMEM),
// CHECK-NEXT:            ],
// CHECK-NEXT:            out_specs=[
// CHECK-NEXT:                pl.BlockSpec(memory_space=pltpu.SMEM),
// CHECK-NEXT:                pl.BlockSpec(memory_space=pltpu.SMEM),
// CHECK-NEXT:                pl.BlockSpec(memory_space=pltpu.SMEM),
// CHECK-NEXT:            ],
// CHECK-NEXT:            out_shape=[
// CHECK-NEXT:                jax.ShapeDtypeStruct((capacity,), jnp.int32),
// CHECK-NEXT:                jax.ShapeDtypeStruct((capacity,), jnp.int32),
// CHECK-NEXT:                jax.ShapeDtypeStruct((1,), jnp.int32),
// CHECK-NEXT:            ],
// CHECK-NEXT:            interpret=False if interpret is None else interpret,
// CHECK-NEXT:            name="worklist",
// CHECK-NEXT:        )(offsets)
// CHECK-NEXT:        steps = count[0]
// CHECK-NEXT:        start = jnp.full((rows, 256), 1.0, jnp.bfloat16)
// CHECK-NEXT:        start_blocks = whole_blocks(start, (32, 128), interpret)
// CHECK-NEXT:        out = pl.pallas_call(
// CHECK-NEXT:            grouped_matmul_kernel,
// CHECK-NEXT:            grid_spec=pltpu.PrefetchScalarGridSpec(
// CHECK-NEXT:                num_scalar_prefetch=3,
// CHECK-NEXT:                grid=(2, steps, 2),
// CHECK-NEXT:                in_specs=[
// CHECK-NEXT:                    pl.BlockSpec((32, 128), lambda n, step, k, group_of, tile_of, *_: (tile_of[step], k)),
// CHECK-NEXT:                    pl.BlockSpec((None, 128, 128), lambda n, step, k, group_of, *_: (group_of[step], k, n)),
// CHECK-NEXT:                    pl.BlockSpec((32, 128), lambda n, step, k, group_of, tile_of, *_: (tile_of[step], n), pipeline_mode=pl.Buffered(1)),
// CHECK-NEXT:                ],
// CHECK-NEXT:                out_specs=pl.BlockSpec((32, 128), lambda n, step, k, group_of, tile_of, *_: (tile_of[step], n)),
// CHECK-NEXT:                scratch_shapes=[
// CHECK-NEXT:                    pltpu.VMEM((32, 128), jnp.float32),
// CHECK-NEXT:                ],
// CHECK-NEXT:            ),
// CHECK-NEXT:            out_shape=jax.ShapeDtypeStruct(start_blocks.shape, start_blocks.dtype),
// CHECK-NEXT:            input_output_aliases={5: 0},
// CHECK-NEXT:            compiler_params=pltpu.CompilerParams(
// CHECK-NEXT:                dimension_semantics=("parallel", "arbitrary", "arbitrary"),
// CHECK-NEXT:            ),
// CHECK-NEXT:            interpret=False if interpret is None else interpret,
// CHECK-NEXT:            name="grouped_matmul",
// CHECK-NEXT:        )(groups, tile_ids, offsets, x, w, start_blocks)
// CHECK-NEXT:        out = out[:rows, :256]
func.func @grouped_matmul(%x: memref<?x256xbf16>, %w: memref<4x256x256xbf16>, %offsets: memref<5xi32>)
    -> memref<?x256xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %rows = memref.dim %x, %c0 : memref<?x256xbf16>
  pallas.check_segments %offsets limit %rows
  %tiles = arith.ceildivsi %rows, %c32 : index
  %capacity = arith.addi %tiles, %c4 : index
  %groups, %tile_ids, %count = pallas.call "worklist" {
    %offsets_ref = pallas.in_space %offsets smem
    %groups_ref = pallas.out_space smem extent %capacity : memref<?xi32>
    %tiles_ref = pallas.out_space smem extent %capacity : memref<?xi32>
    %count_ref = pallas.out_space smem : memref<1xi32>
    %zero = arith.constant 0 : i32
    pallas.store %zero, %groups_ref[0]
    pallas.store %zero, %tiles_ref[0]
    %found = pallas.fori %g = 0 to 4 iter_args(%n = %c0) {
      %begin_32 = pallas.load %offsets_ref[%g]
      %begin = arith.index_cast %begin_32 : i32 to index
      %next = arith.addi %g, %c1 : index
      %end_32 = pallas.load %offsets_ref[%next]
      %end = arith.index_cast %end_32 : i32 to index
      %first = arith.floordivsi %begin, %c32 : index
      %past = arith.ceildivsi %end, %c32 : index
      %some = arith.cmpi sgt, %end, %begin : index
      %stop = arith.select %some, %past, %first : index
      %after = pallas.fori %t = %first to %stop iter_args(%i = %n) {
        %g_32 = arith.index_cast %g : index to i32
        pallas.store %g_32, %groups_ref[%i]
        %t_32 = arith.index_cast %t : index to i32
        pallas.store %t_32, %tiles_ref[%i]
        %more = arith.addi %i, %c1 : index
        pallas.yield %more
      }
      pallas.yield %after
    }
    %found_32 = arith.index_cast %found : index to i32
    pallas.store %found_32, %count_ref[0]
  } : memref<?xi32>, memref<?xi32>, memref<1xi32>
  %steps = pallas.scalar %count
  %start = pallas.full 1.0 extent %rows : memref<?x256xbf16>
  %out = pallas.call "grouped_matmul" grid [parallel 2, arbitrary %steps, arbitrary 2] {
    %group_of = pallas.prefetch %groups
    %tile_of = pallas.prefetch %tile_ids
    %offset_of = pallas.prefetch %offsets
    %x_ref = pallas.in %x block [32, 128] map (%n, %step, %k) {
      %tile = pallas.load %tile_of[%step]
      %position = arith.index_cast %tile : i32 to index
      pallas.yield %position, %k
    }
    %w_ref = pallas.in %w block [_, 128, 128] map (%n, %step, %k) {
      %group = pallas.load %group_of[%step]
      %position = arith.index_cast %group : i32 to index
      pallas.yield %position, %k, %n
    }
    %out_ref, %before_ref = pallas.out block [32, 128] extent %rows alias %start map (%n, %step, %k) {
      %tile = pallas.load %tile_of[%step]
      %position = arith.index_cast %tile : i32 to index
      pallas.yield %position, %n
    } : memref<?x256xbf16>
    %acc_ref = pallas.scratch : memref<32x128xf32, #pallas.space<vmem>>
    %step = pallas.program_id 1
    %k = pallas.program_id 2
    %tile = pallas.load %tile_of[%step]
    %earlier = arith.subi %step, %c1 : index
    %previous = arith.maxsi %earlier, %c0 : index
    %tile_before = pallas.load %tile_of[%previous]
    %moved = arith.cmpi ne, %tile, %tile_before : i32
    %first_step = arith.cmpi eq, %step, %c0 : index
    %fresh = arith.ori %moved, %first_step : i1
    %first_k = arith.cmpi eq, %k, %c0 : index
    %enters = arith.andi %fresh, %first_k : i1
    pallas.when %enters {
      %old = pallas.load %before_ref
      pallas.store %old, %out_ref
    }
    pallas.when %first_k {
      %zero = tile.splat 0.0 : tensor<32x128xf32>
      pallas.store %zero, %acc_ref
    }
    %lhs = pallas.load %x_ref
    %rhs = pallas.load %w_ref
    %acc = pallas.load %acc_ref
    %sum = tile.dot %lhs, %rhs, %acc
    pallas.store %sum, %acc_ref
    %last_k = arith.cmpi eq, %k, %c1 : index
    pallas.when %last_k {
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
      %total = pallas.load %acc_ref
      %kept = pallas.load %out_ref
      %wide = tile.cast %kept to f32
      %chosen = tile.select %live, %total, %wide
      %rounded = tile.cast %chosen to bf16
      pallas.store %rounded, %out_ref
    }
  } : memref<?x256xbf16>
  return %out : memref<?x256xbf16>
}
