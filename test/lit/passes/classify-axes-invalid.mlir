// RUN: tile-opt %s --classify-axes --split-input-file --verify-diagnostics | filecheck %s --match-full-lines

// Every iteration writes the same row.
func.func @same_row(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.store %v, %out[0, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:7:5: error: race: the store at {{.*}}/classify-axes-invalid.mlir:7:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// An iteration reads what another writes.
func.func @neighbour(%x: memref<9x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g + 1, :]
    tile.store %v, %x[%g, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:19:5: error: race: the store at {{.*}}/classify-axes-invalid.mlir:19:5 and the load at {{.*}}/classify-axes-invalid.mlir:18:5 may touch one element of %x in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// Two stores of rows that may be the same.
func.func @two_stores(%x: memref<8x128xf32>, %out: memref<9x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.store %v, %out[%g, :]
    tile.store %v, %out[%g + 1, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:31:5: error: race: the store at {{.*}}/classify-axes-invalid.mlir:31:5 and the store at {{.*}}/classify-axes-invalid.mlir:32:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// The loop is called parallel, and its iterations write the same row.
func.func @called_parallel(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %i = 0 to 8 parallel {
      %v = tile.load %x[%i, %n]
      tile.store %v, %out[0, %n]
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:45:7: error: race: the store at {{.*}}/classify-axes-invalid.mlir:45:7, with itself, may touch one element of %out in two iterations of the parallel axis i; index a dimension by i, or loop over it with tile.for

// -----

// The loop is called parallel, and carries a value.
func.func @carried(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
    %sum = tile.for %i = 0 to 8 parallel iter_args(%acc = %zero) {
      %v = tile.load %x[%i, %n]
      %next = arith.addf %acc, %v : tensor<128xf32, #tile.spans<n>>
      tile.yield %next
    }
    tile.store %sum, %out[%n]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:58:5: error: classify-axes: axis i is called parallel, but tile.for at {{.*}}/classify-axes-invalid.mlir:58:5 carries a value from one iteration to the next; call it ordered

// -----

// The same with a scratch, over an axis of the grid.
func.func @scratch(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  %s = tile.scratch : tensor<128xf32>
  tile.grid %i = 0 to 8 {
    %v = tile.load %x[%i, :]
    tile.set %v, %s
    %w = tile.get %s
    tile.store %w, %out[%i, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:74:3: error: classify-axes: axis i is called parallel, but tile.set at {{.*}}/classify-axes-invalid.mlir:76:5 carries a value from one iteration to the next; call it ordered

// -----

// One memory under two names, of which an axis is decided from the names.
func.func @view_beside_the_array(%x: memref<8x128xf32>) {
  %t = tile.view %x permute [1, 0] : memref<8x128xf32> to memref<128x8xf32>
  tile.grid %i = 0 to 8 {
    %v = tile.load %t[0, %i]
    tile.store %v, %x[%i, 0]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:90:5: error: classify-axes: tile.load takes %t, the array that is written as %x; run --resolve-views first

// -----

// An atomic and a load of what it may have updated.
func.func @atomic_and_load(%x: memref<8x128xf32>, %out: memref<128xf32>, %y: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
    %w = tile.load %out[:]
    tile.store %w, %y[%g, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:103:5: error: race: the atomic at {{.*}}/classify-axes-invalid.mlir:103:5 and the load at {{.*}}/classify-axes-invalid.mlir:104:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; only atomics may meet atomics

// -----

// A store and an atomic.
func.func @store_and_atomic(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.store %v, %out[:]
    tile.atomic_rmw add %v, %out[:]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:117:5: error: race: the store at {{.*}}/classify-axes-invalid.mlir:117:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// Two kinds of atomics.
func.func @two_kinds(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    tile.atomic_rmw add %v, %out[:]
    tile.atomic_rmw min %v, %out[:]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:130:5: error: race: the atomic at {{.*}}/classify-axes-invalid.mlir:130:5 and the atomic at {{.*}}/classify-axes-invalid.mlir:131:5 may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; only atomics of one kind may meet in any order

// -----

// An old value.
func.func @old(%x: memref<8x128xf32>, %out: memref<128xf32>, %y: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %v = tile.load %x[%g, :]
    %o = tile.atomic_rmw add %v, %out[:] old
    tile.store %o, %y[%g, :]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:143:5: error: race: the atomic at {{.*}}/classify-axes-invalid.mlir:143:5, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; the atomic returns the old value, for which iterations have to be ordered

// -----

// An exchange, in a loop that is called parallel.
func.func @exchange(%x: memref<8x128xf32>, %out: memref<128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    tile.for %g = 0 to 8 parallel {
      %v = tile.load %x[%g, %n]
      tile.atomic_rmw exchange %v, %out[%n]
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:157:7: error: race: the atomic at {{.*}}/classify-axes-invalid.mlir:157:7, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for; the atomic exchanges, for which iterations have to be ordered

// -----

// An array on the chip that is of all iterations, and written.
func.func @local(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %l = tile.local : memref<128xf32>
    tile.for %g = 0 to 8 parallel {
      %v = tile.load %x[%g, %n]
      tile.store %v, %l[%n]
      %w = tile.load %l[%n]
      tile.store %w, %out[%g, %n]
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:172:7: error: race: the store at {{.*}}/classify-axes-invalid.mlir:172:7, with itself, may touch one element of %l in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// The same, though each iteration has a row of it.
func.func @local_rows(%x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %n = 0 to 128 by n:128 {
    %l = tile.local : memref<8x128xf32>
    tile.for %g = 0 to 8 parallel {
      %v = tile.load %x[%g, %n]
      tile.store %v, %l[%g, %n]
      %w = tile.load %l[%g, %n]
      tile.store %w, %out[%g, %n]
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:187:5: error: classify-axes: axis g is called parallel, but tile.store at {{.*}}/classify-axes-invalid.mlir:189:7 carries a value from one iteration to the next; call it ordered

// -----

// Segments of two numbers of the grid's axis: what one iteration stores is what another reads.
func.func @two_segments(%x: memref<?x128xf32>, %offsets: memref<10xi32>) {
  %one = arith.constant 1 : index
  tile.grid %g = 0 to 8 {
    %next = arith.addi %g, %one : index
    %b, %e = tile.segment %offsets[%g]
    %b1, %e1 = tile.segment %offsets[%next]
    tile.for %m = %b to %e by m {
      tile.for %n = %b1 to %e1 by n {
        %v = tile.load %x[%n, :]
        %s = tile.reduce add %v dims [0]
        %w = tile.broadcast %s dims [1] : tensor<?x128xf32, #tile.spans<m, _>>
        tile.store %w, %x[%m, :]
      }
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:212:9: error: race: the store at {{.*}}/classify-axes-invalid.mlir:212:9 and the load at {{.*}}/classify-axes-invalid.mlir:209:9 may touch one element of %x in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for

// -----

// Less its own begin every tile begins at 0.
func.func @begins(%x: memref<512xf32>) {
  %zero = arith.constant 0 : index
  tile.grid %m = 0 to 512 by m:128 {
    %b = tile.bound begin %m
    %n = arith.subi %zero, %b : index
    %v = tile.splat 1.0 : tensor<128xf32, #tile.spans<m>>
    tile.store %v, %x[%m + %n]
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:229:5: error: race: the store at {{.*}}/classify-axes-invalid.mlir:229:5, with itself, may touch one element of %x in two iterations of the parallel axis m; index a dimension by m, or loop over it with tile.for

// -----

// Five workers with every fourth segment each: the fifth has those of the first.
func.func @workers(%x: memref<?x128xf32>, %offsets: memref<33xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %worker = 0 to 5 {
    tile.for %turn = 0 to 7 {
      %four = arith.constant 4 : index
      %first = arith.muli %turn, %four : index
      %g = arith.addi %first, %worker : index
      %b, %e = tile.segment %offsets[%g]
      tile.for %m = %b to %e by m:128 {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%m, :]
      }
    }
  }
  return %out : memref<?x128xf32>
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:248:9: error: race: the store at {{.*}}/classify-axes-invalid.mlir:248:9, with itself, may touch one element of %out in two iterations of the parallel axis worker; index a dimension by worker, or loop over it with tile.for

// -----

// Rows of two arrays of segments, of which the second's begin where the first's would: the last of one group
// are the first of the next.
func.func @overlap(%x: memref<96x128xf32>, %a: memref<9xi32>, %c: memref<9xi32>, %out: memref<96x128xf32>) {
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    %from = arith.addi %b, %s : index
    %to = arith.addi %e, %t : index
    %more = arith.addi %to, %g : index
    tile.for %m = %from to %more by m:8 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return
}
// CHECK: {{.*}}/classify-axes-invalid.mlir:269:7: error: race: the store at {{.*}}/classify-axes-invalid.mlir:269:7, with itself, may touch one element of %out in two iterations of the parallel axis g; index a dimension by g, or loop over it with tile.for
