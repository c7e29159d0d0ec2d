"""The project's root is found, and what its files say of each other is true."""

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from opmq_lib.errors import SchemaError
from opmq_lib.sources.project import find_root

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_template = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "_quarto.yml").touch()
    (tmp_path / "parameters").mkdir()
    return tmp_path.resolve()


def test_the_root_is_found_from_a_staging_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "outputs/2026/.work/chimie--01_emplois--12"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert find_root() == root


def test_the_nearest_project_wins(root: Path) -> None:
    inner = root / "copy"
    (inner / "parameters").mkdir(parents=True)
    (inner / "_quarto.yml").touch()
    assert find_root(inner / "parameters") == inner


def test_outside_a_project_the_error_says_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        find_root(tmp_path)
    assert str(caught.value) == (
        f"1 defect\n  {tmp_path.resolve()}: not inside a project\n"
        "    expected: a folder with `_quarto.yml` and `parameters/`, here or above\n"
        "    what to do: change to the project's folder (`cd …`), or begin one with "
        "`opmq init FOLDER`"
    )


# What is installed


def requirements(*texts: str) -> dict[str, Requirement]:
    """Return requirements by name, without extras such as the `quarto` of `opmq[quarto]`."""
    read = [Requirement(text) for text in texts]
    return {canonicalize_name(each.name): each for each in read}


def bounds(found: dict[str, Requirement]) -> dict[str, str]:
    return {name: str(each.specifier) for name, each in found.items()}


def locked() -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Return what the lock pins, by name: each pin (Python versions may differ) and its hashes."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    pins: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for line in text.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            pin, *hashes = re.split(r"\s+--hash=", line.strip())
            read = Requirement(pin)
            pins.setdefault(canonicalize_name(read.name), []).append((read, hashes))
    return pins


def test_conda_and_pip_install_the_same_packages_with_the_same_lower_bounds() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *packages, by_pip = environment["dependencies"]
    assert by_pip == {"pip": ["-e ."]}
    conda = bounds(requirements(*packages))
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    pip = bounds(requirements(*project["dependencies"], *extras["quarto"]))
    pip |= {"quarto": pip.pop("quarto-cli"), "python": project["requires-python"], "pip": ""}
    assert conda == pip


def test_lock_pins_one_version_and_a_hash_for_every_package() -> None:
    for pins in locked().values():
        for pin, hashes in pins:
            assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), pin
            assert hashes, pin
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), pin


def test_lock_names_no_index_and_no_address() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("-") or "://" in line or " @ " in line] == []


def test_lock_holds_what_the_project_and_its_tests_ask_for() -> None:
    project, pins = PYPROJECT["project"], locked()
    asked = requirements(
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
        *project["optional-dependencies"]["docs"],
        *PYPROJECT["dependency-groups"]["build"],
    )
    assert asked.keys() - pins.keys() == set()
    for name, requirement in asked.items():
        versions = [next(iter(pin.specifier)).version for pin, _ in pins[name]]
        assert list(requirement.specifier.filter(versions)) == versions, requirement
        assert any(pin.marker is None or pin.marker.evaluate() for pin, _ in pins[name]), name


def test_every_data_file_of_the_library_is_installed_with_it() -> None:
    library = ROOT / "opmq_lib"
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["opmq_lib"]
    installed = {path for pattern in patterns for path in library.glob(pattern)}
    files = {path for path in library.rglob("*") if path.is_file()}
    assert installed
    assert {path for path in files - installed if path.suffix not in {".py", ".pyc"}} == set()


# What the README says


def readme_section(heading: str) -> str:
    """Return what the README says under a heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, found, rest = text.partition(f"## {heading}\n")
    assert found, f"README.md has no heading `## {heading}`"
    return re.split(r"^#{1,2} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def where_paths() -> list[str]:
    """Return the paths of the README's table: what is in backquotes in the last column."""
    rows = re.findall(r"^\|.*\|([^|]+)\|\s*$", readme_section("Where is…?"), re.MULTILINE)
    return [path for cell in rows for path in re.findall(r"`([^`]+)`", cell)]


def test_every_place_that_the_readme_names_exists() -> None:
    paths = where_paths()
    assert paths
    made_by_a_run = [path for path in paths if path.startswith(("outputs/", "data/"))]
    kept = set(paths) - set(made_by_a_run)
    patterns = {path: re.sub(r"<\w+>", "*", path).rstrip("/") for path in kept}
    assert [path for path, pattern in patterns.items() if not list(ROOT.glob(pattern))] == []


