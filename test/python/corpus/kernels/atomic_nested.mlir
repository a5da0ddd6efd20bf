// Columns are summed by loops inside each other, in the order of memory, for each of two halves of the rows.
func.func @atomic_nested(%x: memref<2x50x200xbf16>, %all: memref<200xbf16>) -> (memref<2x200xbf16>, memref<200xbf16>) {
  %halves = tile.full 0.0 : memref<2x200xbf16>
  tile.grid %h = 0 to 2 {
    tile.for %m = 0 to 50 by m {
      tile.for %n = 0 to 200 by n {
        %v = tile.load %x[%h, %m, %n]
        %w = tile.cast %v to f32
        %s = tile.reduce add %w dims [0]
        tile.atomic_rmw add %s, %halves[%h, %n]
        tile.atomic_rmw add %s, %all[%n]
      }
    }
  }
  return %halves, %all : memref<2x200xbf16>, memref<200xbf16>
}
