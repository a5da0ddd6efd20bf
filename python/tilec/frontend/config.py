"""What is chosen for a kernel: sizes of tiles, and how its loops run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tilec.passes.tile_to_pallas import TileToPallas


@dataclass(frozen=True)
class Config:
    """Choices for one kernel. What is left out has a default; `--choose-blocks` has that of a tile.

    `blocks` gives the lanes of tiles by name, the name of the loop variable; `block_sizes` gives them in the
    order in which the program makes its tiles. The others are the options of `--tile-to-pallas`, which says
    what they do and what holds where nothing is said. `tunables` are what `register_tunable` returns, by
    name.
    """

    blocks: Mapping[str, int] = field(default_factory=dict[str, int])
    block_sizes: Sequence[int] = ()
    grouping: str = "auto"
    loop: str | None = None
    operands: str = "auto"
    gathers: str = "auto"
    shared: str = "auto"
    clean: str = "auto"
    depth: int | None = None
    fetch: int = 1
    order: Sequence[str] = ()
    tunables: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def choices(
        self,
        names: Sequence[str],
        fixed: Mapping[str, int],
        chip: str = TileToPallas.chip,
        items: Collection[str] = (),
        unused: Collection[str] = (),
    ) -> TileToPallas:
        """The whole pipeline for a program with tiles of these names, some of a fixed size, on a chip.

        `items` are the tiles that `--one-hot-segments` may make besides, `unused` those of loops that
        nothing came of, which the program does not have.

        Raises ValueError for a name or a number of sizes that the program does not have.
        """
        made = items if self.grouping in ("auto", "one_hot") else ()
        unknown = [name for name in self.blocks if name not in names and name not in made]
        if unknown or len(self.block_sizes) > len(names):
            given = f"a block size for {unknown[0]}" if unknown else f"{len(self.block_sizes)} block sizes"
            raise ValueError(f"{given}, and the tiles are: {', '.join(names) or 'none'}")
        sizes = {**dict(zip(names, self.block_sizes, strict=False)), **self.blocks, **fixed}
        return TileToPallas(
            self.grouping,
            self.loop or ("fori_loop" if self.grouping == "stream" else TileToPallas.loop),
            chip,
            {name: size for name, size in sizes.items() if name not in unused},
            operands=self.operands,
            gathers=self.gathers,
            shared=self.shared,
            clean=self.clean,
            depth=self.depth,
            fetch=self.fetch,
            order=tuple(name for name in self.order if name not in unused),
        )

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this configuration from another."""
        return (
            tuple(sorted(self.blocks.items())),
            tuple(self.block_sizes),
            self.grouping,
            self.loop,
            self.operands,
            self.gathers,
            self.shared,
            self.clean,
            self.depth,
            self.fetch,
            tuple(self.order),
            tuple(sorted((name, repr(value)) for name, value in self.tunables.items())),
        )