def test_readme_names_every_room_of_the_library() -> None:
    modules = {path.name for path in (ROOT / "opmq_lib").glob("*.py")} - {"__init__.py"}
    packages = {path.parent.name for path in (ROOT / "opmq_lib").glob("*/__init__.py")}
    named = {path.split("/")[1] for path in where_paths() if path.startswith("opmq_lib/")}
    assert (modules | packages) - named == set()


def test_architecture_picture_of_the_readme_is_the_one_that_is_enforced() -> None:
    _, picture, _ = readme_section("Architecture").split("```", maxsplit=2)
    drawn = [line.strip() for line in picture.splitlines()[1:] if line.strip()]
    layers, _ = PYPROJECT["tool"]["importlinter"]["contracts"]
    assert drawn == layers["layers"]


# What templates may hold

Notebook = dict[str, Any]
STATEMENTS = (ast.Assign, ast.AnnAssign, ast.Expr, ast.If, ast.Import, ast.ImportFrom)
LOGIC = (ast.comprehension, ast.Lambda, ast.FunctionDef, ast.ClassDef, ast.For, ast.While)
CLOSED_ROOMS = {"cli", "runs", "site"}


def read(path: Path) -> Notebook:
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def texts(notebook: Notebook, kind: str) -> list[str]:
    return ["".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == kind]


def imported_names(source: str) -> set[str]:
    """Return the names that a template's code gets from the library's open rooms."""
    froms = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    names = {
        alias.asname or alias.name
        for node in froms
        if (node.module or "").split(".")[0] == "opmq_lib"
        for alias in node.names
    }
    return names - CLOSED_ROOMS


def code_faults(source: str) -> Iterator[str]:
    """Yield what the code of a template holds that belongs to the library, or shows too much."""
    rooms = imported_names(source)
    for statement in ast.parse(source).body:
        if not isinstance(statement, STATEMENTS):
            yield f"no place for: {ast.unparse(statement)}"
        if isinstance(statement, ast.Import | ast.ImportFrom) and not imported_names(
            ast.unparse(statement)
        ):
            yield f"not from the library: {ast.unparse(statement)}"
        inside = list(ast.walk(statement))[1:]
        if any(isinstance(node, LOGIC) for node in inside):
            yield f"logic: {ast.unparse(statement)}"
        if isinstance(statement, ast.If) and any(isinstance(node, ast.If) for node in inside):
            yield f"nested if: {ast.unparse(statement)}"
        shown = [node.value for node in [statement, *inside] if isinstance(node, ast.Expr)]
        yield from (
            f"shown without the library: {ast.unparse(value)}"
            for value in shown
            if not (isinstance(value, ast.Call) and first_name(value) in rooms)
        )


def first_name(expression: ast.expr) -> str | None:
    """Return `emplois` for `emplois.banner(results)`."""
    while not isinstance(expression, ast.Name):
        inner = getattr(expression, "func", None) or getattr(expression, "value", None)
        if not isinstance(inner, ast.expr):
            return None
        expression = inner
    return expression.id


TYPOGRAPHY = {
    r"[^\u00a0]:(?!\w)": "U+00A0 before a colon",
    r"[^\u00a0]%": "U+00A0 before a per cent sign",
    r"[^\u202f?!][;?!]": "U+202F before ; ? !",
    r"«[^\u00a0]|[^\u00a0]»": "U+00A0 inside « »",
    r"\w['\"]\w|\"": "’ and « » instead of straight quotes",
    r"\d [0-9]{3}": "U+202F in thousands",
    r"\d\.\d": "decimal comma",
}


def typography_faults(prose: str) -> list[str]:
    """Return what French typography asks for and a text lacks; code and addresses are left out."""
    text = re.sub(r"`[^`]*`|<[^>]+>|\]\([^)]*\)|https?://\S+", "x", prose)
    return [rule for pattern, rule in TYPOGRAPHY.items() if re.search(pattern, text)]


@each_template
def test_first_code_cell_of_a_template_is_its_signature(path: Path) -> None:
    tags = [
        cell["metadata"].get("tags", [])
        for cell in read(path)["cells"]
        if cell["cell_type"] == "code"
    ]
    assert tags[0] == ["parameters"]
    assert ["parameters"] not in tags[1:]


