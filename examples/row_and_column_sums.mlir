// The sums of the rows of x and those of its columns, from one pass over x.
//
// Every cell of the grid adds to a part of each. No order of cells suits both: one is kept on the chip.
func.func @row_and_column_sums(%x: memref<300x260xbf16>) -> (memref<300xf32>, memref<260xf32>) {
  %rows = tile.full 0.0 : memref<300xf32>
  %columns = tile.full 0.0 : memref<260xf32>
  tile.grid %m = 0 to 300 by m, %n = 0 to 260 by n {
    %tile = tile.load %x[%m, %n]
    %wide = tile.cast %tile to f32
    %row = tile.reduce add %wide dims [1]
    tile.atomic_rmw add %row, %rows[%m]
    %column = tile.reduce add %wide dims [0]
    tile.atomic_rmw add %column, %columns[%n]
  }
  return %rows, %columns : memref<300xf32>, memref<260xf32>
}
