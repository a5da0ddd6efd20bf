// sum = x + residual and norm = sum / sqrt(mean(sum^2) + 1e-6) * weight, row by row, in one pass over memory.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @residual_rms_norm(%x: memref<?x200xbf16>, %residual: memref<?x200xbf16>, %weight: memref<200xbf16>)
    -> (memref<?x200xbf16>, memref<?x200xbf16>) {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x200xbf16>
  %sum = tile.empty like(%x) : memref<?x200xbf16>
  %norm = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %a = tile.load %x[%m, :]
    %b = tile.load %residual[%m, :]
    %af = tile.cast %a to f32
    %bf = tile.cast %b to f32
    %s = arith.addf %af, %bf : !tile
    tile.store %s, %sum[%m, :]
    %square = arith.mulf %s, %s : !tile
    %squares = tile.reduce add %square dims [1]
    %count = tile.splat 200.0 : !row
    %mean = arith.divf %squares, %count : !row
    %epsilon = tile.splat 1.0e-6 : !row
    %safe = arith.addf %mean, %epsilon : !row
    %inverse = math.rsqrt %safe : !row
    %inversew = tile.broadcast %inverse dims [0] : !tile
    %normal = arith.mulf %s, %inversew : !tile
    %w = tile.load %weight[:]
    %wf = tile.cast %w to f32
    %ww = tile.broadcast %wf dims [1] : !tile
    %y = arith.mulf %normal, %ww : !tile
    tile.store %y, %norm[%m, :]
  }
  return %sum, %norm : memref<?x200xbf16>, memref<?x200xbf16>
}
