"""The oracle of legal accesses: against recorded answers of the TPU compiler, and what it promises."""

import csv
import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilec.analysis.alignment import Access, Extent, Kind, Multiple, nearest_legal, refusal
from tilec.analysis.alignment.rows import FIELDS, format_access, parse_access

# Answers of libtpu 0.0.51 with jax 0.10.2, re-recorded by benchmarks/alignment.py.
RECORDED = Path(__file__).parent / "data" / "alignment.csv.gz"
CHIPS = ("v4", "v5e", "v5p", "v6e", "tpu7x", "v7x")
DTYPES = ("f32", "i32", "bf16", "f16", "i16", "i8", "f8E4M3FN", "f8E5M2", "i4")
BLOCKS = (Kind.GRID_BLOCK, Kind.PIPELINE_BLOCK)


def recorded() -> list[tuple[Access, bool]]:
    with gzip.open(RECORDED, "rt") as file:
        return [
            (parse_access([row[name] for name in FIELDS]), row["legal"] == "1")
            for row in csv.DictReader(file)
        ]


def test_agrees_with_the_compiler() -> None:
    answers = [(access, legal, refusal(access)) for access, legal in recorded()]
    assert len(answers) > 12_000
    wrongly_legal = [access for access, legal, found in answers if found is None and not legal]
    assert wrongly_legal == []
    kinds = Counter(access.kind for access, _, _ in answers)
    refused = Counter(access.kind for access, legal, found in answers if found is not None and legal)
    assert {kind for kind, count in refused.items() if count > 0.01 * kinds[kind]} == set()
    assert set(kinds) == set(Kind)


def test_rows_read_as_they_were_written() -> None:
    for access, _ in recorded()[::50]:
        assert parse_access(format_access(access)) == access


def window(
    array: str, start: str, size: str, dtype: str = "f32", kind: Kind = Kind.DMA_IN, vmem: str = ""
) -> Access:
    shape, _, at = vmem.partition("@")
    return parse_access(["v5e", kind, dtype, array, start, size, shape, at])


# Each is a rule of its own: (array, start, size, dtype, kind, VMEM side), whether it is legal.
CASES = [
    (window("100x256", "8*?x0", "8x256"), True),
    (window("100x256", "?x0", "8x256"), False),
    (window("100x256", "?x0", "1x256"), True),
    (window("100x256", "?x0", "1x256", "bf16"), False),
    (window("100x256", "96x0", "4x256"), True),
    (window("100x256", "3x0", "5x256"), True),
    (window("100x256", "3x0", "6x256"), False),
    (window("100x256", "4x0", "8x256"), True),
    (window("100x256", "4x0", "12x256"), False),
    (window("128x64", "?x0", "?x64"), True),
    (window("128x64", "2*?x0", "4x64", "bf16"), True),
    (window("128x64", "2*?x0", "4x64", "i8"), False),
    (window("128x256", "8*?x0", "16x256", "i8"), False),
    (window("100x256", "8*?x0", "16x256", "i8"), True),
    (window("64x192", "0x128", "32x64"), True),
    (window("64x256", "0x128", "32x64"), False),
    (window("64x64", "0x0", "32x64"), True),
    (window("192x256", "32*?x0", "24x256", "i8"), True),
    (window("192x256", "32*?x0", "12x256", "i8"), False),
    (window("192x256", "28x0", "8x256", "i8"), True),
    (window("192x256", "24x0", "24x256", "i8"), False),
    (window("192x256", "64*?x0", "8*?x256", "i4"), True),
    (window("40x256", "0x0", "8*?x256", "i8", vmem="64x256@0x0"), True),
    (window("24x1", "0x512*?", "24x1", "i8"), True),
    (window("1000", "256", "744"), True),
    (window("1000", "100", "128"), False),
    (window("1000", "128*?", "128", "bf16"), False),
    (window("64x100", "0x0", "32x100", vmem="32x128@0x0"), False),
    (window("64x256", "0x0", "8x256", vmem="64x256@8*?x0"), True),
    (window("64x256", "0x0", "8x256", vmem="64x256@?x0"), False),
    (window("-1x256", "8*?x0", "8*?x256"), True),
    (window("-1x256", "8*?x0", "8x256", "i8"), True),
    (window("-1x256", "8x0", "16x256", "i8"), False),
    (window("128x256", "3x5", "5x9", kind=Kind.VMEM_LOAD), True),
    (window("128x256", "4*?x0", "8x256", kind=Kind.VMEM_LOAD), False),
    (window("128x256", "?x0", "1x256", kind=Kind.VMEM_LOAD), True),
    (window("128x256", "?x0", "1x128", kind=Kind.VMEM_STORE), False),
    (window("128x64", "?x0", "9x64", kind=Kind.VMEM_STORE), True),
    (window("128x64", "8*?x0", "8x64", "i8", Kind.VMEM_STORE), False),
    (window("40x64", "8*?x0", "8x64", "i8", Kind.VMEM_STORE), True),
    (window("4096", "100*?", "100", kind=Kind.VMEM_LOAD), False),
    (window("128x512", "0x64*?", "8x64", kind=Kind.VMEM_LOAD), False),
    (window("128x256", "8*?x0", "8*?x256", kind=Kind.VMEM_LOAD), False),
    (window("1024", "0", "100", "i4", Kind.VMEM_STORE), False),
    (window("100x256", "", "20x256", kind=Kind.GRID_BLOCK), False),
    (window("100x256", "", "100x128", kind=Kind.GRID_BLOCK), True),
    (window("13x256", "", "16x256", kind=Kind.GRID_BLOCK), True),
    (window("100x100", "", "8x128", kind=Kind.GRID_BLOCK), True),
    (window("4096", "", "1536", kind=Kind.GRID_BLOCK), False),
    (window("128x256", "", "4x256", kind=Kind.PIPELINE_BLOCK), True),
    (window("128x256", "", "12x256", kind=Kind.PIPELINE_BLOCK), False),
    (window("13x256", "", "16x256", kind=Kind.PIPELINE_BLOCK), True),
    (window("2x256", "", "32x256", kind=Kind.PIPELINE_BLOCK), False),
    (window("128x256", "", "96x256", "i8", Kind.PIPELINE_BLOCK), True),
    (window("96x256", "", "24x256", "i8", Kind.PIPELINE_BLOCK), False),
    (window("-1x256", "", "24x256", "bf16", Kind.PIPELINE_BLOCK), True),
    (window("4096", "", "1536", kind=Kind.PIPELINE_BLOCK), True),
    (window("100", "", "100", "f16", Kind.GRID_BLOCK), False),
]


