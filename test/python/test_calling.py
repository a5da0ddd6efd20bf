"""Programs called with torch tensors and jax arrays: their results, and the arguments that are refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from programs import parse
from torch._subclasses.fake_tensor import FakeTensorMode

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import Result as Expected
from tilec.dialects.interpreter import random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import difference, read_program
from tilec.runtime.executable import Executable
from tilec.runtime.interpret import interpret
from tilec.runtime.launch import Form, complete, launcher
from tilec.runtime.load import load
from tilec.runtime.signature import Parameter, Result, Signature, signature_of
from tilec.testing import prove

jnp: Any = jax.numpy  # of which many functions have no complete types
dlpack: Any = jax.dlpack
untyped: Any = torch

ROOT = Path(__file__).parents[2]
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.mlir"))}
DRAWN = [(name, None) for name in ("matmul", "grouped_matmul", "row_and_column_sums")]
WITHOUT_ROWS = [(name, 0) for name, path in EXAMPLES.items() if "memref<?x" in path.read_text()]

KINDS: list[Any] = [torch.tensor, np.asarray]
"""What makes arguments of each kind from lists, integers of 64 bits."""

# Adds one to x, in place, and returns besides it what x was.
BUMP = """
func.func @bump(%x: memref<?x200x{0}>) -> (memref<?x200x{0}>, memref<?x200x{0}>) {{
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200x{0}>
  %old = tile.empty like(%x) : memref<?x200x{0}>
  tile.grid %m = 0 to %rows by m {{
    %v = tile.load %x[%m, :]
    tile.store %v, %old[%m, :]
    %one = tile.splat {1} : tensor<?x200x{0}, #tile.spans<m, _>>
    %y = arith.{2} %v, %one : tensor<?x200x{0}, #tile.spans<m, _>>
    tile.store %y, %x[%m, :]
  }}
  return %old, %x : memref<?x200x{0}>, memref<?x200x{0}>
}}
"""

# Copies y to x.
ASSIGN = """
func.func @assign(%x: memref<4x200xf32>, %y: memref<4x200xf32>) -> memref<4x200xf32> {
  tile.grid %m = 0 to 4 by m {
    %v = tile.load %y[%m, :]
    tile.store %v, %x[%m, :]
  }
  return %x : memref<4x200xf32>
}
"""

COPY = """
func.func @copy(%x: memref<4x200x{0}>) -> memref<4x200x{0}> {{
  %out = tile.empty : memref<4x200x{0}>
  tile.grid %m = 0 to 4 by m {{
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }}
  return %out : memref<4x200x{0}>
}}
"""

# Counts rows, on top of one.
COUNT = """
func.func @count(%x: memref<?x200xf32>) -> memref<200xf32> {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x200xf32>
  %out = tile.full 1.0 : memref<200xf32>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    %one = tile.splat 1.0 : tensor<?x200xf32, #tile.spans<m, _>>
    %s = tile.reduce add %one dims [0]
    tile.atomic_rmw add %s, %out[:]
  }
  return %out : memref<200xf32>
}
"""

# The sum of each group of rows; how many groups there are, the offsets say.
GROUPS = """
func.func @groups(%x: memref<?x200xf32>, %offsets: memref<?xi32>) -> (memref<?x200xf32>, memref<?x200xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %all = memref.dim %offsets, %c0 : memref<?xi32>
  %groups = arith.subi %all, %c1 : index
  %sums = tile.empty (%groups) : memref<?x200xf32>
  %twice = tile.full 2.0 (%groups) : memref<?x200xf32>
  tile.grid %g = 0 to %groups {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<200xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<200xf32>
      tile.yield %next
    }
    tile.store %sum, %sums[%g, :]
  }
  return %sums, %twice : memref<?x200xf32>, memref<?x200xf32>
}
"""

# The sum of rows offsets[g] to offsets[g + 1] of x for each g.
FIRST_ROWS = """
func.func @first_rows(%x: memref<?x200xf32>, %offsets: memref<5xi32>) -> memref<4x200xf32> {
  %out = tile.full 0.0 : memref<4x200xf32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      tile.atomic_rmw add %s, %out[%g, :]
    }
  }
  return %out : memref<4x200xf32>
}
"""


def tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    """A tensor of its own of the elements of an array, bfloat16 too."""
    if array.dtype.name == "int64":  # which jax would narrow
        return torch.tensor(array)
    return torch.from_dlpack(jnp.asarray(array)).clone()


def elements(result: torch.Tensor) -> Expected:
    data: np.ndarray[Any, Any] = np.asarray(dlpack.from_dlpack(result.contiguous()))
    return Expected(data, np.ones(tuple(result.shape), np.bool_))


@pytest.mark.parametrize(("name", "rows"), DRAWN + WITHOUT_ROWS)
def test_examples_give_what_the_interpreter_does(name: str, rows: int | None):
    module, function = read_program(EXAMPLES[name])
    args = random_args(function, extent=rows)
    results = Executable(module)([tensor(arg) for arg in args])
    expected = run(module, function.sym_name.data, args)
    assert difference([elements(result) for result in results], expected) is None


@pytest.mark.parametrize(
    ("element", "dtype"),
    {
        "f32": torch.float32,
        "bf16": torch.bfloat16,
        "i32": torch.int32,
        "i16": torch.int16,
        "i8": torch.int8,
        "ui8": torch.uint8,
        "i1": torch.bool,
    }.items(),
)
def test_every_type_of_element(element: str, dtype: torch.dtype):
    x = torch.randint(0, 100, (4, 200)).to(dtype)
    [out] = Executable(parse(COPY.format(element)))([x])
    assert out.dtype == dtype
    assert torch.equal(out, x)
    assert out.data_ptr() != x.data_ptr()


def test_jax_and_numpy_arrays_give_jax_arrays():
    x = np.arange(800, dtype=np.float32).reshape(4, 200)
    copy = Executable(parse(COPY.format("f32")))
    for given in (x, jnp.asarray(x)):
        [out] = copy([given])
        assert isinstance(out, jax.Array)
        np.testing.assert_array_equal(out, x)


STRANGE = {
    "every second row": lambda: torch.randn(8, 200)[::2],
    "columns of a wider one": lambda: torch.randn(4, 300)[:, 50:250],
    "transposed": lambda: torch.randn(200, 4).t(),
    "expanded": lambda: torch.randn(200).expand(4, 200),
    "not aligned": lambda: torch.randn(801)[1:].view(4, 200),
    "flipped rows that overlap": lambda: torch.randn(1000).as_strided((4, 200), (100, 1)),
    "imaginary parts": lambda: torch.randn(4, 200, dtype=torch.complex64).conj().imag,
    "negative bit": lambda: untyped._neg_view(torch.randn(4, 200)),
    "parameter": lambda: torch.nn.Parameter(torch.randn(4, 200)),
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
@torch.no_grad()
def test_tensors_of_any_strides(make: Any):
    x = make()
    [out] = Executable(parse(COPY.format("f32")))([x])
    assert torch.equal(out, x)


def test_memory_of_dense_tensors_is_not_copied(monkeypatch: pytest.MonkeyPatch):
    seen: list[int] = []
    real = dlpack.from_dlpack

    def spy(value: torch.Tensor, **options: Any) -> jax.Array:
        array = real(value, **options)
        seen.append(array.unsafe_buffer_pointer())
        return array

    monkeypatch.setattr(jax.dlpack, "from_dlpack", spy)
    x = torch.randn(4, 200)
    Executable(parse(COPY.format("f32")))([x])
    assert seen == [x.data_ptr()]


REFUSED = {
    "wider floats": (lambda: torch.zeros(4, 200, dtype=torch.float64), TypeError, "x is float64[4, 200]"),
    "other floats": (lambda: torch.zeros(4, 200).bfloat16(), TypeError, "float32[4, 200] is needed"),
    "complex": (lambda: torch.zeros(4, 200, dtype=torch.complex64).conj(), TypeError, "x is complex64"),
    "rank": (lambda: torch.zeros(200), ValueError, "x is float32[200]; float32[4, 200] is needed"),
    "extent": (lambda: torch.zeros(4, 201), ValueError, "x is float32[4, 201]; float32[4, 200]"),
    "device": (lambda: torch.zeros(4, 200, device="meta"), TypeError, "x is on meta; a tensor on cpu"),
    "sparse": (lambda: torch.zeros(4, 200).to_sparse(), TypeError, "x is nested, sparse or of another"),
    "nested": (
        lambda: untyped.nested.as_nested_tensor([torch.zeros(200)] * 4, layout=torch.jagged),
        TypeError,
        "x is nested,",
    ),
    "grad": (lambda: torch.zeros(4, 200, requires_grad=True), ValueError, "x requires grad"),
    "list": (lambda: [1.0, 2.0], TypeError, "x is a list; an array float32[4, 200] is needed"),
    "number": (lambda: 3.0, TypeError, "x is a float; an array float32[4, 200] is needed"),
    "order of bytes": (lambda: np.zeros((4, 200), ">f4"), TypeError, "x is >f4[4, 200]; float32"),
    "numpy": (lambda: np.zeros((4, 200)), TypeError, "x is float64[4, 200]; float32[4, 200] is needed"),
}


@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_do_not_fit(make: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=re.escape(message)):
        Executable(parse(COPY.format("f32")))([make()])


def test_tensors_without_elements_are_refused():
    copy = Executable(parse(COPY.format("f32")))
    with FakeTensorMode():
        fake = torch.zeros(4, 200)
    with pytest.raises(TypeError, match="x is a FakeTensor without elements, as in a trace; in one, call"):
        copy([fake])

    def called(x: torch.Tensor) -> torch.Tensor:
        return copy([x])[0]

    with pytest.raises(TypeError, match="x is a Tensor without elements"):
        untyped.func.vmap(called)(torch.zeros(3, 4, 200))


def test_torch_compile_leaves_a_call_alone():
    copy = Executable(parse(COPY.format("f32")))

    def around(x: torch.Tensor) -> torch.Tensor:
        return copy([x + 1])[0] * 2

    x = torch.randn(4, 200)
    assert torch.equal(untyped.compile(around, backend="aot_eager")(x), (x + 1) * 2)


def test_the_number_of_arguments_and_their_kinds():
    assign = Executable(parse(ASSIGN))
    with pytest.raises(TypeError, match="assign takes 2 arrays, x, y; 1 given"):
        assign([torch.zeros(4, 200)])
    with pytest.raises(TypeError, match="y is a ndarray; with other torch tensors, a tensor is needed"):
        assign([torch.zeros(4, 200), np.zeros((4, 200), np.float32)])


def test_the_number_of_rows_is_0():
    count = Executable(parse(COUNT))
    for rows in (0, 3, 0):
        [out] = count([torch.zeros(rows, 200)])
        assert out.tolist() == [1.0 + rows] * 200


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_extents_computed_as_0(loop: str):
    groups = Executable(parse(GROUPS), choices=TileToPallas(loop=loop))
    x = torch.ones(9, 200)
    for offsets, rows in (([0], 9), ([0, 4, 9], 9), ([0, 0, 0], 0), ([0], 0)):
        sums, twice = groups([x[:rows], torch.tensor(offsets)])
        assert sums[:, 0].tolist() == np.diff(offsets).tolist()
        assert twice[:, 0].tolist() == [2.0] * (len(offsets) - 1)
    with pytest.raises(ValueError, match="groups: result 0 would have -1 rows"):
        groups([x, torch.tensor([], dtype=torch.int32)])


MOVED = """
func.func @moved(%x: memref<?x128xf32>, %places: memref<?xi32>, %offsets: memref<5xi32>)
    -> (memref<?x128xf32>, memref<?x128xf32>) {
  %out = tile.MADE : memref<?x128xf32>
  %twice = tile.empty like(%out) : memref<?x128xf32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %p = tile.load %places[%m]
      %v = tile.gather %x[%p, :]
      tile.scatter %v, %out[%p, :]
      %w = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %w, %twice[%m, :]
    }
  }
  return %out, %twice : memref<?x128xf32>, memref<?x128xf32>
}
"""


@pytest.mark.parametrize("made", ["empty like(%x)", "full 1.0 like(%x)"])
@pytest.mark.parametrize("loop", ["grid", "fori_loop"])
def test_no_rows_at_computed_positions(made: str, loop: str):
    moved = Executable(parse(MOVED.replace("MADE", made)), choices=TileToPallas(loop=loop))
    none = torch.zeros(0, 128)
    for result in moved([none, torch.zeros(0, dtype=torch.int32), torch.zeros(5, dtype=torch.int32)]):
        assert result.shape == (0, 128)
    with pytest.raises(ValueError, match=r"segment 1 is 0 to 2; .* end at 0 or earlier"):
        moved([none, torch.zeros(0, dtype=torch.int32), torch.tensor([0, 0, 2, 2, 2])])


EXTENTS = """
func.func @padded(%x: memref<?x128xf32>, %offsets: memref<5xi32>) -> memref<?x128xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %rows = memref.dim %x, %zero : memref<?x128xf32>
  %more = COMPUTED : index
  %out = tile.full 0.0 (%more) : memref<?x128xf32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.splat 1.0 : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
