// Adds bias[g] to the rows of g of the argument itself. Rows of no group stay as they are.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @in_place(%x: memref<?x200xbf16>, %bias: memref<8x200xbf16>,
                    %begins: memref<8xi32>, %ends: memref<8xi32>) -> memref<?x200xbf16> {
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %b = tile.load %bias[%g, :]
      %bw = tile.broadcast %b dims [1] : !tile
      %y = arith.addf %v, %bw : !tile
      tile.store %y, %x[%m, :]
    }
  }
  return %x : memref<?x200xbf16>
}