@pytest.mark.parametrize(
    ("access", "legal"),
    CASES,
    ids=lambda value: " ".join(format_access(value)) if isinstance(value, Access) else "",
)
def test_rule(access: Access, legal: bool) -> None:
    assert (refusal(access) is None) == legal


def test_8_bit_lines_on_v4_are_whole_words() -> None:
    for chip, legal in (("v4", False), ("v5e", True)):
        for kind in (*BLOCKS, Kind.VMEM_STORE):
            access = Access(chip, kind, "i8", (100,), () if kind in BLOCKS else (0,), (100,))
            assert (refusal(access) is None) == legal


def test_scratch_has_larger_tiles_on_late_chips() -> None:
    load = Access("tpu7x", Kind.VMEM_LOAD, "bf16", (128, 256), (Multiple(8), 0), (8, 256))
    assert refusal(load) is None
    assert refusal(replace(load, chip="v5e", scratch=True)) is None
    assert refusal(replace(load, array=(40, 256), scratch=True)) is None
    assert refusal(replace(load, scratch=True)) is not None
    assert refusal(replace(load, start=(Multiple(16), 0), scratch=True)) is None


def test_a_dma_sees_the_tiles_of_scratch() -> None:
    into = Access("tpu7x", Kind.DMA_IN, "bf16", (16, 256), (0, 0), (16, 256), (64, 256), (Multiple(8), 0))
    assert refusal(into) is not None
    assert refusal(replace(into, chip="v6e")) is None
    assert refusal(replace(into, vmem_shape=(40, 256))) is None


def test_a_refusal_is_one_sentence() -> None:
    found = refusal(window("100x256", "?x0", "8x256"))
    assert found is not None
    assert str(found) == (
        "dimension 0: a DMA begins at a multiple of 8 rows and takes a multiple of 8 or all that is left; "
        "got 8 from ? of 100 in the array; the nearest legal window: start 8*?x0 size 8x256"
    )
    assert (found.dim, found.nearest) == (0, "start 8*?x0 size 8x256")


