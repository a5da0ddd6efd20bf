// RUN: tile-opt %s --widen-elements | filecheck %s

// Truth values are bytes in memory: the host converts arguments and results, and each access its lanes. One that
// is written in place is one array, and what is only returned stays as it is.
// CHECK-LABEL: func.func @lanes(%m: memref<?x128xi1>, %x: memref<?x128xf32>, %kept: memref<4xi1>)
// CHECK-NEXT:    %m_1 = tile.convert %m : memref<?x128xi1> to memref<?x128xi8>
// CHECK-NEXT:    %out = tile.full 1 like(%m) : memref<?x128xi8>
// CHECK-NEXT:    %flat = tile.view %out : memref<?x128xi8> to memref<?x8x16xi8>
// CHECK-NEXT:    tile.grid %t = 0 to 64 by t {
// CHECK-NEXT:      %a = tile.load %m_1[%t, :]
// CHECK-NEXT:      %a_1 = tile.cast %a to i1
// CHECK-NEXT:      %[[A:.*]] = tile.cast %a_1 to i8
// CHECK-NEXT:      tile.store %[[A]], %out[%t, :] mask %a_1
// CHECK-NEXT:      %f = tile.load %flat[%t, :, :]
// CHECK-NEXT:      %f_1 = tile.cast %f to i1
// CHECK-NEXT:      %yes = tile.splat
// CHECK-NEXT:      %[[Y:.*]] = tile.cast %yes to i8
// CHECK-NEXT:      %old = tile.atomic_rmw or %[[Y]], %m_1[%t, :] old
// CHECK-NEXT:      %old_1 = tile.cast %old to i1
// CHECK-NEXT:    }
// CHECK-NEXT:    %m_2 = tile.convert %m_1 : memref<?x128xi8> to memref<?x128xi1>
// CHECK-NEXT:    %out_1 = tile.convert %out : memref<?x128xi8> to memref<?x128xi1>
// CHECK-NEXT:    func.return %m_2, %out_1, %kept
func.func @lanes(%m: memref<?x128xi1>, %x: memref<?x128xf32>, %kept: memref<4xi1>) -> (memref<?x128xi1>, memref<?x128xi1>, memref<4xi1>) {
  %out = tile.full 1 like(%m) : memref<?x128xi1>
  %flat = tile.view %out : memref<?x128xi1> to memref<?x8x16xi1>
  tile.grid %t = 0 to 64 by t {
    %a = tile.load %m[%t, :]
    tile.store %a, %out[%t, :] mask %a
    %f = tile.load %flat[%t, :, :]
    %yes = tile.splat 1 : tensor<?x128xi1, #tile.spans<t, _>>
    %old = tile.atomic_rmw or %yes, %m[%t, :] old
  }
  return %m, %out, %kept : memref<?x128xi1>, memref<?x128xi1>, memref<4xi1>
}

// Arrays on the chip are left.
// CHECK-LABEL: func.func @local
// CHECK:           %seen = tile.local : memref<128xi1>
// CHECK-NEXT:      %a = tile.load %m_1[%g, :]
// CHECK-NEXT:      %a_1 = tile.cast %a to i1
// CHECK-NEXT:      tile.store %a_1, %seen[:]
func.func @local(%m: memref<8x128xi1>) {
  tile.grid %g = 0 to 8 {
    %seen = tile.local : memref<128xi1>
    %a = tile.load %m[%g, :]
    tile.store %a, %seen[:]
  }
  return
}

// Scalars are words.
// CHECK-LABEL: func.func @scalars
// CHECK-NEXT:    %flags_1 = tile.convert %flags : memref<8xi1> to memref<8xi32>
// CHECK:           %[[F:.*]] = tile.load %flags_1[%g]
// CHECK-NEXT:      %f_1 = tile.cast %[[F]] to i1
// CHECK-NEXT:      scf.if %f_1 {
func.func @scalars(%flags: memref<8xi1>, %x: memref<8x128xf32>, %out: memref<8x128xf32>) {
  tile.grid %g = 0 to 8 {
    %f = tile.load %flags[%g]
    scf.if %f {
      %v = tile.load %x[%g, :]
      tile.store %v, %out[%g, :]
    }
  }
  return
}

// So are bytes that are read alone, also where else they are read in tiles; others stay.
// CHECK-LABEL: func.func @bytes(%codes: memref<8x128xi8>, %other: memref<8x128xi8>, %out: memref<8x128xi8>)
// CHECK-NEXT:    %codes_1 = tile.convert %codes : memref<8x128xi8> to memref<8x128xi32>
// CHECK:           %[[C:.*]] = tile.load %codes_1[%g, 3]
// CHECK-NEXT:      %c_1 = tile.cast %[[C]] to i8
// CHECK:           %[[R:.*]] = tile.load %codes_1[%g, :]
// CHECK-NEXT:      %row_1 = tile.cast %[[R]] to i8
// CHECK:           %more = tile.load %other[%g, :]
func.func @bytes(%codes: memref<8x128xi8>, %other: memref<8x128xi8>, %out: memref<8x128xi8>) {
  tile.grid %g = 0 to 8 {
    %c = tile.load %codes[%g, 3]
    %every = tile.broadcast %c dims [] : tensor<128xi8>
    %row = tile.load %codes[%g, :]
    %sum = arith.addi %row, %every : tensor<128xi8>
    %more = tile.load %other[%g, :]
    %total = arith.addi %sum, %more : tensor<128xi8>
    tile.store %total, %out[%g, :]
  }
  return
}
