"""What `-t` of tile-opt can print besides MLIR, each behind a function that loads it."""

from collections.abc import Callable

from xdsl.utils.target import Target


def get_all_targets() -> dict[str, Callable[[], type[Target]]]:
    def get_pallas() -> type[Target]:
        from tilec.emit.target import PallasTarget

        return PallasTarget

    return {"pallas": get_pallas}
