"""What several test files need: a copy of the project, a study of two branches, a browser."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from opmq_lib import site
from opmq_lib.runs import batch
from opmq_lib.runs.plan import plan
from opmq_lib.sources import parameters

ROOT = Path(__file__).parent.parent

# As in the kernels of a batch; to be set before numpy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

LONGEST = (
    "test_study.py",
    "test_batch_same.py",
    "test_sections_evaluation.py",
    "test_lab.py",
    "test_dependencies.py",
    "test_demonstration.py",
    "test_cli.py",
    "test_batch.py",
)
"""Files to begin with, so that no worker is left alone with one of them at the end."""

# A shell ignores Ctrl-C in what it starts in the background, and every child would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: tests wait for kernels, browsers and clusters to start."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others keep their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """Return a copy of all that a study starts from; nothing has been run in it."""
    copy = tmp_path / "project"
    for folder in ("notebooks", "parameters"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "_quarto.yml", copy)
    return copy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def one_zygote() -> Iterator[None]:
    """Fork the kernels of a module's batches from one process, unless they use the library."""
    from opmq_lib.runs.kernels import execution

    start, shared = execution.new_zygotes, execution.new_zygotes()

    def chosen(preload: Iterable[str] = ()) -> object:
        uses_library = any(name.startswith("opmq_lib") for name in preload)
        return start(preload) if uses_library else shared

    with closing(shared), pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "close", lambda: None)
        patch.setattr(execution, "new_zygotes", chosen)
        yield
        patch.undo()


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of two branches, run and published once for all workers: not to be changed.

    `ceramique` has a published headcount, `chaux` has none.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    project, done = shared / "studied/project", shared / "studied/done"
    project.parent.mkdir(exist_ok=True)
    with (shared / "studied/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(project, ignore_errors=True)
            for folder in ("notebooks", "parameters"):
                shutil.copytree(ROOT / folder, project / folder)
            shutil.copy(ROOT / "_quarto.yml", project)
            for file in (project / "parameters/branches").glob("*.yml"):
                if file.stem not in ("ceramique", "chaux"):
                    file.unlink()
            edition, branches = parameters.load_edition(project), parameters.load_branches(project)
            report = batch.execute(plan(project, edition, branches), workers=2)
            assert report.exit_status == 0, report.outcomes
            site.render(project, engine="embedded")
            done.touch()
    return project


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium, or skip the test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    return path
