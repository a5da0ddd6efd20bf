// Replaces the rows 32 to 64 of y by those of x. No step needs what y held, and the other rows stay.
func.func @some_blocks(%x: memref<100x200xbf16>, %y: memref<100x200xbf16>) -> memref<100x200xbf16> {
  tile.grid %m = 32 to 64 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %y[%m, :]
  }
  return %y : memref<100x200xbf16>
}
