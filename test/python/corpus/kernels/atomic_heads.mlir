// Sums over the rows for each head, and over the heads for each row.
func.func @atomic_heads(%x: memref<40x4x64xbf16>, %rows: memref<40x64xbf16>)
    -> (memref<4x64xbf16>, memref<40x64xbf16>) {
  %heads = tile.full 0.0 : memref<4x64xbf16>
  tile.grid %m = 0 to 40 by m, %h = 0 to 4 {
    %v = tile.load %x[%m, %h, :]
    %w = tile.cast %v to f32
    %s = tile.reduce add %w dims [0]
    tile.atomic_rmw add %s, %heads[%h, :]
    tile.atomic_rmw add %w, %rows[%m, :]
  }
  return %heads, %rows : memref<4x64xbf16>, memref<40x64xbf16>
}
