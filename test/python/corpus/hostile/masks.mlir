// Masks of every origin meet: of floats, of integers, of indices, carried from tile to tile.
// The side that a select drops is NaN.
!index = tensor<?x200xi32, #tile.spans<m, _>>
!mask = tensor<?x200xi1, #tile.spans<m, _>>
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @masks(%x: memref<100x200xbf16>, %y: memref<100x200xi32>) -> (memref<100x200xbf16>, memref<100x200xi32>) {
  %out = tile.empty : memref<100x200xbf16>
  %counts = tile.empty : memref<100x200xi32>
  tile.grid %m = 0 to 100 by m {
    %v = tile.load %x[%m, :]
    %f = tile.cast %v to f32
    %i = tile.load %y[%m, :]
    %none = tile.splat 0.0 : !tile
    %limit = tile.splat -40 : !index
    %positive = tile.compare gt %f, %none
    %small = tile.compare lt %i, %limit
    %r = tile.indices %m
    %rows = tile.broadcast %r dims [0] : !index
    %ten = tile.splat 10 : !index
    %early = tile.compare le %rows, %ten
    %both = arith.andi %positive, %small : !mask
    %any = arith.ori %both, %early : !mask
    %odd = arith.xori %any, %positive : !mask
    %minus = tile.splat -1.0 : !tile
    %root = math.sqrt %f : !tile
    %log = math.log %minus : !tile
    %safe = tile.select %positive, %root, %none
    %kept = tile.select %odd, %safe, %log
    %whole = tile.select %odd, %kept, %f
    tile.store %whole, %out[%m, :]
    %ones = tile.cast %odd to i32
    %more = tile.cast %any to i32
    %sum = arith.addi %ones, %more : !index
    %times = arith.muli %sum, %rows : !index
    tile.store %times, %counts[%m, :]
  }
  return %out, %counts : memref<100x200xbf16>, memref<100x200xi32>
}
