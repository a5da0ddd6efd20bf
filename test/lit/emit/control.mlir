// Conditions, loops, parts of references, host integers in a kernel.

// RUN: tile-opt -t pallas %s | filecheck %s

// Two carried values make a tuple; a loop without any returns None. A condition chooses a scalar.
// CHECK-LABEL: def fibonacci_kernel(start_ref, out_ref):
// CHECK-NEXT:      first = start_ref[0]
// CHECK-EMPTY:
// CHECK-NEXT:      def for_i(i, carried):
// CHECK-NEXT:          a, b = carried
// CHECK-NEXT:          c = a + b
// CHECK-NEXT:          return b, c
// CHECK-EMPTY:
// CHECK-NEXT:      last, next_1 = lax.fori_loop(0, 10, for_i, (first, jnp.int32(1)))
// CHECK-NEXT:      even = last & 1
// CHECK-NEXT:      odd = even != 0
// CHECK-EMPTY:
// CHECK-NEXT:      def then():
// CHECK-NEXT:          return next_1
// CHECK-EMPTY:
// CHECK-NEXT:      def otherwise():
// CHECK-NEXT:          half = last // 2
// CHECK-NEXT:          return half
// CHECK-EMPTY:
// CHECK-NEXT:      chosen = lax.cond(odd, then, otherwise)
// CHECK-EMPTY:
// CHECK-NEXT:      def for_j(j, _):
// CHECK-NEXT:          out_ref[j] = chosen
// CHECK-NEXT:          return None
// CHECK-EMPTY:
// CHECK-NEXT:      lax.fori_loop(0, 4, for_j, None, unroll=2)
// CHECK-EMPTY:
// CHECK-NEXT:      def then_1():
// CHECK-NEXT:          return None
// CHECK-EMPTY:
// CHECK-NEXT:      def otherwise_1():
// CHECK-NEXT:          out_ref[0] = chosen
// CHECK-NEXT:          return None
// CHECK-EMPTY:
// CHECK-NEXT:      lax.cond(odd, then_1, otherwise_1)
func.func @fibonacci(%start: memref<1xi32>) -> memref<4xi32> {
  %out = pallas.call "fibonacci" {
    %start_ref = pallas.in_space %start smem
    %out_ref = pallas.out_space smem : memref<4xi32>
    %first = pallas.load %start_ref[0]
    %one = arith.constant 1 : i32
    %two = arith.constant 2 : i32
    %zero = arith.constant 0 : i32
    %last, %next = pallas.fori %i = 0 to 10 iter_args(%a = %first, %b = %one) {
      %c = arith.addi %a, %b : i32
      pallas.yield %b, %c
    }
    %even = arith.andi %last, %one : i32
    %odd = arith.cmpi ne, %even, %zero : i32
    %chosen = pallas.cond %odd {
      pallas.yield %next
    } else {
      %half = arith.floordivsi %last, %two : i32
      pallas.yield %half
    }
    pallas.fori %j = 0 to 4 unroll 2 {
      pallas.store %chosen, %out_ref[%j]
    }
    pallas.cond %odd {
    } else {
      pallas.store %chosen, %out_ref[0]
    }
  } : memref<4xi32>
  return %out : memref<4xi32>
}

