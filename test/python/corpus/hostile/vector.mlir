// Arrays of one dimension, element by element, with a tail.
func.func @vector(%x: memref<?xbf16>, %y: memref<?xbf16>) -> memref<?xbf16> {
  %zero = arith.constant 0 : index
  %n = memref.dim %x, %zero : memref<?xbf16>
  %out = tile.empty like(%x) : memref<?xbf16>
  tile.grid %m = 0 to %n by m {
    %a = tile.load %x[%m]
    %b = tile.load %y[%m]
    %c = arith.addf %a, %b : tensor<?xbf16, #tile.spans<m>>
    tile.store %c, %out[%m]
  }
  return %out : memref<?xbf16>
}
