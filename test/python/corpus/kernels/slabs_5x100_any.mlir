// Divides each 5 by 100 slab of x by the square root of one plus its mean square. The call says how many.
!row = tensor<?xf32, #tile.spans<m>>
!slab = tensor<?x5x100xf32, #tile.spans<m, _, _>>
func.func @slabs_5x100_any(%x: memref<?x5x100xbf16>) -> memref<?x5x100xbf16> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x5x100xbf16>
  %out = tile.empty like(%x) : memref<?x5x100xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :, :]
    %f = tile.cast %v to f32
    %square = arith.mulf %f, %f : !slab
    %squares = tile.reduce add %square dims [1, 2]
    %count = tile.splat 500.0 : !row
    %mean = arith.divf %squares, %count : !row
    %one = tile.splat 1.0 : !row
    %safe = arith.addf %mean, %one : !row
    %inverse = math.rsqrt %safe : !row
    %scale = tile.broadcast %inverse dims [0] : !slab
    %y = arith.mulf %f, %scale : !slab
    tile.store %y, %out[%m, :, :]
  }
  return %out : memref<?x5x100xbf16>
}
