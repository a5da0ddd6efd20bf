// out[r] = the sum of row r: only what is read is cut.
func.func @narrow_lanes_read(%x: memref<40x200xbf16>) -> memref<40xf32> {
  %out = tile.empty : memref<40xf32>
  tile.grid %all = 0 to 1 {
    %zero = tile.splat 0.0 : tensor<40xf32>
    %sum = tile.for %n = 0 to 200 by n iter_args(%a = %zero) {
      %v = tile.load %x[:, %n]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [1]
      %next = arith.addf %a, %s : tensor<40xf32>
      tile.yield %next
    }
    tile.store %sum, %out[:]
  }
  return %out : memref<40xf32>
}
