// Passes run in the order given, whichever way each is named.

// RUN: tile-opt %s --cse --canonicalize | filecheck %s --check-prefix=FOLDED
// RUN: tile-opt %s --time-passes --canonicalize -p cse,dce --scf-for-loop-unroll --passes=canonicalize -pcse 2>&1 >/dev/null | filecheck %s --check-prefix=ORDER
// RUN: tile-opt %s --scf-parallel-loop-tiling="parallel-loop-tile-sizes=2" | filecheck %s --check-prefix=OPTION
// RUN: rm -f %t && tile-opt %s -o %t && filecheck %s --check-prefix=FILE < %t
// RUN: tile-opt < %s | filecheck %s --check-prefix=FILE
// RUN: tile-opt - < %s | filecheck %s --check-prefix=FILE

func.func @twice(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %a = arith.addi %x, %zero : i32
  %b = arith.addi %x, %zero : i32
  %sum = arith.addi %a, %b : i32
  return %sum : i32
}

// FOLDED-LABEL: @twice
// FOLDED-NEXT:    %sum = arith.addi %x, %x : i32
// FOLDED-NEXT:    func.return %sum : i32

// ORDER:      canonicalize: {{[0-9.]+}} ms
// ORDER-NEXT: cse: {{[0-9.]+}} ms
// ORDER-NEXT: dce: {{[0-9.]+}} ms
// ORDER-NEXT: scf-for-loop-unroll: {{[0-9.]+}} ms
// ORDER-NEXT: canonicalize: {{[0-9.]+}} ms
// ORDER-NEXT: cse: {{[0-9.]+}} ms
// ORDER-EMPTY:

// FILE-LABEL: @twice
// FILE-NEXT:    %zero = arith.constant 0 : i32

func.func @loop() {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %four = arith.constant 4 : index
  "scf.parallel"(%zero, %four, %one) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    "test.op"(%i) : (index) -> ()
    scf.reduce
  }) : (index, index, index) -> ()
  return
}

// OPTION-LABEL: @loop
// OPTION:         %[[TILE:.*]] = arith.constant 2 : index
// OPTION-NEXT:    %[[STEP:.*]] = arith.muli %one, %[[TILE]] : index
