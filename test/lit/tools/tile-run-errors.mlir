// An error is one line that says where and what would be accepted.

// RUN: not tile-run %s 2>&1 | filecheck %s --match-full-lines --check-prefix ENTRY
// ENTRY: {{.*}}/tile-run-errors.mlir: error: give --entry; the functions are: first, second, rows

// RUN: not tile-run %s --entry third 2>&1 | filecheck %s --match-full-lines --check-prefix NAME
// NAME: {{.*}}/tile-run-errors.mlir: error: there is no function third; the functions are: first, second, rows

// RUN: not tile-run %s --entry first 2>&1 | filecheck %s --match-full-lines --check-prefix MISSING
// MISSING: tile-run: error: no value for x, n; give --random or --arg NAME=FILE.npy

// RUN: not tile-run %s --entry first --random --arg q=x.npy 2>&1 | filecheck %s --match-full-lines --check-prefix ARG
// ARG: tile-run: error: --arg has 'q=x.npy'; write NAME=FILE.npy, NAME of: x, n

// RUN: not tile-run %s --entry first --random --arg x=%s 2>&1 | filecheck %s --match-full-lines --check-prefix FILE
// FILE: {{.*}}/tile-run-errors.mlir: error: not a .npy file of numbers

// RUN: not tile-run %s --entry first --random --arg x=%t.none 2>&1 | filecheck %s --match-full-lines --check-prefix NONE
// NONE: {{.*}}.none: error: no such file or directory

// RUN: not tile-run %s --entry first --random --blocks m=0 2>&1 | filecheck %s --match-full-lines --check-prefix BLOCKS
// BLOCKS: tile-run: error: --blocks has 'm=0'; write NAME=LANES with 1 lane or more

// RUN: not tile-run %s --entry first --random --extent -1 2>&1 | filecheck %s --match-full-lines --check-prefix EXTENT
// EXTENT: tile-run: error: --extent -1; 0 or more is needed

// RUN: not tile-run %s --entry first --random --blocks "m=8 n=4" 2>&1 | filecheck %s --match-full-lines --check-prefix AXIS
// AXIS: tile-run: error: --blocks: n is no axis; the axes are: m

// RUN: not tile-run %s --entry first --random --blocks "m=8 m=4" 2>&1 | filecheck %s --match-full-lines --check-prefix AGAIN
// AGAIN: tile-run: error: --blocks: m is given twice; the axes are: m

// RUN: not tile-run %s --entry first --random --seed -1 2>&1 | filecheck %s --match-full-lines --check-prefix SEED
// SEED: tile-run: error: --seed -1; 0 or more is needed

// RUN: not tile-run %s --entry rows --random --extent 99999999999999 2>&1 | filecheck %s --match-full-lines --check-prefix MEMORY
// MEMORY: tile-run: error: there is not enough memory: Unable to allocate {{.*}}

// RUN: %python -c "import numpy, sys; numpy.savez(sys.argv[1], x=numpy.zeros(4, 'f')); numpy.save(sys.argv[2], numpy.zeros(4, 'f'))" %t.npz %t.npy
// RUN: not tile-run %s --entry first --random --arg x=%t.npz 2>&1 | filecheck %s --match-full-lines --check-prefix SEVERAL
// SEVERAL: {{.*}}.npz: error: a file of several arrays; one is needed

// RUN: not tile-run %s --entry first --random --arg x=%t.npy --arg x=%t.npy 2>&1 | filecheck %s --match-full-lines --check-prefix TWICE
// TWICE: tile-run: error: --arg gives x twice

// RUN: not tile-run %s --rondom 2>&1 | filecheck %s --match-full-lines --check-prefix OPTION
// OPTION: tile-run: error: unrecognized arguments: --rondom

// The program's own error: a tile beyond its array.
// RUN: not tile-run %s --entry first --random 2>&1 | filecheck %s --match-full-lines --check-prefix BOUNDS
// BOUNDS: {{.*}}/tile-run-errors.mlir:55:5: error: tile.load touches index 4 of dimension 0 of %x, whose extent is 4

func.func @first(%x: memref<4xf32>, %n: index) {
  tile.grid %m = 0 to 5 by m:8 {
    %v = tile.load %x[%m]
  }
  return
}

// Two iterations write one element.
// RUN: not tile-run %s --entry second --random 2>&1 | filecheck %s --match-full-lines --check-prefix RACE
// RACE: {{.*}}/tile-run-errors.mlir:67:5: error: race: tile.store here and tile.store at {{.*}}/tile-run-errors.mlir:67:5 touch element [0] of %x in different iterations of a parallel axis, and at least one writes it

func.func @second(%x: memref<4xf32>) {
  tile.grid %i = 0 to 2 {
    %v = tile.splat 1.0 : f32
    tile.store %v, %x[0]
  }
  return
}

func.func @rows(%x: memref<?x64xf32>) {
  return
}
