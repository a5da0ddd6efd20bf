// Sums of the first 150 columns, and of the rows that have a flag.
func.func @atomic_masked(%x: memref<100x200xbf16>, %flags: memref<100xi32>, %rows: memref<100xf32>)
    -> (memref<200xbf16>, memref<100xf32>) {
  %columns = tile.full 0.0 : memref<200xbf16>
  tile.grid %m = 0 to 100 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    %c = tile.reduce add %w dims [0]
    %column = tile.indices %n
    %end = tile.splat 150 : tensor<?xi32, #tile.spans<n>>
    %p = tile.compare lt %column, %end
    tile.atomic_rmw add %c, %columns[%n] mask %p
    %r = tile.reduce add %w dims [1]
    %flag = tile.load %flags[%m]
    %off = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %q = tile.compare ne %flag, %off
    tile.atomic_rmw add %r, %rows[%m] mask %q
  }
  return %columns, %rows : memref<200xbf16>, memref<100xf32>
}
