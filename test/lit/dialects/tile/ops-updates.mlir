// Updates, accesses at computed positions and arrays on the chip read back what they print, in both forms.

// RUN: tile-opt %s | tile-opt | filecheck %s
// RUN: tile-opt %s --print-op-generic | tile-opt | filecheck %s

func.func @atomics(%out: memref<8x200xf32>, %bits: memref<8x200xi32>) {
  tile.grid %g = 0 to 8, %n = 0 to 200 by n {
    %v = tile.load %out[%g, %n]
    %i = tile.load %bits[%g, %n]
    %p = tile.compare gt %i, %i
    %c = arith.constant 1 : i32
    tile.atomic_rmw add %v, %out[%g, %n]
    tile.atomic_rmw max %v, %out[0, %n + 8] mask %p
    tile.atomic_rmw min %v, %out[%g + %g, %n - 1]
    %old = tile.atomic_rmw add %v, %out[%g, %n] mask %p old
    tile.atomic_rmw and %i, %bits[%g, %n]
    tile.atomic_rmw or %i, %bits[%g, %n]
    tile.atomic_rmw xor %c, %bits[%g, 3]
    tile.atomic_rmw exchange %c, %bits[%g, %g]
    %found = tile.atomic_rmw compare_exchange %i, %bits[%g, %n] expected %i old
    %other = tile.atomic_rmw compare_exchange %i, %bits[%g, %n] expected %i mask %p unique old
    tile.atomic_rmw exchange %i, %bits[%g, %n] mask %p unique
  }
  return
}
// CHECK-LABEL: func.func @atomics(%out: memref<8x200xf32>, %bits: memref<8x200xi32>) {
// CHECK-NEXT:    tile.grid %g = 0 to 8, %n = 0 to 200 by n {
// CHECK-NEXT:      %v = tile.load %out[%g, %n]
// CHECK-NEXT:      %i = tile.load %bits[%g, %n]
// CHECK-NEXT:      %p = tile.compare gt %i, %i
// CHECK-NEXT:      %c = arith.constant 1 : i32
// CHECK-NEXT:      tile.atomic_rmw add %v, %out[%g, %n]
// CHECK-NEXT:      tile.atomic_rmw max %v, %out[0, %n + 8] mask %p
// CHECK-NEXT:      tile.atomic_rmw min %v, %out[%g + %g, %n - 1]
// CHECK-NEXT:      %old = tile.atomic_rmw add %v, %out[%g, %n] mask %p old
// CHECK-NEXT:      tile.atomic_rmw and %i, %bits[%g, %n]
// CHECK-NEXT:      tile.atomic_rmw or %i, %bits[%g, %n]
// CHECK-NEXT:      tile.atomic_rmw xor %c, %bits[%g, 3]
// CHECK-NEXT:      tile.atomic_rmw exchange %c, %bits[%g, %g]
// CHECK-NEXT:      %found = tile.atomic_rmw compare_exchange %i, %bits[%g, %n] expected %i old
// CHECK-NEXT:      %other = tile.atomic_rmw compare_exchange %i, %bits[%g, %n] expected %i mask %p unique old
// CHECK-NEXT:      tile.atomic_rmw exchange %i, %bits[%g, %n] mask %p unique
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

func.func @converted(%out: memref<200xbf16>, %small: memref<200xi8>, %v: tensor<200xf32>, %i: tensor<200xi32>,
                     %p: tensor<200xi1>, %flags: memref<200xi1>) {
  tile.atomic_rmw add %v, %out[:]
  tile.atomic_rmw add %i, %small[:]
  tile.atomic_rmw or %p, %flags[:]
  return
}
// CHECK-LABEL: func.func @converted(%out: memref<200xbf16>, %small: memref<200xi8>, %v: tensor<200xf32>, %i: tensor<200xi32>, %p: tensor<200xi1>, %flags: memref<200xi1>) {
// CHECK-NEXT:    tile.atomic_rmw add %v, %out[:]
// CHECK-NEXT:    tile.atomic_rmw add %i, %small[:]
// CHECK-NEXT:    tile.atomic_rmw or %p, %flags[:]
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

