// x[r] += relu(x[r]) / 2, tile by tile, in the argument itself.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @update_in_place(%x: memref<?x200xbf16>) -> memref<?x200xbf16> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %zero = tile.splat 0.0 : !tile
    %half = tile.splat 0.5 : !tile
    %positive = arith.maximumf %v, %zero : !tile
    %part = arith.mulf %positive, %half : !tile
    %y = arith.addf %v, %part : !tile
    tile.store %y, %x[%m, :]
  }
  return %x : memref<?x200xbf16>
}
