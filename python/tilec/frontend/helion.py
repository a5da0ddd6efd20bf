"""Kernels that were written for Helion, traced again with the language's own names."""

from types import FunctionType
from typing import Any

from tilec.frontend.config import Config
from tilec.frontend.kernel import Kernel


def from_helion(kernel: Any, config: Config | None = None) -> Kernel[..., Any]:
    """A kernel of the function that a `helion.kernel` decorates.

    What the function calls of `helion.language` is taken to be what `tilec.language` calls by that name; a
    name that is not there is refused where the function calls it. Helion's own configurations are not taken
    over: their choices are others.

    Raises TypeError for what is no kernel of Helion.
    """
    function = getattr(kernel, "fn", None)
    if not isinstance(function, FunctionType) or not type(kernel).__module__.startswith("helion"):
        raise TypeError(f"{kernel!r} is no kernel of Helion; pass what @helion.kernel returns")
    return Kernel(function, config)
