// Running maximum down the rows of each group.
!row = tensor<200xf32>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @jagged_cummax(%x: memref<?x200xbf16>, %offsets: memref<9xi32>) -> memref<?x200xbf16> {
  %out = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %lowest = tile.splat -inf : !row
    %all = tile.for %m = %begin to %end by m iter_args(%top = %lowest) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %scan = tile.scan max %f dim 0
      %before = tile.broadcast %top dims [1] : !tile
      %y = arith.maximumf %scan, %before : !tile
      tile.store %y, %out[%m, :]
      %here = tile.reduce max %f dims [0]
      %next = arith.maximumf %top, %here : !row
      tile.yield %next
    }
  }
  return %out : memref<?x200xbf16>
}
