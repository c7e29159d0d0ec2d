"""The runs of an edition: every template for every branch, each with all that it depends on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from opmq_lib.edition import fingerprint
from opmq_lib.edition import origin as origins
from opmq_lib.edition.templates import Template, read_templates, suggestion, undeclared
from opmq_lib.errors import DataError, Defect
from opmq_lib.params import DEMO, NOTEBOOKS, OPEN_REGISTERS, REGISTERS, BranchParams, EditionParams

COMMON = "commun"
"""Stands for the branch code in the runs that are common to all branches."""

OUTPUT_FOLDER = "."
"""A run writes where it works, so that no absolute path appears in a notebook."""

PARAMETER_FILES = (".csv", ".parquet", ".xlsx", ".yaml", ".yml")

RunId = tuple[str, str]


@dataclass(frozen=True)
class Run:
    """One template to execute for one branch.

    Attributes:
        branch_code: The branch, or `COMMON`.
        template: The notebook.
        parameters: Values given to it; parameters left out keep their default.
        reads: Runs whose result tables it reads.
        library: Name → sha256 of what the library brings.
        files: Path from the project's root → sha256 of the parameters and tables it may read.
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
    files: Mapping[str, str]
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
    def inputs(self) -> dict[str, str]:
        """Name → sha256 of all that it may read, but for the results of other runs."""
        return {**self.library, **self.files}

    @property
    def folder(self) -> Path:
        """Where its results are published."""
        return self.edition_folder / self.branch_code / self.notebook

    def changed_files(self) -> list[str]:
        """Return the files that it may read and that are no longer what they were when planned."""
        return fingerprint.changed_files(self.files, self.edition_folder.parent.parent)


def plan(
    root: Path,
    edition: EditionParams,
    branches: Mapping[str, BranchParams],
    models: Mapping[str, type[BaseModel]] = NOTEBOOKS,
) -> list[Run]:
    """Return every run of an edition, each after the runs that it reads.

    Args:
        root: The project.
        edition: Parameters of the edition.
        branches: Parameters of every branch, by code.
        models: The parameter model of each notebook, by name.

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
    library, shared = fingerprint.library(), _parameter_files(root)
    versions = fingerprint.versions()
    runs = [
        Run(
            branch_code=run_id[0],
            template=wanted[run_id],
            parameters=_parameters(run_id[0], wanted[run_id], edition),
            reads=reads[run_id],
            library=library,
            files=shared
            | _branch_files(root, run_id[0], branches)
            | _register_files(root, run_id[1], edition),
            versions=versions,
            origin=found[run_id],
            edition_folder=root / "outputs" / edition.edition_id,
        )
        for run_id in order
    ]
    _refuse(defect for run in runs for defect in _value_defects(run, models[run.notebook]))
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
        own = branch is not None and branch.tables.employment is not None
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


def _register_files(root: Path, notebook: str, edition: EditionParams) -> dict[str, str]:
    paths = [path for path in _registers(notebook, edition).values() if path]
    return {path: fingerprint.file_sha256(root / path) for path in paths if (root / path).is_file()}


def _parameters(code: str, template: Template, edition: EditionParams) -> dict[str, Any]:
    offered = (
        {
            "edition_id": edition.edition_id,
            "horizon_years": edition.horizon_years,
            "output_folder": OUTPUT_FOLDER,
            "previous_edition_id": edition.previous_edition_id,
        }
        | {f"{name}_register": path for name, path in _registers(template.name, edition).items()}
        | ({} if code == COMMON else {"branch_code": code})
    )
    return {name: value for name, value in offered.items() if name in template.defaults}


def _parameter_files(root: Path) -> dict[str, str]:
    """Return what every run may read of `parameters/`: all but the files of single branches."""
    folder = root / "parameters"
    return {
        path.relative_to(root).as_posix(): fingerprint.file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in PARAMETER_FILES and folder / "branches" not in path.parents
    }


def _branch_files(root: Path, code: str, branches: Mapping[str, BranchParams]) -> dict[str, str]:
    """Return the files of a branch; for a common notebook, the parameters of all of them."""
    names = [f"parameters/branches/{name}.yml" for name in (branches if code == COMMON else [code])]
    if code != COMMON and (table := branches[code].tables.employment):
        names.append(table)
    return {name: fingerprint.file_sha256(root / name) for name in names if (root / name).is_file()}


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
    table = branch.tables.employment
    if table and not (root / table).is_file():
        yield Defect(
            where=f"{where}, tables.employment",
            what=f"there is no file `{table}`",
            expected="a file, by its path from the project's root",
            fix="correct the path, or write null to use the public estimate",
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
