// out = (x - mean) / sqrt(variance + 1e-5) * gamma + beta, for each row of x.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @layer_norm(%x: memref<?x200xbf16>, %gamma: memref<200xbf16>, %beta: memref<200xbf16>)
    -> memref<?x200xbf16> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x200xbf16>
  %out = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %count = tile.splat 200.0 : !row
    %sum = tile.reduce add %f dims [1]
    %mean = arith.divf %sum, %count : !row
    %meanw = tile.broadcast %mean dims [0] : !tile
    %d = arith.subf %f, %meanw : !tile
    %square = arith.mulf %d, %d : !tile
    %squares = tile.reduce add %square dims [1]
    %variance = arith.divf %squares, %count : !row
    %epsilon = tile.splat 1.0e-5 : !row
    %safe = arith.addf %variance, %epsilon : !row
    %inverse = math.rsqrt %safe : !row
    %inversew = tile.broadcast %inverse dims [0] : !tile
    %normal = arith.mulf %d, %inversew : !tile
    // The same gamma and beta for every row: their one dimension becomes dimension 1.
    %g = tile.load %gamma[:]
    %gf = tile.cast %g to f32
    %gw = tile.broadcast %gf dims [1] : !tile
    %scaled = arith.mulf %normal, %gw : !tile
    %b = tile.load %beta[:]
    %bf = tile.cast %b to f32
    %bw = tile.broadcast %bf dims [1] : !tile
    %y = arith.addf %scaled, %bw : !tile
    tile.store %y, %out[%m, :]
  }
  return %out : memref<?x200xbf16>
}
