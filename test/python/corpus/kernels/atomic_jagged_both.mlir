// Each segment adds its rows to one of its own and to one that all share, onto what both hold.
func.func @atomic_jagged_both(%x: memref<?x200xbf16>, %begins: memref<8xi32>, %ends: memref<8xi32>,
                              %out: memref<8x200xbf16>, %all: memref<200xf32>)
    -> (memref<8x200xbf16>, memref<200xf32>) {
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %w = tile.cast %v to f32
      %s = tile.reduce add %w dims [0]
      tile.atomic_rmw add %s, %all[:]
      tile.atomic_rmw add %s, %out[%g, :]
    }
  }
  return %out, %all : memref<8x200xbf16>, memref<200xf32>
}
