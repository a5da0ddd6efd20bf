"""One choice of all that a tuner chooses, which can be compared, written down and read again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

from tilec.analysis.blocks import MOST_BUFFERS
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas


@dataclass(frozen=True)
class Choice:
    """Block sizes by axis, and options of `--tile-to-pallas`; what is left out is as that pass has it."""

    blocks: tuple[tuple[str, int], ...] = ()
    grouping: str = TileToPallas.grouping
    loop: str = TileToPallas.loop
    operands: str = TileToPallas.operands
    depth: int | None = TileToPallas.depth
    fetch: int = TileToPallas.fetch
    gathers: str = TileToPallas.gathers
    shared: str = TileToPallas.shared
    clean: str = TileToPallas.clean
    order: tuple[str, ...] = TileToPallas.order

    @property
    def sizes(self) -> dict[str, int]:
        """The block sizes by axis."""
        return dict(self.blocks)

    @property
    def plainness(self) -> tuple[int, int, int, int]:
        """Orders choices that are as good as each other: the least is the simplest."""
        words = (self.operands, self.gathers, self.shared, self.clean)
        said = sum(each != "auto" for each in words) + len(self.order)
        return LOOPS.index(self.loop), said, self.depth or 0, self.fetch

    def with_sizes(self, sizes: Mapping[str, int]) -> "Choice":
        """The same with other block sizes."""
        return replace(self, blocks=tuple(sorted(sizes.items())))

    def pipeline(self, chip: str) -> TileToPallas:
        """The passes that make a kernel of it."""
        options = {key: getattr(self, key) for key in OPTIONS}
        return TileToPallas(chip=chip, blocks=self.sizes, **options)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        options = {key: getattr(self, key) for key in OPTIONS}
        return {"blocks": self.sizes, **options, "order": list(self.order)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Raises ValueError for what is no choice."""
        plain = cls().to_json()
        if not isinstance(data, dict):
            raise ValueError("not a choice")
        given = cast("dict[str, Any]", data)
        named = [key for key in plain if key != "depth"]
        other = sorted(given.keys() - plain.keys())
        if other:
            raise ValueError(f"a choice with {', '.join(map(str, other))}; {', '.join(plain)} are accepted")
        if any(type(given.get(key)) is not type(plain[key]) for key in named) or "depth" not in given:
            raise ValueError("not a choice")
        if not all(isinstance(each, str) for each in given["order"]):
            raise ValueError("a choice with an order of what are no names")
        depth = 1 if given["depth"] is None else given["depth"]
        numbers = [*given["blocks"].values(), depth, given["fetch"]]
        if not all(type(each) is int and each > 0 for each in numbers):
            raise ValueError("a choice with sizes that are no positive numbers")
        if depth > MOST_BUFFERS:
            raise ValueError(f"a choice with depth={depth}; 1 to {MOST_BUFFERS} is accepted")
        options: dict[str, Any] = {key: given[key] for key in plain if key != "blocks"}
        options["order"] = tuple(options["order"])
        choice = cls(tuple(sorted(given["blocks"].items())), **options)
        choice.pipeline(TileToPallas.chip).passes()  # raises for words that are none
        return choice

    def __str__(self) -> str:
        return self.pipeline(TileToPallas.chip).told()


OPTIONS = tuple(each.name for each in fields(Choice) if each.name != "blocks")
"""The options of `--tile-to-pallas` that are chosen."""
