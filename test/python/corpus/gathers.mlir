// Arrays whose rows or elements are read at computed positions. Every reference stands in gathers.py.

func.func @rows(%x: memref<70x200xf32>, %ids: memref<300xi32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @rows_of_a_large_table(%x: memref<1200x200xf32>, %ids: memref<300xi32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  tile.grid %m = 0 to 300 by m, %n = 0 to 200 by n {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, %n]
    tile.store %v, %out[%m, %n]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @elements(%x: memref<70xf32>, %large: memref<1200xf32>, %ids: memref<300xi32>) -> (memref<300xf32>, memref<300xf32>) {
  %out = tile.empty : memref<300xf32>
  %more = tile.empty : memref<300xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id]
    tile.store %v, %out[%m]
    %w = tile.gather %large[%id]
    tile.store %w, %more[%m]
  }
  return %out, %more : memref<300xf32>, memref<300xf32>
}

// -----

// Positions that the mask leaves out are outside of the array, and NaN in no row is met.
func.func @masked(%x: memref<70x200xf32>, %y: memref<70xf32>, %ids: memref<300xi32>) -> (memref<300x200xf32>, memref<300xf32>) {
  %out = tile.empty : memref<300x200xf32>
  %more = tile.empty : memref<300xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %none = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %p = tile.compare ge %id, %none
    %wide = tile.broadcast %p dims [0] : tensor<?x200xi1, #tile.spans<m, _>>
    %other = tile.splat 7.0 : tensor<?x200xf32, #tile.spans<m, _>>
    %v = tile.gather %x[%id, :] mask %wide other %other
    tile.store %v, %out[%m, :]
    %seven = tile.splat 7.0 : tensor<?xf32, #tile.spans<m>>
    %w = tile.gather %y[%id] mask %p other %seven
    tile.store %w, %more[%m]
  }
  return %out, %more : memref<300x200xf32>, memref<300xf32>
}

// -----

func.func @shifted(%x: memref<80x200xf32>, %y: memref<80xf32>, %ids: memref<300xi32>) -> (memref<300x200xf32>, memref<300xf32>) {
  %out = tile.empty : memref<300x200xf32>
  %more = tile.full 0.0 : memref<300xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id + 5, :]
    tile.store %v, %out[%m, :]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %sum = tile.for %g = 0 to 3 iter_args(%a = %zero) {
      %w = tile.gather %y[%id + %g]
      %next = arith.addf %a, %w : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %more[%m]
  }
  return %out, %more : memref<300x200xf32>, memref<300xf32>
}

// -----

func.func @lanes(%x: memref<100x300xf32>, %ids: memref<200xi32>) -> (memref<100x200xf32>, memref<200x200xf32>) {
  %out = tile.empty : memref<100x200xf32>
  %more = tile.empty : memref<200x200xf32>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %id = tile.load %ids[%n]
    %v = tile.gather %x[%m, %id]
    tile.store %v, %out[%m, %n]
  }
  tile.grid %n = 0 to 200 by n {
    %id = tile.load %ids[%n]
    %v = tile.gather %x[:, %id]
    %t = tile.transpose %v [1, 0]
    %u = tile.concatenate %t, %t dim 1
    tile.store %u, %more[%n, :]
  }
  return %out, %more : memref<100x200xf32>, memref<200x200xf32>
}

// -----

func.func @in_groups(%x: memref<4x70x200xf32>, %y: memref<4x70xf32>, %ids: memref<300xi32>) -> (memref<4x300x200xf32>, memref<4x300xf32>) {
  %out = tile.empty : memref<4x300x200xf32>
  %more = tile.empty : memref<4x300xf32>
  tile.grid %g = 0 to 4, %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%g, %id, :]
    tile.store %v, %out[%g, %m, :]
    %w = tile.gather %y[%g, %id]
    tile.store %w, %more[%g, %m]
  }
  return %out, %more : memref<4x300x200xf32>, memref<4x300xf32>
}

// -----

func.func @carried(%x: memref<70x200xf32>, %ids: memref<8x300xi32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  tile.grid %m = 0 to 300 by m {
    %zero = tile.splat 0.0 : tensor<?x200xf32, #tile.spans<m, _>>
    %sum = tile.for %k = 0 to 8 iter_args(%a = %zero) {
      %id = tile.load %ids[%k, %m]
      %v = tile.gather %x[%id, :]
      %next = arith.addf %a, %v : tensor<?x200xf32, #tile.spans<m, _>>
      tile.yield %next
    }
    tile.store %sum, %out[%m, :]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @any_rows(%x: memref<?x200xf32>, %table: memref<70x200xf32>, %ids: memref<?xi32>) -> memref<?x200xf32> {
  %out = tile.empty like(%x) : memref<?x200xf32>
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x200xf32>
  tile.grid %m = 0 to %rows by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %table[%id, :]
    %w = tile.load %x[%m, :]
    %s = arith.addf %v, %w : tensor<?x200xf32, #tile.spans<m, _>>
    tile.store %s, %out[%m, :]
  }
  return %out : memref<?x200xf32>
}

// -----

func.func @turned(%x: memref<200x70xf32>, %ids: memref<300xi32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  %t = tile.view %x permute [1, 0] : memref<200x70xf32> to memref<70x200xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %t[%id, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @gathered_and_added(%x: memref<70x200xf32>, %ids: memref<300xi32>, %to: memref<300xi32>) -> memref<40x200xf32> {
  %out = tile.full 0.0 : memref<40x200xf32>
  tile.grid %m = 0 to 300 by m {
    %id = tile.load %ids[%m]
    %v = tile.gather %x[%id, :]
    %i = tile.load %to[%m]
    tile.atomic_rmw add %v, %out[%i, :]
  }
  return %out : memref<40x200xf32>
}
