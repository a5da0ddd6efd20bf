// How many copies of a window there are, and how many tiles one copy brings.

// RUN: tile-opt %s --double-buffer="depth=2" | filecheck %s
// RUN: tile-opt %s --double-buffer --explain 2>%t | filecheck %s --check-prefix=AUTO
// RUN: filecheck %s --check-prefix=NOTE --match-full-lines --input-file %t
// RUN: tile-opt %s --double-buffer="chip=v6e" | filecheck %s --check-prefix=V6E
// RUN: tile-opt %s --double-buffer="depth=4 fetch=2" | filecheck %s --check-prefix=DEEP
// RUN: tile-opt %s --double-buffer="depth=1" | filecheck %s --check-prefix=ONE

// The loop's windows take any number; those of its grid and a block that never changes do not.
// DEEP-LABEL: func.func @loop
// DEEP:         tile.window read %x[%m, %k] fetch [128, 256] buffers 4
// DEEP-NEXT:    tile.window read %y[%k, :] fetch [256, 128] buffers 4
// DEEP-NEXT:    tile.window read %b[:] buffers 1
// DEEP-NEXT:    tile.window write %z[%m, :] buffers 2
// ONE-LABEL: func.func @loop
// ONE:          tile.window read %x[%m, %k] buffers 1
// ONE-NEXT:     tile.window read %y[%k, :] buffers 1
func.func @loop(%x: memref<512x512xf32>, %y: memref<512x128xf32>, %b: memref<128xf32>, %z: memref<512x128xf32>) {
  tile.pipeline fori_loop {
    %m = tile.axis 0 to 512 by m:128 parallel
    %k = tile.axis 0 to 512 by k:128 ordered
    %xw = tile.window read %x[%m, %k]
    %yw = tile.window read %y[%k, :]
    %bw = tile.window read %b[:]
    %zw = tile.window write %z[%m, :]
    %a = tile.get %xw
    %c = tile.get %yw
    %d = tile.dot %a, %c
    tile.set %d, %zw
  }
  return
}
// CHECK-LABEL: func.func @loop(%x: memref<512x512xf32>, %y: memref<512x128xf32>, %b: memref<128xf32>, %z: memref<512x128xf32>) {
// CHECK-NEXT:    tile.pipeline fori_loop {
// CHECK-NEXT:      %m = tile.axis 0 to 512 by m:128 parallel
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%m, %k] buffers 2
// CHECK-NEXT:      %yw = tile.window read %y[%k, :] buffers 2
// CHECK-NEXT:      %bw = tile.window read %b[:] buffers 1
// CHECK-NEXT:      %zw = tile.window write %z[%m, :] buffers 2
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %c = tile.get %yw
// CHECK-NEXT:      %d = tile.dot %a, %c
// CHECK-NEXT:      tile.set %d, %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Inputs of an emit_pipeline can have more than two, its outputs and a grid cannot; what is said stands.
// DEEP-LABEL: func.func @others
// DEEP:         tile.window read %x[%k, :] fetch [256, 128] buffers 4
// DEEP-NEXT:    tile.window read %x[%k, :] fetch [128, 128] buffers 3
// DEEP-NEXT:    tile.window write %z[%k, :] buffers 2
// DEEP:         tile.window read %x[%k_1, :] fetch [256, 128] buffers 2
func.func @others(%x: memref<512x128xf32>, %z: memref<512x128xf32>) {
  tile.pipeline emit_pipeline {
    %k = tile.axis 0 to 512 by k:128 parallel
    %xw = tile.window read %x[%k, :]
    %vw = tile.window read %x[%k, :] fetch [128, 128] buffers 3
    %zw = tile.window write %z[%k, :]
    %a = tile.get %xw
    tile.set %a, %zw
  }
  tile.pipeline grid {
    %k = tile.axis 0 to 512 by k:128 parallel
    %xw = tile.window read %x[%k, :]
    %a = tile.get %xw
  }
  return
}
// CHECK-LABEL: func.func @others(%x: memref<512x128xf32>, %z: memref<512x128xf32>) {
// CHECK-NEXT:    tile.pipeline emit_pipeline {
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:128 parallel
// CHECK-NEXT:      %xw = tile.window read %x[%k, :] buffers 2
// CHECK-NEXT:      %vw = tile.window read %x[%k, :] fetch [128, 128] buffers 3
// CHECK-NEXT:      %zw = tile.window write %z[%k, :] buffers 2
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      tile.set %a, %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.pipeline grid {
// CHECK-NEXT:      %k_1 = tile.axis 0 to 512 by k:128 parallel
// CHECK-NEXT:      %xw_1 = tile.window read %x[%k_1, :] buffers 2
// CHECK-NEXT:      %a_1 = tile.get %xw_1
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Nested loops take any number for what changes.
// DEEP-LABEL: func.func @nested
// DEEP:         tile.window read %x[%k, :] fetch [256, 128] buffers 4
// DEEP-NEXT:    tile.window write %z[0, :] buffers 1
// ONE-LABEL: func.func @nested
// ONE:          tile.window read %x[%k, :] buffers 1
func.func @nested(%x: memref<512x128xf32>, %z: memref<1x128xf32>) {
  tile.pipeline fori_loop nested {
    %k = tile.axis 0 to 512 by k:128 ordered
    %xw = tile.window read %x[%k, :]
    %zw = tile.window write %z[0, :]
    %a = tile.get %xw
    %s = tile.reduce add %a dims [0]
    tile.set %s, %zw
  }
  return
}
// CHECK-LABEL: func.func @nested(%x: memref<512x128xf32>, %z: memref<1x128xf32>) {
// CHECK-NEXT:    tile.pipeline fori_loop nested {
// CHECK-NEXT:      %k = tile.axis 0 to 512 by k:128 ordered
// CHECK-NEXT:      %xw = tile.window read %x[%k, :] buffers 2
// CHECK-NEXT:      %zw = tile.window write %z[0, :] buffers 1
// CHECK-NEXT:      %a = tile.get %xw
// CHECK-NEXT:      %s = tile.reduce add %a dims [0]
// CHECK-NEXT:      tile.set %s, %zw
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

// Where nothing is said: on v5e some 430 KiB pass while a copy is on its way, so steps that bring 512 KiB need no
// more than two buffers; on v6e more do. Nor do they at the end of a range that is known at run time, where a copy
// brings less: eight buffers there, unless one copy hides a latency. A loop of two steps has no use for more.
// AUTO-LABEL: func.func @chosen
// AUTO:         tile.window read %x[%k, :] buffers 4
// AUTO:         tile.window read %x[%n, :] buffers 2
// AUTO:         tile.window read %x[%two, :] buffers 2
// AUTO:         tile.window read %x[%m, :] buffers 4
// AUTO:         tile.window read %x[%s, :] buffers 8
// AUTO:         tile.window read %x[%t, :] buffers 8
// AUTO-NEXT:    tile.window write %y[%t, :] buffers 4
// V6E-LABEL: func.func @chosen
// V6E:          tile.window read %x[%k, :] buffers 4
// V6E:          tile.window read %x[%n, :] buffers 4
// V6E:          tile.window read %x[%two, :] buffers 2
func.func @chosen(%x: memref<4096x512xf32>, %y: memref<4096x512xf32>, %rows: index) {
  tile.pipeline fori_loop {
    %k = tile.axis 0 to 4096 by k:128 ordered
    %xw = tile.window read %x[%k, :]
    %a = tile.get %xw
  }
  tile.pipeline fori_loop {
    %n = tile.axis 0 to 4096 by n:256 ordered
    %xw = tile.window read %x[%n, :]
    %a = tile.get %xw
  }
  tile.pipeline fori_loop {
    %two = tile.axis 0 to 256 by two:128 ordered
    %xw = tile.window read %x[%two, :]
    %a = tile.get %xw
  }
  tile.pipeline fori_loop {
    %m = tile.axis 0 to %rows by m:256 ordered
    %xw = tile.window read %x[%m, :]
    %a = tile.get %xw
  }
  tile.pipeline fori_loop {
    %s = tile.axis 0 to %rows by s:128 ordered
    %xw = tile.window read %x[%s, :]
    %a = tile.get %xw
  }
  tile.pipeline fori_loop {
    %t = tile.axis 0 to 4096 by t:16 ordered
    %xw = tile.window read %x[%t, :]
    %yw = tile.window write %y[%t, :]
    %a = tile.get %xw
    tile.set %a, %yw
  }
  return
}

// There may be no room: a block that never changes takes all but some 256 KiB.
// AUTO-LABEL: func.func @crowded
// AUTO:         tile.window read %w[:, :] buffers 1
// AUTO-NEXT:    tile.window read %x[%k, :] buffers 2
// NOTE: {{.*}}/double-buffer.mlir:{{.*}}: note: double-buffer: 2 buffers; v5e has no room for more
func.func @crowded(%w: memref<65408x512xf32>, %x: memref<4096x512xf32>) {
  tile.pipeline fori_loop {
    %k = tile.axis 0 to 4096 by k:64 ordered
    %ww = tile.window read %w[:, :]
    %xw = tile.window read %x[%k, :]
    %a = tile.get %xw
  }
  return
}

// A second loop over the same range, in equal tiles, comes back to what the first one has kept; one in other
// tiles does not. A second loop is a stretch of the steps of the first.
func.func @again(%x: memref<4096x1024xf32>, %offsets: memref<9xi32>) -> (memref<4096x1024xf32>) {
  %out = tile.empty : memref<4096x1024xf32>
  tile.pipeline fori_loop nested {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %offsets[%g]
    %size = arith.constant 128 : index
    %one = arith.constant 1 : index
    %zero = arith.constant 0 : index
    %first = arith.floordivsi %b, %size : index
    %begin = arith.muli %first, %size : index
    %rest = arith.subi %e, %begin : index
    %some = arith.ceildivsi %rest, %size : index
    %n = arith.maxsi %some, %one : index
    %steps = arith.addi %n, %n : index
    %step = tile.axis 0 to %steps ordered
    %last = arith.subi %n, %one : index
    %t1 = arith.minsi %step, %last : index
    %p1 = arith.addi %first, %t1 : index
    %m1 = tile.span %p1 of %b to %e by m:128 aligned keep
    %late = arith.cmpi sge, %step, %n : index
    %s2 = arith.subi %step, %n : index
    %t2 = arith.maxsi %s2, %zero : index
    %p2 = arith.addi %first, %t2 : index
    %m2 = tile.span %p2 of %b to %e by k:128 aligned keep
    %w1 = tile.window read %x[%m1, :]
    %w2 = tile.window read %x[%m2, :]
    %o = tile.window write %out[%m2, :]
    %v1 = tile.get %w1
    scf.if %late {
      %v2 = tile.get %w2
      tile.set %v2, %o
    }
  }
  return %out : memref<4096x1024xf32>
}
// AUTO-LABEL: func.func @again
// AUTO:         tile.window read %x[%m1, :] buffers 4 kept 128
// AUTO-NEXT:    tile.window read %x[%m2, :] buffers 4{{$}}
// NOTE: {{.*}}/double-buffer.mlir:{{.*}}: note: double-buffer: ranges of up to 128 tiles are copied once
// V6E-LABEL: func.func @again
// V6E:         tile.window read %x[%m1, :] buffers {{[0-9]+}} kept
// ONE-LABEL: func.func @again
// ONE:         tile.window read %x[%m1, :] buffers 1{{$}}

// Runs of rows are copied ahead in a loop of the kernel's own, where every step knows their places.
func.func @pages(%x: memref<4096x128xf32>, %starts: memref<16xi32>, %out: memref<16x128xf32>) {
  tile.pipeline fori_loop {
    %i = tile.axis 0 to 16 ordered
    %t = tile.span %i of 0 to 512 by t:8
    %first = tile.load %starts[%i]
    %row = arith.index_cast %first : i32 to index
    %w = tile.window write %out[%i, :]
    %ids = tile.runs %row by 8 of %t
    %v = tile.gather %x[%ids, :] rows
    %s = tile.reduce add %v dims [0]
    tile.set %s, %w
  }
  return
}
// CHECK-LABEL: func.func @pages
// CHECK:         tile.gather %x[%ids, :] rows buffers 2
// DEEP-LABEL: func.func @pages
// DEEP:         tile.gather %x[%ids, :] rows buffers 4
// ONE-LABEL: func.func @pages
// ONE:         tile.gather %x[%ids, :] rows{{$}}
