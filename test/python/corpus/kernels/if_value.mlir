// Each row block is doubled where its group's flag is not 0, else negated.
!tile = tensor<?x200xbf16, #tile.spans<m, _>>
func.func @if_value(%x: memref<?x200xbf16>, %flags: memref<8xi32>, %offsets: memref<9xi32>)
    -> memref<?x200xbf16> {
  %off = arith.constant 0 : i32
  %out = tile.empty like(%x) : memref<?x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %flag = tile.load %flags[%g]
    %on = arith.cmpi ne, %flag, %off : i32
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %y = scf.if %on -> (!tile) {
        %double = arith.addf %v, %v : !tile
        scf.yield %double : !tile
      } else {
        %minus = arith.negf %v : !tile
        scf.yield %minus : !tile
      }
      tile.store %y, %out[%m, :]
    }
  }
  return %out : memref<?x200xbf16>
}
