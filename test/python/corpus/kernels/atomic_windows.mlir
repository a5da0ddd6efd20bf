// Each row is added to three rows of the result: windows of one array that meet each other.
func.func @atomic_windows(%x: memref<64x200xbf16>, %out: memref<69x200xbf16>) -> memref<69x200xbf16> {
  tile.grid %m = 0 to 64 by m, %n = 0 to 200 by n {
    %v = tile.load %x[%m, %n]
    %w = tile.cast %v to f32
    tile.atomic_rmw add %w, %out[%m, %n]
    tile.atomic_rmw add %w, %out[%m + 2, %n]
    tile.atomic_rmw add %w, %out[%m + 5, %n]
  }
  return %out : memref<69x200xbf16>
}
