"""What an archive of the project holds and what its installation offers."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dialects", "passes", "tools")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source archive, and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", out, ROOT], check=True, capture_output=True)
    (source,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return source, wheel


def run_python(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def sources(folder: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py")}


def test_source_archive_holds_each_folder_once(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in FOLDERS:
        assert sources(folder) <= names
        assert not any(name.startswith(f"python/tilec/{folder}") for name in names)
    assert {"LICENSE", "CMakeLists.txt", "test/lit/lit.cfg.py"} <= names


def test_wheel_holds_all_in_one_package(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[1]) as archive:
        names = set(archive.namelist())
    for folder in FOLDERS:
        assert {f"tilec/{name}" for name in sources(folder)} <= names
    assert {"tilec/py.typed", "tilec/report/page/page.css", "tilec/report/page/page.js"} <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"tilec"}


def test_installed_wheel_works_alone(archives: tuple[Path, Path], tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    subprocess.run([*install, archives[1]], check=True)
    # In the first place on the path, before an editable install of this checkout.
    done = run_python(target, "import tilec.tools.tile_opt as tool; print(tool.__file__)")
    assert done.stdout.strip() == str(target / "tilec" / "tools" / "tile_opt.py")


@pytest.mark.parametrize("name", FOLDERS)
def test_no_folder_is_importable_alone(name: str, tmp_path: Path) -> None:
    done = run_python(tmp_path, f"import {name}")
    assert f"No module named '{name}'" in done.stderr
