// Each row takes the place of the one before: before[r] is row r - 1, and last the last.
func.func @atomic_exchange(%x: memref<6x200xbf16>, %last: memref<200xbf16>)
    -> (memref<6x200xbf16>, memref<200xbf16>) {
  %before = tile.empty : memref<6x200xbf16>
  tile.grid %n = 0 to 200 by n {
    tile.for %r = 0 to 6 {
      %v = tile.load %x[%r, %n]
      %o = tile.atomic_rmw exchange %v, %last[%n] old
      tile.store %o, %before[%r, %n]
    }
  }
  return %before, %last : memref<6x200xbf16>, memref<200xbf16>
}
