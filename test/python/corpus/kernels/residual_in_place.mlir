// residual += x @ w, in the argument itself.
!sum = tensor<?x?xf32, #tile.spans<m, n>>
func.func @residual_in_place(%x: memref<?x200xbf16>, %w: memref<200x260xbf16>, %residual: memref<?x260xbf16>)
    -> memref<?x260xbf16> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m, %n = 0 to 260 by n {
    %zero = tile.splat 0.0 : !sum
    %acc = tile.for %k = 0 to 200 by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    %r = tile.load %residual[%m, %n]
    %wide = tile.cast %r to f32
    %y = arith.addf %wide, %acc : !sum
    tile.store %y, %residual[%m, %n]
  }
  return %residual : memref<?x260xbf16>
}
