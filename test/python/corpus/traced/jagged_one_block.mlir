// All rows are in one tile, which every segment shares, and columns are in two.
func.func @jagged_one_block(%x: memref<45x200xf32>, %offsets: memref<7xi32>) -> memref<45x200xf32> {
  %out = tile.empty : memref<45x200xf32>
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %rows = %begin to %end by rows {
      tile.for %cols = 0 to 200 by cols {
        %v = tile.load %x[%rows, %cols]
        tile.store %v, %out[%rows, %cols]
      }
    }
  }
  return %out : memref<45x200xf32>
}
