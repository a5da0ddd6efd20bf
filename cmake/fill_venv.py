"""fill_venv.py SOURCE VENV: make the virtual environment VENV with an editable install of SOURCE in it."""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

EXTRAS = "dev,gui"


def main(source: str, target: str) -> int:
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=True)
    python = Path(target, "Scripts" if sys.platform == "win32" else "bin", "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*install, "--editable", f"{source}[{EXTRAS}]"], capture_output=True, text=True)
    if done.returncode != 0:
        # Of the errors of pip and the pips it starts, the last says what was missing.
        reasons = re.findall(r"ERROR: (.*)", done.stderr) or [done.stderr]
        print(f"pip could not install tilec (is a package index reachable?): {reasons[-1]}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
