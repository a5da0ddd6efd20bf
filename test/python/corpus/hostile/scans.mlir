// Running extremes down and along each tile of 16 rows and 128 columns, with tails in both.
!tile = tensor<16x128xf32, #tile.spans<m, n>>
func.func @scans(%x: memref<100x200xbf16>) -> (memref<100x200xbf16>, memref<100x200xbf16>) {
  %down = tile.empty : memref<100x200xbf16>
  %along = tile.empty : memref<100x200xbf16>
  tile.grid %m = 0 to 100 by m:16, %n = 0 to 200 by n:128 {
    %a = tile.load %x[%m, %n]
    %f = tile.cast %a to f32
    %d = tile.scan max %f dim 0
    %r = tile.scan min %f dim 1
    tile.store %d, %down[%m, %n]
    tile.store %r, %along[%m, %n]
  }
  return %down, %along : memref<100x200xbf16>, memref<100x200xbf16>
}
