"""tilec compiles tile programs to TPU kernels.

`kernel` makes a torch function over tiles one, `Config` says how. Both import torch when they are first used;
`tilec` alone imports neither torch nor jax.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tilec.frontend.config import Config
    from tilec.frontend.helion import from_helion
    from tilec.frontend.kernel import Bound, Kernel, kernel
    from tilec.frontend.trace import TraceError

__all__ = ["Bound", "Config", "Kernel", "TraceError", "cdiv", "from_helion", "kernel"]

_HOMES = {
    "Bound": "tilec.frontend.kernel",
    "Config": "tilec.frontend.config",
    "Kernel": "tilec.frontend.kernel",
    "TraceError": "tilec.frontend.trace",
    "from_helion": "tilec.frontend.helion",
    "kernel": "tilec.frontend.kernel",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tilec' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def cdiv(a: Any, b: Any) -> Any:
    """`a / b` rounded up, of whole numbers."""
    return (a + b - 1) // b
