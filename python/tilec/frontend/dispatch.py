"""What torch does while a function is traced becomes operations of the program."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tilec.frontend import host, views
from tilec.frontend.aten import (
    composed,
    creation,
    division,
    pointwise,
    products,
    reductions,
    scans,
    shapes,
)
from tilec.frontend.aten.table import EARLY, HANDLERS, Call, unsupported
from tilec.frontend.indexing import assign, load, store
from tilec.frontend.known import Value
from tilec.frontend.scalars import is_symbolic
from tilec.frontend.tiles import new_index, scalar_index
from tilec.frontend.torch_private import (
    GuardOnDataDependentSymNode,
    OpOverload,
    TorchDispatchMode,
    decompositions,
    functional_form,
    is_view,
    schema_of,
    tree_flatten,
    tree_map,
)
from tilec.frontend.trace import Trace, TraceError

__all__ = [
    "Functions",
    "Operators",
    "composed",
    "creation",
    "division",
    "pointwise",
    "products",
    "reductions",
    "scans",
    "shapes",
]

aten = torch.ops.aten

DECOMPOSED = decompositions(
    [
        aten._log_softmax,
        aten._softmax,
        aten.addcdiv,
        aten.addcmul,
        aten.binary_cross_entropy,
        aten.celu,
        aten.elu,
        aten.hardsigmoid,
        aten.hardswish,
        aten.hardtanh,
        aten.huber_loss,
        aten.l1_loss,
        aten.lerp,
        aten.linalg_vector_norm,
        aten.log_sigmoid_forward,
        aten.logaddexp,
        aten.logsumexp,
        aten.masked_fill,
        aten.mish,
        aten.mse_loss,
        aten.native_layer_norm,
        aten.norm,
        aten.selu,
        aten.smooth_l1_loss,
        aten.threshold,
        aten.tril,
        aten.triu,
        aten.xlogy,
    ]
)
"""Operators that are made of others, by torch's own words. What is not listed stays whole or is refused."""


class Operators(TorchDispatchMode):
    """Sees every operator of ATen that runs on a traced tensor."""

    def __init__(self, trace: Trace):
        super().__init__()
        self.trace = trace

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.trace.paused or func.namespace == "prim":  # what a tensor's device and such are
            return func(*args, **kwargs)
        self.trace.here()
        with self:
            known = self._known(args)
            made = self._lowered(func, known, self._known(kwargs))
        if is_view(func):
            for each in tree_flatten(made)[0]:
                if each.dtype is known[0].dtype:
                    self.trace.aliases.share(each, known[0])
        return made

    def _known(self, args: Any) -> Any:
        """Arguments with a traced tensor for each that was captured."""

        def replace(each: Any) -> Any:
            if isinstance(each, torch.Tensor) and not self.trace.is_known(each):
                return self.trace.captured_as(each)
            return each

        return tree_map(replace, args)

    def _lowered(self, func: OpOverload, args: Any, kwargs: Any) -> Any:
        trace, name = self.trace, func.overloadpacket.__name__
        if views.is_host_view(trace, func, args):
            return views.view(trace, func, args, kwargs)
        if name == "copy_":
            return assign(trace, *args[:2])
        if schema_of(func).is_mutable:
            return self._in_place(func, args, kwargs)
        if host.is_host_op(trace, args, kwargs) and name not in creation.LIKE:
            made = DECOMPOSED.get(func)
            if made is not None:
                return made(*args, **kwargs)
            return host.on_tiles(trace, func, args, kwargs, self._shaped(func, args, kwargs))
        call = Call(trace, func, args, kwargs)
        if name in EARLY:
            return EARLY[name](call)
        if name in HANDLERS:
            call.out = self._shaped(func, args, kwargs)
            return HANDLERS[name](call)
        if func in DECOMPOSED:
            return DECOMPOSED[func](*args, **kwargs)
        made = func.decompose(*args, **kwargs)
        if made is not NotImplemented:
            return made
        return trace.fail(unsupported(name))

    def _shaped(self, func: OpOverload, args: Any, kwargs: Any) -> Any:
        """The shapes and dtypes of what an operator returns. Raises TraceError where torch refuses."""
        trace = self.trace
        try:
            with trace.shapes_only():
                return func(*args, **kwargs)
        except GuardOnDataDependentSymNode as error:
            trace.fail(
                f"{func.overloadpacket.__name__} depends on a number that only the device knows: {error.cond}"
            )
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
            given = ", ".join(
                trace.describe(each) for each in tree_flatten((args, kwargs))[0] if _is_tensor(each)
            )
            message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            trace.fail(f"{func.overloadpacket.__name__}({given}): {trace.renamed(message)}")

    def _in_place(self, func: OpOverload, args: Any, kwargs: Any) -> Any:
        """An operator that changes its first argument: what it would return, from now on."""
        trace, target = self.trace, args[0]
        functional = functional_form(func)
        name = func.overloadpacket.__name__
        if functional is None and "out" in kwargs:
            trace.fail(f"{name} with out=; assign what it returns to a variable")
        if functional is None:
            trace.fail(unsupported(name))
        made = self._lowered(functional, args, kwargs)
        if made.shape == target.shape:
            return assign(trace, target, made)
        if not isinstance(trace.known(target), Value):
            trace.fail(
                f"{name} changes the shape of {trace.describe(target)}; assign what {name[:-1]} returns"
            )
        self._shaped(func, args, kwargs)  # of the tensor itself, which torch goes on with
        return trace.bind(target, trace.value(made))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)


