// Arrays whose rows or elements are updated at computed positions. Every reference stands in gathers.py.

func.func @rows_added(%x: memref<1000x200xf32>, %ids: memref<1000xi32>, %out: memref<40x200xf32>) -> memref<40x200xf32> {
  tile.grid %m = 0 to 1000 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<40x200xf32>
}

// -----

func.func @to_many_rows(%x: memref<1000x200xf32>, %ids: memref<1000xi32>, %out: memref<1200x200xf32>) -> memref<1200x200xf32> {
  tile.grid %m = 0 to 1000 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<1200x200xf32>
}

// -----

func.func @histogram(%ids: memref<1000xi32>) -> memref<256xi32> {
  %out = tile.full 0 : memref<256xi32>
  tile.grid %m = 0 to 1000 by m {
    %id = tile.load %ids[%m]
    %one = tile.splat 1 : tensor<?xi32, #tile.spans<m>>
    tile.atomic_rmw add %one, %out[%id]
  }
  return %out : memref<256xi32>
}

// -----

func.func @computed_bins(%x: memref<1000xf32>) -> memref<100xi32> {
  %out = tile.full 3 : memref<100xi32>
  tile.grid %m = 0 to 1000 by m {
    %v = tile.load %x[%m]
    %scale = tile.splat 50.0 : tensor<?xf32, #tile.spans<m>>
    %scaled = arith.mulf %v, %scale : tensor<?xf32, #tile.spans<m>>
    %bin = tile.cast %scaled to i32
    %one = tile.splat 1 : tensor<?xi32, #tile.spans<m>>
    tile.atomic_rmw add %one, %out[%bin + 50] drop
  }
  return %out : memref<100xi32>
}

// -----

func.func @elements_updated(%x: memref<300xf32>, %ids: memref<300xi32>, %sums: memref<40xf32>, %most: memref<40xf32>, %least: memref<40xf32>) -> (memref<40xf32>, memref<40xf32>, memref<40xf32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw add %v, %sums[%id]
    tile.atomic_rmw max %v, %most[%id]
    tile.atomic_rmw min %v, %least[%id]
  }
  return %sums, %most, %least : memref<40xf32>, memref<40xf32>, memref<40xf32>
}

// -----

func.func @bits_updated(%x: memref<300xi32>, %ids: memref<300xi32>, %all: memref<40xi32>, %any: memref<40xi32>, %odd: memref<40xi32>) -> (memref<40xi32>, memref<40xi32>, memref<40xi32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw and %v, %all[%id]
    tile.atomic_rmw or %v, %any[%id]
    tile.atomic_rmw xor %v, %odd[%id]
  }
  return %all, %any, %odd : memref<40xi32>, memref<40xi32>, memref<40xi32>
}

// -----

// Lanes that the mask leaves out hold NaN, and name rows outside of the array.
func.func @masked_and_added(%x: memref<300x200xf32>, %y: memref<300xf32>, %ids: memref<300xi32>, %out: memref<40x200xf32>, %one: memref<40xf32>) -> (memref<40x200xf32>, memref<40xf32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    %none = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %p = tile.compare ge %id, %none
    %wide = tile.broadcast %p dims [0] : tensor<?x200xi1, #tile.spans<m, _>>
    tile.atomic_rmw add %v, %out[%id, :] mask %wide
    %w = tile.load %y[%m]
    tile.atomic_rmw add %w, %one[%id] mask %p
  }
  return %out, %one : memref<40x200xf32>, memref<40xf32>
}

// -----

// Positions 40 and more are left out; in one of the calls these are all.
func.func @dropped(%x: memref<300x200xf32>, %y: memref<300xf32>, %ids: memref<300xi32>, %out: memref<40x200xf32>, %one: memref<40xf32>) -> (memref<40x200xf32>, memref<40xf32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :] drop
    %w = tile.load %y[%m]
    tile.atomic_rmw add %w, %one[%id] drop
  }
  return %out, %one : memref<40x200xf32>, memref<40xf32>
}

// -----

