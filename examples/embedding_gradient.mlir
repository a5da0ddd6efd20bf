// out[r] = the sum of the rows of dy whose id is r. Ids come in any order, and many rows have the same.
//
// A tile of ids names the rows that are updated. Compiled, blocks of output rows are compared with the ids, and
// the rows that are named are added by a matrix product with ones and zeros.
func.func @embedding_gradient(%dy: memref<?x200xbf16>, %ids: memref<?xi32>) -> memref<40x200xbf16> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %dy, %zero : memref<?x200xbf16>
  %out = tile.full 0.0 : memref<40x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %id = tile.load %ids[%m]
    %row = tile.load %dy[%m, :]
    tile.atomic_rmw add %row, %out[%id, :]
  }
  return %out : memref<40x200xbf16>
}
