"""Asks the TPU compiler which accesses it takes, and shows where recorded answers or the oracle differ.

    python benchmarks/alignment.py --sample 200
    python benchmarks/alignment.py --chip v6e rows.csv
    python benchmarks/alignment.py --record answers.csv.gz
    python benchmarks/alignment.py --random 300 --seed 7

Each row becomes the smallest kernel with that access, compiled ahead of time, which takes about 0.1 s. The
rows are, without a file, the recorded ones that the tests use. `--record` writes the rows with the answers of
the installed libtpu, `--random` draws new rows.
"""

import argparse
import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tilec.analysis.alignment import Access, Extent, Kind, Multiple, refusal
from tilec.analysis.alignment.rows import FIELDS, format_access, parse_access
from tilec.chips import CHIPS
from tilec.runtime.aot import CompileRefused, compile_for

RECORDED = Path(__file__).resolve().parents[1] / "test" / "python" / "data" / "alignment.csv.gz"
DTYPES = {
    "f32": jnp.float32, "i32": jnp.int32, "ui32": jnp.uint32,
    "bf16": jnp.bfloat16, "f16": jnp.float16, "i16": jnp.int16, "ui16": jnp.uint16,
    "i8": jnp.int8, "ui8": jnp.uint8, "f8e4m3fn": jnp.float8_e4m3fn, "f8e5m2": jnp.float8_e5m2,
    "f8e4m3b11fnuz": jnp.float8_e4m3b11fnuz, "i4": jnp.int4, "ui4": jnp.uint4,
}  # fmt: skip
ANY = pl.BlockSpec(memory_space=pl.ANY)
VMEM = pl.BlockSpec(memory_space=pltpu.VMEM)
SMEM = pl.BlockSpec(memory_space=pltpu.SMEM)
SCALARS = jax.ShapeDtypeStruct((32,), jnp.int32)
Program = tuple[Callable[..., Any], list[jax.ShapeDtypeStruct]]


def values(scalars: Any, extents: Sequence[Extent], first: int) -> list[Any]:
    """Extents in a kernel; one known at run time is a scalar from memory times a literal."""
    read = enumerate(extents, first)
    return [extent if isinstance(extent, int) else scalars[i] * extent.of for i, extent in read]


def window(scalars: Any, start: Sequence[Extent], size: Sequence[Extent], first: int = 0) -> tuple[Any, ...]:
    """The slices of a window. Its sizes are the same on both sides of a DMA."""
    starts, sizes = values(scalars, start, first), values(scalars, size, 16)
    return tuple(pl.ds(begin, count) for begin, count in zip(starts, sizes, strict=True))


def copy_program(access: Access) -> Program:
    """A DMA between an array in HBM and a buffer, which without a shape of its own is exactly the window."""
    array = jax.ShapeDtypeStruct(access.array, DTYPES[access.dtype.lower()])
    exact = access.vmem_shape is None and all(isinstance(count, int) for count in access.size)
    fallback = [
        extent if isinstance(n, Multiple) else n for n, extent in zip(access.size, access.array, strict=True)
    ]
    buffer_shape = access.vmem_shape or tuple(fallback)
    begin = access.vmem_start or (0,) * len(buffer_shape)
    out = access.kind == Kind.DMA_OUT

    def kernel(scalars: Any, source: Any, target: Any, buffer: Any, semaphore: Any) -> None:
        hbm = (target if out else source).at[window(scalars, access.start, access.size)]
        vmem = buffer if exact else buffer.at[window(scalars, begin, access.size, 8)]
        sides = (vmem, hbm) if out else (hbm, vmem)
        pltpu.async_copy(*sides, semaphore).wait()

    call = pl.pallas_call(
        kernel,
        out_shape=array if out else jax.ShapeDtypeStruct((8, 128), jnp.float32),
        in_specs=[SMEM, ANY],
        out_specs=ANY,
        scratch_shapes=[pltpu.VMEM(buffer_shape, array.dtype), pltpu.SemaphoreType.DMA],
    )
    return call, [SCALARS, array]


def vector_program(access: Access) -> Program:
    """A load from, or a store to, an operand in VMEM."""
    dtype, store = DTYPES[access.dtype.lower()], access.kind == Kind.VMEM_STORE
    array, vector = (jax.ShapeDtypeStruct(shape, dtype) for shape in (access.array, access.size))
    if not store and len(access.array) == 1 and vector.dtype.itemsize == 1:
        # The store of a part of a word is a question of its own.
        vector = jax.ShapeDtypeStruct(access.size, jnp.int32 if "i" in access.dtype else jnp.float32)

    def kernel(scalars: Any, source: Any, target: Any) -> None:
        where = window(scalars, access.start, access.size)
        if store:
            target[where] = source[...]
        else:
            target[...] = source[where].astype(target.dtype)

    call = pl.pallas_call(kernel, out_shape=array if store else vector, in_specs=[SMEM, VMEM], out_specs=VMEM)
    return call, [SCALARS, vector if store else array]


