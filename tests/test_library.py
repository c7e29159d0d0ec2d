"""The part of the library that a notebook reaches, on a small package and on the real one."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from opmq_lib.runs import library
from opmq_lib.runs.hashes import Hashes, imported
from opmq_lib.runs.templates import read_template

ROOT = Path(__file__).parent.parent

SOURCES = {
    "__init__.py": "",
    "ras.py": "import numpy as np",
    "rooms/__init__.py": "from opmq_lib.rooms.jobs import count",
    "rooms/jobs.py": "from opmq_lib import ras",
    "rooms/skills.py": "def late():\n    from opmq_lib import french",
    "french.py": "",
    "questions/__init__.py": "",
    "questions/study.py": "",
    "cli.py": "from opmq_lib.rooms import skills",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        path = tmp_path / "opmq_lib" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source)
    return tmp_path / "opmq_lib"


def reached(package: Path, *names: str) -> set[str]:
    found = library.read(Hashes(), package).reached(names)
    return {module.removeprefix("opmq_lib").removeprefix(".") for module in found}


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("opmq_lib.ras.fit", {"", "ras"}),
        ("opmq_lib.rooms.*", {"", "rooms", "rooms.jobs", "ras", "rooms.skills", "french"}),
        ("opmq_lib.rooms.jobs", {"", "rooms", "rooms.jobs", "ras"}),
        ("opmq_lib.rooms.skills", {"", "rooms", "rooms.jobs", "ras", "rooms.skills", "french"}),
        ("opmq_lib.rooms.count", {"", "rooms", "rooms.jobs", "ras"}),
        ("numpy", set()),
    ],
)
def test_what_is_reached_is_what_an_import_would_execute(
    package: Path, name: str, modules: set[str]
) -> None:
    assert reached(package, name) == modules


def test_notebook_whose_imports_cannot_be_read_reaches_everything(package: Path) -> None:
    assert len(library.read(Hashes(), package).reached(None)) == len(SOURCES)


@pytest.mark.parametrize(
    "source",
    [
        "import opmq_lib",
        "import opmq_lib.rooms.jobs as jobs",
        "from opmq_lib import *",
        "from opmq_lib import study",
        "from opmq_lib import rooms",
        "from opmq_lib.questions import study",
        "from opmq_lib.questions import *",
        "from opmq_lib.questions.study import Study",
        "from importlib import import_module",
    ],
)
def test_notebook_that_may_call_study_reaches_everything(package: Path, source: str) -> None:
    assert len(reached(package, *imported([source]) or ())) == len(SOURCES)


def test_change_is_seen_where_it_is_reached_and_nowhere_else(package: Path) -> None:
    before = library.read(Hashes(), package)
    (package / "french.py").write_text("NBSP = 1")
    now = library.read(Hashes(), package)
    skills, jobs = ["opmq_lib.rooms.skills"], ["opmq_lib.rooms.jobs"]
    assert now.reached(jobs) == before.reached(jobs)
    assert now.reached(skills) != before.reached(skills)


def test_magics_of_notebooks_are_no_obstacle() -> None:
    assert imported(["%matplotlib inline\n!ls\nimport numpy"]) == {"numpy"}


def test_no_module_of_the_library_imports_by_a_computed_name_or_relatively() -> None:
    for path in sorted((ROOT / "opmq_lib").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        late = path.relative_to(ROOT / "opmq_lib").as_posix()
        if late not in {"__init__.py", "questions/study.py", "runs/kernels/zygote.py"}:
            assert "import_module" not in source
            assert "__import__" not in source
        assert not any(
            isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(source))
        )


def test_real_template_reaches_its_sections_and_neither_commands_nor_site() -> None:
    template = read_template(ROOT / "notebooks" / "03_tensions.ipynb")
    modules = library.read(Hashes()).reached(template.imports)
    own = {f"opmq_lib.questions.tensions.{name}" for name in ("page", "chain")}
    assert own <= modules.keys()
    strangers = ("opmq_lib.cli", "opmq_lib.site", "opmq_lib.runs", "opmq_lib.questions.rapport")
    assert not [module for module in modules if module.startswith(strangers)]


def test_command_does_not_start_in_a_zygote_that_imports_everything() -> None:
    import_module("opmq_lib.__main__")
