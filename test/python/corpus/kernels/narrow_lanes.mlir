// Copies blocks of columns, which need not be as wide as a register nor begin where one does.
func.func @narrow_lanes(%x: memref<40x200xbf16>) -> memref<40x200xbf16> {
  %out = tile.empty : memref<40x200xbf16>
  tile.grid %n = 0 to 200 by n {
    %v = tile.load %x[:, %n]
    tile.store %v, %out[:, %n]
  }
  return %out : memref<40x200xbf16>
}
