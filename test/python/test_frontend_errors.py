"""What the tracer refuses: one sentence in the user's words, at the user's expression.

A comment `# here` is on the line that the error is about; without one it is about the whole function.
"""

# pyright: basic, reportPossiblyUnboundVariable=false, reportAttributeAccessIssue=false, reportReturnType=false

import inspect
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl

X = torch.randn(40, 96)
W = torch.randn(96)

CASES: dict[str, tuple[Callable[..., Any], tuple[torch.Tensor, ...], str]] = {}


def refused(message: str, *args: torch.Tensor) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function that is refused with `message` for arguments, `X` without any."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES[function.__name__] = (function, args or (X,), message)
        return function

    return enter


@refused("mean_extent=-1; a number that is known when the kernel is compiled is needed")
def mean_below_zero(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0), mean_extent=-1):  # here
        out[r] = x[r]
    return out


@refused("variable 'acc' of a loop over tiles changes shape from float32[r] to float32[r, 1]")
def carried_shape(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        acc = hl.zeros([r])
        for k in hl.tile(x.size(1)):  # here
            acc = acc[:, None] + x[r, k].sum(1)[:, None]
        out[r] = acc
    return out


@refused(
    "variable 'acc' of a loop over tiles changes dtype from bfloat16 to float32; cast it back "
    "with .to(torch.bfloat16)"
)
def carried_dtype(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        acc = hl.zeros([r], dtype=torch.bfloat16)
        for k in hl.tile(x.size(1)):  # here
            acc = acc + x[r, k].sum(1)
        out[r] = acc
    return out


@refused(
    "`while` depends on a value that is only known on the device; use torch.where, a mask, or "
    "an `if` without it"
)
def python_branch(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        s = x[r, :].sum(1)
        while s.sum() > 0:  # here
            s = s - 1
        out[r] = s
    return out


@refused(
    "`break` leaves a loop over tiles, whose body is traced once; mask what should not happen, or use an `if`"
)
def brk(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        acc = hl.zeros([r])
        for k in hl.tile(x.size(1)):
            acc = acc + x[r, k].sum(1)
            break  # here
        out[r] = acc
    return out


@refused(
    "`return` leaves a loop over tiles, whose body is traced once; mask what should not "
    "happen, or use an `if`"
)
def ret(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        out[r] = x[r, :].sum(1)
        return out  # here


@refused("the host tensor w is used without indexing it; write w[:] or index it with tiles", X, W)
def host_tensor(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = x[r, :] * w  # here
    return out


@refused(
    "'st' is changed inside by a loop over tiles, whose body is traced once; assign to a local "
    "variable, as in st = …"
)
def attr_state(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    st = types.SimpleNamespace()
    for r in hl.tile(x.size(0)):
        st.a = hl.zeros([r])
        for k in hl.tile(x.size(1)):  # here
            st.a = st.a + x[r, k].sum(1)
        out[r] = st.a
    return out


@refused(
    "'st' is changed inside by a loop over tiles, whose body is traced once; assign to a local "
    "variable, as in st = …"
)
def list_state(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        st = [hl.zeros([r])]
        for k in hl.tile(x.size(1)):  # here
            st[0] = st[0] + x[r, k].sum(1)
        out[r] = st[0]
    return out


@refused(
    "'st' is changed inside by a loop over tiles, whose body is traced once; assign to a local "
    "variable, as in st = …"
)
def append_state(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        st = [hl.zeros([r])]
        for k in hl.tile(x.size(1)):  # here
            st.append(st[-1] + x[r, k].sum(1))
            out[r] = st[-1]
    return out


@refused(
    "'acc' is changed in place by a loop over tiles, whose body is traced once; assign to a "
    "local variable, as in acc = …"
)
def inplace_state(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        acc = hl.zeros([r])
        for k in hl.tile(x.size(1)):  # here
            acc.add_(x[r, k].sum(1))
        out[r] = acc
    return out


@refused(
    "range(r): the number is not known while the kernel is traced; loop with "
    "tilec.language.grid, or give the tile a block_size"
)
def block_dep(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        s = hl.zeros([r])
        for i in range(r.block_size):  # here
            s = s + i
        out[r] = s
    return out


@refused("`assert` depends on the block size of r; give the tile a block_size")
def block_dep2(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        v = x[r, :]
        if v.shape[0] > 64:
            v = v * 2
        assert v.size(0) == 32  # here
        out[r] = v.sum(1)
    return out


@refused("variable 'v' of a loop over tiles is assigned in it and used after it; store it in a tensor")
def outside(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        for k in hl.tile(x.size(1)):
            v = x[r, k]
        out[r] = v.sum(1)  # here
    return out


@refused("variable 'v' of a grid over tiles is assigned in it and used after it; store it in a tensor")
def outside_grid(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        v = x[r, :]
    out[:] = v.sum(1)  # here
    return out


@refused("torch's special_bessel_j0 is not supported in a tile program")
def unsupported(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = torch.special.bessel_j0(x[r, :])  # here
    return out


@refused(
    "torch's stack is of values in loops over tiles; on whole tensors, only lane by lane operators and sums, "
    "means, maxima and minima are"
)
def unsupported_there(x: torch.Tensor) -> torch.Tensor:
    both = torch.stack([x, x])  # here
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = both[0, r, :]
    return out


@refused("torch's sort is not supported in a tile program; the nearest that are: sqrt, rsqrt")
def unsupported2(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = torch.sort(x[r, :], dim=1)[0]  # here
    return out


@refused(
    "variable 'n' of a loop over tiles is 0 and becomes 1; what is traced once cannot change a "
    "Python value, make it a tensor"
)
def pyvar(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    n = 0
    for r in hl.tile(x.size(0)):
        for k in hl.tile(x.size(1)):  # here
            n = n + 1
        out[r] = x[r, :].sum(1) + n
    return out


@refused("variable 'y' of an `if` on a device value changes shape from float32[r] to float32[r, 96]")
def branch_types(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        v = x[r, :]
        if v.sum() > 0:  # here
            y = v.sum(1)
        else:
            y = v
        out[r] = y
    return out


@refused("variable 'y' of an `if` on a device value is assigned in one arm only; assign it before the `if`")
def one_arm(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        v = x[r, :]
        if v.sum() > 0:  # here
            y = v.sum(1)
        out[r] = y
    return out


@refused(
    "`return` leaves a loop over tiles, whose body is traced once; mask what should not "
    "happen, or use an `if`"
)
def ret_in_if(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        v = x[r, :]
        if v.sum() > 0:
            return out  # here
        out[r] = v.sum(1)
    return out


@refused(
    "add(float32[r, 96], float32[r, k]): The size of tensor a (96) must match the size of "
    "tensor b (k) at non-singleton dimension 1)"
)
def shapes(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r, k in hl.tile([x.size(0), x.size(1)]):
        out[r] = (x[r, :] + x[r, k]).sum(1)  # here
    return out


@refused("float32[r, 96] is stored where [r] is needed")
def store_shape(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        out[r] = x[r, :]  # here
    return out


@refused(
    "x is float64; float32, bfloat16, float16, int64, int32, int16, int8, uint8, bool are accepted",
    X.double(),
)
def f64(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = x[r, :]
    return out


@refused(
    "float32[r, 96] is indexed by bool[r, 96]; only host tensors are, a value in a tile is "
    "taken apart by numbers"
)
def boolmask(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        v = x[r, :]
        out[r, :] = v[v > 0]  # here
    return out


@refused(
    "item() outside a loop over tiles: the elements of a tensor are not known when the kernel "
    "is compiled; pass the number as an argument"
)
def item_host(x: torch.Tensor) -> torch.Tensor:
    n = int(x.sum().item())  # here
    out = torch.empty([n])
    return out


@refused("tile over a tile; write tile(t.begin, t.end) for the indices inside t")
def tile_tile(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        for k in hl.tile(r):  # here
            out[k, :] = x[k, :]
    return out


@refused("'Tensor' object has no attribute 'summ'")
def typo(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = x[r, :].summ(1)  # here
    return out


@refused("variable 'y' of a grid over tiles is assigned in it and used after it; store it in a tensor")
def ret_tile(x: torch.Tensor) -> torch.Tensor:
    for r in hl.tile(x.size(0)):
        y = x[r, :]
    return y  # here


@refused("grid with step 2; only 1 is accepted, multiply the index")
def step(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.grid(0, x.size(0), 2):  # here
        out[r, :] = x[r, :]
    return out


@refused("atomic_add to float32[], which has no dimensions; make it of shape [1], and name element [0] of it")
def atomic_without_dimensions(x: torch.Tensor) -> torch.Tensor:
    out = torch.zeros([])
    for r in hl.tile(x.size(0)):
        hl.atomic_add(out, [], x[r, :].sum())  # here
    return out


@refused("register_block_size(64, 16); the least is above the most")
def bounds_in_no_order(x: torch.Tensor) -> torch.Tensor:
    out, block = torch.empty_like(x), hl.register_block_size(64, 16)  # here
    for r in hl.tile(x.size(0), block_size=block):
        out[r, :] = x[r, :]
    return out


@refused("register_block_size(1, 0); whole numbers from 1 up are accepted")
def bounds_of_nothing(x: torch.Tensor) -> torch.Tensor:
    out, block = torch.empty_like(x), hl.register_block_size(0)  # here
    for r in hl.tile(x.size(0), block_size=block):
        out[r, :] = x[r, :]
    return out


@refused("associative_scan of float32[r, 96] and float32[r]; give them one shape, as with expand_as")
def scan_of_two_shapes(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :], _ = hl.associative_scan(lambda a, b: a, (x[r, :], x[r, 0]), 1)  # here
    return out


@refused("dimension 2 of float32[r, 96], which has 2")
def scan_past_the_rank(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = hl.associative_scan(torch.add, x[r, :], 2)  # here
    return out


@refused("the combining function has the arguments (a, b, c); two tuples of 2, or 4 scalars, are given to it")
def scan_by_three(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :], _ = hl.associative_scan(lambda a, b, c: a, (x[r, :], x[r, :]), 1)  # here
    return out


@refused("the combining function returns 2 values where it takes 1")
def scan_to_two(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = hl.associative_scan(lambda a, b: (a, b), x[r, :], 1)  # here
    return out


@refused("the combining function returns 1 (int); return tensors of a scalar each")
def scan_to_a_number(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :], _ = hl.associative_scan(lambda a, b, c, d: (c, 1), (x[r, :], x[r, :]), 1)  # here
    return out


@refused("the combining function returns float32[96], not a scalar")
def scan_to_a_tile(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.grid(x.size(0)):
        out[r, :] = hl.associative_scan(lambda a, b: a * b + x[r, :], x[r, :], 0)  # here
    return out


@refused("the combining function decides by what a lane holds; use torch.where")
def scan_that_decides(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.tile(x.size(0)):
        out[r, :] = hl.associative_scan(lambda a, b: a * b if a > b else b, x[r, :], 1)  # here
    return out


@refused(
    "the combining function uses a scalar from outside; give it as one more value, as with torch.full_like"
)
def scan_with_another(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for r in hl.grid(x.size(0)):
        w = x[r, 0]
        out[r, :] = hl.associative_scan(lambda a, b: a * w + b, x[r, :], 0)  # here
    return out


@refused("reduce of all dimensions by another function than +, *, maximum or minimum; give dim")
def reduce_by_another(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0)])
    for r in hl.tile(x.size(0)):
        out[r] = hl.reduce(lambda a, b: a * b + a, x[r, :])  # here
    return out


@pytest.mark.parametrize("name", CASES)
def test_refusal(name: str) -> None:
    function, args, message = CASES[name]
    lines, first = inspect.getsourcelines(function)
    line = first + next((i for i, text in enumerate(lines) if text.rstrip().endswith("# here")), 0)
    with pytest.raises(tilec.TraceError) as refusal:
        tilec.kernel(function).bind(*args)
    assert refusal.value.message == message
    assert re.fullmatch(rf"{re.escape(__file__)}:{line}:\d+", refusal.value.place)


def test_an_error_names_its_own_file(tmp_path: Path) -> None:
    """Of two that hold the same text."""
    text = "def k(x):\n    return x.summ()\n"
    for name in ("one", "other"):
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        found: dict[str, Any] = {}
        exec(compile(text, str(file), "exec"), found)
        with pytest.raises(tilec.TraceError) as refusal:
            tilec.kernel(found["k"]).bind(X)
        assert refusal.value.place == f"{file}:2:12"
