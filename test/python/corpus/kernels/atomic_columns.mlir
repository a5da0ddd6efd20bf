// out[n] = the sum of column n. The axis that is summed over is the outer one, as the array lies in memory.
func.func @atomic_columns(%x: memref<100x200xbf16>) -> memref<200xbf16> {
  %out = tile.full 0.0 : memref<200xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %s = tile.reduce add %w dims [0]
    tile.atomic_rmw add %s, %out[%n]
  }
  return %out : memref<200xbf16>
}
