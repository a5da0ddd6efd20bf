// Arrays that are stored, loaded and returned through views. Every reference stands in views.py.

func.func @stored_2d(%x: memref<40x256xf32>) -> memref<10240xf32> {
  %out = tile.empty : memref<40x256xf32>
  %flat = tile.view %out : memref<40x256xf32> to memref<10240xf32>
  tile.grid %m = 0 to 40 by m {
    %v = tile.load %x[%m, :]
    %w = arith.addf %v, %v : tensor<?x256xf32, #tile.spans<m, _>>
    tile.store %w, %out[%m, :]
  }
  return %flat : memref<10240xf32>
}

// -----

func.func @stored_by_lanes(%x: memref<1024x128xf32>) -> (memref<131072xf32>, memref<64x16x128xf32>) {
  %out = tile.empty : memref<1024x128xf32>
  %last = tile.empty : memref<1024x128xf32>
  %flat = tile.view %out : memref<1024x128xf32> to memref<131072xf32>
  %tiles = tile.view %last : memref<1024x128xf32> to memref<64x16x128xf32>
  tile.grid %m = 0 to 1024 by m {
    %v = tile.load %x[%m, :]
    %w = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %v, %out[%m, :]
    tile.store %w, %last[%m, :]
  }
  return %flat, %tiles : memref<131072xf32>, memref<64x16x128xf32>
}

// -----

func.func @stored_flat(%x: memref<40x256xf32>) -> memref<40x256xf32> {
  %out = tile.empty : memref<40x256xf32>
  %from = tile.view %x : memref<40x256xf32> to memref<10240xf32>
  %to = tile.view %out : memref<40x256xf32> to memref<10240xf32>
  tile.grid %m = 0 to 10240 by m {
    %v = tile.load %from[%m]
    %w = arith.addf %v, %v : tensor<?xf32, #tile.spans<m>>
    tile.store %w, %to[%m]
  }
  return %out : memref<40x256xf32>
}

// -----

