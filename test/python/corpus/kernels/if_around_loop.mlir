// As if_store, but with the condition around the loop over rows.
func.func @if_around_loop(%x: memref<?x200xbf16>, %flags: memref<8xi32>, %offsets: memref<9xi32>)
    -> memref<?x200xbf16> {
  %off = arith.constant 0 : i32
  %out = tile.full -1.0 like(%x) : memref<?x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %flag = tile.load %flags[%g]
    %on = arith.cmpi ne, %flag, %off : i32
    scf.if %on {
      tile.for %m = %begin to %end by m {
        %v = tile.load %x[%m, :]
        tile.store %v, %out[%m, :]
      }
    }
  }
  return %out : memref<?x200xbf16>
}
