"""What several test files need: a copy of the project to work in, and a browser."""

import os
import shutil
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# As in the kernels of a batch; to be set before numpy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# A shell ignores Ctrl-C in what it starts in the background, and every child would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: tests wait for kernels, browsers and clusters to start."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """Return a copy of all that a study starts from; nothing has been run in it."""
    copy = tmp_path / "project"
    for folder in ("notebooks", "parameters"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "_quarto.yml", copy)
    return copy


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium, or skip the test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    return path