// A number of rows known when the kernel is traced becomes a keyword; parts of references; a roll.
// CHECK-LABEL: def mirror_kernel(x_ref, out_ref, *, rows):
// CHECK-NEXT:      step = pl.program_id(0)
// CHECK-NEXT:      steps_again = pl.num_programs(0)
// CHECK-NEXT:      base = step * 16
// CHECK-NEXT:      upper = x_ref[pl.ds(8, 8), :]
// CHECK-NEXT:      rolled = pltpu.roll(upper, 1, 0)
// CHECK-NEXT:      out_ref[pl.ds(0, 8), :] = rolled
// CHECK-NEXT:      lanes = lax.broadcasted_iota(jnp.int32, (8, 128), 0)
// CHECK-NEXT:      row = base + lanes
// CHECK-NEXT:      inside = row < rows
// CHECK-NEXT:      lower = x_ref[pl.ds(0, 8), :]
// CHECK-NEXT:      kept = jnp.where(inside, lower, 0.5)
// CHECK-NEXT:      out_ref[pl.ds(8, 8), :] = kept
// CHECK-LABEL: def mirror(x, *, interpret=None):
// CHECK:           rows = x.shape[0]
// CHECK-NEXT:      steps = pl.cdiv(rows, 16)
// CHECK-NEXT:      wide = jnp.reshape(x, (rows, 128))
// CHECK-NEXT:      out = pl.pallas_call(
// CHECK-NEXT:          functools.partial(mirror_kernel, rows=rows),
// CHECK-NEXT:          grid=(steps,),
func.func @mirror(%x: memref<?x1x128xf32>) -> memref<?x128xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %rows = memref.dim %x, %c0 : memref<?x1x128xf32>
  %steps = arith.ceildivsi %rows, %c16 : index
  %wide = pallas.reshape %x extent %rows : memref<?x128xf32>
  %out = pallas.call "mirror" grid [parallel %steps] {
    %x_ref = pallas.in %wide block [16, 128] buffers 2 map (%m) {
      pallas.yield %m, %c0
    }
    %out_ref = pallas.out block [16, 128] extent %rows map (%m) {
      pallas.yield %m, %c0
    } : memref<?x128xf32>
    %step = pallas.program_id 0
    %steps_again = pallas.num_programs 0
    %base = arith.muli %step, %c16 : index
    %upper = pallas.load %x_ref[ds(8, 8), :]
    %rolled = pallas.roll %upper by 1 dim 0
    pallas.store %rolled, %out_ref[ds(0, 8), :]
    %base_32 = arith.index_cast %base : index to i32
    %bases = tile.broadcast %base_32 dims [] : tensor<8x128xi32>
    %lanes = pallas.iota dim 0 : tensor<8x128xi32>
    %row = arith.addi %bases, %lanes : tensor<8x128xi32>
    %rows_32 = arith.index_cast %rows : index to i32
    %ends = tile.broadcast %rows_32 dims [] : tensor<8x128xi32>
    %inside = tile.compare lt %row, %ends
    %lower = pallas.load %x_ref[ds(0, 8), :]
    %half = tile.splat 0.5 : tensor<8x128xf32>
    %kept = tile.select %inside, %lower, %half
    pallas.store %kept, %out_ref[ds(8, 8), :]
  } : memref<?x128xf32>
  return %out : memref<?x128xf32>
}

// An emit_pipeline over rows of a leading dimension: a bounded block has a start and a size.
// CHECK-LABEL: def shift_kernel(x_hbm, out_hbm):
// CHECK-NEXT:      def pipeline_step(x_ref, out_ref):
// CHECK-NEXT:          v = x_ref[...]
// CHECK-NEXT:          out_ref[...] = v
// CHECK-EMPTY:
// CHECK-NEXT:      def x_ref_map(i):
// CHECK-NEXT:          start = i * 4
// CHECK-NEXT:          left = 10 - start
// CHECK-NEXT:          size = jnp.minimum(left, 4)
// CHECK-NEXT:          return (pl.ds(jnp.int32(start), jnp.int32(size)), 0, 0)
// CHECK:           def out_ref_map(i):
// CHECK:           pltpu.emit_pipeline(
// CHECK-NEXT:          pipeline_step,
// CHECK-NEXT:          grid=(3,),
// CHECK-NEXT:          in_specs=[
// CHECK-NEXT:              pl.BlockSpec((pl.BoundedSlice(4), 8, 128), x_ref_map, pipeline_mode=pl.Buffered(3)),
func.func @shift(%x: memref<10x8x128xf32>) -> memref<10x8x128xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c10 = arith.constant 10 : index
  %out = pallas.call "shift" {
    %x_hbm = pallas.in_space %x any
    %out_hbm = pallas.out_space any : memref<10x8x128xf32>
    pallas.emit_pipeline grid [3] {
      %x_ref = pallas.pipe_in %x_hbm block [bounded 4, 8, 128] buffers 3 map (%i) {
        %start = arith.muli %i, %c4 : index
        %left = arith.subi %c10, %start : index
        %size = arith.minsi %left, %c4 : index
        pallas.yield %start, %size, %c0, %c0
      }
      %out_ref = pallas.pipe_out %out_hbm block [bounded 4, 8, 128] map (%i) {
        %start = arith.muli %i, %c4 : index
        %left = arith.subi %c10, %start : index
        %size = arith.minsi %left, %c4 : index
        pallas.yield %start, %size, %c0, %c0
      }
      %v = pallas.load %x_ref
      pallas.store %v, %out_ref
    }
  } : memref<10x8x128xf32>
  return %out : memref<10x8x128xf32>
}
