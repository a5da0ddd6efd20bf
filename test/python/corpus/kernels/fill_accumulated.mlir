// out = x @ w, added up in the result itself, which begins as a fill.
!sum = tensor<?x?xf32, #tile.spans<m, n>>
func.func @fill_accumulated(%x: memref<?x200xbf16>, %w: memref<200x260xbf16>) -> memref<?x260xf32> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xbf16>
  %out = tile.full 1.5 like(%x) : memref<?x260xf32>
  tile.grid %m = 0 to %rows by m, %n = 0 to 260 by n {
    tile.for %k = 0 to 200 by k {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %a = tile.load %out[%m, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.store %sum, %out[%m, %n]
    }
  }
  return %out : memref<?x260xf32>
}
