// Each segment adds its rows to three rows that all segments share, one after the other.
func.func @atomic_jagged_dense(%x: memref<?x200xbf16>, %offsets: memref<9xi32>, %out: memref<3x200xbf16>)
    -> memref<3x200xbf16> {
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %a = 0 to 3 {
      tile.for %m = %begin to %end by m {
        %v = tile.load %x[%m, :]
        %w = tile.cast %v to f32
        %s = tile.reduce add %w dims [0]
        tile.atomic_rmw add %s, %out[%a, :]
      }
    }
  }
  return %out : memref<3x200xbf16>
}
