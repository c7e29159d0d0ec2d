"""The library outside its checkout: a wheel, a project begun in an empty folder, its site."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import opmq_lib
from opmq_lib.errors import SchemaError
from opmq_lib.sources import project

ROOT = Path(__file__).parent.parent
FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
BUILD = "from setuptools import build_meta; build_meta.build_wheel('..')"


def files(folder: Path) -> dict[str, bytes]:
    """Return what each file of a project holds, by its path."""
    paths = [
        path for name in project.FILES for path in (folder / name, *folder.glob(f"{name}/**/*"))
    ]
    kept = [path for path in paths if path.is_file() and ".ipynb_checkpoints" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Build the wheel from a copy of the checkout, without network."""
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("opmq_lib", "examples", "notebooks", "parameters"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "_quarto.yml", ".gitignore"):
        shutil.copy(ROOT / name, checkout)
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(checkout)
    (built,) = tmp_path.glob("*.whl")
    return built


def test_a_project_begun_with_the_wheel_is_that_of_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    assert (installed / "opmq_lib/py.typed").is_file()
    assert (installed / "opmq_lib/data/project/examples/accueil.ipynb").is_file()
    environment = os.environ | {"PYTHONPATH": str(installed)}
    begin = [sys.executable, "-m", "opmq_lib", "init", "x"]
    done = subprocess.run(begin, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cd x, then `opmq study --branch chimie`" in done.stdout
    assert files(tmp_path / "x") == files(ROOT)


@pytest.mark.skipif(not FULL, reason="a minute: in the full run")
def test_a_wheel_in_a_new_environment_gives_a_site_of_one_branch(
    wheel: Path, tmp_path: Path
) -> None:
    """All but the library itself comes from the packages that run this test: no network."""
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    (packages,) = home.glob("lib/*/site-packages")
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib"))
    install = [home / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, wheel], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    where = f"{home}/bin/python -c 'import opmq_lib; print(opmq_lib.__file__)'"
    command = f"{home}/bin/opmq init x && cd x && {home}/bin/opmq study --branch chimie && {where}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b" 0 failed, 0 blocked" in done.stdout
    assert Path(os.fsdecode(done.stdout).split()[-1]).is_relative_to(home)
    branches = tmp_path / "x/outputs/site/branches"
    page = (branches / "chimie/01_emplois.html").read_text(encoding="utf-8")
    assert "Industries chimiques" in page
    assert [path.name for path in branches.iterdir() if path.is_dir()] == ["chimie"]
    assert b"Left out  33 branches" in done.stdout


def test_a_second_project_does_not_overwrite_the_first(tmp_path: Path) -> None:
    project.start(tmp_path)
    mine = tmp_path / "parameters/edition.yml"
    mine.write_text("mine")
    with pytest.raises(SchemaError, match="is a project already"):
        project.start(tmp_path)
    assert mine.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(project.FILES)


def test_help_names_every_room_of_the_library() -> None:
    rooms = {path.parent.name for path in (ROOT / "opmq_lib").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}`" not in (opmq_lib.__doc__ or "")} == set()
