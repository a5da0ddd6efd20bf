// What the verifier and the parser of pipelines, places and worklists refuse, each with its place.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

func.func @axis_without_order() {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:7:20: error: an axis of a pipeline is `parallel` or `ordered`

// -----

func.func @aligned_index() {
  tile.pipeline grid {
    %g = tile.axis 0 to 64 ordered aligned
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:17:5: error: tile.axis is aligned but has no block; only a tile axis (`by`) can be aligned

// -----

func.func @axis_outside_a_pipeline() {
  %m = tile.axis 0 to 64 by m:16 parallel
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:26:3: error: 'tile.axis' expects parent op 'tile.pipeline'

// -----

func.func @nested_axis_name() {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 parallel
    %n = tile.axis 0 to 64 by m:16 parallel
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:36:5: error: tile.axis names an axis m inside another axis m; nested axes need distinct names

// -----

func.func @span_without_a_block(%t: index) {
  %m = tile.span %t of 0 to 64 by m:0
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:45:3: error: tile.span makes a !tile.span<m:0>; a span with a block size is needed

// -----

func.func @window_mode(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = "tile.window"(%x) <{mode = "both", kinds = array<i64: 1>, shifts = array<i64: 0>}> : (memref<8xf32>) -> !tile.ref<tensor<f32>>
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:54:5: error: tile.window is `both`; it is `read` or `write`

// -----

func.func @window_of_another_type(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = "tile.window"(%x) <{mode = "read", kinds = array<i64: 1>, shifts = array<i64: 0>}> : (memref<8xf32>) -> !tile.ref<tensor<i32>>
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:64:5: error: tile.window is of type !tile.ref<tensor<f32>>, not !tile.ref<tensor<i32>>

// -----

func.func @preloaded_input(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = tile.window read %x[:] preload
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:74:5: error: tile.window: only a `write` window can be preloaded

// -----

func.func @scratch_of_no_axis() {
  tile.pipeline grid {
    %s = tile.scratch : tensor<16xf32, #tile.spans<m>>
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:84:5: error: tile.scratch makes a tensor<16xf32, #tile.spans<m>>, and no axis m is around it

// -----

func.func @get_of_a_value(%x: f32) {
  %v = tile.get %x
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:93:17: error: a !tile.ref is needed, and this is of type f32

// -----

func.func @get_of_another_type() {
  %s = tile.scratch : tensor<8xf32>
  %v = "tile.get"(%s) : (!tile.ref<tensor<8xf32>>) -> tensor<8xi32>
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:102:3: error: tile.get results in tensor<8xf32>, not tensor<8xi32>

// -----

func.func @part_of_scratch(%o: memref<9xi32>) {
  tile.pipeline grid {
    %t = tile.axis 0 to 8 ordered
    %m = tile.span %t of 0 to 100 by m:32 aligned keep
    %p = tile.span %t of 0 to 100 by p:8 aligned keep
    %s = tile.scratch : tensor<32x128xf32, #tile.spans<m, _>>
    %v = tile.get %s at %p of %m
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:115:22: error: %s is no window of which %m indexes one dimension; a part can be taken of such a one

// -----

func.func @part_that_does_not_divide(%x: memref<100x128xf32>) {
  tile.pipeline grid {
    %t = tile.axis 0 to 8 ordered
    %m = tile.span %t of 0 to 100 by m:32 aligned keep
    %p = tile.span %t of 0 to 100 by p:24 aligned keep
    %w = tile.window read %x[%m, :]
    %v = tile.get %w at %p of %m
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:129:5: error: tile.get takes 24 of 32 lanes; a part that divides them is needed

// -----

func.func @set_of_a_value(%x: f32) {
  tile.set %x, %x
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:138:16: error: a !tile.ref is needed, and this is of type f32

// -----

func.func @set_of_another_shape(%v: tensor<4xf32>) {
  %s = tile.scratch : tensor<8xf32>
  tile.set %v, %s
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:147:3: error: tile.set puts a value of type tensor<4xf32> into a window of tensor<8xf32>; it needs tensor<8xf32>

// -----

func.func @set_mask(%v: tensor<8xf32>, %p: tensor<4xi1>) {
  %s = tile.scratch : tensor<8xf32>
  tile.set %v, %s mask %p
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:156:3: error: tile.set has a mask of type tensor<4xi1>; tensor<8xi1> is needed

// -----

func.func @set_an_input(%x: memref<8xf32>, %v: tensor<8xf32>) {
  tile.pipeline grid {
    %w = tile.window read %x[:]
    tile.set %v, %w
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:166:5: error: tile.set writes into a `read` window; make it a `write` window

// -----

func.func @first_of_no_axis(%i: index) {
  %p = tile.first %i
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:175:3: error: tile.first asks about a value of type index that no tile.axis made

// -----

func.func @append_outside(%g: index) {
  tile.append %g
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:183:3: error: tile.append is outside a tile.worklist

// -----

func.func @append_too_many(%most: index, %g: index) {
  %n, %gs = tile.worklist capacity %most columns 1 {
    tile.append %g, %g
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:192:5: error: tile.append gives 2 values to a worklist of 1 columns

// -----

func.func @fetch_of_another_rank(%x: memref<64x128xf32>) {
  tile.pipeline fori_loop {
    %m = tile.axis 0 to 64 by m:8 parallel
    %w = tile.window read %x[%m, :] fetch [16]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:203:5: error: tile.window fetches 1 extents of an array of rank 2; give one for each dimension

// -----

// Half a tile more.
func.func @fetch_of_parts(%x: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:8 parallel
    %w = tile.window read %x[%m, :] fetch [12, 128]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:215:5: error: tile.window fetches 12 in dimension 0, where its tile is 8; a multiple of 8, or 64 and more, is accepted

// -----

func.func @fetch_less(%x: memref<?x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:8 parallel
    %w = tile.window read %x[%m, :] fetch [0, 128]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:226:5: error: tile.window fetches 0 in dimension 0, where its tile is 8; a multiple of 8 is accepted

// -----

// All of the second dimension is fetched anyway, and one index of the first.
func.func @fetch_where_nothing_moves(%x: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 parallel
    %w = tile.window read %x[%m, :] fetch [1, 256]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:238:5: error: tile.window fetches 256 in dimension 1, where its tile is 128; 128 is accepted

// -----

// Of indices only the rows of a matrix.
func.func @fetch_of_an_index(%x: memref<64x8x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 parallel
    %w = tile.window read %x[%m, :, :] fetch [2, 8, 128]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:250:5: error: tile.window fetches 2 in dimension 0, where its tile is 1; 1 is accepted

// -----

func.func @window_placement(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = "tile.window"(%x) <{mode = "read", kinds = array<i64: 0>, shifts = array<i64: 0>, placement = "hbm"}> : (memref<8xf32>) -> !tile.ref<tensor<8xf32>>
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:260:5: error: tile.window is `hbm`; it is `resident`, `stream` or neither

// -----

func.func @unknown_loop() {
  tile.pipeline while_loop {
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:269:17: error: Expected `grid`, `emit_pipeline`, or `fori_loop`.

// -----

func.func @clipped_output(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = tile.window write %x[:] clipped
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:279:5: error: tile.window: only a `read` window can be clipped

// -----

func.func @nested_grid() {
  tile.pipeline grid nested {
    %m = tile.axis 0 to 64 by m:16 ordered
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:288:3: error: tile.pipeline is grid nested; only the loops of a fori_loop nest

// -----

func.func @rows_in_turn(%x: memref<64x128xf32>, %ids: memref<64xi32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %sums = tile.local : memref<40x128xf32>
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows exchange %xw, %sw at %ids[%m]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:303:5: error: tile.update_rows exchange; add, max, min, and, or, xor are accepted

// -----

func.func @rows_of_an_array(%x: memref<64x128xf32>, %ids: memref<64xi32>, %sums: memref<40x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows add %xw, %sw at %ids[%m]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:316:5: error: tile.update_rows needs a `write` window of a tile.local with all of its rows, `%a[:, …]`

// -----

func.func @rows_at_floats(%x: memref<64x128xf32>, %ids: memref<64xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %sums = tile.local : memref<40x128xf32>
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows add %xw, %sw at %ids[%m]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:330:5: error: tile.update_rows takes rows from memref<64xf32>; a list of i32 is needed

// -----

func.func @rows_elsewhere(%x: memref<64x128xf32>, %ids: memref<64xi32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %n = tile.axis 0 to 64 by n:16 ordered
    %sums = tile.local : memref<40x128xf32>
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows add %xw, %sw at %ids[%n]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:345:5: error: tile.update_rows goes along !tile.span<n:16>, and the rows of tensor<16x128xf32, #tile.spans<m, _>> do not

// -----

func.func @rows_of_another_width(%x: memref<64x64xf32>, %ids: memref<64xi32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 64 by m:16 ordered
    %sums = tile.local : memref<40x128xf32>
    %xw = tile.window read %x[%m, :]
    %sw = tile.window write %sums[:, :]
    tile.update_rows add %xw, %sw at %ids[%m]
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:359:5: error: tile.update_rows puts a value of type tensor<16x64xf32, #tile.spans<m, _>> into a window of tensor<16x128xf32, #tile.spans<m, _>>; it needs tensor<16x128xf32, #tile.spans<m, _>>

// -----

func.func @kept_output(%x: memref<8xf32>) {
  tile.pipeline grid {
    %w = tile.window write %x[:] buffers 2 kept 4
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:369:5: error: tile.window: only a `read` window with `buffers` can be kept

// -----

func.func @from_of_a_write(%x: memref<64x128xf32>) {
  tile.pipeline grid {
    %m = tile.axis 0 to 56 by m:8 parallel
    %w = tile.window write %x[%m + 1, :] fetch [16, 128] from 1
  }
  return
}
// CHECK: {{.*}}/invalid-schedule.mlir:380:5: error: tile.window: only a `read` window with `fetch` can begin `from` a shift
