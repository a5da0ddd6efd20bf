// Two loops over an axis m with different bounds, a loop of no iteration between them.
!sum = tensor<200xf32>
func.func @same_name(%x: memref<100x200xbf16>) -> memref<4x200xbf16> {
  %out = tile.empty : memref<4x200xbf16>
  tile.grid %g = 0 to 4 {
    %zero = tile.splat 0.0 : !sum
    %a = tile.for %m = 0 to 40 by m iter_args(%s = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %r = tile.reduce add %f dims [0]
      %next = arith.addf %s, %r : !sum
      tile.yield %next
    }
    %b = tile.for %m = 40 to 40 by m iter_args(%s = %a) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %r = tile.reduce add %f dims [0]
      %next = arith.mulf %s, %r : !sum
      tile.yield %next
    }
    %c = tile.for %m = 33 to 99 by m iter_args(%s = %b) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %r = tile.reduce max %f dims [0]
      %next = arith.maximumf %s, %r : !sum
      tile.yield %next
    }
    tile.store %c, %out[%g, :]
  }
  return %out : memref<4x200xbf16>
}
