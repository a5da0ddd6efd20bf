// The IR after each pass goes to standard error, the result alone to standard output.

// RUN: tile-opt %s --print-ir-after-all --cse --canonicalize 2>&1 >/dev/null | filecheck %s --check-prefix=ERR
// RUN: tile-opt %s --cse --canonicalize > %t
// RUN: tile-opt %s --print-ir-after-all --cse --canonicalize 2>/dev/null | diff - %t

func.func @twice(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %a = arith.addi %x, %zero : i32
  %b = arith.addi %x, %zero : i32
  %sum = arith.addi %a, %b : i32
  return %sum : i32
}

// ERR:      // ----- IR after cse
// ERR:        %a = arith.addi %x, %zero
// ERR-NEXT:   %sum = arith.addi %a, %a
// ERR:      // ----- IR after canonicalize
// ERR-NOT:    arith.constant
// ERR:        %sum = arith.addi %x, %x
