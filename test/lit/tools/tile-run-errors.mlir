// An error is one line that says where and what would be accepted.

// RUN: not tile-run %s 2>&1 | filecheck %s --match-full-lines --check-prefix ENTRY
// ENTRY: {{.*}}/tile-run-errors.mlir: error: give --entry; the functions are: first, second

// RUN: not tile-run %s --entry third 2>&1 | filecheck %s --match-full-lines --check-prefix NAME
// NAME: {{.*}}/tile-run-errors.mlir: error: there is no function third; the functions are: first, second

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

// RUN: not tile-run %s --rondom 2>&1 | filecheck %s --match-full-lines --check-prefix OPTION
// OPTION: tile-run: error: unrecognized arguments: --rondom

// The program's own error: a tile beyond its array.
// RUN: not tile-run %s --entry first --random 2>&1 | filecheck %s --match-full-lines --check-prefix BOUNDS
// BOUNDS: {{.*}}/tile-run-errors.mlir:36:5: error: tile.load touches index 4 of dimension 0 of %x, whose extent is 4

func.func @first(%x: memref<4xf32>, %n: index) {
  tile.grid %m = 0 to 5 by m:8 {
    %v = tile.load %x[%m]
  }
  return
}

// Two iterations write one element.
// RUN: not tile-run %s --entry second --random 2>&1 | filecheck %s --match-full-lines --check-prefix RACE
// RACE: {{.*}}/tile-run-errors.mlir:48:5: error: race: tile.store here and tile.store at {{.*}}/tile-run-errors.mlir:48:5 touch element [0] of %x in different iterations of a parallel axis, and at least one writes it

func.func @second(%x: memref<4xf32>) {
  tile.grid %i = 0 to 2 {
    %v = tile.splat 1.0 : f32
    tile.store %v, %x[0]
  }
  return
}