class Functions(TorchFunctionMode):
    """Sees indexing, and what would ask a traced tensor for its elements."""

    def __init__(self, trace: Trace):
        super().__init__()
        self.trace = trace

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        trace = self.trace
        if trace.paused:
            return func(*args, **kwargs)
        special = SPECIAL.get(func)
        try:
            if special is None:
                return func(*args, **kwargs)
            trace.here()
            return special(trace, *args, **kwargs)
        except GuardOnDataDependentSymNode as error:
            trace.here()
            trace.fail(f"a Python decision on {error.cond}, which only the device knows")
        except TraceError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            cause = error.__cause__ or error.__context__
            if isinstance(error, TraceError) or isinstance(cause, TraceError):
                raise
            trace.here()
            trace.fail(trace.renamed(str(error).strip().splitlines()[0]))


def _truth(trace: Trace, tensor: torch.Tensor) -> bool:
    trace.fail(
        f"a Python decision on {trace.describe(tensor)}, which only the device knows; "
        "use torch.where, or an `if` in a function whose source can be read"
    )


def _item(trace: Trace, tensor: torch.Tensor) -> Any:
    if tensor.numel() != 1:
        trace.fail(f"item() of {trace.describe(tensor)}; a tensor of one element is needed")
    if not trace.in_tile:
        trace.fail(
            "item() outside a loop over tiles: the elements of a tensor are not known when the kernel is "
            "compiled; pass the number as an argument"
        )
    if tensor.is_floating_point() or tensor.dtype is torch.bool:
        trace.fail(f"item() of {trace.describe(tensor)}: leave it a tensor; only integers can be indices")
    return new_index(trace, "item", lambda: scalar_index(trace, tensor.reshape(())))


def _elements(trace: Trace, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    trace.fail(f"the elements of {trace.describe(tensor)} are not known while the kernel is traced")


def _length(trace: Trace, tensor: torch.Tensor) -> int:
    if tensor.dim() and is_symbolic(tensor.shape[0]):
        trace.fail(f"the length of {trace.describe(tensor)} is a number of the program; write .shape[0]")
    return torch.Tensor.__len__(tensor)


def _constant(trace: Trace, data: Any, *, dtype: torch.dtype | None = None, **kwargs: Any) -> torch.Tensor:
    """A number that the user's code makes a tensor of is no tensor from outside."""
    if isinstance(data, torch.SymInt):
        return torch.scalar_tensor(data, dtype=dtype or torch.int64)  # pyright: ignore[reportArgumentType]
    if isinstance(data, bool | int | float):
        return torch.full((), data, dtype=dtype)
    return torch.tensor(data, dtype=dtype, **kwargs)


def _take_along_dim(
    trace: Trace, tensor: torch.Tensor, indices: torch.Tensor, dim: int | None = None
) -> torch.Tensor:
    """A gather, of which the positions are the same along dimensions in which they are 1."""
    if dim is None:
        trace.fail("take_along_dim without a dimension; name the one that the positions are of")
    shape = list(tensor.shape)
    shape[dim] = indices.shape[dim]
    return torch.gather(tensor, dim, indices.expand(shape))


def _matmul(trace: Trace, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Of a batch and one matrix, which torch would make one matrix of the rows of all: tiles stay apart."""
    if sorted((first.dim(), second.dim())) in ([1, 3], [2, 3]):
        return products.matmul(trace, first, second)
    return torch.matmul(first, second)


def _linear(
    trace: Trace, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    if x.dim() != 3:
        return torch.nn.functional.linear(x, weight, bias)
    made = products.matmul(trace, x, weight.mT if weight.dim() == 2 else weight)
    return made if bias is None else made + bias


def _einsum(trace: Trace, equation: Any, *operands: Any) -> torch.Tensor:
    """A product as the matrices that it is of: torch would make others of one column, and more dimensions."""
    made = products.einsum(trace, equation, *operands) if isinstance(equation, str) else None
    return torch.einsum(equation, *operands) if made is None else made


SPECIAL: dict[Any, Callable[..., Any]] = {
    torch.matmul: _matmul,
    torch.Tensor.matmul: _matmul,
    torch.Tensor.__matmul__: _matmul,
    torch.nn.functional.linear: _linear,
    torch.einsum: _einsum,
    torch.take_along_dim: _take_along_dim,
    torch.Tensor.take_along_dim: _take_along_dim,
    torch.Tensor.__getitem__: load,
    torch.Tensor.__setitem__: store,
    torch.Tensor.__bool__: _truth,
    torch.Tensor.item: _item,
    torch.Tensor.__int__: _item,
    torch.Tensor.__index__: _item,
    torch.Tensor.__float__: _item,
    torch.Tensor.__len__: _length,
    torch.tensor: _constant,
    torch.Tensor.tolist: _elements,
    torch.Tensor.numpy: _elements,
    torch.Tensor.__array__: _elements,
}
"""Functions of torch that the tracer does itself."""
