"""The runs of an edition: every template for every branch, each with all that it depends on."""

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from opmq_lib.errors import DataError, Defect
from opmq_lib.params import DEMO, NOTEBOOKS, OPEN_REGISTERS, REGISTERS, BranchParams, EditionParams
from opmq_lib.runs import fingerprint, library
from opmq_lib.runs import origin as origins
from opmq_lib.runs.hashes import CACHE, Hashes
from opmq_lib.runs.library import DATA, Library
from opmq_lib.runs.templates import Template, read_templates, suggestion, undeclared

COMMON = "commun"
"""Stands for the branch code in the runs that are common to all branches."""

OUTPUT_FOLDER = "."
"""A run writes where it works, so that no absolute path appears in a notebook."""

PARAMETER_FILES = (".csv", ".parquet", ".xlsx", ".yaml", ".yml")
NO_INPUTS = ("notebooks", "outputs")
"""Folders of the project whose files are known otherwise: as templates, as results."""

SHORT = 12
"""Letters of a module's sha256 in the ledger, where each line has a hundred of them."""

RunId = tuple[str, str]


@dataclass(frozen=True)
class Run:
    """One template to execute for one branch.

    Attributes:
        branch_code: The branch, or `COMMON`.
        template: The notebook.
        parameters: Values given to it; parameters left out keep their default.
        reads: Runs whose result tables it reads.
        library: Module → first letters of the sha256 of its source: those it can reach.
        declared: Names of the files that it is about: its branch's parameters and own table.
        known: What was there when it was planned, one for all runs.
        versions: Package → version.
        origin: `own` if a table supplied by the user may be behind its results, `fictitious` if a
            fictitious register may, else `public`.
        edition_folder: `outputs/<edition_id>`.
    """

    branch_code: str
    template: Template
    parameters: Mapping[str, Any]
    reads: tuple[RunId, ...]
    library: Mapping[str, str]
    declared: tuple[str, ...]
    known: "Known" = field(repr=False)
    versions: Mapping[str, str]
    origin: origins.Origin
    edition_folder: Path

    @property
    def notebook(self) -> str:
        """Name of the template, such as `01_emplois`."""
        return self.template.name

    @property
    def id(self) -> RunId:
        """What names the run in its edition."""
        return self.branch_code, self.notebook

    @property
    def folder(self) -> Path:
        """Where its results are published."""
        return self.edition_folder / self.branch_code / self.notebook

    @property
    def root(self) -> Path:
        """The project."""
        return self.edition_folder.parent.parent

    @property
    def seed(self) -> int:
        """Of its random numbers: a run has the same each time, and another run others."""
        return int(fingerprint.json_sha256([*self.id, dict(self.parameters)])[:15], 16)

    def inputs(self, read: Collection[str] = ()) -> dict[str, str]:
        """Return name → sha256 of its declared files and of others that it has read."""
        found = {name: self.known.sha256(name) for name in (*self.declared, *read)}
        return {name: sha256 for name, sha256 in found.items() if sha256 is not None}

    def changed_files(self, read: Collection[str] = ()) -> list[str]:
        """Return those of these files that are no longer what they were when planned."""
        names = dict.fromkeys((*self.declared, *read))
        return [name for name in names if self.known.has_changed(name)]


class Known:
    """The files of a project and of the library as they were when a plan was made.

    Names are paths from the project's root, `opmq_lib/data/…` for embedded tables; a folder's name
    ends in `/`, and its content is the list of its names.
    """

    def __init__(self, root: Path, modules: Library, hashes: Hashes) -> None:
        self.root, self.modules, self.hashes = root, modules, hashes
        self.package = modules.folder
        self._planned: dict[str, str | None] = {}

    def sha256(self, name: str) -> str | None:
        """Return the sha256 of what was there; `None` if nothing was."""
        if name not in self._planned:
            self._planned[name] = self._now(name)
        return self._planned[name]

    def has_changed(self, name: str) -> bool:
        """Return whether something else is there now."""
        return self._now(name) != self.sha256(name)

    def library_now(self) -> dict[str, str]:
        """Return the library as it is now: module → first letters of its sha256."""
        paths = self.modules.paths.items()
        return {module: (self.hashes.sha256(path) or "")[:SHORT] for module, path in paths}

    def name(self, path: str) -> str | None:
        """Return the name of a file that a notebook has opened; `None` if it is no input."""
        for folder, start in ((self.package / "data", DATA), (self.package, None)):
            if path.startswith(f"{folder}/"):
                rest = path.removeprefix(f"{folder}/")
                return f"{start}{rest}" if start and rest and not rest.endswith("/") else None
        rest = path.removeprefix(f"{self.root}/")
        first = rest.partition("/")[0]
        known_otherwise = first in NO_INPUTS or first.startswith(".") or path.startswith(sys.prefix)
        return None if not rest or rest == path or known_otherwise else rest

    def _now(self, name: str) -> str | None:
        if name.endswith("/"):
            try:
                return fingerprint.json_sha256(sorted(os.listdir(self.root / name)))  # noqa: PTH208
            except OSError:
                return None
        inside = self.package.parent if name.startswith(DATA) else self.root
        return self.hashes.sha256(f"{inside}/{name}")