func.func @lanes_added(%x: memref<100x300xf32>, %ids: memref<300xi32>, %out: memref<100x40xf32>) -> memref<100x40xf32> {
  tile.grid %m = 0 to 100 by m, %k = 0 to 300 by k {
    %id = tile.load %ids[%k]
    %v = tile.load %x[%m, %k]
    tile.atomic_rmw add %v, %out[%m, %id]
  }
  return %out : memref<100x40xf32>
}

// -----

func.func @in_groups_added(%x: memref<4x300x200xf32>, %y: memref<4x300xf32>, %ids: memref<300xi32>, %out: memref<4x40x200xf32>, %one: memref<4x40xf32>) -> (memref<4x40x200xf32>, memref<4x40xf32>) {
  tile.grid %g = 0 to 4, %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%g, %m, :]
    tile.atomic_rmw add %v, %out[%g, %id, :]
    %w = tile.load %y[%g, %m]
    tile.atomic_rmw add %w, %one[%g, %id]
  }
  return %out, %one : memref<4x40x200xf32>, memref<4x40xf32>
}

// -----

// No position is named twice. Rows of %out that none names stay as they are.
func.func @rows_scattered(%x: memref<300x200xf32>, %y: memref<300xf32>, %ids: memref<300xi32>, %out: memref<1200x200xf32>, %one: memref<1200xf32>) -> (memref<1200x200xf32>, memref<1200xf32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.scatter %v, %out[%id, :]
    %w = tile.load %y[%m]
    tile.scatter %w, %one[%id]
  }
  return %out, %one : memref<1200x200xf32>, memref<1200xf32>
}

// -----

func.func @some_rows_scattered(%x: memref<300x200xf32>, %y: memref<300xf32>, %ids: memref<300xi32>, %out: memref<200x200xf32>, %one: memref<200xf32>) -> (memref<200x200xf32>, memref<200xf32>) {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    %w = tile.load %y[%m]
    %hundred = tile.splat 100 : tensor<?xi32, #tile.spans<m>>
    %p = tile.compare ge %id, %hundred
    %wide = tile.broadcast %p dims [0] : tensor<?x200xi1, #tile.spans<m, _>>
    tile.scatter %v, %out[%id, :] mask %wide drop
    tile.scatter %w, %one[%id] mask %p drop
  }
  return %out, %one : memref<200x200xf32>, memref<200xf32>
}

// -----

func.func @two_of_one_array(%x: memref<300x200xf32>, %ids: memref<300xi32>, %to: memref<300xi32>, %out: memref<40x200xf32>) -> memref<40x200xf32> {
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
    %i = tile.load %to[%m]
    %n = arith.addf %v, %v : tensor<?x200xf32, #tile.spans<m, _>>
    tile.atomic_rmw add %n, %out[%i, :]
  }
  return %out : memref<40x200xf32>
}

// -----

func.func @any_rows_added(%x: memref<?x200xf32>, %ids: memref<?xi32>) -> memref<40x200xf32> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x200xf32>
  %out = tile.full 0.0 : memref<40x200xf32>
  tile.grid %m = 0 to %rows by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %out[%id, :]
  }
  return %out : memref<40x200xf32>
}

// -----

func.func @turned_and_added(%x: memref<300x200xf32>, %ids: memref<300xi32>) -> memref<200x40xf32> {
  %out = tile.full 1.0 : memref<200x40xf32>
  %t = tile.view %out permute [1, 0] : memref<200x40xf32> to memref<40x200xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw add %v, %t[%id, :]
  }
  return %out : memref<200x40xf32>
}

// -----

// Positions of each group are looked up in a table of the group.
func.func @added_where_gathered(%x: memref<4x300x200xf32>, %table: memref<4x50xi32>, %ids: memref<300xi32>, %out: memref<40x200xf32>) -> memref<40x200xf32> {
  tile.grid %m = 0 to 300 by m {
    tile.for %g = 0 to 4 {
      %id = tile.load %ids[%m]
      %at = tile.gather %table[%g, %id]
      %v = tile.load %x[%g, %m, :]
      tile.atomic_rmw add %v, %out[%at, :]
    }
  }
  return %out : memref<40x200xf32>
}
