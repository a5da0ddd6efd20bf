"""What keeps `tile-opt` fast: it loads nothing heavy, whatever it is asked to do. Times are in benchmarks/startup.py."""

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


def loaded(*arguments: str) -> set[str]:
    """The top-level modules that a run of tile-opt loads; it must succeed."""
    command = [sys.executable, "-c", REPORT, *arguments, str(ROOT / "examples" / "grouped_matmul.mlir")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0"
    return set(modules)


@pytest.mark.parametrize("flag", get_all_passes())
def test_no_pass_loads_anything_heavy(flag: str) -> None:
    """Each pass behind the ones that it needs."""
    flags = list(get_all_passes())
    before = flags[: flags.index(flag)] if flag != "tile-to-pallas" else []
    before = [name for name in before if name not in ("unroll-loops", "overlaunch-jagged")]
    if flag == "unroll-loops":
        program = [f"--{name}" for name in before]
        assert HEAVY.isdisjoint(loaded(*program))
        return
    if flag == "overlaunch-jagged":
        before.remove("compact-worklist")
    assert HEAVY.isdisjoint(loaded(*(f"--{name}" for name in before), f"--{flag}"))


def test_printing_a_kernel_loads_nothing_heavy() -> None:
    assert HEAVY.isdisjoint(loaded("--tile-to-pallas", "-t", "pallas"))
