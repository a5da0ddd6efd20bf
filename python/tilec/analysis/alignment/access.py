"""What an access is, and what a refusal of one says."""

from dataclasses import dataclass
from enum import StrEnum

from tilec.chips import CHIPS


class Kind(StrEnum):
    """How data moves: a copy between HBM and VMEM, a vector load or store, the block of a pipeline."""

    DMA_IN = "dma-in"
    DMA_OUT = "dma-out"
    VMEM_LOAD = "vmem-load"
    VMEM_STORE = "vmem-store"
    GRID_BLOCK = "grid-block"
    PIPELINE_BLOCK = "pipeline-block"


@dataclass(frozen=True)
class Multiple:
    """A value known only at run time, a multiple of `of`."""

    of: int = 1

    def __str__(self) -> str:
        return "?" if self.of == 1 else f"{self.of}*?"


Extent = int | Multiple

UNKNOWN = -1
"""An extent of an array that is known only at run time."""

_ALIASES = {"v7x": "tpu7x"}
_BITS = {
    "f32": 32, "i32": 32, "ui32": 32,
    "bf16": 16, "f16": 16, "i16": 16, "ui16": 16,
    "i8": 8, "ui8": 8, "f8e4m3fn": 8, "f8e5m2": 8, "f8e4m3b11fnuz": 8,
    "i4": 4, "ui4": 4,
}  # fmt: skip
_NUMPY = {
    "float32": "f32", "int32": "i32", "uint32": "ui32", "u32": "ui32",
    "bfloat16": "bf16", "float16": "f16", "int16": "i16", "uint16": "ui16", "u16": "ui16",
    "int8": "i8", "uint8": "ui8", "u8": "ui8", "int4": "i4", "uint4": "ui4", "u4": "ui4",
    "float8_e4m3fn": "f8e4m3fn", "float8_e5m2": "f8e5m2", "float8_e4m3b11fnuz": "f8e4m3b11fnuz",
}  # fmt: skip
"""The names that numpy and jax have for them."""
DTYPES = frozenset(_BITS)
"""The element types that are known, in lower case."""


@dataclass(frozen=True)
class Access:
    """One access of an array, in elements.

    `chip` is a name of `tilec.chips`, or v7x for tpu7x; `dtype` an MLIR name in any case, or one of numpy's.
    `array` is the array in HBM, or the buffer in VMEM for vector accesses; an extent of -1 is known only at
    run time, and taken to be a tile or more.
    Blocks have no `start`: a pipeline moves them by whole blocks. `vmem_shape` and `vmem_start` are the
    other side of a DMA, where it is not a buffer of exactly `size`. A `start` or `size` may be a `Multiple`.
    `scratch` says of a vector access that its buffer is scratch or belongs to an `emit_pipeline`, which some
    chips lay out in larger tiles than the operands and blocks of a `pallas_call`.
    """

    chip: str
    kind: Kind
    dtype: str
    array: tuple[int, ...]
    start: tuple[Extent, ...]
    size: tuple[Extent, ...]
    vmem_shape: tuple[int, ...] | None = None
    vmem_start: tuple[Extent, ...] | None = None
    scratch: bool = False

    @property
    def is_block(self) -> bool:
        return self.kind in (Kind.GRID_BLOCK, Kind.PIPELINE_BLOCK)

    @property
    def is_dma(self) -> bool:
        return self.kind in (Kind.DMA_IN, Kind.DMA_OUT)

    @property
    def chip_name(self) -> str:
        """The name in `tilec.chips`."""
        return _ALIASES.get(self.chip, self.chip)

    @property
    def packing(self) -> int:
        """Elements in a word of 32 bits."""
        return 32 // _BITS[self.element]

    @property
    def element(self) -> str:
        """The MLIR name of the element type, in lower case."""
        name = self.dtype.lower()
        return _NUMPY.get(name, name)


@dataclass(frozen=True)
class Refusal:
    """Why an access is not legal: the dimension, the rule, what it got, and the nearest legal window."""

    dim: int
    rule: str
    got: str
    nearest: str

    def __str__(self) -> str:
        return f"dimension {self.dim}: {self.rule}; got {self.got}; the nearest legal window: {self.nearest}"


def validate(access: Access) -> None:
    """Raises `ValueError` for an access that means nothing, whatever the chip."""
    if access.chip_name not in CHIPS:
        raise ValueError(f"unknown chip '{access.chip}': known are {', '.join([*CHIPS, *_ALIASES])}")
    if access.kind not in set(Kind):
        raise ValueError(f"unknown access '{access.kind}': known are {', '.join(Kind)}")
    if access.element not in _BITS:
        raise ValueError(f"unknown dtype '{access.dtype}': known are {', '.join(_BITS)}")
    _validate_array("array", access.array)
    if access.is_block:
        _validate_block(access)
        return
    _validate_window("window", access.array, access.start, access.size)
    if not access.is_dma and (access.vmem_shape is not None or access.vmem_start is not None):
        raise ValueError(f"only a DMA has a VMEM side of its own; {access.kind} has its buffer in 'array'")
    if access.vmem_shape is not None:
        start = access.vmem_start or (0,) * len(access.size)
        _validate_array("VMEM buffer", access.vmem_shape)
        _validate_window("window of the VMEM buffer", access.vmem_shape, start, access.size)
    elif access.vmem_start is not None:
        raise ValueError("a VMEM start needs a VMEM shape")


def _validate_array(name: str, shape: tuple[int, ...]) -> None:
    if not shape or any(extent <= 0 and extent != UNKNOWN for extent in shape):
        raise ValueError(
            f"{name} {show(shape)}: one extent or more is needed, each 1 or more, or -1 for unknown"
        )


def _validate_block(access: Access) -> None:
    if access.start or access.vmem_shape is not None or access.vmem_start is not None:
        raise ValueError(f"{access.kind} takes no start and no VMEM buffer: a pipeline moves its blocks")
    if len(access.size) != len(access.array):
        raise ValueError(f"block {show(access.size)} has another rank than the array {show(access.array)}")
    if any(isinstance(size, Multiple) or size <= 0 for size in access.size):
        raise ValueError(f"block {show(access.size)}: every size must be a literal, 1 or more")


def _validate_window(
    name: str, shape: tuple[int, ...], start: tuple[Extent, ...], size: tuple[Extent, ...]
) -> None:
    if not len(shape) == len(start) == len(size):
        raise ValueError(
            f"{name} {show(start)} of {show(size)} has another rank than the array {show(shape)}"
        )
    for extent, first, count in zip(shape, start, size, strict=True):
        for value in (first, count):
            if isinstance(value, Multiple) and value.of < 1:
                raise ValueError(f"{name}: a multiple of {value.of} is none; 1 or more is needed")
        if isinstance(count, int) and count <= 0:
            raise ValueError(f"{name}: size {show(size)} has {count}; 1 or more is needed")
        if isinstance(first, int) and first < 0:
            raise ValueError(f"{name}: start {show(start)} has {first}; 0 or more is needed")
        end = (first if isinstance(first, int) else 0) + (count if isinstance(count, int) else 0)
        if extent != UNKNOWN and end > extent:
            raise ValueError(f"{name} {show(start)} of {show(size)} goes past the end of {show(shape)}")


def show(values: tuple[Extent, ...]) -> str:
    """Extents as `8*?x0`."""
    return "x".join(str(value) for value in values)