"""


@pytest.mark.parametrize("computed", ["arith.constant 10", "arith.addi %rows, %one"])
@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_segments_of_an_array_whose_extent_is_computed(computed: str, loop: str):
    padded = Executable(parse(EXTENTS.replace("COMPUTED", computed)), choices=TileToPallas(loop=loop))
    [out] = padded([torch.zeros(9, 128), torch.tensor([1, 3, 3, 9, 9])])
    assert out[:, 0].tolist() == [0, *8 * [1], 0]
    with pytest.raises(ValueError, match=r"segment 3 is 9 to 11; .* end at 10 or earlier"):
        padded([torch.zeros(9, 128), torch.tensor([1, 3, 3, 9, 11])])


def test_the_extent_of_an_array_that_is_made():
    text = """
func.func @copy(%x: memref<?x200xf32>) -> memref<?x200xf32> {
  %c0 = arith.constant 0 : index
  %out = tile.empty like(%x) : memref<?x200xf32>
  %rows = memref.dim %out, %c0 : memref<?x200xf32>
  tile.grid %m = 0 to %rows by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<?x200xf32>
}
"""
    x = torch.randn(9, 200)
    assert torch.equal(Executable(parse(text))([x])[0], x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("element", ["i32", "i64"])
def test_wide_integers_are_narrowed_or_refused(kind: Any, element: str):
    x, offsets = np.ones((9, 200), np.float32), [0, 2, 2, 5, 9]
    rows = Executable(parse(FIRST_ROWS.replace("memref<5xi32>", f"memref<5x{element}>")))
    assert rows.signature.parameters[1].dtype == element.replace("i", "int")
    [out] = rows([kind(x), kind(offsets)])
    assert out[:, 0].tolist() == [2, 0, 3, 4]
    with pytest.raises(
        ValueError, match=r"offsets holds 0 to 4294967305; a kernel takes int32, -2147483648 to"
    ):
        rows([kind(x), kind([0, 2, 2, 5, 9 + 2**32])])


def test_what_kernels_rely_on_is_checked_in_each_call():
    rows = Executable(parse(FIRST_ROWS))
    for kind in KINDS:
        rows([kind(np.ones((9, 200), np.float32)), kind([0, 2, 2, 5, 9])])
        with pytest.raises(ValueError, match="segment 1 is 2 to 1"):
            rows([kind(np.ones((9, 200), np.float32)), kind([0, 2, 1, 5, 9])])
        with pytest.raises(ValueError, match=r"segment 3 is 5 to 9; .* end at 8 or earlier"):
            rows([kind(np.ones((8, 200), np.float32)), kind([0, 2, 2, 5, 9])])
        with pytest.raises(ValueError, match=r"segment 0 is 0 to 1; .* end at 0 or earlier"):
            rows([kind(np.ones((0, 200), np.float32)), kind([0, 1, 1, 1, 1])])


def declared(module_text: str, dtype: str) -> Executable:
    """A program whose arrays callers have in another dtype."""
    module = parse(module_text)
    own = signature_of(module)
    parameters = tuple(replace(each, dtype=dtype) for each in own.parameters)
    results = tuple(replace(each, dtype=dtype) for each in own.results)
    return Executable(module, Signature(own.name, parameters, results))


def test_results_have_the_dtypes_of_the_signature():
    x = torch.arange(800).view(4, 200)
    [out] = declared(COPY.format("i32"), "int64")([x])
    assert out.dtype == torch.int64
    assert torch.equal(out, x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int32, torch.int64])
def test_changed_arguments_are_written_back(dtype: torch.dtype):
    floats = dtype.is_floating_point
    element = {torch.float32: "f32", torch.bfloat16: "bf16"}.get(dtype, "i32")
    text = BUMP.format(element, *(("1.0", "addf") if floats else ("1", "addi")))
    bump = declared(text, "int64") if dtype == torch.int64 else Executable(parse(text))
    whole = torch.randint(0, 100, (12, 300)).to(dtype)
    before, x = whole.clone(), whole[1::2, 50:250]
    old, new = bump([x])
    assert new is x
    assert torch.equal(old, before[1::2, 50:250])
    before[1::2, 50:250] += 1
    assert torch.equal(whole, before)
    assert old.dtype == whole.dtype


def test_arrays_of_jax_are_not_changed():
    bump = Executable(parse(BUMP.format("f32", "1.0", "addf")))
    x = jnp.asarray(np.ones((3, 200), np.float32))
    with pytest.raises(TypeError, match="bump changes x, and jax arrays never change; use jax_fn"):
        bump([x])
    old, new = bump.jax_fn(x)
    assert (float(old[0, 0]), float(new[0, 0]), float(x[0, 0])) == (1, 2, 1)


def test_changed_arguments_that_share_memory():
    assign, whole = Executable(parse(ASSIGN)), torch.arange(1600.0)
    with pytest.raises(ValueError, match="x is changed and shares memory with y; pass a clone of one"):
        assign([whole[:800].view(4, 200), whole[100:900].view(4, 200)])
    with pytest.raises(ValueError, match="x is changed and shares memory with y; pass a clone of one"):
        assign([whole[:800].view(4, 200)] * 2)
    with pytest.raises(ValueError, match="x is changed, and several of its elements may share memory"):
        assign([whole[:200].expand(4, 200), whole[800:].view(4, 200)])
    left, right = whole.view(4, 400)[:, :200], whole.view(4, 400)[:, 200:]
    assign([left, right])  # their addresses lie between each other, but none is in both
    assert torch.equal(left, right)


def test_signatures_that_do_not_describe_the_program():
    module = parse(COPY.format("i32"))
    good = Signature("copy", (Parameter("x", (4, 200), "int32"),), (Result("int32"),))
    Executable(module, good)
    for wrong, message in {
        replace(good, parameters=()): "@copy has 1 arguments and 1 results; its signature has 0 and 1",
        replace(good, parameters=(Parameter("x", (4, None), "int32"),)): "parameter .* is an argument",
        replace(good, parameters=(Parameter("x", (4, 200), "float32"),)): "parameter .* is an argument",
        replace(good, results=(Result("int32", 0),)): "Result.* of a signature is Result",
    }.items():
        with pytest.raises(TileError, match=message):
            Executable(module, wrong)


def test_a_program_has_one_function():
    with pytest.raises(TileError, match="a program with one function can be called; this one has 2"):
        Executable(parse(COPY.format("f32") + COPY.format("f32").replace("@copy", "@again")))


def test_a_scalar_is_an_array_of_one_element_in_the_program():
    text = COPY.format("f32").replace("4x200", "1").replace("4 by m", "1 by m").replace("[%m, :]", "[%m]")
    signature = Signature("copy", (Parameter("x", (), "float32"),), (Result("float32"),))
    [out] = Executable(parse(text), signature)([torch.tensor(3.0)])
    assert (tuple(out.shape), float(out)) == ((1,), 3.0)


def test_results_have_memory_of_their_own():
    kind = "memref<4x200xf32>"
    text = COPY.format("f32").replace(
        f"return %out : {kind}", f"return %out, %out, %x : {kind}, {kind}, {kind}"
    )
    twice = Executable(parse(text.replace(f"-> {kind}", f"-> ({kind}, {kind}, {kind})")))
    x = torch.ones(4, 200)
    one, two, same = twice([x])
    assert same is x  # an argument that is returned is one that may have changed
    for changed in (one, two, x):
        changed.add_(1)
    assert (float(one[0, 0]), float(two[0, 0]), float(x[0, 0])) == (2, 2, 2)
    assert torch.equal(twice([x])[0], x)


def test_threads_take_turns():
    programs = [Executable(parse(COPY.format("f32"))), Executable(parse(BUMP.format("f32", "1.0", "addf")))]
    x = torch.randn(4, 200)

    def many(program: Executable) -> list[bool]:
        return [torch.equal(program([x.clone()])[0], x) for _ in range(8)]

    with ThreadPoolExecutor(2) as pool:
        assert all(right for each in pool.map(many, programs) for right in each)


# The kernel reads a block beyond the end of its argument.
OUTSIDE = """\
import jax
from jax.experimental import pallas as pl
def outside(x, *, interpret):
    def kernel(x_ref, o_ref):
        o_ref[...] = x_ref[...]
    return pl.pallas_call(kernel, out_shape=x, interpret=interpret, grid=(1,),
        in_specs=[pl.BlockSpec((8, 128), lambda i: (i + 5, 0))],
        out_specs=pl.BlockSpec((8, 128), lambda i: (i, 0)))(x)
