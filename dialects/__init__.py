"""Our dialects, each behind a function that loads it, so that naming them costs nothing."""

from collections.abc import Callable

from xdsl.ir import Dialect


def get_all_dialects() -> dict[str, Callable[[], Dialect]]:
    def get_tile() -> Dialect:
        from tilec.dialects.tile import Tile

        return Tile

    def get_pallas() -> Dialect:
        from tilec.dialects.pallas import Pallas

        return Pallas

    return {"tile": get_tile, "pallas": get_pallas}
