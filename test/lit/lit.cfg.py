"""How lit runs the tests in this folder, whose subfolders mirror dialects, passes, tools and tilec.emit."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import lit.formats

root = Path(__file__).resolve().parents[2]
python = Path(sys.executable)

config.name = "tilec"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
config.excludes = ["lit.cfg.py"]
config.test_source_root = str(root / "test" / "lit")
config.test_exec_root = str(root / "build" / "lit")

# The tools of this checkout, installed or not, and the filecheck that stands beside this Python.
config.environment |= {
    "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
    "PYTHONPATH": str(root / "python"),
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_SKIP_MDS_QUERY": "1",
    "JAX_PLATFORMS": "cpu",
}
for tool in ("tile-opt", "tile-run", "tile-report", "tile-gui"):
    module = f"tilec.tools.{tool.replace('-', '_')}"
    # The word alone, not inside a path that a substitution such as %s has put there.
    config.substitutions.append((rf"(?<![\w./-]){tool}(?![\w./-])", f"{python} -m {module}"))
config.substitutions.append(("%python", str(python)))
config.available_features |= {name for name in ("jax", "libtpu", "torch") if find_spec(name) is not None}
