// RUN: tile-opt %s --order-axes="order=n" --split-input-file --verify-diagnostics | filecheck %s --match-full-lines
// RUN: not tile-opt %s --order-axes="order=m,m" --split-input-file 2>&1 | filecheck %s --check-prefix=TWICE
// TWICE: {{.*}}/order-axes-invalid.mlir:1:1: error: order-axes: axis m is named 2 times; once is accepted

// Not classified.
func.func @unknown(%x: memref<512x256xf32>, %out: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
    %v = tile.load %x[%m, %n]
    tile.store %v, %out[%m, %n]
  }
  return
}
// CHECK: {{.*}}/order-axes-invalid.mlir:7:3: error: order-axes: axis n is neither parallel nor ordered; run --classify-axes first

// -----

// No such axis.
func.func @none(%x: memref<512x256xf32>, %out: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128 parallel, %c = 0 to 256 by c:128 parallel {
    %v = tile.load %x[%m, %c]
    tile.store %v, %out[%m, %c]
  }
  return
}
// CHECK: {{.*}}: error: order-axes: no axis is named n; the axes are c, m

// -----

// Steps that depend on each other.
func.func @ordered(%x: memref<512x256xf32>, %out: memref<512x256xf32>) {
  tile.grid %m = 0 to 512 by m:128 parallel {
    tile.for %n = 0 to 256 by n:128 ordered {
      %v = tile.load %x[%m, %n]
      tile.store %v, %out[%m, %n]
    }
  }
  return
}
// CHECK: {{.*}}/order-axes-invalid.mlir:{{.*}}:5: error: order-axes: axis n is ordered; only parallel ones can be moved

// -----

// Where the axis begins is known only inside.
func.func @segments(%x: memref<?x256xf32>, %offsets: memref<9xi32>, %out: memref<?x256xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %n = %begin to %end by n:8 parallel {
      %v = tile.load %x[%n, :]
      tile.store %v, %out[%n, :]
    }
  }
  return
}
// CHECK: {{.*}}/order-axes-invalid.mlir:{{.*}}:5: error: order-axes: where axis n begins or ends is computed in the grid; only axes whose ends are known before it can be outermost

// -----

// Something is stored once for all tiles of the axis.
func.func @store(%x: memref<8x256xf32>, %y: memref<8xf32>, %out: memref<8x256xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %one = arith.constant 1.0 : f32
    tile.store %one, %y[%g]
    tile.for %n = 0 to 256 by n:128 parallel {
      %v = tile.load %x[%g, %n]
      tile.store %v, %out[%g, %n]
    }
  }
  return
}
// CHECK: {{.*}}/order-axes-invalid.mlir:{{.*}}:5: error: order-axes: axis n cannot be outermost, since tile.store at {{.*}}/order-axes-invalid.mlir:{{.*}}:5 is not done anew for each of its tiles; only parallel loops, loads and what has no effect may stand around it

// -----

// What is loaded before is written in the loop.
func.func @load(%y: memref<8x256xf32>) {
  tile.grid %g = 0 to 8 parallel {
    %v = tile.load %y[%g, 0]
    tile.for %n = 0 to 256 by n:128 parallel {
      %all = tile.broadcast %v dims [] : tensor<128xf32, #tile.spans<n>>
      tile.store %all, %y[%g, %n]
    }
  }
  return
}
// CHECK: {{.*}}: error: order-axes: axis n cannot be outermost, since tile.load at {{.*}}:5 is not done anew for each of its tiles; only parallel loops, loads and what has no effect may stand around it

// -----

// A loop in order, and a condition.
func.func @turns(%x: memref<8x256xf32>, %out: memref<8x256xf32>) {
  tile.grid %g = 0 to 8 parallel {
    tile.for %t = 0 to 4 ordered {
      tile.for %n = 0 to 256 by n:128 parallel {
        %v = tile.load %x[%g, %n]
        tile.store %v, %out[%g, %n]
      }
    }
  }
  return
}
// CHECK: {{.*}}: error: order-axes: axis n cannot be outermost, since tile.for at {{.*}}:5 is not done anew for each of its tiles; only parallel loops, loads and what has no effect may stand around it

// -----

func.func @condition(%x: memref<8x256xf32>, %out: memref<8x256xf32>, %one: i1) {
  tile.grid %g = 0 to 8 parallel {
    scf.if %one {
      tile.for %n = 0 to 256 by n:128 parallel {
        %v = tile.load %x[%g, %n]
        tile.store %v, %out[%g, %n]
      }
    }
  }
  return
}
// CHECK: {{.*}}: error: order-axes: axis n cannot be outermost, since scf.if at {{.*}}:5 is not done anew for each of its tiles; only parallel loops, loads and what has no effect may stand around it
