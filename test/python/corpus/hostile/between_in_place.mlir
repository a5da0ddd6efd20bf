// Rows 5 to 70 of an argument gain the sum of the columns 3 to 77 of the row; all else stays.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @between_in_place(%x: memref<90x200xbf16>, %y: memref<90x100xbf16>) -> memref<90x200xbf16> {
  tile.grid %m = 5 to 70 by m {
    %zero = tile.splat 0.0 : !row
    %sum = tile.for %n = 3 to 77 by n iter_args(%a = %zero) {
      %v = tile.load %y[%m, %n]
      %f = tile.cast %v to f32
      %s = tile.reduce add %f dims [1]
      %next = arith.addf %a, %s : !row
      tile.yield %next
    }
    %old = tile.load %x[%m, :]
    %oldf = tile.cast %old to f32
    %sumw = tile.broadcast %sum dims [0] : !tile
    %new = arith.addf %oldf, %sumw : !tile
    tile.store %new, %x[%m, :]
  }
  return %x : memref<90x200xbf16>
}