def block_program(access: Access) -> Program:
    """A copy by blocks, in the grid of a `pallas_call` or in an `emit_pipeline`."""
    array = jax.ShapeDtypeStruct(access.array, DTYPES[access.dtype.lower()])
    grid = tuple(-(-extent // block) for extent, block in zip(access.array, access.size, strict=True))
    spec = pl.BlockSpec(access.size, lambda *indices: indices)

    def body(source: Any, target: Any) -> None:
        target[...] = source[...]

    def kernel(source: Any, target: Any) -> None:
        pltpu.emit_pipeline(body, grid=grid, in_specs=[spec], out_specs=[spec])(source, target)

    if access.kind == Kind.GRID_BLOCK:
        call = pl.pallas_call(body, out_shape=array, grid=grid, in_specs=[spec], out_specs=spec)
    else:
        call = pl.pallas_call(kernel, out_shape=array, in_specs=[ANY], out_specs=ANY)
    return call, [array]


def ask(access: Access) -> str:
    """Why the compiler refuses an access; nothing where it takes it."""
    build = copy_program if access.is_dma else block_program if access.is_block else vector_program
    try:
        compile_for(*build(access), access.chip_name)
    except CompileRefused as refused:
        return refused.message[:50] or "refused"
    return ""


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, packed by gzip or not."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """The same bytes for the same rows."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        lines = [",".join([*FIELDS, "legal", "refusal"])]
        lines += [",".join(row[name] for name in (*FIELDS, "legal", "refusal")) for row in rows]
        packed.write("\n".join([*lines, ""]).encode())


def draw_rows(count: int, draw: random.Random) -> Iterator[dict[str, str]]:
    """New accesses, about half of them legal: one tiled dimension is cut, the other often whole."""
    for _ in range(count):
        kind, dtype, rank = draw.choice(list(Kind)), draw.choice(list(DTYPES)), draw.choice([1, 2, 2, 2, 3])
        rows, lanes = draw.randint(1, 130), draw.choice([64, 100, 128, 200, 256, 300, 512])
        array = (*[3] * (rank - 2), rows, lanes) if rank > 1 else (draw.choice([100, 1000, 1024, 4096]),)
        cut = draw.choice([rank - 1, max(0, rank - 2)])
        size: list[Extent] = list(array)
        extent = array[cut]
        count_here = draw.choice([n for n in (1, 2, 4, 8, 16, 32, 128, 256, extent) if n <= extent])
        size[cut] = count_here
        start: list[Extent] = [0] * rank
        of = draw.choice([1, 2, 4, 8, 16, 32, 128, 256, 512])
        begin = draw.randint(0, extent - count_here)
        start[cut] = draw.choice([Multiple(of), begin, begin // 8 * 8, extent - count_here])
        block = kind in (Kind.GRID_BLOCK, Kind.PIPELINE_BLOCK)
        access = Access(
            draw.choice(list(CHIPS)), kind, dtype, array, () if block else tuple(start), tuple(size)
        )
        yield dict(zip(FIELDS, format_access(access), strict=True))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=RECORDED, help="rows to ask about")
    parser.add_argument("--chip", help="only the rows of this chip")
    parser.add_argument("--sample", type=int, metavar="N", help="N of the rows, drawn at random")
    parser.add_argument("--random", type=int, metavar="N", help="N new rows instead of a file")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default 0)")
    parser.add_argument("--record", type=Path, metavar="FILE.csv.gz", help="write the answers")
    return parser.parse_args()


def main() -> None:
    options, console = arguments(), Console()
    draw = random.Random(options.seed)
    rows = list(draw_rows(options.random, draw)) if options.random else read_rows(options.file)
    rows = [row for row in rows if options.chip in (None, row["chip"])]
    if options.sample is not None:
        rows = draw.sample(rows, min(options.sample, len(rows)))
    counts: dict[str, Counter[str]] = {}
    answers: list[dict[str, str]] = []
    for row in track(rows, "asking", console=console):
        access = parse_access([row[name] for name in FIELDS])
        message = ask(access).replace(",", ";")
        legal, believed = not message, refusal(access) is None
        answers.append({**row, "legal": str(int(legal)), "refusal": message[:24]})
        changed = "legal" in row and row["legal"] != str(int(legal))
        count = counts.setdefault(row["access"], Counter())
        count.update(rows=1, taken=int(legal), changed=int(changed))
        count.update(wrongly_legal=int(believed > legal), wrongly_refused=int(believed < legal))
        if changed or believed != legal:
            told = f"compiler: {message or 'legal'}; recorded: {row.get('legal')}; oracle: {int(believed)}"
            console.print(",".join(row[name] for name in FIELDS), told, highlight=False)
    columns = ("rows", "taken", "changed", "wrongly_legal", "wrongly_refused")
    table = Table(
        "access", *(name.replace("_", " ") for name in columns), title="answers of the TPU compiler"
    )
    for kind, count in counts.items():
        table.add_row(kind, *(str(count[name]) for name in columns))
    console.print(table)
    if options.record is not None:
        write_rows(options.record, answers)


if __name__ == "__main__":
    main()
