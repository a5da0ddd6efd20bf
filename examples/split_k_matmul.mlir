// out = x @ w, summed by whoever comes: each cell multiplies one tile of x with one of w and adds the product
// to the output, in any order of cells.
//
// The output begins as zeros. Compiled, the axis k becomes the innermost, and sums are kept in f32 until they
// are complete.
func.func @split_k_matmul(%x: memref<300x200xbf16>, %w: memref<200x260xbf16>) -> memref<300x260xbf16> {
  %out = tile.full 0.0 : memref<300x260xbf16>
  tile.grid %k = 0 to 200 by k, %m = 0 to 300 by m, %n = 0 to 260 by n {
    %lhs = tile.load %x[%m, %k]
    %rhs = tile.load %w[%k, %n]
    %product = tile.dot %lhs, %rhs
    tile.atomic_rmw add %product, %out[%m, %n]
  }
  return %out : memref<300x260xbf16>
}