def plan(
    root: Path,
    edition: EditionParams,
    branches: Mapping[str, BranchParams],
    models: Mapping[str, type[BaseModel]] = NOTEBOOKS,
    hashes: Hashes | None = None,
) -> list[Run]:
    """Return every run of an edition, each after the runs that it reads.

    Args:
        root: The project.
        edition: Parameters of the edition.
        branches: Parameters of every branch, by code.
        models: The parameter model of each notebook, by name.
        hashes: Remembers files that have not changed; by default in the edition's folder.

    Raises:
        DataError: With every defect: a parameter that a notebook does not declare, or of the
            wrong type, an unknown notebook, a table that is not there.
    """
    templates = read_templates(root / "notebooks", models)
    _refuse(d for branch in branches.values() for d in _branch_defects(root, branch, templates))
    wanted = _wanted(templates, branches)
    reads = {run_id: _reads(run_id, templates, wanted) for run_id in wanted}
    order = _ordered(reads)
    found = _origins(order, reads, branches, edition)
    edition_folder = root / "outputs" / edition.edition_id
    hashes = hashes or Hashes(edition_folder / CACHE)
    modules = library.read(hashes)
    known = _known(root, modules, branches, edition, hashes)
    reached = {
        name: {module: sha256[:SHORT] for module, sha256 in modules.reached(each.imports).items()}
        for name, each in templates.items()
    }
    versions = fingerprint.versions()
    runs = [
        Run(
            branch_code=run_id[0],
            template=wanted[run_id],
            parameters=_parameters(run_id[0], wanted[run_id], edition),
            reads=reads[run_id],
            library=reached[run_id[1]],
            declared=_declared(run_id, branches, edition),
            known=known,
            versions=versions,
            origin=found[run_id],
            edition_folder=edition_folder,
        )
        for run_id in order
    ]
    _refuse(defect for run in runs for defect in _value_defects(run, models[run.notebook]))
    hashes.save()
    return runs


def select(
    runs: Sequence[Run], branch_codes: Collection[str] = (), notebooks: Collection[str] = ()
) -> list[Run]:
    """Return the runs that somebody asked for and those that they read, in the same order.

    Args:
        runs: From `plan`.
        branch_codes: Branches (or `COMMON`) wanted; empty for all.
        notebooks: Notebooks wanted; empty for all.

    Raises:
        DataError: If a branch or a notebook is unknown.
    """
    _refuse(_unknown("branch", branch_codes, {run.branch_code for run in runs}))
    _refuse(_unknown("notebook", notebooks, {run.notebook for run in runs}))
    needed: set[RunId] = set()
    for run in reversed(runs):
        asked = (not branch_codes or run.branch_code in branch_codes) and (
            not notebooks or run.notebook in notebooks
        )
        if asked or run.id in needed:
            needed |= {run.id, *run.reads}
    return [run for run in runs if run.id in needed]


def undeclared_parameters(runs: Sequence[Run]) -> Iterator[Defect]:
    """Return a defect for each parameter that a run would give to a notebook without it.

    Papermill would inject it all the same, and the notebook would run with its default.
    """
    for run in runs:
        for name in run.parameters.keys() - run.template.defaults.keys():
            yield undeclared(shown(run.id), name, run.template.defaults.keys())


def shown(run_id: RunId) -> str:
    """Return a run's name for people.

    Examples:
        >>> shown(("chimie", "01_emplois"))
        'chimie/01_emplois'
    """
    return "/".join(run_id)


def _refuse(defects: Iterator[Defect]) -> None:
    if found := tuple(defects):
        raise DataError(found)


def _wanted(
    templates: Mapping[str, Template], branches: Mapping[str, BranchParams]
) -> dict[RunId, Template]:
    common = {(COMMON, t.name): t for t in templates.values() if t.scope == "common"}
    return {
        (code, name): templates[name]
        for code, branch in branches.items()
        for name in branch.notebooks
    } | common


def _reads(
    run_id: RunId, templates: Mapping[str, Template], wanted: Mapping[RunId, Template]
) -> tuple[RunId, ...]:
    """Return the runs that a run reads: its branch's, or every branch's for a common notebook."""
    code, notebook = run_id
    found: list[RunId] = []
    for name in templates[notebook].reads:
        if templates[name].scope == "common":
            found.append((COMMON, name))
        elif code == COMMON:
            found += [other for other in wanted if other[1] == name]
        else:
            found.append((code, name))
    return tuple(found)


def _ordered(reads: Mapping[RunId, tuple[RunId, ...]]) -> list[RunId]:
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = " → ".join(dict.fromkeys(notebook for _, notebook in error.args[1]))
        raise DataError([_circle(circle)]) from error


