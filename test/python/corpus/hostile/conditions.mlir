// Nested conditions, with and without else and results, on axes, flags and both.
!tile = tensor<?x200xf32, #tile.spans<m, _>>
func.func @conditions(%x: memref<?x200xbf16>, %flags: memref<8xi32>, %offsets: memref<9xi32>)
    -> (memref<?x200xbf16>, memref<8x200xbf16>) {
  %three = arith.constant 3 : index
  %off = arith.constant 0 : i32
  %out = tile.full 9.0 like(%x) : memref<?x200xbf16>
  %sums = tile.full 4.0 : memref<8x200xbf16>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %flag = tile.load %flags[%g]
    %on = arith.cmpi ne, %flag, %off : i32
    %late = arith.cmpi sge, %g, %three : index
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %f = tile.cast %v to f32
      %y, %z = scf.if %late -> (!tile, !tile) {
        %p = scf.if %on -> (!tile) {
          %n = arith.negf %f : !tile
          scf.yield %n : !tile
        } else {
          %d = arith.mulf %f, %f : !tile
          scf.yield %d : !tile
        }
        scf.yield %p, %f : !tile, !tile
      } else {
        %t = arith.addf %f, %f : !tile
        scf.yield %t, %t : !tile, !tile
      }
      scf.if %on {
        tile.store %y, %out[%m, :]
      }
      %s = tile.reduce add %z dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    scf.if %late {
      scf.if %on {
        tile.store %sum, %sums[%g, :]
      }
    }
  }
  return %out, %sums : memref<?x200xbf16>, memref<8x200xbf16>
}
