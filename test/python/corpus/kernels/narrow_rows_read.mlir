// out[0, :] = the sum of the rows of x: only what is read is cut.
func.func @narrow_rows_read(%x: memref<100x200xbf16>) -> memref<1x200xf32> {
  %out = tile.empty : memref<1x200xf32>
  tile.grid %all = 0 to 1 {
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = 0 to 100 by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %out[%all, :]
  }
  return %out : memref<1x200xf32>
}
