"""What grids update, along which axes updates meet, and what can be computed again outside some axes."""

import pytest
from programs import every, named, parse
from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.targets import Target, home_of, meeting_loop, recipe, targets_of
from tilec.dialects.tile import ForOp, GridOp
from tilec.dialects.tile.atomics import AtomicRmwOp


def grid_of(module: ModuleOp) -> GridOp:
    (grid,) = every(module, GridOp)
    return grid


def found(text: str) -> list[tuple[str | None, int, set[str | None]]]:
    """Array, number of atomics and names of the reduced axes of each target of a program's one grid."""
    targets = targets_of(grid_of(parse(text)))
    return [
        (each.array.name_hint, len(each.atomics), {axis.name_hint for axis in each.reduced})
        for each in targets
    ]


def updating(window: str, axes: str = "%m = 0 to 64 by m:8, %g = 0 to 4", before: str = "") -> str:
    """A program with one atomic on %out, of 64 x 64 x 64 elements, in a grid of `axes`."""
    kinds = {":": "64", "%m": "8", "%s": "8"}
    kept = [kinds[dim.split(" ")[0]] for dim in window.split(", ") if dim.split(" ")[0] in kinds]
    names = [
        {":": "_", "%m": "m", "%s": "s"}[dim.split(" ")[0]]
        for dim in window.split(", ")
        if dim.split(" ")[0] in kinds
    ]
    spans = f", #tile.spans<{', '.join(names)}>" if set(names) - {"_"} else ""
    kind = f"tensor<{'x'.join(kept)}xf32{spans}>" if kept else "f32"
    return f"""
func.func @f(%out: memref<64x64x64xf32>, %offsets: memref<9xi32>) {{
  %two = arith.constant 2 : index
  tile.grid {axes} {{
    {before}
    %v = tile.splat 1.0 : {kind}
    tile.atomic_rmw add %v, %out[{window}]
  }}
  return
}}"""


@pytest.mark.parametrize(
    ("window", "reduced"),
    [
        ("%m, %g, 0", set[str]()),
        ("%m, :, 0", {"g"}),
        ("%g, %g, 0", {"m"}),
        ("0, 1, 2", {"m", "g"}),
        ("%m + 3, %g + 1, :", set[str]()),
        ("%twice, %m, 0", set[str]()),
        ("%m, %half, 0", {"g"}),
    ],
)
def test_reduced_axes(window: str, reduced: set[str]) -> None:
    scalars = "%twice = arith.muli %g, %two : index\n    %half = arith.divsi %g, %two : index"
    assert found(updating(window, before=scalars)) == [("out", 1, reduced)]


def test_an_axis_of_one_iteration_reduces_nothing() -> None:
    assert found(updating("0, 0, 0", "%m = 0 to 8 by m:8, %g = 0 to 1")) == [("out", 1, set[str]())]


def test_segments_keep_apart() -> None:
    """Rows of a segment belong to the iteration of its number."""
    text = updating(
        "%s, :, 0",
        "%g = 0 to 8",
        "%b, %e = tile.segment %offsets[%g]\n    tile.for %s = %b to %e by s:8 {",
    ).replace("0]\n  }", "0]\n  }\n  }")
    assert found(text) == [("out", 1, set[str]())]
    assert found(text.replace("%offsets[%g]", "%offsets[%two]")) == [("out", 1, {"g"})]


SEVERAL = """
func.func @f(%x: memref<64x64xf32>, %a: memref<64xf32>, %b: memref<64xf32>, %c: memref<64xf32>) {
  tile.grid %m = 0 to 64 by m:8, %n = 0 to 64 by n:32 {
    %v = tile.load %x[%m, %n]
    %r = tile.reduce add %v dims [1]
    %s = tile.reduce add %v dims [0]
    tile.atomic_rmw add %s, %b[%n]
    tile.atomic_rmw add %r, %a[%m]
    tile.atomic_rmw add %r, %a[%m]
    tile.store %r, %c[%m]
    tile.grid %once = 0 to 1 {
      tile.atomic_rmw add %s, %b[%n]
    }
  }
  return
}"""


def test_several_targets() -> None:
    """In program order; what is only stored is none."""
    module = parse(SEVERAL)
    targets = targets_of(every(module, GridOp)[0])
    assert [(each.array.name_hint, len(each.atomics)) for each in targets] == [("b", 2), ("a", 2)]
    assert [{axis.name_hint for axis in each.reduced} for each in targets] == [{"m"}, {"n"}]
    assert [value.name_hint for value in targets[0].values] == ["n"]


