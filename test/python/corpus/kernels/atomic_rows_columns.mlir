// Sums of rows and of columns, which want opposite orders.
func.func @atomic_rows_columns(%x: memref<100x200xbf16>, %columns: memref<200xbf16>)
    -> (memref<100xf32>, memref<200xbf16>) {
  %rows = tile.full 0.0 : memref<100xf32>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %r = tile.reduce add %w dims [1]
    tile.atomic_rmw add %r, %rows[%m]
    %c = tile.reduce add %w dims [0]
    tile.atomic_rmw add %c, %columns[%n]
  }
  return %rows, %columns : memref<100xf32>, memref<200xbf16>
}