func.func @stored_transposed(%x: memref<200x300xf32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  %t = tile.view %out permute [1, 0] : memref<300x200xf32> to memref<200x300xf32>
  tile.grid %m = 0 to 200 by m, %n = 0 to 300 by n {
    %v = tile.load %x[%m, %n]
    tile.store %v, %t[%m, %n]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @returned_transposed(%x: memref<200x300xf32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<200x300xf32>
  %t = tile.view %out permute [1, 0] : memref<200x300xf32> to memref<300x200xf32>
  tile.grid %m = 0 to 200 by m, %n = 0 to 300 by n {
    %v = tile.load %x[%m, %n]
    tile.store %v, %out[%m, %n]
  }
  return %t : memref<300x200xf32>
}

// -----

func.func @returned_both_ways(%x: memref<200x300xf32>) -> (memref<200x300xf32>, memref<300x200xf32>) {
  %out = tile.full 1.0 : memref<200x300xf32>
  %t = tile.view %out permute [1, 0] : memref<200x300xf32> to memref<300x200xf32>
  tile.grid %m = 0 to 200 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out, %t : memref<200x300xf32>, memref<300x200xf32>
}

// -----

func.func @loaded_flat(%x: memref<24x8x128xf32>, %y: memref<24x1024xf32>) -> memref<24x1024xf32> {
  %out = tile.empty : memref<24x1024xf32>
  %flat = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  tile.grid %m = 0 to 24 by m {
    %v = tile.load %flat[%m, :]
    %w = tile.load %y[%m, :]
    %s = arith.addf %v, %w : tensor<?x1024xf32, #tile.spans<m, _>>
    tile.store %s, %out[%m, :]
  }
  return %out : memref<24x1024xf32>
}

// -----

func.func @loaded_transposed(%x: memref<200x300xf32>, %y: memref<300x200xf32>) -> memref<300x200xf32> {
  %out = tile.empty : memref<300x200xf32>
  %t = tile.view %x permute [1, 0] : memref<200x300xf32> to memref<300x200xf32>
  tile.grid %m = 0 to 300 by m {
    %v = tile.load %t[%m, :]
    %w = tile.load %y[%m, :]
    %s = arith.addf %v, %w : tensor<?x200xf32, #tile.spans<m, _>>
    tile.store %s, %out[%m, :]
  }
  return %out : memref<300x200xf32>
}

// -----

func.func @inner_permuted(%x: memref<4x72x160xf32>) -> memref<4x160x72xf32> {
  %out = tile.empty : memref<4x160x72xf32>
  %t = tile.view %x permute [0, 2, 1] : memref<4x72x160xf32> to memref<4x160x72xf32>
  tile.grid %g = 0 to 4, %m = 0 to 160 by m {
    %v = tile.load %t[%g, %m, :]
    tile.store %v, %out[%g, %m, :]
  }
  return %out : memref<4x160x72xf32>
}

// -----

func.func @outer_permuted(%x: memref<4x40x160xf32>) -> memref<40x4x160xf32> {
  %out = tile.empty : memref<40x4x160xf32>
  %t = tile.view %x permute [1, 0, 2] : memref<4x40x160xf32> to memref<40x4x160xf32>
  tile.grid %m = 0 to 40 by m {
    %v = tile.load %t[%m, :, :]
    tile.store %v, %out[%m, :, :]
  }
  return %out : memref<40x4x160xf32>
}

// -----

func.func @heads(%x: memref<40x4x128xf32>) -> memref<40x4x128xf32> {
  %out = tile.empty : memref<40x4x128xf32>
  %from = tile.view %x permute [1, 0, 2] : memref<40x4x128xf32> to memref<4x40x128xf32>
  %to = tile.view %out permute [1, 0, 2] : memref<40x4x128xf32> to memref<4x40x128xf32>
  tile.grid %h = 0 to 4, %m = 0 to 40 by m {
    %v = tile.load %from[%h, %m, :]
    %w = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %w, %to[%h, %m, :]
  }
  return %out : memref<40x4x128xf32>
}

// -----

func.func @in_place(%x: memref<24x8x128xf32>) -> memref<24x8x128xf32> {
  %rows = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  tile.grid %m = 0 to 20 by m {
    %v = tile.load %rows[%m, :]
    %w = arith.addf %v, %v : tensor<?x1024xf32, #tile.spans<m, _>>
    tile.store %w, %rows[%m, :]
  }
  return %x : memref<24x8x128xf32>
}

// -----

func.func @in_place_transposed(%x: memref<200x300xf32>) -> memref<300x200xf32> {
  %t = tile.view %x permute [1, 0] : memref<200x300xf32> to memref<300x200xf32>
  tile.grid %m = 0 to 300 by m {
    %v = tile.load %t[%m, :]
    %w = arith.addf %v, %v : tensor<?x200xf32, #tile.spans<m, _>>
    tile.store %w, %t[%m, :]
  }
  return %t : memref<300x200xf32>
}

// -----

func.func @two_shapes_read(%x: memref<24x8x128xf32>) -> (memref<24x1024xf32>, memref<192x128xf32>) {
  %a = tile.empty : memref<24x1024xf32>
  %b = tile.empty : memref<192x128xf32>
  %wide = tile.view %x : memref<24x8x128xf32> to memref<24x1024xf32>
  %long = tile.view %x : memref<24x8x128xf32> to memref<192x128xf32>
  tile.grid %m = 0 to 24 by m {
    %v = tile.load %wide[%m, :]
    %first = tile.load %long[3, :]
    %many = tile.broadcast %first dims [1] : tensor<?x128xf32, #tile.spans<m, _>>
    %part = tile.slice %v dim 1 from 0 size 128
    %rest = tile.slice %v dim 1 from 128 size 896
    %sum = arith.addf %part, %many : tensor<?x128xf32, #tile.spans<m, _>>
    %all = tile.concatenate %sum, %rest dim 1
    tile.store %all, %a[%m, :]
  }
  tile.grid %n = 0 to 192 by n {
    %v = tile.load %long[%n, :]
    tile.store %v, %b[%n, :]
  }
  return %a, %b : memref<24x1024xf32>, memref<192x128xf32>
}

// -----

func.func @rows(%x: memref<?x4x64xf32>) -> memref<?x4x64xf32> {
  %c0 = arith.constant 0 : index
  %out = tile.empty like(%x) : memref<?x4x64xf32>
  %from = tile.view %x : memref<?x4x64xf32> to memref<?x256xf32>
  %to = tile.view %out : memref<?x4x64xf32> to memref<?x256xf32>
  %rows = memref.dim %from, %c0 : memref<?x256xf32>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %from[%m, :]
    %w = arith.addf %v, %v : tensor<?x256xf32, #tile.spans<m, _>>
    tile.store %w, %to[%m, :]
  }
  return %out : memref<?x4x64xf32>
}

// -----

func.func @between_kernels(%x: memref<24x8x128xf32>) -> memref<24x1024xf32> {
  %between = tile.empty : memref<24x8x128xf32>
  %out = tile.empty : memref<24x1024xf32>
  %rows = tile.view %between : memref<24x8x128xf32> to memref<24x1024xf32>
  tile.grid %m = 0 to 24 by m {
    %v = tile.load %x[%m, :, :]
    tile.store %v, %between[%m, :, :]
  }
  tile.grid %m = 0 to 24 by m {
    %v = tile.load %rows[%m, :]
    %w = arith.addf %v, %v : tensor<?x1024xf32, #tile.spans<m, _>>
    tile.store %w, %out[%m, :]
  }
  return %out : memref<24x1024xf32>
}

// -----

func.func @turned_twice(%x: memref<16x256xf32>) -> memref<4096xf32> {
  %out = tile.empty : memref<256x16xf32>
  %t = tile.view %out permute [1, 0] : memref<256x16xf32> to memref<16x256xf32>
  %flat = tile.view %t : memref<16x256xf32> to memref<4096xf32>
  tile.grid %m = 0 to 16 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %t[%m, :]
  }
  return %flat : memref<4096xf32>
}
