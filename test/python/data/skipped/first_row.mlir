func.func @f(%x: memref<45x128xf32>, %o: memref<4xi32>, %out: memref<45x128xf32>) -> memref<45x128xf32> {
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m:8 {
      %v = tile.load %x[%m, :]
      %first = tile.load %x[%b, :]
      %all = tile.broadcast %first dims [1] : tensor<8x128xf32, #tile.spans<m, _>>
      %s = arith.subf %v, %all : tensor<8x128xf32, #tile.spans<m, _>>
      tile.store %s, %out[%m, :]
    }
  }
  return %out : memref<45x128xf32>
}