def _origins(
    order: Sequence[RunId],
    reads: Mapping[RunId, tuple[RunId, ...]],
    branches: Mapping[str, BranchParams],
    edition: EditionParams,
) -> dict[RunId, origins.Origin]:
    """Return what may be behind the results of each run: the worst of what it reads."""
    found: dict[RunId, origins.Origin] = {}
    for code, notebook in order:
        branch = branches.get(code)
        own = branch is not None and bool(branch.tables.paths())
        named = any(
            path
            for name, path in _registers(notebook, edition).items()
            if name not in OPEN_REGISTERS
        )
        is_demo = edition.edition_id == DEMO
        register: origins.Origin = "public" if not named else "fictitious" if is_demo else "own"
        found[code, notebook] = origins.worst(
            [
                "own" if own else "public",
                register,
                *(found[read] for read in reads[code, notebook]),
            ]
        )
    return found


def _registers(notebook: str, edition: EditionParams) -> dict[str, str]:
    """Return the registers that a notebook reads, by name; an empty path where there is none."""
    return {name: getattr(edition.registers, name) or "" for name in REGISTERS.get(notebook, ())}


def _parameters(code: str, template: Template, edition: EditionParams) -> dict[str, Any]:
    offered = (
        {
            "edition_id": edition.edition_id,
            "horizon_years": edition.horizon_years,
            "output_folder": OUTPUT_FOLDER,
            "sliders": False,
            "previous_edition_id": edition.previous_edition_id,
        }
        | {f"{name}_register": path for name, path in _registers(template.name, edition).items()}
        | ({} if code == COMMON else {"branch_code": code})
    )
    return {name: value for name, value in offered.items() if name in template.defaults}


def _known(
    root: Path,
    modules: Library,
    branches: Mapping[str, BranchParams],
    edition: EditionParams,
    hashes: Hashes,
) -> Known:
    """Return the files as they are, with all that notebooks usually read looked at now."""
    known = Known(root, modules, hashes)
    for folder, _, names in os.walk(root / "parameters"):
        start = Path(folder).relative_to(root).as_posix()
        for name in (f"{start}/", *(f"{start}/{name}" for name in names)):
            if name.endswith(("/", *PARAMETER_FILES)):
                known.sha256(name)
    for path in sorted((modules.folder / "data").glob("*.csv")):
        known.sha256(f"{DATA}{path.name}")
    for code in branches:
        for name in _of_branch(code, branches):
            known.sha256(name)
    for notebook in REGISTERS:
        for name in _registers(notebook, edition).values():
            if name:
                known.sha256(name)
    return known


def _declared(
    run_id: RunId, branches: Mapping[str, BranchParams], edition: EditionParams
) -> tuple[str, ...]:
    """Return the files that a run is about, whether it opens them or not.

    What is compiled opens files unseen: an own table in Parquet must not depend on being seen.
    """
    code, notebook = run_id
    registers = tuple(path for path in _registers(notebook, edition).values() if path)
    return registers + (() if code == COMMON else _of_branch(code, branches))


def _of_branch(code: str, branches: Mapping[str, BranchParams]) -> tuple[str, ...]:
    """Return the files of a branch: its parameters and its own tables."""
    return (f"parameters/branches/{code}.yml", *branches[code].tables.paths().values())


def _branch_defects(
    root: Path, branch: BranchParams, templates: Mapping[str, Template]
) -> Iterator[Defect]:
    where = f"parameters/branches/{branch.branch_code}.yml"
    known = [name for name, template in templates.items() if template.scope == "branch"]
    for name in branch.notebooks:
        if name not in known:
            yield Defect(
                where=f"{where}, notebooks",
                what=f"`{name}` is not a notebook of branches",
                expected=f"some of {', '.join(known)}",
                fix=f"{suggestion(name, known)}correct or remove it",
            )
            continue
        for read in templates[name].reads:
            if read in known and read not in branch.notebooks:
                yield Defect(
                    where=f"{where}, notebooks",
                    what=f"`{name}` reads `{read}`, which the branch does not run",
                    expected=f"`{read}` in the list as well",
                    fix=f"add `{read}`, or remove `{name}`",
                )
    for name, table in branch.tables.paths().items():
        if not (root / table).is_file():
            yield Defect(
                where=f"{where}, tables.{name}",
                what=f"there is no file `{table}`",
                expected="a file, by its path from the project's root",
                fix="correct the path, or write null to use what is public",
            )


def _value_defects(run: Run, model: type[BaseModel]) -> Iterator[Defect]:
    try:
        model.model_validate({**run.template.defaults, **run.parameters})
    except ValidationError as error:
        for each in error.errors():
            yield Defect(
                where=f"{shown(run.id)}, parameter {'.'.join(map(str, each['loc']))}",
                what=each["msg"],
                expected=f"what {model.__name__} says of it",
                fix="correct the default in the notebook, or the value in parameters/",
                value=repr(each["input"]),
            )


def _unknown(kind: str, names: Collection[str], known: Collection[str]) -> Iterator[Defect]:
    for name in names:
        if name not in known:
            yield Defect(
                where=f"--{kind}",
                what=f"`{name}` is not a {kind} of this edition",
                expected=f"one of {', '.join(sorted(known))}",
                fix=f"{suggestion(name, known)}correct it",
            )


def _circle(circle: str) -> Defect:
    return Defect(
        where="notebooks, metadata",
        what=f"notebooks read each other in a circle: {circle}",
        expected="results that flow one way",
        fix="remove one of these names from `opmq.reads`",
    )
