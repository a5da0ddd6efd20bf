"""Processes that compile: each loads jax and libtpu once and then takes one choice after the other.

The compiler can crash, hang and eat all memory. Then its process ends, that choice is refused with one line,
and a new process takes the next one.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program

SECONDS = 30.0
"""What one choice may take: those that the compiler does not take in this time are no good either."""
START_SECONDS = 120.0
"""What a process may take to load jax and libtpu and to read the program, on a machine that is busy."""
WORKER = (sys.executable, "-m", "tilec.tuning.worker")


class WorkerDied(Exception):
    """A process crashed or was ended; the message says how, in one line."""


class Worker:
    """One process, which speaks JSON, a line each way. It is started at the latest when it is asked."""

    def __init__(self, command: Sequence[str], setup: dict[str, Any], seconds: float) -> None:
        self.command = command
        self.setup = setup
        self.seconds = seconds
        self.folder = tempfile.TemporaryDirectory(prefix="tilec-tuning-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""

    def begin(self) -> None:
        """Start the process, if it is not there, and load it. Raises WorkerDied."""
        if self._process is None:
            try:
                self._process = self._start()
            except OSError as error:
                raise WorkerDied(f"no process can be started: {error}") from None
            self._exchange({**self.setup, "folder": self.folder.name}, START_SECONDS)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises WorkerDied."""
        self.begin()
        return self._exchange(request, self.seconds)

    def _start(self) -> subprocess.Popen[bytes]:
        self._read = b""
        with (Path(self.folder.name) / "stderr").open("wb") as errors:
            # A session of its own: an interrupt from the keyboard is for the tuner, which then ends this.
            return subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise WorkerDied("the compiling process is gone")
        deadline = time.monotonic() + seconds
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            while b"\n" not in self._read:
                ready, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
                part = os.read(process.stdout.fileno(), 1 << 16) if ready else None
                if part is None:
                    raise WorkerDied(f"the compiler takes more than {seconds:g} s")
                if not part:
                    raise WorkerDied(self._death(process))
                self._read += part
            line, _, self._read = self._read.partition(b"\n")
            return json.loads(line)
        except (OSError, ValueError, WorkerDied) as error:
            said = str(error) if isinstance(error, WorkerDied) else self._death(process)
            self.stop()
            raise WorkerDied(said) from None

    def _death(self, process: subprocess.Popen[bytes]) -> str:
        """How a process that says nothing more ended."""
        try:
            status = process.wait(5)
        except subprocess.TimeoutExpired:
            return "the compiling process answers nonsense"
        said = (Path(self.folder.name) / "stderr").read_text(errors="replace").strip().splitlines()
        how = f"by signal {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return f"the compiler died {how}: {said[-1][:200] if said else 'no message'}"

    def stop(self) -> None:
        """End the process, and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # of a request that was on its way
                    pipe.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        self.stop()
        self.folder.cleanup()


class Pool:
    """An estimator that compiles, in `width` processes. To be used in a `with`, which ends them."""

    def __init__(
        self,
        program: Program,
        chip: str,
        *,
        width: int | None = None,
        seconds: float = SECONDS,
        command: Sequence[str] = WORKER,
    ) -> None:
        self.width = width or max(1, min(os.cpu_count() or 1, 8))
        setup = {"program": program.to_json(), "chip": chip}
        self._workers = [Worker(command, setup, seconds) for _ in range(self.width)]
        self._idle = list(self._workers)
        self._threads = ThreadPoolExecutor(self.width)

    def estimate(
        self, choices: Sequence[Choice], until: Callable[[], float] = lambda: inf
    ) -> Iterator[Estimate]:
        """An estimate for each choice, in order; see `Estimator`."""
        pending = [self._threads.submit(self._one, choice) for choice in choices]
        try:
            for each in pending:
                left = until() - time.monotonic()
                yield each.result(None if left == inf else max(left, 0.0))
        except TimeoutError:
            return  # leaving the pool ends what is under way
        finally:
            for each in pending:
                each.cancel()

    def _one(self, choice: Choice) -> Estimate:
        worker = self._idle.pop()  # as many threads as workers
        try:
            return Estimate(**worker.ask({"choice": choice.to_json()}))
        except WorkerDied as died:
            return Estimate(refused=str(died), compiled=True)
        finally:
            self._idle.append(worker)

    def _begin(self) -> None:
        """Load a process, so that it is ready when it is asked. What goes wrong does so again then."""
        worker = self._idle.pop()
        try:
            worker.begin()
        except WorkerDied:
            pass
        finally:
            self._idle.append(worker)

    def __enter__(self) -> Self:
        for _ in self._workers:
            self._threads.submit(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(wait=True)
