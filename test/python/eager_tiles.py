"""A stand-in for the language of tiles: kernels run in eager torch, on tiles of uneven sizes.

Arrays refuse indices that no tile program may use, results whose shape or type does not fit, and start with
NaN in every float, 1 in every integer.
"""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import Any

import torch

from tilec.frontend.whole.kernels import Kernel


class Tile:
    """Consecutive indices. As a number, how many."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end

    def __index__(self) -> int:
        return self.end - self.begin

    @property
    def index(self) -> torch.Tensor:
        return torch.arange(self.begin, self.end, dtype=torch.int32)


class Array:
    """A tensor that is indexed by tiles, indices and `:`, one for each dimension."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    def places(self, index: Any) -> tuple[Any, ...]:
        every: list[Any] = [*index] if isinstance(index, tuple) else [index]
        assert len(every) == self.tensor.dim()
        return tuple(slice(each.begin, each.end) if isinstance(each, Tile) else each for each in every)

    def __getitem__(self, index: Any) -> torch.Tensor:
        return self.tensor[self.places(index)].clone()

    def __setitem__(self, index: Any, value: torch.Tensor) -> None:
        places = self.places(index)
        assert self.tensor[places].shape == value.shape
        assert self.tensor.dtype == value.dtype
        self.tensor[places] = value


class Language:
    """What kernels call `hl`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def _cuts(self, begin: int, end: int) -> list[Tile]:
        if begin == end:
            return []
        ends = sorted({*self._random.choices(range(begin + 1, end + 1), k=2), end})
        return [Tile(*bounds) for bounds in zip([begin, *ends], ends, strict=False)]

    def tile(self, sizes: Any, end: Any = None) -> Iterator[Any]:
        """Tiles of the range up to `sizes`, of several ranges, or of that from `sizes` to `end`."""
        if end is not None:
            yield from self._cuts(int(sizes), int(end))
        elif isinstance(sizes, int):
            yield from self._cuts(0, sizes)
        else:
            yield from product(*(self._cuts(0, size) for size in sizes))

    def grid(self, sizes: int | list[int]) -> Iterator[Any]:
        if isinstance(sizes, int):
            yield from range(sizes)
        else:
            yield from product(*(range(size) for size in sizes))

    def dot(self, left: torch.Tensor, right: torch.Tensor, acc: torch.Tensor | None = None) -> torch.Tensor:
        assert left.dim() == right.dim() == 2
        result = left.float() @ right.float()
        return result if acc is None else acc + result

    def zeros(self, sizes: list[Any], dtype: torch.dtype) -> torch.Tensor:
        return torch.zeros([size.__index__() for size in sizes], dtype=dtype)

    def full(self, sizes: list[Any], value: float, dtype: torch.dtype) -> torch.Tensor:
        return torch.full([size.__index__() for size in sizes], value, dtype=dtype)

    def atomic_add(self, array: "Array", index: list[Any], value: torch.Tensor) -> None:
        places = array.places(tuple(index))
        assert array.tensor[places].shape == value.shape
        assert value.dtype is torch.float32
        array.tensor[places] += value

    def arange(self, size: int) -> torch.Tensor:
        return torch.arange(size, dtype=torch.int32)


class _Torch:
    """`torch`, whose empty tensors are arrays."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def zeros(self, shape: list[int], dtype: torch.dtype) -> Array:
        return Array(torch.zeros(shape, dtype=dtype))

    def empty(self, shape: list[int], dtype: torch.dtype) -> Array:
        return Array(torch.full(shape, float("nan") if dtype.is_floating_point else 1, dtype=dtype))


def launch(kernel: Kernel) -> Callable[..., Any]:
    """Run a kernel on torch tensors of the shapes that it says, each time in other tiles."""
    scope: dict[str, Any] = {"hl": Language(seed=0), "torch": _Torch()}
    exec(kernel.text, scope)

    def run(*args: torch.Tensor) -> Any:
        assert [tuple(arg.shape) for arg in args] == [array.shape for array in kernel.arguments]
        results: Any = scope[kernel.name](*(Array(arg) for arg in args))
        return results.tensor if isinstance(results, Array) else tuple(each.tensor for each in results)

    return run
