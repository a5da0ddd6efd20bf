// out = concatenate(-right half of x, left half of x), as in a rotary embedding.
func.func @rotate_half(%x: memref<?x256xbf16>) -> memref<?x256xbf16> {
  %zero = arith.constant 0 : index
  %rows = memref.dim %x, %zero : memref<?x256xbf16>
  %out = tile.empty like(%x) : memref<?x256xbf16>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %left = tile.slice %v dim 1 from 0 size 128
    %right = tile.slice %v dim 1 from 128 size 128
    %minus = arith.negf %right : tensor<?x128xbf16, #tile.spans<m, _>>
    %y = tile.concatenate %minus, %left dim 1
    tile.store %y, %out[%m, :]
  }
  return %out : memref<?x256xbf16>
}
