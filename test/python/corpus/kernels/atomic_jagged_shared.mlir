// Each segment adds its rows to one that all share.
func.func @atomic_jagged_shared(%x: memref<?x200xbf16>, %offsets: memref<9xi32>, %all: memref<200xbf16>)
    -> memref<200xbf16> {
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %w = tile.cast %v to f32
      %s = tile.reduce add %w dims [0]
      tile.atomic_rmw add %s, %all[:]
    }
  }
  return %all : memref<200xbf16>
}
