// RUN: tile-opt %s --join-windows | filecheck %s
// RUN: tile-opt %s --join-windows --explain 2>&1 >/dev/null | filecheck %s --check-prefix=NOTE

// The first rows of each segment and the others: both loops write through tiles of the stretch whose turn it is.
func.func @first_and_others(%x: memref<512x128xf32>, %offsets: memref<9xi32>) -> memref<512x128xf32> {
  %out = tile.empty : memref<512x128xf32>
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %offsets[%g]
    %c8 = arith.constant 8 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %far = arith.addi %b, %c8 : index
    %middle = arith.minsi %far, %e : index
    %steps = arith.constant 2 : index
    %all = arith.constant 12 : index
    %step = tile.axis 0 to %all ordered
    %last = arith.minsi %step, %c1 : index
    %from = arith.floordivsi %b, %c64 : index
    %i = arith.addi %from, %last : index
    %m = tile.span %i of %b to %middle by m:64 aligned keep
    %since = arith.subi %step, %steps : index
    %more = arith.maxsi %since, %c0 : index
    %to = arith.floordivsi %middle, %c64 : index
    %j = arith.addi %to, %more : index
    %n = tile.span %j of %middle to %e by n:64 aligned keep
    %first = arith.cmpi slt, %step, %steps : index
    %second = arith.cmpi sge, %step, %steps : index
    %x_window = tile.window read %x[%m, :]
    %out_window = tile.window write %out[%m, :]
    %y_window = tile.window read %x[%n, :]
    %out_window_1 = tile.window write %out[%n, :]
    scf.if %first {
      %v = tile.get %x_window
      tile.set %v, %out_window
    }
    scf.if %second {
      %v = tile.get %y_window
      tile.set %v, %out_window_1
    }
  }
  return %out : memref<512x128xf32>
}
// CHECK-LABEL: func.func @first_and_others
// CHECK:         [[TURN:%[0-9]+]] = arith.cmpi slt, %step, %steps : index
// CHECK-NEXT:    [[TILE:%[0-9]+]] = arith.select [[TURN]], %i, %j : index
// CHECK-NEXT:    [[FROM:%[0-9]+]] = arith.select [[TURN]], %b, %middle : index
// CHECK-NEXT:    [[TO:%[0-9]+]] = arith.select [[TURN]], %middle, %e : index
// CHECK-NEXT:    [[M:%m[_0-9]+]] = tile.span [[TILE]] of [[FROM]] to [[TO]] by m:64 aligned keep
// CHECK-NEXT:    [[N:%n[_0-9]+]] = tile.span [[TILE]] of [[FROM]] to [[TO]] by n:64 aligned keep
// CHECK-NEXT:    %x_window = tile.window read %x[%m, :]
// CHECK-NEXT:    %out_window = tile.window write %out{{\[}}[[M]], :]
// CHECK-NEXT:    %y_window = tile.window read %x[%n, :]
// CHECK-NEXT:    %out_window_1 = tile.window write %out{{\[}}[[N]], :]

// The others are written first: the tiles of a segment would be left and come back to.
func.func @others_first(%x: memref<512x128xf32>, %offsets: memref<9xi32>) -> memref<512x128xf32> {
  %out = tile.empty : memref<512x128xf32>
  tile.pipeline fori_loop {
    %g = tile.axis 0 to 8 ordered
    %b, %e = tile.segment %offsets[%g]
    %c8 = arith.constant 8 : index
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %far = arith.addi %b, %c8 : index
    %middle = arith.minsi %far, %e : index
    %steps = arith.constant 10 : index
    %all = arith.constant 12 : index
    %step = tile.axis 0 to %all ordered
    %from = arith.floordivsi %middle, %c64 : index
    %i = arith.addi %from, %step : index
    %n = tile.span %i of %middle to %e by n:64 aligned keep
    %since = arith.subi %step, %steps : index
    %more = arith.maxsi %since, %c0 : index
    %to = arith.floordivsi %b, %c64 : index
    %j = arith.addi %to, %more : index
    %m = tile.span %j of %b to %middle by m:64 aligned keep
    %out_window = tile.window write %out[%n, :]
    %out_window_1 = tile.window write %out[%m, :]
  }
  return %out : memref<512x128xf32>
}
// CHECK-LABEL: func.func @others_first
// CHECK:         %out_window = tile.window write %out[%n, :]
// CHECK-NEXT:    %out_window_1 = tile.window write %out[%m, :]
// NOTE: join-windows.mlir:{{[0-9]+}}:5: note: join-windows: windows of %out are not joined: the ranges of their tiles are not known to come one after the other
