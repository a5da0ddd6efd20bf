// Each segment adds its rows to one of its own; rows of no segment go nowhere.
func.func @atomic_jagged_rows(%x: memref<?x200xbf16>, %begins: memref<8xi32>, %ends: memref<8xi32>)
    -> memref<8x200xbf16> {
  %out = tile.full 0.0 : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %w = tile.cast %v to f32
      %s = tile.reduce add %w dims [0]
      tile.atomic_rmw add %s, %out[%g, :]
    }
  }
  return %out : memref<8x200xbf16>
}
