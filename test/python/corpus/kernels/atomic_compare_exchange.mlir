// An element becomes that of row r where it equals that of row r + 1.
func.func @atomic_compare_exchange(%flags: memref<7x200xbf16>) -> (memref<6x200xbf16>, memref<200xbf16>) {
  %state = tile.full 0.0 : memref<200xbf16>
  %found = tile.empty : memref<6x200xbf16>
  tile.grid %n = 0 to 200 by n {
    tile.for %r = 0 to 6 {
      %v = tile.load %flags[%r, %n]
      %e = tile.load %flags[%r + 1, %n]
      %o = tile.atomic_rmw compare_exchange %v, %state[%n] expected %e old
      tile.store %o, %found[%r, %n]
    }
  }
  return %found, %state : memref<6x200xbf16>, memref<200xbf16>
}
