"""What keeps `tile-opt` fast: it loads nothing heavy. Times are in benchmarks/startup.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from tilec.passes import get_all_passes

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"jax", "jaxlib", "numpy", "torch", "ml_dtypes"}
REPORT = """
import sys
from tilec.tools import tile_opt
sys.argv[0] = "tile-opt"
status = tile_opt.main()
print(status, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def loaded(*arguments: str, program: str = "grouped_matmul.mlir") -> set[str]:
    """The top-level modules that a run of tile-opt loads; it must succeed."""
    command = [sys.executable, "-c", REPORT, *arguments, str(ROOT / "examples" / program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0"
    return set(modules)


@pytest.mark.parametrize("flag", get_all_passes())
def test_no_pass_loads_anything_heavy(flag: str) -> None:
    """Each pass, after those that it needs."""
    alternatives = {"unroll-loops", "overlaunch-jagged", "tile-to-pallas"}
    whole = [name for name in get_all_passes() if name not in alternatives]
    before = {
        "tile-to-pallas": [],
        "unroll-loops": ["choose-blocks"],
        "overlaunch-jagged": whole[: whole.index("compact-worklist")],
    }
    program = "matmul.mlir" if flag == "unroll-loops" else "grouped_matmul.mlir"
    needed = before[flag] if flag in alternatives else whole[: whole.index(flag)]
    assert HEAVY.isdisjoint(loaded(*(f"--{name}" for name in [*needed, flag]), program=program))


def test_printing_a_kernel_loads_nothing_heavy() -> None:
    assert HEAVY.isdisjoint(loaded("--tile-to-pallas", "-t", "pallas"))