MALFORMED = {
    "unknown chip 'v9': known are v4,": {"chip": "v9"},
    "unknown dtype 'f64': known are f32,": {"dtype": "f64"},
    "has another rank than the array 100x256": {"start": (0,)},
    "window 0x0 of 8x257 goes past the end": {"size": (8, 257)},
    "has 0; 1 or more is needed": {"size": (0, 256)},
    "has -1; 0 or more is needed": {"start": (-1, 0)},
    "a multiple of 0 is none": {"start": (Multiple(0), 0)},
    "one extent or more is needed": {"array": ()},
    "VMEM buffer 0x256: one extent": {"vmem_shape": (0, 256)},
    "window of the VMEM buffer 0x0 of 8x256 goes past the end of 4x256": {"vmem_shape": (4, 256)},
    "a VMEM start needs a VMEM shape": {"vmem_start": (0, 0)},
    "only a DMA has a VMEM side": {"kind": Kind.VMEM_LOAD, "vmem_shape": (8, 256)},
    "takes no start and no VMEM buffer": {"kind": Kind.GRID_BLOCK},
    "has another rank than the array": {"kind": Kind.GRID_BLOCK, "start": (), "size": (8,)},
    "every size must be a literal": {"kind": Kind.GRID_BLOCK, "start": (), "size": (Multiple(8), 256)},
}


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_accesses_are_errors(message: str) -> None:
    access = Access("v5e", Kind.DMA_IN, "f32", (100, 256), (0, 0), (8, 256))
    with pytest.raises(ValueError, match=message):
        refusal(replace(access, **MALFORMED[message]))


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("access", "dma", "unknown access 'dma': known are dma-in"),
        ("array", "100x?", "array '100x\\?'; write extents with x between, as in 100x256"),
        ("start", "8?x0", "start '8\\?x0'; write extents with x between, each as 8, 8\\*\\? or \\?"),
    ],
)
def test_malformed_rows_are_errors(column: str, text: str, message: str) -> None:
    row = format_access(window("100x256", "0x0", "8x256"))
    row[FIELDS.index(column)] = text
    with pytest.raises(ValueError, match=message):
        parse_access(row)


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    """Well formed accesses of rank 1 to 3, legal or not."""
    kind = draw(st.sampled_from(list(Kind)))
    array = tuple(draw(st.lists(st.integers(1, 520), min_size=1, max_size=3)))
    start: list[Extent] = []
    size: list[Extent] = []
    for extent in array:
        count = draw(st.integers(1, extent))
        begin = draw(st.integers(0, extent - count))
        multiple = Multiple(draw(st.sampled_from([1, 2, 3, 4, 8, 12, 16, 32, 64, 128, 256])))
        start.append(draw(st.sampled_from([0, begin, begin // 8 * 8, extent - count, multiple])))
        size.append(draw(st.sampled_from([count, count, multiple if kind not in BLOCKS else count])))
    where = () if kind in BLOCKS else tuple(start)
    access = Access(
        draw(st.sampled_from(CHIPS)), kind, draw(st.sampled_from(DTYPES)), array, where, tuple(size)
    )
    if not access.is_dma or not draw(st.booleans()):
        return access
    buffer = tuple(n + draw(st.integers(0, 130)) if isinstance(n, int) else 256 for n in size)
    at: list[Extent] = [draw(st.sampled_from([0, Multiple(1), Multiple(8), Multiple(128)])) for _ in size]
    return replace(access, vmem_shape=buffer, vmem_start=tuple(at))


@given(accesses())
def test_the_nearest_window_is_legal(access: Access) -> None:
    found, other = refusal(access), nearest_legal(access)
    if found is None:
        assert other == access
    elif other is None:
        assert found.nearest == f"none in an array of {'x'.join(map(str, access.array))}"
        assert len(access.array) == 1
    else:
        assert refusal(other) is None
        assert other != access
        assert f"size {'x'.join(map(str, other.size))}" in found.nearest
        assert replace(other, start=access.start, size=access.size, dtype=access.dtype) == replace(
            access, vmem_shape=None, vmem_start=None
        )


@given(accesses())
def test_both_directions_have_the_same_dmas(access: Access) -> None:
    if access.is_dma:
        one, other = (refusal(replace(access, kind=kind)) for kind in (Kind.DMA_IN, Kind.DMA_OUT))
        assert one == other


@given(accesses(), st.integers(2, 6))
def test_what_is_known_better_stays_legal(access: Access, factor: int) -> None:
    """A start that is a multiple of more, and the aligned literals among its values, are legal if it is."""
    if access.is_block or access.vmem_shape is not None or refusal(access) is not None:
        return
    for dim, start in enumerate(access.start):
        if not isinstance(start, Multiple) or not isinstance(size := access.size[dim], int):
            continue
        better: list[Extent] = [Multiple(start.of * factor)]
        better += [at for at in (0, start.of, start.of * factor) if at + size <= access.array[dim]]
        for value in better:
            moved = (*access.start[:dim], value, *access.start[dim + 1 :])
            assert refusal(replace(access, start=moved)) is None


@pytest.mark.parametrize(
    ("name", "mlir"), [("float32", "f32"), ("bfloat16", "bf16"), ("uint8", "ui8"), ("u8", "ui8")]
)
def test_names_of_numpy_mean_the_same(name: str, mlir: str) -> None:
    one, two = (
        Access("v6e", Kind.DMA_IN, each, (512, 256), (Multiple(4), 0), (4, 256)) for each in (name, mlir)
    )
    assert one.packing == two.packing
    assert (refusal(one) is None) == (refusal(two) is None)