@each_template
def test_template_carries_no_output(path: Path) -> None:
    cells = [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"]] == []


@each_template
def test_template_only_calls_the_library(path: Path) -> None:
    assert list(code_faults("\n".join(texts(read(path), "code")))) == []


@each_template
def test_template_is_written_in_french_typography(path: Path) -> None:
    prose = texts(read(path), "markdown")
    assert prose
    assert [(text, faults) for text in prose if (faults := typography_faults(text))] == []


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("print(results)", "shown without the library: print(results)"),
        ("results", "shown without the library: results"),
        ("results['emplois'].head()", "shown without the library: results['emplois'].head()"),
        ("if results:\n    results", "shown without the library: results"),
        ("a = [x for x in results]", "logic: a = [x for x in results]"),
        ("a = lambda: 1", "logic: a = lambda: 1"),
        ("def a():\n    pass", "no place for: def a():\n    pass"),
        ("for a in results:\n    b = a", "no place for: for a in results:\n    b = a"),
        ("if a:\n    if b:\n        c = 1", "nested if: if a:\n    if b:\n        c = 1"),
        ("import pandas", "not from the library: import pandas"),
        ("from opmq_lib import runs", "not from the library: from opmq_lib import runs"),
    ],
)
def test_cell_that_belongs_to_the_library_is_seen(cell: str, fault: str) -> None:
    call = "from opmq_lib.questions.emplois import page\nresults = 1\npage.banner(results)\n"
    assert list(code_faults(call)) == []
    assert list(code_faults(call + cell)) == [fault]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Source : Dares", "Source\u00a0: Dares"),
        ("Source: Dares", "Source\u00a0: Dares"),
        ("10 %", "10\u00a0%"),
        ("Où ?", "Où\u202f?"),
        ("Où\u00a0?", "Où\u202f?"),
        ("ici ; là", "ici\u202f; là"),
        ("« mot »", "«\u00a0mot\u00a0»"),
        ("l'emploi", "l’emploi"),
        ("1 234 emplois", "1\u202f234 emplois"),
        ("0.5 point", "0,5 point"),
    ],
)
def test_typography_that_is_not_french_is_seen(wrong: str, right: str) -> None:
    assert typography_faults(wrong)
    assert typography_faults(right) == []


# What is shared

MACHINE_PATH = re.compile(
    rb"""(?<![\w.}-])/(?:root|work|mnt|tmp|private|opt)/\w"""
    rb"""|(?:(?<![\w.}-])/home|/Users|\b[A-Za-z]:\\{1,2}Users)[/\\]+(?!anne\b|marie\b)\w+[/\\]"""
)
"""Anne and Marie are the users of our examples."""


def shared_files() -> Iterator[Path]:
    """Yield the files of the project that `.gitignore` does not leave out."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    kept = {ROOT / line[1:] for line in lines if line.startswith("!")}
    rules = [".git", *(line.rstrip("/") for line in lines if not line.startswith("!"))]

    def is_shared(path: Path) -> bool:
        names = path.name, path.relative_to(ROOT).as_posix()
        return path in kept or not any(fnmatch(name, rule) for name in names for rule in rules)

    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if is_shared(Path(folder, name))]
        yield from (Path(folder, name) for name in files if is_shared(Path(folder, name)))


def test_no_shared_file_holds_a_path_of_one_machine() -> None:
    files = list(shared_files())
    assert {ROOT / "pyproject.toml", ROOT / ".ci/run", ROOT / "outputs/README.md"} <= set(files)
    found = {path.name: MACHINE_PATH.findall(path.read_bytes()) for path in files}
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize(
    "text",
    ["cd /{}/me/opmq", "'/{}/me/a.csv'", "file:///{}/me/a", "root_dir=/{}/me/", r"C:\{}\me\a"],
)
def test_path_of_a_machine_is_seen(text: str) -> None:
    folder = "Users" if "C:" in text else "home"
    assert MACHINE_PATH.search(text.format(folder).encode())
    assert not MACHINE_PATH.search(text.format("page").encode())


def test_site_definition_is_a_french_website_that_hides_code() -> None:
    site = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
    assert site["project"]["type"] == "website"
    assert site["lang"] == "fr"
    assert site["execute"] == {"enabled": False, "echo": False, "warning": False}
