// out += x @ w, each tile of the inner dimension by itself.
func.func @atomic_matmul(%x: memref<40x300xbf16>, %w: memref<300x200xbf16>, %out: memref<40x200xbf16>)
    -> memref<40x200xbf16> {
  tile.grid %k = 0 to 300 by k, %m = 0 to 40 by m, %n = 0 to 200 by n {
    %lhs = tile.load %x[%m, %k]
    %rhs = tile.load %w[%k, %n]
    %part = tile.dot %lhs, %rhs
    tile.atomic_rmw add %part, %out[%m, %n]
  }
  return %out : memref<40x200xbf16>
}
