// RUN: tile-opt %s --tile-to-pallas="m=8 gathers=rows" | filecheck %s

// What a step keeps is not passed on as a value where its rows are read one by one, beside two products.
// CHECK-LABEL: func.func @sums
// CHECK:         pallas.fori %row
func.func @sums(%x: memref<3x7x129xf32>, %i: memref<7xi32>, %j: memref<7xi32>) -> (memref<24x129xf32>, memref<3x24x129xf32>) {
  %a = tile.full 0.0 : memref<24x129xf32>
  %b = tile.full 0.0 : memref<3x24x129xf32>
  tile.grid %g = 0 to 3 {
    tile.for %m = 0 to 7 by m {
      %v = tile.load %x[%g, %m, :]
      %w = arith.addf %v, %v : tensor<?x129xf32, #tile.spans<m, _>>
      %p = tile.load %i[%m]
      tile.atomic_rmw add %w, %a[%p, :]
      %q = tile.load %j[%m]
      tile.atomic_rmw add %w, %b[%g, %q, :]
    }
  }
  return %a, %b : memref<24x129xf32>, memref<3x24x129xf32>
}
