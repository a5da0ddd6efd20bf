// What the dialect forbids and only a run can see.

// RUN: not tile-run %s --entry unwritten 2>&1 | filecheck %s --match-full-lines --check-prefix UNWRITTEN
// UNWRITTEN: {{.*}}/run-errors.mlir:7:3: error: tile.load reads element [0] of %y, which nothing has stored before
func.func @unwritten() {
  %y = tile.empty : memref<4xf32>
  %v = tile.load %y[:]
  return
}

// Half of the scratch was set.
// RUN: not tile-run %s --entry undefined --random 2>&1 | filecheck %s --match-full-lines --check-prefix UNDEFINED
// UNDEFINED: {{.*}}/run-errors.mlir:20:5: error: tile.store stores an undefined lane into element [2] of %y
func.func @undefined(%x: memref<4xf32>, %y: memref<4xf32>) {
  tile.grid %m = 0 to 2 by m:4 {
    %s = tile.scratch : tensor<4xf32, #tile.spans<m>>
    %v = tile.load %x[%m]
    tile.set %v, %s
    %w = tile.get %s raw
    tile.store %w, %y[:]
  }
  return
}

// RUN: not tile-run %s --entry backwards --random 2>&1 | filecheck %s --match-full-lines --check-prefix BACKWARDS
// BACKWARDS: {{.*}}/run-errors.mlir:33:3: error: segment 0 of %o is 2 to 1; 0 <= begin <= end is needed
func.func @backwards(%o: memref<2xi32>, %g: index) {
  %two = arith.constant 2 : i32
  %one = arith.constant 1 : i32
  tile.store %two, %o[0]
  tile.store %one, %o[1]
  %zero = arith.constant 0 : index
  %b, %e = tile.segment %o[%zero]
  return
}

// RUN: not tile-run %s --entry too_long --random --extent 9 2>&1 | filecheck %s --match-full-lines --check-prefix LONG
// LONG: {{.*}}/run-errors.mlir:40:3: error: axis m runs from 0 to 9, an extent of 9, but promises max 8
func.func @too_long(%n: index) {
  tile.for %m = 0 to %n by m max 8 {
  }
  return
}

// RUN: not tile-run %s --entry overflow 2>&1 | filecheck %s --match-full-lines --check-prefix OVERFLOW
// OVERFLOW: {{.*}}/run-errors.mlir:51:7: error: tile.append adds entry 3 to a worklist whose capacity is 2
func.func @overflow() {
  %c = arith.constant 2 : index
  %n, %t = tile.worklist capacity %c columns 1 {
    tile.for %i = 0 to 3 {
      tile.append %i
    }
  }
  return
}

// RUN: not tile-run %s --entry elsewhere --random 2>&1 | filecheck %s --match-full-lines --check-prefix ELSEWHERE
// ELSEWHERE: {{.*}}/run-errors.mlir:67:5: error: tile.get takes lanes 32 to 40 of a tile of 32; a part of the tile is needed
func.func @elsewhere(%x: memref<100x128xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  tile.pipeline grid {
    %t = tile.axis 0 to 1 ordered
    %m = tile.span %c0 of 0 to 100 by m:32 aligned keep
    %p = tile.span %c4 of 0 to 100 by p:8 aligned keep
    %w = tile.window read %x[%m, :]
    %v = tile.get %w at %p of %m
  }
  return
}
