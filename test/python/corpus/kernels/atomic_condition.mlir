// Rows with a flag are added to one row, those without to another, and some of these to both.
func.func @atomic_condition(%x: memref<6x200xbf16>, %flags: memref<6xi32>, %with: memref<200xbf16>)
    -> (memref<200xbf16>, memref<200xf32>) {
  %without = tile.full 0.0 : memref<200xf32>
  %zero = arith.constant 0 : i32
  %three = arith.constant 3 : index
  tile.grid %r = 0 to 6, %n = 0 to 200 by n {
    %v = tile.load %x[%r, %n]
    %w = tile.cast %v to f32
    %flag = tile.load %flags[%r]
    %on = arith.cmpi ne, %flag, %zero : i32
    scf.if %on {
      tile.atomic_rmw add %w, %with[%n]
    } else {
      tile.atomic_rmw add %w, %without[%n]
      %late = arith.cmpi sge, %r, %three : index
      scf.if %late {
        tile.atomic_rmw add %w, %with[%n]
      }
    }
  }
  return %with, %without : memref<200xbf16>, memref<200xf32>
}
