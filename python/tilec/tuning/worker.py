"""A compiling process of `tilec.tuning.pool`: `python -m tilec.tuning.worker`.

Its first line of input is a program, a chip and a folder of its own, each other one a choice. It answers each
with one line. libtpu reads its flags when it is loaded, and may print what it likes: so they are set before,
and answers go to a copy of the standard output of which it knows nothing.
"""

import json
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilec.diagnostics import one_line
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program

if TYPE_CHECKING:
    from tilec.runtime.estimating import Compiler

_BYTES = 16 << 30
"""Memory of a process; a few kernels make the compiler take all there is."""


def _requests() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def _compiler(request: dict[str, Any]) -> "Compiler":
    from tilec.runtime.schedules import dump_variables

    folder = Path(request["folder"]) / "dump"
    shutil.rmtree(folder, ignore_errors=True)  # what a process before this one left
    folder.mkdir()
    for name, value in dump_variables(str(folder)).items():
        os.environ[name] = f"{os.environ.get(name, '')} {value}"
    from tilec.runtime.estimating import Compiler

    return Compiler(Program.from_json(request["program"]), request["chip"], folder)


def _estimate(compiler: "Compiler", choice: Choice) -> Estimate:
    """What comes of a choice, a mistake of tilec's own too."""
    try:
        return compiler.estimate(choice)
    except Exception as error:
        return Estimate(
            refused=f"internal error, please report it: {type(error).__name__}: {one_line(error)}"
        )


def _end_with(parent: int, folder: str) -> None:
    """Ends this process, in the middle of a compile too, when the one that started it is gone, and removes
    its folder, which that one then did not.
    """
    while os.getppid() == parent:
        time.sleep(0.2)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def main() -> int:
    parent, answers = os.getppid(), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, _BYTES))
    compiler, watch = None, None
    for request in _requests():
        if compiler is None:
            watch = threading.Thread(target=_end_with, args=(parent, request["folder"]), daemon=True)
            watch.start()
            compiler = _compiler(request)
            answer = {}
        else:
            answer = asdict(_estimate(compiler, Choice.from_json(request["choice"])))
        print(json.dumps(answer), file=answers, flush=True)
    if watch is not None:
        watch.join(1)  # input ends just before the process that it comes from
    return 0


if __name__ == "__main__":
    sys.exit(main())