def test_windows_that_overlap_meet() -> None:
    """Two atomics at shifted windows meet where neither meets itself."""
    text = updating("%m, %g, 0")
    shifted = text.replace("  }\n  return", "    tile.atomic_rmw add %v, %out[%m + 1, %g, 0]\n  }\n  return")
    assert found(shifted) == [("out", 2, {"m"})]


def test_locals_are_no_targets() -> None:
    text = """
func.func @f() {
  tile.grid %g = 0 to 8 {
    %l = tile.local : memref<4xf32>
    %v = tile.splat 1.0 : tensor<4xf32>
    tile.atomic_rmw add %v, %l[:]
  }
  return
}"""
    assert found(text) == []


LOOPS = """
func.func @f(%x: memref<8xi32>, %out: memref<64x64xf32>) {
  %three = arith.constant 3 : index
  tile.grid %g = 0 to 8 {
    %i = tile.load %x[%g]
    %p = arith.index_cast %i : i32 to index
    tile.for %r = 0 to 4 {
      tile.for %t = 0 to 4 {
        %q = arith.addi %t, %three : index
        %v = tile.splat 1.0 : f32
        tile.atomic_rmw add %v, %out[WINDOW]
      }
    }
  }
  return
}"""


@pytest.mark.parametrize(
    ("window", "home", "comes_back"),
    [
        ("%g, 0", "grid", None),
        ("%g, %r", "r", None),
        ("%g, %q", "t", "r"),
        ("%p, 0", "grid", None),
        ("%r, %q", "t", None),
    ],
)
def test_homes(window: str, home: str, comes_back: str | None) -> None:
    """The innermost loop that makes what a window depends on, and a loop around it that comes back."""
    module = parse(LOOPS.replace("WINDOW", window))
    grid = grid_of(module)
    blocks = {"grid": grid.body.block, **{loop.axis.name: loop.body.block for loop in every(module, ForOp)}}
    (target,) = targets_of(grid)
    assert home_of(target, grid.body.block) is blocks[home]
    loop = meeting_loop(target, blocks[home], grid)
    assert (None if loop is None else loop.axes[0].name) == comes_back


RECIPES = """
func.func @f(%x: memref<8xi32>, %y: memref<8xi32>, %z: memref<8xf32>, %out: memref<64x64xf32>) {
  %three = arith.constant 3 : index
  %outside = tile.load %x[0]
  tile.grid %g = 0 to 8, %h = 0 to 4 {
    %twice = arith.muli %g, %three : index
    %sum = arith.addi %twice, %h : index
    %read = tile.load %x[%twice]
    %index = arith.index_cast %read : i32 to index
    %written = tile.load %y[%g]
    tile.store %read, %y[%g]
    %b, %e = tile.segment %x[%g]
    %zero = arith.constant 0 : index
    %rows = memref.dim %x, %zero : memref<8xi32>
    %least = arith.minsi %b, %rows : index
    %tile = tile.load %z[:]
    %top = tile.reduce max %tile dims [0]
    %cast = tile.cast %top to i32
    tile.for %r = 0 to 4 {
      %inner = arith.addi %r, %three : index
      %v = tile.splat 1.0 : f32
      tile.atomic_rmw add %v, %out[%g, %inner]
    }
  }
  return
}"""


@pytest.mark.parametrize(
    ("name", "without", "made"),
    [
        ("three", (), []),
        ("outside", ("g", "h"), []),
        ("g", (), []),
        ("g", ("g",), None),
        ("twice", ("h",), ["twice"]),
        ("twice", ("g",), None),
        ("sum", ("h",), None),
        ("sum", (), ["twice", "sum"]),
        ("index", ("h",), ["twice", "read", "index"]),
        ("written", ("h",), None),
        ("e", ("h",), ["b"]),
        ("least", ("h",), ["b", "zero", "rows", "least"]),
        ("cast", ("h",), None),
        ("inner", (), None),
        ("r", (), None),
    ],
)
def test_recipes(name: str, without: tuple[str, ...], made: list[str] | None) -> None:
    """Scalars of what is known outside the axes `without`: not of tiles or loops, or what the grid writes."""
    module = parse(RECIPES)
    grid = grid_of(module)
    axes = [axis.value for axis in grid.axes if axis.name in without]
    ops = recipe(named(module, name), grid, axes)
    assert (None if ops is None else [op.results[0].name_hint for op in ops]) == made


def test_values_of_a_target() -> None:
    """Bases and shifts of all windows, each once."""
    module = parse(RECIPES.replace("%out[%g, %inner]", "%out[%g + %h, %inner]"))
    atomics = every(module, AtomicRmwOp)
    target = Target(atomics[0].array, (atomics[0], atomics[0]), frozenset())
    assert [value.name_hint for value in target.values] == ["g", "h", "inner"]
