// The end of %n is computed from an element of an array by operations on scalars that also exist for lanes; and
// as a part of 100, the larger the smaller what it is divided by.
func.func @scalar_bounds(%x: memref<9x100xf32>, %begins: memref<9xi32>) -> (memref<9x128xf32>, memref<9x128xf32>) {
  %out = tile.full 0.0 : memref<9x128xf32>
  tile.grid %g = 0 to 9 {
    %begin = tile.load %begins[%g]
    %zero = tile.splat 0 : i32
    %four = tile.splat 4 : i32
    %rest = arith.remsi %begin, %four : i32
    %none = tile.compare eq %rest, %zero
    %step = tile.splat 23 : i32
    %some = arith.muli %rest, %step : i32
    %chosen = tile.select %none, %four, %some
    %low = arith.maxsi %chosen, %zero : i32
    %most = tile.splat 100 : i32
    %count = arith.minsi %low, %most : i32
    %end = arith.index_cast %count : i32 to index
    tile.for %n = 0 to %end by n {
      %v = tile.load %x[%g, %n]
      tile.store %v, %out[%g, %n]
    }
  }
  %parts = tile.full 0.0 : memref<9x128xf32>
  tile.grid %g = 0 to 9 {
    %whole = arith.constant 100 : index
    %less = arith.constant -1 : index
    %by = arith.subi %g, %less : index
    %end = arith.floordivsi %whole, %by : index
    tile.for %n = 0 to %end by n {
      %v = tile.load %x[%g, %n]
      tile.store %v, %parts[%g, %n]
    }
  }
  return %out, %parts : memref<9x128xf32>, memref<9x128xf32>
}
