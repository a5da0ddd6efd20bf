// RUN: tile-opt %s --expand-gathers="rows=256" --explain 2>&1 >/dev/null | filecheck %s --match-full-lines

// One block of rows is an axis of the grid.
func.func @few(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<40x128xf32>) -> memref<40x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<40x128xf32>
}

// 600 rows of 512 bytes stay on the chip, 200,000 do not, not even to be updated row by row.
func.func @many(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<600x128xf32>, %more: memref<200000x128xbf16>) -> (memref<600x128xf32>, memref<200000x128xbf16>) {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %more[%id, :]
  }
  return %out, %more : memref<600x128xf32>, memref<200000x128xbf16>
}

// An axis more would repeat what else the grid does.
func.func @beside(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<40x128xf32>, %same: memref<64x128xf32>) -> (memref<40x128xf32>, memref<64x128xf32>) {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.store %v, %same[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out, %same : memref<40x128xf32>, memref<64x128xf32>
}

// Products with all of 6,000 rows would take longer than to go through the lanes.
func.func @rows(%x: memref<64x128xf32>, %ids: memref<64xi32>, %out: memref<6000x128xf32>) -> memref<6000x128xf32> {
  tile.grid %m = 0 to 64 by m:32 {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<6000x128xf32>
}

// CHECK: {{.*}}/expand-gathers-explain.mlir:44:5: note: expand-gathers: rows are combined one by one with those of a resident array
// CHECK-NEXT: {{.*}}/expand-gathers-explain.mlir:8:5: note: expand-gathers: the grid goes through blocks of %out
// CHECK-NEXT: {{.*}}/expand-gathers-explain.mlir:18:5: note: expand-gathers: %out is whole for each tile of positions
// CHECK-NEXT: {{.*}}/expand-gathers-explain.mlir:23:5: note: expand-gathers: the grid goes through blocks of %more
// CHECK-NEXT: {{.*}}/expand-gathers-explain.mlir:34:5: note: expand-gathers: %out is whole for each tile of positions; the grid does more than this update
