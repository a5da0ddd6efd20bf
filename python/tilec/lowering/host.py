"""The function around the kernels, while they are lowered."""

from dataclasses import dataclass

from xdsl.ir import SSAValue

from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import array_extent


@dataclass
class Host:
    """The function around the kernels: where its operations go, and what stands for each array now."""

    build: IndexBuilder
    arrays: dict[SSAValue, SSAValue]
    counts: dict[SSAValue, SSAValue]
    """The one-element array behind the count of each worklist."""

    def current(self, array: SSAValue) -> SSAValue:
        """What stands for an array, or another value of the host part, now."""
        return self.arrays.get(array, array)

    def extent(self, array: SSAValue) -> SSAValue:
        """The leading extent of an array."""
        return self.build.value(self.extent_of(array, 0))

    def extent_of(self, array: SSAValue, dim: int) -> Index:
        """The extent of a dimension of an array."""
        extent = array_extent(array, dim, self.build)
        return extent if isinstance(extent, int) else self.current(extent)
