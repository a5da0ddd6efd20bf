// One column of rows of a tile, of jagged rows, and of an array that is made here and stored in part.
func.func @columns(%x: memref<45x600xbf16>, %i: memref<45x3xi32>, %offsets: memref<6xi32>) -> (memref<45xi32>, memref<45x128xf32>) {
  %sums = tile.empty : memref<45xi32>
  %out = tile.empty : memref<45x128xf32>
  %own = tile.empty : memref<45x200xf32>
  tile.grid %m = 0 to 45 by m {
    %zero = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %sum = tile.for %j = 0 to 3 iter_args(%a = %zero) {
      %v = tile.load %i[%m, %j]
      %next = arith.addi %a, %v : tensor<?xi32, #tile.spans<m>>
      tile.yield %next
    }
    tile.store %sum, %sums[%m]
    tile.for %n = 0 to 128 by n {
      %u = tile.load %x[%m, %n]
      tile.store %u, %own[%m, %n]
    }
  }
  tile.grid %g = 0 to 5 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %c = tile.load %own[%m, %g + 2]
      %d = tile.load %x[%m, %g + 512]
      %e = tile.load %x[%m, 599]
      %d_1 = tile.cast %d to f32
      %e_1 = tile.cast %e to f32
      %f = arith.subf %d_1, %e_1 : tensor<?xf32, #tile.spans<m>>
      %s = arith.addf %c, %f : tensor<?xf32, #tile.spans<m>>
      %wide = tile.broadcast %s dims [0] : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %wide, %out[%m, :]
    }
  }
  return %sums, %out : memref<45xi32>, memref<45x128xf32>
}
