// Two loops over the rows of a group: the second subtracts the column maxima that the first found.
!row = tensor<200xf32>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @jagged_after_jagged(%x: memref<?x200xbf16>, %offsets: memref<9xi32>)
    -> (memref<?x200xbf16>, memref<8x200xbf16>) {
  %out = tile.empty like(%x) : memref<?x200xbf16>
  %tops = tile.empty : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %lowest = tile.splat -100.0 : !row
    %top = tile.for %m = %begin to %end by m iter_args(%t = %lowest) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %s = tile.reduce max %f dims [0]
      %next = arith.maximumf %t, %s : !row
      tile.yield %next
    }
    tile.store %top, %tops[%g, :]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %topw = tile.broadcast %top dims [1] : !tile
      %y = arith.subf %f, %topw : !tile
      tile.store %y, %out[%m, :]
    }
  }
  return %out, %tops : memref<?x200xbf16>, memref<8x200xbf16>
}
