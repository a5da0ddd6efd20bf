// Softmax of rows too long to hold: columns pass by twice, in tiles. The first pass keeps, for each row, the
// largest element so far and the sum of exp(element - largest); the second writes the result.
!row = tensor<?xf32, #tile.spans<m>>
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @softmax_two_pass(%x: memref<100x700xbf16>) -> memref<100x700xbf16> {
  %out = tile.empty : memref<100x700xbf16>
  tile.grid %m = 0 to 100 by m {
    // Finite, not -inf: then a difference of two of these is 0 and never NaN.
    %lowest = tile.splat -1.0e30 : !row
    %zero = tile.splat 0.0 : !row
    %top, %sum = tile.for %n = 0 to 700 by n iter_args(%t = %lowest, %s = %zero) {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %here = tile.reduce max %f dims [1]
      %next = arith.maximumf %t, %here : !row
      // The old sum was taken against the old maximum.
      %drop = arith.subf %t, %next : !row
      %scale = math.exp %drop : !row
      %old = arith.mulf %s, %scale : !row
      %nextw = tile.broadcast %next dims [0] : !tile
      %d = arith.subf %f, %nextw : !tile
      %e = math.exp %d : !tile
      %new = tile.reduce add %e dims [1]
      %both = arith.addf %old, %new : !row
      tile.yield %next, %both
    }
    tile.for %n = 0 to 700 by n {
      %v = tile.load %x[%m, %n]
      %f = tile.cast %v to f32
      %topw = tile.broadcast %top dims [0] : !tile
      %sumw = tile.broadcast %sum dims [0] : !tile
      %d = arith.subf %f, %topw : !tile
      %e = math.exp %d : !tile
      %p = arith.divf %e, %sumw : !tile
      tile.store %p, %out[%m, %n]
    }
  }
  return %out : memref<100x700xbf16>
}
