// A vector along rows and one along columns in one expression, and the same transposed.
!tile = tensor<?x?xf32, #tile.spans<m, n>>
!turned = tensor<?x?xf32, #tile.spans<n, m>>
func.func @columns_and_rows(%x: memref<100x200xbf16>, %u: memref<100xbf16>, %v: memref<200xbf16>)
    -> (memref<100x200xbf16>, memref<200x100xbf16>) {
  %out = tile.empty : memref<100x200xbf16>
  %turned = tile.empty : memref<200x100xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %a = tile.load %x[%m, %n]
    %f = tile.cast %a to f32
    %c = tile.load %u[%m]
    %cf = tile.cast %c to f32
    %r = tile.load %v[%n]
    %rf = tile.cast %r to f32
    %cw = tile.broadcast %cf dims [0] : !tile
    %rw = tile.broadcast %rf dims [1] : !tile
    %p = arith.mulf %cw, %rw : !tile
    %y = arith.addf %f, %p : !tile
    tile.store %y, %out[%m, %n]
    %t = tile.transpose %f [1, 0]
    %ct = tile.broadcast %cf dims [1] : !turned
    %rt = tile.broadcast %rf dims [0] : !turned
    %q = arith.subf %ct, %rt : !turned
    %z = arith.mulf %t, %q : !turned
    tile.store %z, %turned[%n, %m]
  }
  return %out, %turned : memref<100x200xbf16>, memref<200x100xbf16>
}
