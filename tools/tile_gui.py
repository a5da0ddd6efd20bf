"""tile-gui: try passes on a program in the terminal, with xDSL's interactive application and our dialects.

    tile-gui program.mlir

It needs the extra `gui`.
"""

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from xdsl.dialects import get_all_dialects as get_xdsl_dialects
from xdsl.transforms import get_all_passes as get_xdsl_passes

from tilec.diagnostics import TileError, run_tool
from tilec.dialects import get_all_dialects
from tilec.parsing import read_text
from tilec.passes import get_all_passes

if TYPE_CHECKING:
    from xdsl.interactive.app import InputApp

TOOL = "tile-gui"


def make_app(path: str | None) -> "InputApp":
    """The application, on the program at `path` or an example. Raises TileError without the extra `gui`."""
    if find_spec("textual") is None or find_spec("pyclip") is None:
        raise TileError("textual and pyclip are not installed; pip install 'tilec[gui]' brings them", TOOL)
    from xdsl.interactive.app import InputApp

    dialects = get_xdsl_dialects() | get_all_dialects()
    # Ours come first in the list of passes.
    passes = {**get_all_passes(), **get_xdsl_passes()}
    return InputApp(
        tuple(dialects.items()),
        tuple((name, load()) for name, load in passes.items()),
        path,
        None if path is None else read_text(path),
    )


def run() -> int:
    if len(sys.argv) > 2:
        raise TileError(f"one file can be opened, not {len(sys.argv) - 1}", TOOL)
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    make_app(sys.argv[1] if len(sys.argv) == 2 else None).run()
    return 0


def main() -> int:
    return run_tool(TOOL, run)


if __name__ == "__main__":
    sys.exit(main())
