// A loop for each axis: what a step of the inner loop does is copied ahead, also from one group to the next; what
// stands around it, and the output of a group, do not cost its steps anything.

// RUN: tile-opt %s --tile-to-pallas="grouping=stream clean=mask m=256" -t pallas | filecheck %s

func.func @sums(%x: memref<1024x256xf32>, %offsets: memref<17xi32>) -> memref<16x256xf32> {
  %out = tile.empty : memref<16x256xf32>
  tile.grid %g = 0 to 16 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<256xf32>
    %acc = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<256xf32>
      tile.yield %next
    }
    tile.store %acc, %out[%g, :]
  }
  return %out : memref<16x256xf32>
}

// CHECK-LABEL: def sums_kernel(offsets_ref, x_ref, out_ref, x_window, x_copied, out_window, out_copied, acc):
// CHECK-NEXT:            begin = offsets_ref[0]
// CHECK-NEXT:            first_m_tile = begin >> 8
// CHECK-NEXT:            smaller = jnp.minimum(first_m_tile, 3)
// CHECK-NEXT:            product = smaller * 256
// CHECK-NEXT:            pltpu.make_async_copy(x_ref.at[pl.ds(product, 256), :], x_window.at[0, :, :], x_copied.at[0]).start()
// CHECK-EMPTY:
// CHECK-NEXT:            def for_g(g, carried):
// CHECK-NEXT:                at, slot, coming, at_1, slot_1, count = carried
// CHECK-NEXT:                ahead = g + 1
// CHECK-NEXT:                begin_1 = offsets_ref[g]
// CHECK-NEXT:                end = offsets_ref[ahead]
// CHECK-NEXT:                first_m_tile_1 = begin_1 >> 8
// CHECK-NEXT:                some_m = begin_1 < end
// CHECK-NEXT:                rest = end - 1
// CHECK-NEXT:                shifted = rest >> 8
// CHECK-NEXT:                last_m_tile = jnp.where(some_m, shifted, first_m_tile_1)
// CHECK-NEXT:                end_m_tile = last_m_tile + 1
// CHECK-NEXT:                m_steps = end_m_tile - first_m_tile_1
// CHECK-NEXT:                shifted_1 = g >> 3
// CHECK-NEXT:                changed = shifted_1 != at_1
// CHECK-NEXT:                rest_1 = 1 - slot_1
// CHECK-NEXT:                holds = 0 < count
// CHECK-NEXT:                both = changed & holds
// CHECK-NEXT:                holds_1 = 1 < count
// CHECK-NEXT:                both_1 = changed & holds_1
// CHECK-NEXT:                product_1 = at_1 * 8
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(both)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[slot_1]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                product_2 = shifted_1 * 8
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(both_1)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    pltpu.make_async_copy(out_window.at[rest_1, :, :], out_ref.at[pl.ds(product_2, 8), :], out_copied.at[rest_1]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:                slot_2 = jnp.where(changed, rest_1, slot_1)
// CHECK-NEXT:                chosen = jnp.where(changed, jnp.int32(1), 0)
// CHECK-NEXT:                total = count + chosen
// CHECK-NEXT:                acc[...] = jnp.zeros((1, 256), jnp.float32)
// CHECK-NEXT:                more = ahead < 16
// CHECK-NEXT:                g_1 = jnp.minimum(ahead, 15)
// CHECK-NEXT:                begin_2 = offsets_ref[g_1]
// CHECK-NEXT:                first_m_tile_2 = begin_2 >> 8
// CHECK-NEXT:                smaller_1 = jnp.minimum(first_m_tile_2, 3)
// CHECK-NEXT:                smaller_2 = jnp.minimum(first_m_tile_1, 3)
// CHECK-EMPTY:
// CHECK-NEXT:                def for_m(m, carried_1):
// CHECK-NEXT:                    at_2, slot_3, coming_1 = carried_1
// CHECK-NEXT:                    ahead_1 = m + 1
// CHECK-NEXT:                    more_1 = ahead_1 < m_steps
// CHECK-NEXT:                    total_1 = smaller_2 + ahead_1
// CHECK-NEXT:                    chosen_1 = jnp.where(more_1, total_1, smaller_1)
// CHECK-NEXT:                    either = more | more_1
// CHECK-NEXT:                    holds_2 = chosen_1 != at_2
// CHECK-NEXT:                    both_2 = either & holds_2
// CHECK-NEXT:                    next_slot = 1 - slot_3
// CHECK-NEXT:                    product_3 = chosen_1 * 256
// CHECK-EMPTY:
// CHECK-NEXT:                    @pl.when(both_2)
// CHECK-NEXT:                    def _():
// CHECK-NEXT:                        pltpu.make_async_copy(x_ref.at[pl.ds(product_3, 256), :], x_window.at[next_slot, :, :], x_copied.at[next_slot]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                    holds_3 = coming_1 != 0
// CHECK-NEXT:                    product_4 = at_2 * 256
// CHECK-EMPTY:
// CHECK-NEXT:                    @pl.when(holds_3)
// CHECK-NEXT:                    def _():
// CHECK-NEXT:                        pltpu.make_async_copy(x_ref.at[pl.ds(product_4, 256), :], x_window.at[slot_3, :, :], x_copied.at[slot_3]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:                    chosen_2 = jnp.where(both_2, next_slot, slot_3)
// CHECK-NEXT:                    chosen_3 = jnp.where(both_2, jnp.int32(1), 0)
// CHECK-NEXT:                    a = acc[...]
// CHECK-NEXT:                    v = x_window[slot_3, :, :]
// CHECK-NEXT:                    total_2 = first_m_tile_1 + m
// CHECK-NEXT:                    m_start = total_2 * 256
// CHECK-NEXT:                    m_lanes = lax.broadcasted_iota(jnp.int32, (256, 1), 0)
// CHECK-NEXT:                    m_stop = end - m_start
// CHECK-NEXT:                    m_live = m_lanes < m_stop
// CHECK-NEXT:                    m_skip = begin_1 - m_start
// CHECK-NEXT:                    m_begun = m_lanes >= m_skip
// CHECK-NEXT:                    m_live_1 = m_begun & m_live
// CHECK-NEXT:                    m_mask = jnp.broadcast_to(m_live_1, (256, 256))
// CHECK-NEXT:                    v_1 = jnp.where(m_mask, v, 0.0)
// CHECK-NEXT:                    reduced = jnp.sum(v_1, axis=(0,))
// CHECK-NEXT:                    s = jnp.reshape(reduced, (1, 256))
// CHECK-NEXT:                    next_1 = a + s
// CHECK-NEXT:                    chosen_4 = jnp.where(some_m, next_1, a)
// CHECK-NEXT:                    acc[...] = chosen_4
// CHECK-NEXT:                    return chosen_1, chosen_2, chosen_3
// CHECK-EMPTY:
// CHECK-NEXT:                at_2, slot_3, coming_1 = lax.fori_loop(0, m_steps, for_m, (at, slot, coming))
// CHECK-NEXT:                acc_1 = acc[...]
// CHECK-NEXT:                tile_start = g & 7
// CHECK-NEXT:                out_window[slot_2, pl.ds(tile_start, 1), :] = acc_1
// CHECK-NEXT:                return at_2, slot_3, coming_1, shifted_1, slot_2, total
// CHECK-EMPTY:
// CHECK-NEXT:            at, slot, coming, at_1, slot_1, count = lax.fori_loop(0, 16, for_g, (smaller, jnp.int32(0), jnp.int32(1), jnp.int32(-1), jnp.int32(1), jnp.int32(0)))
// CHECK-NEXT:            holds = 0 < count
// CHECK-NEXT:            holds_1 = 1 < count
// CHECK-NEXT:            product_1 = at_1 * 8
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[slot_1]).start()
// CHECK-EMPTY:
// CHECK-NEXT:            rest = 1 - slot_1
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds_1)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[rest, :, :], out_ref.at[pl.ds(0, 8), :], out_copied.at[rest]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[slot_1]).wait()
