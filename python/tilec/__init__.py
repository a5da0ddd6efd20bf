"""tilec compiles tile programs to TPU kernels.

`kernel` makes a torch function over tiles one, `Config` says how, `autotune` finds out how. `compile` finds
kernels in a torch function of whole tensors, `explain` says which. All import torch when they are first used;
`tilec` alone imports neither torch nor jax.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tilec.frontend.autotune import TuningResult, autotune, default_config
    from tilec.frontend.config import Config
    from tilec.frontend.helion import from_helion
    from tilec.frontend.kernel import Bound, Kernel, kernel
    from tilec.frontend.trace import TraceError
    from tilec.frontend.tuned import TunedConfig
    from tilec.frontend.whole.backend import compile
    from tilec.frontend.whole.report import Explanation, explain

__all__ = [
    "Bound",
    "Config",
    "Explanation",
    "Kernel",
    "TraceError",
    "TunedConfig",
    "TuningResult",
    "autotune",
    "cdiv",
    "compile",
    "default_config",
    "explain",
    "from_helion",
    "kernel",
    "next_power_of_2",
]

_HOMES = {
    "Bound": "tilec.frontend.kernel",
    "Config": "tilec.frontend.config",
    "Explanation": "tilec.frontend.whole.report",
    "Kernel": "tilec.frontend.kernel",
    "TraceError": "tilec.frontend.trace",
    "TunedConfig": "tilec.frontend.tuned",
    "TuningResult": "tilec.frontend.autotune",
    "autotune": "tilec.frontend.autotune",
    "compile": "tilec.frontend.whole.backend",
    "default_config": "tilec.frontend.autotune",
    "explain": "tilec.frontend.whole.report",
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


def next_power_of_2(number: int) -> int:
    """The least power of two that is not below a whole number from 1 up."""
    return 1 << (number - 1).bit_length()
