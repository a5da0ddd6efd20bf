// RUN: not tile-opt --tune="rowz=3" %s 2>&1 | filecheck %s --check-prefix=NAME
// RUN: not tile-opt --tune="rows=0" %s 2>&1 | filecheck %s --check-prefix=NUMBER
// RUN: not tile-opt --tune="compiles=many" %s 2>&1 | filecheck %s --check-prefix=WORD
// RUN: not tile-opt --tune="rows=8 rows=9" %s 2>&1 | filecheck %s --check-prefix=TWICE
// RUN: not tile-opt --tune="chip=v9" %s 2>&1 | filecheck %s --check-prefix=CHIPS
// RUN: not tile-opt --tune --choose-blocks %s 2>&1 | filecheck %s --check-prefix=PASSES
// RUN: not tile-opt --tune %s 2>&1 | filecheck %s --check-prefix=FUNCTIONS

// NAME: {{.*}}tile-opt-tune-invalid.mlir: error: --tune has 'rowz=3'; chip, rows, seconds, compiles are accepted
// NUMBER: error: --tune has rows=0; a whole number from 1 to 2147483647 is accepted
// WORD: error: --tune has compiles=many; a whole number from 1 to 2147483647 is accepted
// TWICE: error: --tune gives rows twice
// CHIPS: error: --tune has chip=v9; the chips are v4, v5e, v5p, v6e, tpu7x
// PASSES: error: --tune takes a program as it is; give passes to a call of their own
// FUNCTIONS: error: a program with one function can be called; this one has 0

builtin.module {}
