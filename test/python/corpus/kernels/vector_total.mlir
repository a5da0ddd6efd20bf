// out[0] = the sum of a vector, which passes by in tiles.
func.func @vector_total(%x: memref<200xbf16>) -> memref<1xf32> {
  %out = tile.empty : memref<1xf32>
  %zero = arith.constant 0.0 : f32
  tile.grid %all = 0 to 1 {
    %total = tile.for %i = 0 to 200 by i iter_args(%t = %zero) {
      %v = tile.load %x[%i]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [0]
      %next = arith.addf %t, %s : f32
      tile.yield %next
    }
    tile.store %total, %out[%all]
  }
  return %out : memref<1xf32>
}
