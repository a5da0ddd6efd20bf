// out = x @ w + bias, whose inner dimension is split: each split adds its part, and the first the bias too.
!tile = tensor<?x?xf32, #tile.spans<m, n>>
func.func @atomic_split_k(%x: memref<40x300xbf16>, %w: memref<300x200xbf16>, %bias: memref<200xbf16>)
    -> memref<40x200xbf16> {
  %out = tile.full 0.0 : memref<40x200xbf16>
  %size = arith.constant 150 : index
  %all = arith.constant 300 : index
  %none = arith.constant 0 : index
  tile.grid %s = 0 to 2, %m = 0 to 40 by m, %n = 0 to 200 by n {
    %begin = arith.muli %s, %size : index
    %next = arith.addi %begin, %size : index
    %end = arith.minsi %next, %all : index
    %zero = tile.splat 0.0 : !tile
    %part = tile.for %k = %begin to %end by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    %first = arith.cmpi eq, %s, %none : index
    %biased = scf.if %first -> (!tile) {
      %b = tile.load %bias[%n]
      %bf = tile.cast %b to f32
      %bw = tile.broadcast %bf dims [1] : !tile
      %with = arith.addf %part, %bw : !tile
      scf.yield %with : !tile
    } else {
      scf.yield %part : !tile
    }
    tile.atomic_rmw add %biased, %out[%m, %n]
  }
  return %out : memref<40x200xbf16>
}
