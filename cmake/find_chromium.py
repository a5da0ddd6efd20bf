"""find_chromium.py: see that the tests of pages have a Chromium, if it can be had without asking.

Where it cannot, they are skipped, and this says what to install.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = "install chromium, and have it on the PATH, to test the pages of tile-report in a browser"
_APT = ("apt-get", "--quiet=2", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20")
_SECONDS = 240


def found() -> str | None:
    """The path of Chromium, or of a browser that is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Installs Debian's, which needs a network. What fails is not said: nothing is then found."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run([*_APT, *command], env=environment, timeout=_SECONDS, capture_output=True)


def main() -> int:
    if found() is None and shutil.which("apt-get") and sys.platform == "linux" and os.geteuid() == 0:
        print("Installing chromium, for the tests of pages", flush=True)
        try:
            install()
        except subprocess.TimeoutExpired:
            pass
    if found() is None:
        print(f"There is no Chromium; {ADVICE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
