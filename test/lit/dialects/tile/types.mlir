// Spans, the names of dimensions, and references. A name with a size is bound; one without has `?` lanes.

// RUN: tile-opt %s | tile-opt | filecheck %s

func.func @types(%m: !tile.span<m>, %k: !tile.span<k:128>) {
  %a = "test.op"() : () -> tensor<?x4xf32, #tile.spans<m, _>>
  %b = "test.op"() : () -> tensor<?x128xi1, #tile.spans<m, k>>
  %c = "test.op"() : () -> !tile.ref<tensor<?x4xf32, #tile.spans<m, _>>>
  %d = "test.op"() : () -> !tile.ref<tensor<f32>>
  return
}
// CHECK-LABEL: func.func @types(%m: !tile.span<m>, %k: !tile.span<k:128>) {
// CHECK-NEXT:    %a = "test.op"() : () -> tensor<?x4xf32, #tile.spans<m, _>>
// CHECK-NEXT:    %b = "test.op"() : () -> tensor<?x128xi1, #tile.spans<m, k>>
// CHECK-NEXT:    %c = "test.op"() : () -> !tile.ref<tensor<?x4xf32, #tile.spans<m, _>>>
// CHECK-NEXT:    %d = "test.op"() : () -> !tile.ref<tensor<f32>>
// CHECK-NEXT:    func.return

"test.op"() {order = #tile.order parallel, kind = #tile.combine add, relation = #tile.relation lt} : () -> ()
// CHECK-LABEL: "test.op"() {order = #tile<order parallel>, kind = #tile<combine add>, relation = #tile<relation lt>} : () -> ()

"test.op"() {precision = #tile.precision highest, loop = #tile.loop emit_pipeline} : () -> ()
// CHECK-LABEL: "test.op"() {precision = #tile<precision highest>, loop = #tile<loop emit_pipeline>} : () -> ()
