func.func @f(%x: memref<64x128xf32>, %out: memref<4x8x128xf32>) -> memref<4x8x128xf32> {
  tile.grid %i = -4 to 0 {
    %c4 = arith.constant 4 : index
    %n = arith.subi %c4, %i : index
    tile.for %j = 0 to %n {
      %v = tile.load %x[%j, :]
      tile.store %v, %out[%i + 4, %j, :]
    }
  }
  return %out : memref<4x8x128xf32>
}