"""


def test_a_kernel_that_failed_leaves_no_trace():
    form = Form((8, 128), (8, 128), "float32")
    outside = launcher(load(OUTSIDE, "outside").outside, [form], [form])
    with pytest.raises(RuntimeError, match="Out-of-bounds block index"):
        complete(outside, [np.ones((8, 128), np.float32)])
    x = torch.randn(4, 200)
    assert torch.equal(Executable(parse(COPY.format("f32")))([x])[0], x)


def test_a_program_that_a_pass_refuses_is_refused_when_it_is_called():
    jagged = Executable(parse(FIRST_ROWS), choices=TileToPallas(grouping="none"))
    with pytest.raises(TileError, match="a grid has fixed extents"):
        jagged([torch.zeros(9, 200), torch.tensor([0, 2, 2, 5, 9])])


@pytest.mark.aot
def test_compiled_for_a_chip():
    rows = Executable(parse(FIRST_ROWS))
    compiled = rows.aot("v6e", rows=40)
    assert (compiled.chip.name, compiled.operations["custom-call"]) == ("v6e", 2)
    with pytest.raises(ValueError, match="x has any number of rows; say for how many to compile"):
        rows.aot("v6e")
    with pytest.raises(TileError, match="there is no chip v9"):
        rows.aot("v9", rows=40)


def test_the_text_runs_alone():
    copy = Executable(parse(COPY.format("f32")))
    assert copy.text.startswith('"""Pallas kernels for TPUs')
    assert copy.text is copy.text
    x = np.ones((4, 200), np.float32)
    np.testing.assert_array_equal(interpret(load(copy.text, "copy").copy, [x])[0], x)


@pytest.mark.parametrize("name", ["sum", "jnp"])
def test_a_kernel_may_be_called_as_python_or_the_module_calls_something(name: str) -> None:
    def doubled(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = 2 * x[rows, :]
        return out

    doubled.__name__ = name
    kernel, x = tilec.kernel(doubled), torch.ones(9, 40)
    assert torch.equal(kernel(x), 2 * x)
    prove(kernel, (x,), chips=("v5e",), seeds=(0,))
    assert kernel.bind(x).aot("v5e").report()
