// Adds x to state in place; results besides it are the sums of the rows of x, and x less the old state.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @outputs_and_in_place(%x: memref<?x200xbf16>, %state: memref<?x200xbf16>)
    -> (memref<?xf32>, memref<?x200xbf16>, memref<?x200xbf16>) {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xbf16>
  %sums = tile.empty like(%x) : memref<?xf32>
  %less = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %old = tile.load %state[%m, :]
    %d = arith.subf %v, %old : !tile
    tile.store %d, %less[%m, :]
    %new = arith.addf %v, %old : !tile
    tile.store %new, %state[%m, :]
    %wide = tile.cast %v to f32
    %sum = tile.reduce add %wide dims [1]
    tile.store %sum, %sums[%m]
  }
  return %sums, %state, %less : memref<?xf32>, memref<?x200xbf16>, memref<?x200xbf16>
}
