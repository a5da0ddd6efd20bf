// A loop for each axis: what a step of the inner loop does is copied ahead, also from one group to the next; what
// stands around it, and the output of a group, do not cost its steps anything.

// RUN: tile-opt %s --tile-to-pallas="grouping=stream clean=mask depth=2 m=256" -t pallas | filecheck %s

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
// CHECK-NEXT:            end = offsets_ref[1]
// CHECK-NEXT:            first_m_tile = begin >> 8
// CHECK-NEXT:            holds = begin < end
// CHECK-NEXT:            rest = end - 1
// CHECK-NEXT:            shifted = rest >> 8
// CHECK-NEXT:            last_m_tile = jnp.where(holds, shifted, first_m_tile)
// CHECK-NEXT:            end_m_tile = last_m_tile + 1
// CHECK-NEXT:            rest_1 = end_m_tile - first_m_tile
// CHECK-NEXT:            smaller = jnp.minimum(first_m_tile, 3)
// CHECK-NEXT:            product = smaller * 256
// CHECK-NEXT:            place = jnp.maximum(product, 0)
// CHECK-NEXT:            pltpu.make_async_copy(x_ref.at[pl.ds(place, 256), :], x_window.at[0, :, :], x_copied.at[0]).start()
// CHECK-NEXT:            more = 1 < rest_1
// CHECK-NEXT:            chosen = jnp.where(more, jnp.int32(1), 0)
// CHECK-NEXT:            chosen_1 = jnp.where(more, jnp.int32(0), 1)
// CHECK-NEXT:            g = jnp.minimum(chosen_1, 15)
// CHECK-NEXT:            total = g + 1
// CHECK-NEXT:            begin_1 = offsets_ref[g]
// CHECK-NEXT:            end_1 = offsets_ref[total]
// CHECK-NEXT:            first_m_tile_1 = begin_1 >> 8
// CHECK-NEXT:            holds_1 = begin_1 < end_1
// CHECK-NEXT:            rest_2 = end_1 - 1
// CHECK-NEXT:            shifted_1 = rest_2 >> 8
// CHECK-NEXT:            last_m_tile_1 = jnp.where(holds_1, shifted_1, first_m_tile_1)
// CHECK-NEXT:            end_m_tile_1 = last_m_tile_1 + 1
// CHECK-NEXT:            rest_3 = end_m_tile_1 - first_m_tile_1
// CHECK-NEXT:            total_1 = first_m_tile_1 + chosen
// CHECK-NEXT:            smaller_1 = jnp.minimum(total_1, 3)
// CHECK-NEXT:            holds_2 = chosen_1 < 16
// CHECK-NEXT:            holds_3 = smaller_1 != smaller
// CHECK-NEXT:            wanted = holds_2 & holds_3
// CHECK-NEXT:            chosen_2 = jnp.where(wanted, jnp.int32(2), 0)
// CHECK-NEXT:            total_2 = 1 + chosen_2
// CHECK-NEXT:            both = total_2 & 1
// CHECK-NEXT:            total_3 = 1 + both
// CHECK-NEXT:            both_1 = total_3 & 1
// CHECK-EMPTY:
// CHECK-NEXT:            def for_g(g_1, carried):
// CHECK-NEXT:                g_ahead, m_ahead, m_ahead_steps, at, new, slot, at_1, count, slot_1 = carried
// CHECK-NEXT:                total_4 = g_1 + 1
// CHECK-NEXT:                begin_2 = offsets_ref[g_1]
// CHECK-NEXT:                end_2 = offsets_ref[total_4]
// CHECK-NEXT:                first_m_tile_2 = begin_2 >> 8
// CHECK-NEXT:                some_m = begin_2 < end_2
// CHECK-NEXT:                rest_4 = end_2 - 1
// CHECK-NEXT:                shifted_2 = rest_4 >> 8
// CHECK-NEXT:                last_m_tile_2 = jnp.where(some_m, shifted_2, first_m_tile_2)
// CHECK-NEXT:                end_m_tile_2 = last_m_tile_2 + 1
// CHECK-NEXT:                m_steps = end_m_tile_2 - first_m_tile_2
// CHECK-NEXT:                shifted_3 = g_1 >> 3
// CHECK-NEXT:                changed = shifted_3 != at_1
// CHECK-NEXT:                total_5 = slot_1 + 1
// CHECK-NEXT:                both_2 = total_5 & 1
// CHECK-NEXT:                holds_4 = 0 < count
// CHECK-NEXT:                both_3 = changed & holds_4
// CHECK-NEXT:                holds_5 = 1 < count
// CHECK-NEXT:                both_4 = changed & holds_5
// CHECK-NEXT:                product_1 = at_1 * 8
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(both_3)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    place_1 = jnp.maximum(product_1, 0)
// CHECK-NEXT:                    pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(place_1, 8), :], out_copied.at[slot_1]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                @pl.when(both_4)
// CHECK-NEXT:                def _():
// CHECK-NEXT:                    pltpu.make_async_copy(out_window.at[both_2, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[both_2]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:                slot_2 = jnp.where(changed, both_2, slot_1)
// CHECK-NEXT:                chosen_3 = jnp.where(changed, jnp.int32(1), 0)
// CHECK-NEXT:                total_6 = count + chosen_3
// CHECK-NEXT:                acc[...] = jnp.zeros((1, 256), jnp.float32)
// CHECK-EMPTY:
// CHECK-NEXT:                def for_m(m, carried_1):
// CHECK-NEXT:                    g_ahead_1, m_ahead_1, m_ahead_steps_1, at_2, new_1, slot_3 = carried_1
// CHECK-NEXT:                    asked = new_1 >= 2
// CHECK-NEXT:                    total_7 = slot_3 + 1
// CHECK-NEXT:                    next_slot = total_7 & 1
// CHECK-NEXT:                    total_8 = first_m_tile_2 + m
// CHECK-NEXT:                    m_start = total_8 * 256
// CHECK-NEXT:                    smaller_2 = jnp.minimum(total_8, 3)
// CHECK-NEXT:                    product_2 = at_2 * 256
// CHECK-EMPTY:
// CHECK-NEXT:                    @pl.when(asked)
// CHECK-NEXT:                    def _():
// CHECK-NEXT:                        place_1 = jnp.maximum(product_2, 0)
// CHECK-NEXT:                        pltpu.make_async_copy(x_ref.at[pl.ds(place_1, 256), :], x_window.at[next_slot, :, :], x_copied.at[next_slot]).start()
// CHECK-EMPTY:
// CHECK-NEXT:                    both_5 = new_1 & 1
// CHECK-NEXT:                    arrives = both_5 != 0
// CHECK-NEXT:                    product_3 = smaller_2 * 256
// CHECK-EMPTY:
// CHECK-NEXT:                    @pl.when(arrives)
// CHECK-NEXT:                    def _():
// CHECK-NEXT:                        pltpu.make_async_copy(x_ref.at[pl.ds(product_3, 256), :], x_window.at[slot_3, :, :], x_copied.at[slot_3]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:                    total_9 = m_ahead_1 + 1
// CHECK-NEXT:                    more_1 = total_9 < m_ahead_steps_1
// CHECK-NEXT:                    chosen_4 = jnp.where(more_1, total_9, 0)
// CHECK-NEXT:                    total_10 = g_ahead_1 + 1
// CHECK-NEXT:                    chosen_5 = jnp.where(more_1, g_ahead_1, total_10)
// CHECK-NEXT:                    g_2 = jnp.minimum(chosen_5, 15)
// CHECK-NEXT:                    total_11 = g_2 + 1
// CHECK-NEXT:                    begin_3 = offsets_ref[g_2]
// CHECK-NEXT:                    end_3 = offsets_ref[total_11]
// CHECK-NEXT:                    first_m_tile_3 = begin_3 >> 8
// CHECK-NEXT:                    holds_6 = begin_3 < end_3
// CHECK-NEXT:                    rest_5 = end_3 - 1
// CHECK-NEXT:                    shifted_4 = rest_5 >> 8
// CHECK-NEXT:                    last_m_tile_3 = jnp.where(holds_6, shifted_4, first_m_tile_3)
// CHECK-NEXT:                    end_m_tile_3 = last_m_tile_3 + 1
// CHECK-NEXT:                    rest_6 = end_m_tile_3 - first_m_tile_3
// CHECK-NEXT:                    total_12 = first_m_tile_3 + chosen_4
// CHECK-NEXT:                    smaller_3 = jnp.minimum(total_12, 3)
// CHECK-NEXT:                    holds_7 = chosen_5 < 16
// CHECK-NEXT:                    holds_8 = smaller_3 != at_2
// CHECK-NEXT:                    wanted_1 = holds_7 & holds_8
// CHECK-NEXT:                    shifted_5 = new_1 >> 1
// CHECK-NEXT:                    chosen_6 = jnp.where(wanted_1, jnp.int32(2), 0)
// CHECK-NEXT:                    total_13 = shifted_5 + chosen_6
// CHECK-NEXT:                    both_6 = total_13 & 1
// CHECK-NEXT:                    total_14 = slot_3 + both_6
// CHECK-NEXT:                    both_7 = total_14 & 1
// CHECK-NEXT:                    a = acc[...]
// CHECK-NEXT:                    v = x_window[slot_3, :, :]
// CHECK-NEXT:                    m_lanes = lax.broadcasted_iota(jnp.int32, (256, 1), 0)
// CHECK-NEXT:                    m_stop = end_2 - m_start
// CHECK-NEXT:                    m_live = m_lanes < m_stop
// CHECK-NEXT:                    m_skip = begin_2 - m_start
// CHECK-NEXT:                    m_begun = m_lanes >= m_skip
// CHECK-NEXT:                    m_live_1 = m_begun & m_live
// CHECK-NEXT:                    m_mask = jnp.broadcast_to(m_live_1, (256, 256))
// CHECK-NEXT:                    v_1 = jnp.where(m_mask, v, 0.0)
// CHECK-NEXT:                    reduced = jnp.sum(v_1, axis=(0,))
// CHECK-NEXT:                    s = jnp.reshape(reduced, (1, 256))
// CHECK-NEXT:                    next_1 = a + s
// CHECK-NEXT:                    chosen_7 = jnp.where(some_m, next_1, a)
// CHECK-NEXT:                    acc[...] = chosen_7
// CHECK-NEXT:                    return chosen_5, chosen_4, rest_6, smaller_3, total_13, both_7
// CHECK-EMPTY:
// CHECK-NEXT:                g_ahead_1, m_ahead_1, m_ahead_steps_1, at_2, new_1, slot_3 = lax.fori_loop(0, m_steps, for_m, (g_ahead, m_ahead, m_ahead_steps, at, new, slot))
// CHECK-NEXT:                acc_1 = acc[...]
// CHECK-NEXT:                tile_start = g_1 & 7
// CHECK-NEXT:                out_window[slot_2, pl.ds(tile_start, 1), :] = acc_1
// CHECK-NEXT:                return g_ahead_1, m_ahead_1, m_ahead_steps_1, at_2, new_1, slot_3, shifted_3, total_6, slot_2
// CHECK-EMPTY:
// CHECK-NEXT:            g_ahead, m_ahead, m_ahead_steps, at, new, slot, at_1, count, slot_1 = lax.fori_loop(0, 16, for_g, (chosen_1, chosen, rest_3, smaller_1, total_2, both_1, jnp.int32(-2), jnp.int32(0), jnp.int32(1)))
// CHECK-NEXT:            holds_4 = 0 < count
// CHECK-NEXT:            product_1 = at_1 * 8
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds_4)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                place_1 = jnp.maximum(product_1, 0)
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(place_1, 8), :], out_copied.at[slot_1]).start()
// CHECK-EMPTY:
// CHECK-NEXT:            total_4 = slot_1 + 1
// CHECK-NEXT:            both_2 = total_4 & 1
// CHECK-NEXT:            holds_5 = 1 < count
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds_5)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[both_2, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[both_2]).wait()
// CHECK-EMPTY:
// CHECK-NEXT:            @pl.when(holds_4)
// CHECK-NEXT:            def _():
// CHECK-NEXT:                pltpu.make_async_copy(out_window.at[slot_1, :, :], out_ref.at[pl.ds(product_1, 8), :], out_copied.at[slot_1]).wait()
