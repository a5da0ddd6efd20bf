// Each operation and argument knows its place in the file; names survive.

// RUN: tile-opt %s --split-input-file --print-debuginfo | filecheck %s

func.func @places(%bound: index
                  , %flag: i1) {
  %zero = arith.constant 0 : index
  %one, %two
    = "test.op"() : () -> (index, index)
  scf.for %i = %zero to %bound step %one {
    "test.op"(%i, %two) : (index, index) -> () loc("model.py":3:9)
  }
  return
}
// CHECK:      @places(%bound: index loc("{{.*}}locations.mlir":5:19), %flag: i1 loc("{{.*}}locations.mlir":6:21)) {
// CHECK-NEXT:   %zero = arith.constant 0 : index loc("{{.*}}locations.mlir":7:3)
// CHECK-NEXT:   %one, %two = "test.op"() {{.*}} loc("{{.*}}locations.mlir":8:3)
// CHECK-NEXT:   scf.for %i = %zero to %bound step %one {
// CHECK-NEXT:     "test.op"(%i, %two) {{.*}} loc("model.py":3:9)
// CHECK-NEXT:   } loc("{{.*}}locations.mlir":10:3)
// CHECK-NEXT:   func.return loc("{{.*}}locations.mlir":13:3)

// -----

// An argument of a labelled block has the place of the operation around it.
"test.op"() ({
^bb0(%arg: i32):
  "test.termop"(%arg) : (i32) -> ()
}) : () -> ()
// CHECK:      "test.op"() ({
// CHECK-NEXT: ^bb0(%arg: i32 loc("{{.*}}locations.mlir":26:1)):
// CHECK-NEXT:   "test.termop"(%arg) {{.*}} loc("{{.*}}locations.mlir":28:3)
