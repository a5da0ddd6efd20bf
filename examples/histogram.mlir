// out[b] = how many elements of x fall into bin b of 256; those outside of all bins are left out.
func.func @histogram(%x: memref<1000xf32>) -> memref<256xi32> {
  %out = tile.full 0 : memref<256xi32>
  tile.grid %m = 0 to 1000 by m {
    %value = tile.load %x[%m]
    %scale = tile.splat 50.0 : tensor<?xf32, #tile.spans<m>>
    %middle = tile.splat 128.0 : tensor<?xf32, #tile.spans<m>>
    %scaled = arith.mulf %value, %scale : tensor<?xf32, #tile.spans<m>>
    %place = arith.addf %scaled, %middle : tensor<?xf32, #tile.spans<m>>
    %bin = tile.cast %place to i32
    %one = tile.splat 1 : tensor<?xi32, #tile.spans<m>>
    tile.atomic_rmw add %one, %out[%bin] drop
  }
  return %out : memref<256xi32>
}
