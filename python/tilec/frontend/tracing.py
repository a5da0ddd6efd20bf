"""Tracing a function: from what it is called with to a program and what it returns."""

import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr
from xdsl.ir import SSAValue
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.diagnostics import verify
from tilec.dialects.tile import AtomicRmwOp
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.views import viewed_array
from tilec.frontend.dispatch import Functions, Operators
from tilec.frontend.known import Array
from tilec.frontend.markers import TracingMarkers
from tilec.frontend.places import error_location
from tilec.frontend.torch_private import TreeSpec, decisions, tree_flatten, tree_unflatten
from tilec.frontend.trace import NeedsStatic, Trace, WrappedError, tracing
from tilec.frontend.views import as_view


@dataclass(frozen=True)
class Output:
    """One object that the function returns: result number `result` of the program, the one element of it if
    it is `scalar`; argument number `argument` itself; or a constant.
    """

    result: int | None = None
    scalar: bool = False
    argument: int | None = None
    constant: Any = None


@dataclass(frozen=True)
class Traced:
    """A program, and how the function's arguments and results are those of it.

    `parameters` are name, shape and torch dtype of each argument, captured tensors last. `mutated` are the
    positions of arguments whose new contents are results, after those in `outputs`. Tiles
    in `bounds` have at least and at most so many lanes. Elements of 64-bit
    integer arguments must be below `most`, and above its negative. `assumptions` tells of the shapes of
    arguments whether the program is for them.
    """

    name: str
    module: ModuleOp
    parameters: tuple[tuple[str, tuple[int | None, ...], torch.dtype], ...]
    captured: tuple[torch.Tensor, ...]
    results: tuple[torch.dtype, ...]
    outputs: tuple[Output, ...]
    spec: TreeSpec
    mutated: tuple[int, ...]
    tiles: tuple[str, ...]
    fixed: Mapping[str, int]
    bounds: Mapping[str, tuple[int, int]]
    most: int
    assumptions: Callable[[Sequence[tuple[int, ...]]], bool]
    seconds: float

    def returned(self, results: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """What the function returns, of the program's results and its arguments."""
        flat: list[Any] = []
        for output in self.outputs:
            if output.result is not None:
                made = results[output.result]
                flat.append(made.reshape(()) if output.scalar else made)
            elif output.argument is not None:
                flat.append(arguments[output.argument])
            else:
                flat.append(output.constant)
        return tree_unflatten(flat, self.spec)


def trace_function(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    names: Sequence[str],
    *,
    dynamic: bool = False,
    may_be_empty: bool = False,
    tunables: Mapping[str, Any] | None = None,
) -> Traced:
    """The program of a function, for the largest 64-bit integers for which it can be traced.

    Otherwise as `trace_once`.
    """
    static, left = frozenset[str](), list(MOST)
    while True:
        name = fn.__name__ if fn.__name__.isidentifier() else "kernel"
        new = Trace(name, left[0], static=static, may_be_empty=may_be_empty)
        new.tunables.update(tunables or {})
        try:
            return trace_once(new, fn, args, kwargs, names, dynamic=dynamic)
        except NeedsStatic as need:
            static |= {need.array}
        except WrappedError:
            left.pop(0)
            if not left:
                raise


MOST = (2**29, 2**24, 2**20, 2**16)
"""What elements of 64-bit integer arguments may be below: tried in turn, where 32 bits are not enough for
what is computed of them."""


def trace_once(
    trace: Trace,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    names: Sequence[str],
    *,
    dynamic: bool,
) -> Traced:
    """Run `fn` once with fake tensors in place of those in `args` and `kwargs`, at any depth of containers.

    `names` are those of the tensors, in order. Leading extents of tensors are any if `dynamic`. Raises
    TraceError at the user's line for what cannot be traced, and what the function itself raises.
    """
    started = time.perf_counter()
    code = fn.__code__
    function = FileLineColLoc(StringAttr(code.co_filename), IntAttr(code.co_firstlineno), IntAttr(1))
    trace.location = function
    leaves, spec = tree_flatten((args, dict(kwargs)))
    replaced: list[Any] = []
    with tracing(trace):
        given = iter(names)
        for leaf in leaves:
            if isinstance(leaf, torch.Tensor):
                replaced.append(trace.parameter(next(given), leaf, dynamic=dynamic))
            else:
                replaced.append(leaf)
        new_args, new_kwargs = tree_unflatten(replaced, spec)
        trace.markers = TracingMarkers(trace)
        watched = decisions(trace.decide) if trace.may_be_empty else nullcontext()
        with trace.fake, Operators(trace), Functions(trace), _in_users_words(trace), watched:
            returned = trace.markers.call(fn)(*new_args, **new_kwargs)
        trace.location = function  # of what returns, and not of who called it
        return _finished(trace, returned, started)


@contextmanager
def _in_users_words(trace: Trace) -> Generator[None]:
    """Python's own errors in the user's function that come of its being traced, as TraceError."""
    try:
        yield
    except NameError as error:
        # Of a local variable only the message has the name.
        found = re.search(r"'(\w+)'", str(error))
        if found is None or found[1] not in trace.lost:
            raise
        trace.fail(trace.lost[found[1]], error_location(error))
    except AttributeError as error:
        if "FakeTensor" not in str(error):
            raise
        trace.fail(str(error).replace("FakeTensor", "Tensor"), error_location(error))


def _finished(trace: Trace, returned: Any, started: float) -> Traced:
    if trace.in_tile:
        trace.fail("an exception left a loop over tiles, and the function caught it; let it pass")
    trace.check_guards()
    parameters = list(trace.entry.args)
    written = {viewed_array(op.array) for op in trace.entry.walk() if isinstance(op, AccessOp) and op.writes}
    mutated = [position for position, each in enumerate(parameters) if each in written]
    results: list[SSAValue] = []
    dtypes: list[torch.dtype] = []
    flat, spec = tree_flatten(returned)
    outputs = [_output(trace, each, parameters, results, dtypes) for each in flat]
    dtypes += [trace.dtypes[parameters[position]] for position in mutated]
    module = trace.finish([*results, *[parameters[position] for position in mutated]])
    _without_unused(module)
    verify(module)
    described = tuple((arg.name_hint or "x", trace.shapes_of[arg], trace.dtypes[arg]) for arg in parameters)
    return Traced(
        trace.name,
        module,
        described,
        tuple(trace.captured),
        tuple(dtypes),
        tuple(outputs),
        spec,
        tuple(mutated),
        tuple(trace.sizes),
        dict(trace.fixed_blocks),
        dict(trace.size_bounds),
        trace.most,
        assumptions(trace),
        time.perf_counter() - started,
    )


def assumptions(trace: Trace) -> Callable[[Sequence[tuple[int, ...]]], bool]:
    """Whether shapes of arguments are as those that were traced, where Python decided something by them."""
    conditions: tuple[Any, ...] = trace.assumptions()
    parameters = list(trace.entry.args)

    def position(array: SSAValue) -> int:
        return next(place for place, each in enumerate(parameters) if each is array)

    places = {symbol: position(array) for symbol, array in trace.extents.items()}
    fixed = [
        (place, trace.shapes_of[array][0])
        for place, array in enumerate(parameters)
        if (array.name_hint or "") in trace.static
    ]

    def hold(shapes: Sequence[tuple[int, ...]]) -> bool:
        rows = {symbol: shapes[place][0] for symbol, place in places.items()}
        same = all(shapes[place][0] == extent for place, extent in fixed)
        return same and all(condition.subs(rows) == sympy.true for condition in conditions)

    return hold


def _output(
    trace: Trace, value: Any, parameters: list[Any], results: list[SSAValue], dtypes: list[torch.dtype]
) -> Output:
    """How a returned object comes about; a new array becomes one of `results`."""
    if isinstance(value, torch.SymInt):
        trace.fail(f"the number {trace.words(value)} is returned; return a tensor")
    if not isinstance(value, torch.Tensor):
        return Output(constant=value)
    known = trace.known(value)
    if not isinstance(known, Array):
        trace.fail(f"{trace.describe(value)} is a value in a tile and is returned; store it in a host tensor")
    if known.ssa in parameters and known.is_whole_of(value):
        return Output(argument=parameters.index(known.ssa))
    ssa = as_view(trace, known.without_fixed(), value).ssa
    results.append(ssa)
    dtypes.append(value.dtype)
    return Output(result=len(results) - 1, scalar=not value.dim())


def _without_unused(module: ModuleOp) -> None:
    """Drop what nothing uses: operations without effect, and old values of atomics."""
    region_dce(module.body)
    for op in list(module.walk()):
        if isinstance(op, AtomicRmwOp) and op.old is not None and op.old.first_use is None:
            kept = AtomicRmwOp(
                op.kind.data, op.value, op.array, op.window, expected=op.expected, mask=op.mask
            )
            kept.location = op.location
            block = op.parent
            if block is not None:
                block.insert_op_before(kept, op)
                block.erase_op(op)


def names_of(arguments: Mapping[str, Any]) -> list[str]:
    """Names for the tensors in arguments: the parameter's, with a number for those in a container."""
    names: list[str] = []
    for name, value in arguments.items():
        leaves = [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]
        alone = len(leaves) == 1
        names += [name if alone else f"{name}_{position}" for position in range(len(leaves))]
    return names
