// An error is one line that starts with its place, true to the whole file also behind `// -----`.

// RUN: tile-opt %s --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --split-input-file 2>&1 >/dev/null | filecheck %s --match-full-lines

// The verifier does not say where; the tool does.
func.func @operand_type(%x: i32, %y: i64) -> i32 {
  %twice = arith.addi %x, %x : i32
  %sum = "arith.addi"(%twice, %y) : (i32, i64) -> i32
  return %sum : i32
}
// CHECK: {{.*}}/tile-opt-errors.mlir:9:3: error: operand 'rhs' at position 1 does not verify: attribute i32 expected from variable 'T', but got i64

// -----

func.func @unknown_op(%x: i32) {
  %sum = arith.nonsense %x
  return
}
// CHECK: {{.*}}/tile-opt-errors.mlir:17:3: error: operation 'arith.nonsense' is not registered

// -----

// Two operations of one kind: the one that is wrong is named.
func.func @empty_region(%c: i1) {
  scf.if %c {
    scf.yield
  }
  "scf.if"(%c) ({
  ^bb0:
  }, {}) : (i1) -> ()
  return
}
// CHECK: {{.*}}/tile-opt-errors.mlir:29:3: error: Operation scf.if contains empty block in single-block region that expects at least a terminator

// -----

// Of two errors the verifier reports the outer, here the lack of a terminator. So that one is located.
func.func @no_return(%c: i1, %x: i32, %y: i64) {
  scf.if %c {
    %sum = "arith.addi"(%x, %y) : (i32, i64) -> i32
  }
}
// CHECK: {{.*}}/tile-opt-errors.mlir:40:3: error: Operation scf.if terminates block in single-block region but is not a terminator

// -----

// A location in the text wins over the place in the file.
func.func @given_location(%x: i32, %y: i64) -> i32 {
  %sum = "arith.addi"(%x, %y) : (i32, i64) -> i32 loc(callsite("add" at fused["model.py":7:5, "model.py":9:1]))
  return %sum : i32
}
// CHECK: model.py:7:5: error: operand 'rhs' at position 1 does not verify: attribute i32 expected from variable 'T', but got i64

// -----

// A type that reads well but makes no sense.
func.func @bad_type() {
  %v = "test.op"() : () -> !emitc.array<f32>
  return
}
// CHECK: {{.*}}/tile-opt-errors.mlir:59:3: error: EmitC array shape must not be empty
