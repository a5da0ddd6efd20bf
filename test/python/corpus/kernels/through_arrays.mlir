// Two arrays between three kernels: squares, which begin as a fill, and their sums, updated in place.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
!sums = tensor<?xf32, #tile.spans<r>>
func.func @through_arrays(%x: memref<100x200xbf16>) -> (memref<100xf32>, memref<100x200xf32>) {
  %squares = tile.full 0.0 : memref<100x200xf32>
  %sums = tile.empty : memref<100xf32>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %s = arith.mulf %f, %f : !tile
    tile.store %s, %squares[%m, :]
  }
  tile.grid %r = 0 to 100 by r {
    %s = tile.load %squares[%r, :]
    %sum = tile.reduce add %s dims [1]
    tile.store %sum, %sums[%r]
  }
  tile.grid %r = 0 to 100 by r {
    %s = tile.load %sums[%r]
    %one = tile.splat 1.0 : !sums
    %next = arith.addf %s, %one : !sums
    tile.store %next, %sums[%r]
  }
  return %sums, %squares : memref<100xf32>, memref<100x200xf32>
}