func.func @positions(%x: memref<1000x200xf32>, %ids: memref<300xi32>, %flags: memref<300xi1>, %wide: memref<300xi64>) {
  tile.grid %m = 0 to 300 by m, %n = 0 to 200 by n {
    %id = tile.load %ids[%m]
    %p = tile.load %flags[%m]
    %far = tile.load %wide[%m]
    %zero = arith.constant 0.0 : f32
    %rows = tile.gather %x[%id, :]
    %each = tile.gather %x[%id, :] rows
    %part = tile.gather %x[%id + 1, %n]
    %column = tile.gather %x[%id, 7] mask %p other %zero
    %across = tile.gather %x[%n, %far]
    tile.scatter %rows, %x[%id, :]
    tile.scatter %column, %x[%id, 7] mask %p drop
    tile.atomic_rmw add %rows, %x[%id, :] drop
    tile.atomic_rmw max %column, %x[%id - 1, 0] mask %p drop
    tile.atomic_rmw add %across, %x[%n, %far]
  }
  return
}
// CHECK-LABEL: func.func @positions(%x: memref<1000x200xf32>, %ids: memref<300xi32>, %flags: memref<300xi1>, %wide: memref<300xi64>) {
// CHECK-NEXT:    tile.grid %m = 0 to 300 by m, %n = 0 to 200 by n {
// CHECK-NEXT:      %id = tile.load %ids[%m]
// CHECK-NEXT:      %p = tile.load %flags[%m]
// CHECK-NEXT:      %far = tile.load %wide[%m]
// CHECK-NEXT:      %zero = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %rows = tile.gather %x[%id, :]
// CHECK-NEXT:      %each = tile.gather %x[%id, :] rows
// CHECK-NEXT:      %part = tile.gather %x[%id + 1, %n]
// CHECK-NEXT:      %column = tile.gather %x[%id, 7] mask %p other %zero
// CHECK-NEXT:      %across = tile.gather %x[%n, %far]
// CHECK-NEXT:      tile.scatter %rows, %x[%id, :]
// CHECK-NEXT:      tile.scatter %column, %x[%id, 7] mask %p drop
// CHECK-NEXT:      tile.atomic_rmw add %rows, %x[%id, :] drop
// CHECK-NEXT:      tile.atomic_rmw max %column, %x[%id - 1, 0] mask %p drop
// CHECK-NEXT:      tile.atomic_rmw add %across, %x[%n, %far]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

func.func @planes(%x: memref<64x8x128xf32>, %ids: tensor<32xi32, #tile.spans<m>>) {
  %planes = tile.gather %x[%ids, :, :] rows
  return
}
// CHECK-LABEL: func.func @planes(
// CHECK-NEXT:    %planes = tile.gather %x[%ids, :, :] rows

func.func @runs(%x: memref<1024x128xf32>, %i: index, %j: index) {
  tile.grid %t = 0 to 300 by t:32 {
    %ids = tile.runs %i, %j by 16 of %t
    %once = tile.gather %x[%ids, :] rows
    %ahead = tile.gather %x[%ids, :] rows buffers 2
  }
  return
}
// CHECK-LABEL: func.func @runs(%x: memref<1024x128xf32>, %i: index, %j: index) {
// CHECK-NEXT:    tile.grid %t = 0 to 300 by t:32 {
// CHECK-NEXT:      %ids = tile.runs %i, %j by 16 of %t
// CHECK-NEXT:      %once = tile.gather %x[%ids, :] rows
// CHECK-NEXT:      %ahead = tile.gather %x[%ids, :] rows buffers 2
// CHECK-NEXT:    }

func.func @locals() {
  %a = tile.local : memref<8x128xf32>
  tile.grid %g = 0 to 8 {
    %b = tile.local : memref<200xi8>
    %v = tile.load %a[%g, :]
    tile.atomic_rmw add %v, %a[%g, :]
  }
  return
}
// CHECK-LABEL: func.func @locals() {
// CHECK-NEXT:    %a = tile.local : memref<8x128xf32>
// CHECK-NEXT:    tile.grid %g = 0 to 8 {
// CHECK-NEXT:      %b = tile.local : memref<200xi8>
// CHECK-NEXT:      %v = tile.load %a[%g, :]
// CHECK-NEXT:      tile.atomic_rmw add %v, %a[%g, :]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
