// What is done at once, and why; and strips of no registers.

// RUN: tile-opt %s --strip-mine="registers=2" --explain 2>&1 >/dev/null | filecheck %s
// RUN: not tile-opt %s --strip-mine="registers=0" 2>&1 | filecheck %s --match-full-lines --check-prefix NONE

// NONE: {{.*}}: error: strip-mine: registers=0; 1 or more is needed

// CHECK: strip-mine: rows of %i are done at once: some rows are used under a condition, or in a loop
// CHECK: strip-mine: rows of %a are done at once: they have a tile.dot
// CHECK: strip-mine: rows of %b are done at once: math.exp of each row would be made in several stages
// CHECK: strip-mine: rows of %c are done at once: some rows are used under a condition, or in a loop
// CHECK: strip-mine: rows of %d are done at once: rows are stored by a mask, or all alike
// CHECK: strip-mine: rows of %e are done at once: they are combined by mul in f32
// CHECK: strip-mine: rows of %f are done at once: rows are read after they were written
// CHECK: strip-mine: rows of %h are done at once: rows lie along lanes
// CHECK: strip-mine: rows of %i are done at once: rows are used under a condition that were computed before it
// CHECK: strip-mine: rows of %i are done at once: rows are used under a condition that were computed before it
// CHECK: strip-mine: rows of %l are done at once: rows that are not live are combined with others
// CHECK: strip-mine: rows of %n are done at once: a value has them along two dimensions
// CHECK: strip-mine: rows of %q are done at once: rows are read after they were written
func.func @f(%x: memref<100x128xf32>, %y: memref<100x128xf32>, %z: memref<128x128xf32>, %o: memref<9xi32>) {
  %zero = arith.constant 0.0 : f32
  tile.pipeline fori_loop nested {
    %g = tile.axis 0 to 8 ordered
    %begin, %end = tile.segment %o[%g]
    %t = tile.axis 0 to 4 ordered
    %a = tile.span %t of %begin to %end by a:32 aligned keep
    %b = tile.span %t of %begin to %end by b:32 aligned keep
    %c = tile.span %t of %begin to %end by c:32 aligned keep
    %d = tile.span %t of %begin to %end by d:32 aligned keep
    %e = tile.span %t of %begin to %end by e:32 aligned keep
    %f = tile.span %t of %begin to %end by f:32 aligned keep
    %h = tile.span %t of %begin to %end by h:128 aligned keep
    %i = tile.span %t of %begin to %end by i:32 aligned keep
    %l = tile.span %t of %begin to %end by l:32 aligned keep
    %n = tile.span %t of %begin to %end by n:32 aligned keep
    %q = tile.span %t of %begin to %end by q:32 aligned keep
    %first = tile.first %t
    %s = tile.scratch : tensor<128xf32>
    %aw = tile.window read %x[%a, :]
    %bw = tile.window read %x[%b, :]
    %cw = tile.window read %x[%c, :]
    %dw = tile.window write %y[%d, :]
    %ew = tile.window read %x[%e, :]
    %fw = tile.window write %y[%f, :]
    %hw = tile.window read %z[:, %h]
    %lw = tile.window read %x[%l, :]
    %nw = tile.window read %x[%n, :]
    %qr = tile.window read %y[%q, :]
    %qw = tile.window write %y[%q, :]
    %iw = tile.window read %x[%i, :]
    %iv = tile.get %iw
    %ones = tile.reduce add %iv dims [1]
    scf.if %first {
      %v = tile.get %aw
      %p = tile.dot %v, %v contract [1] x [1]
    }
    scf.if %first {
      %v = tile.get %bw
      %w = math.exp %v : tensor<32x128xf32, #tile.spans<b, _>>
      %f1 = tile.fill %w outside %b with %zero
      %sum = tile.reduce add %f1 dims [0]
      %wide = tile.broadcast %sum dims [1] : tensor<32x128xf32, #tile.spans<b, _>>
      %d1 = arith.subf %w, %wide : tensor<32x128xf32, #tile.spans<b, _>>
      %f2 = tile.fill %d1 outside %b with %zero
      %sum_1 = tile.reduce add %f2 dims [0]
      tile.set %sum_1, %s
    }
    scf.if %first {
      %v = tile.get %cw
      scf.if %first {
        %w = arith.addf %v, %v : tensor<32x128xf32, #tile.spans<c, _>>
      }
    }
    scf.if %first {
      %v = tile.splat 0.0 : tensor<32x128xf32, #tile.spans<d, _>>
      %m = tile.splat 1 : tensor<32x128xi1, #tile.spans<d, _>>
      tile.set %v, %dw mask %m
    }
    scf.if %first {
      %v = tile.get %ew
      %f1 = tile.fill %v outside %e with %zero
      %p = tile.reduce mul %f1 dims [0]
      tile.set %p, %s
    }
    scf.if %first {
      %v = tile.splat 0.0 : tensor<32x128xf32, #tile.spans<f, _>>
      tile.set %v, %fw
      %w = tile.get %fw
      %f1 = tile.fill %w outside %f with %zero
      %sum = tile.reduce add %f1 dims [0]
      tile.set %sum, %s
    }
    scf.if %first {
      %v = tile.get %hw
      %f1 = tile.fill %v outside %h with %zero
      %sum = tile.reduce add %f1 dims [0]
      tile.set %sum, %s
    }
    scf.if %first {
      %v = tile.get %iw
      %wide = tile.broadcast %ones dims [0] : tensor<32x128xf32, #tile.spans<i, _>>
      %w = arith.addf %v, %wide : tensor<32x128xf32, #tile.spans<i, _>>
    }
    scf.if %first {
      %v = tile.get %iw
      %most = tile.reduce max %iv dims [1]
    }
    scf.if %first {
      %v = tile.get %lw
      %one = arith.constant 1.0 : f32
      %f1 = tile.fill %v outside %l with %one
      %sum = tile.reduce add %f1 dims [0]
      tile.set %sum, %s
    }
    scf.if %first {
      %v = tile.get %nw
      %sum = tile.reduce add %v dims [1]
      %wide = tile.broadcast %sum dims [0] : tensor<32x32xf32, #tile.spans<n, n>>
    }
    scf.if %first {
      %v = tile.get %qr
      %f1 = tile.fill %v outside %q with %zero
      tile.set %v, %qw
      %sum = tile.reduce add %f1 dims [0]
      %wide = tile.broadcast %sum dims [1] : tensor<32x128xf32, #tile.spans<q, _>>
      %d1 = arith.subf %v, %wide : tensor<32x128xf32, #tile.spans<q, _>>
      tile.set %d1, %qw
    }
  }
  return
}
