"""Plan the runs of an edition: every template for every branch, each with all it depends on."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from opmq_lib.errors import DataError, Defect, did_you_mean
from opmq_lib.params import DEMO, OPEN_REGISTERS, BranchParams, EditionParams
from opmq_lib.runs import fingerprint, library, release
from opmq_lib.runs.files import SHORT, Files
from opmq_lib.runs.hashes import CACHE, Hashes
from opmq_lib.runs.kernels import confine
from opmq_lib.runs.origin import Origin, worst
from opmq_lib.runs.templates import BRANCH, EDITION, FOLDER, REGISTER, Template, read_templates
from opmq_lib.sources import official

COMMON = "commun"
"""Stands for the branch code in the runs that are common to all branches."""

IN_A_BATCH = {FOLDER: ".", "sliders": False}
"""A run writes where it works, so that no absolute path appears in a notebook; nobody watches."""

READ_BY_ALL = ("parameters", "_quarto.yml")
"""What of the project every notebook may read, whatever it says that it reads; also templates and
official tables that are loaded."""

RunId = tuple[str, str]


@dataclass(frozen=True)
class Run:
    """One template to execute for one branch.

    Attributes:
        branch_code: The branch, or `COMMON`.
        template: The notebook.
        parameters: Values given to it; parameters left out keep their default.
        reads: Runs whose result tables it reads; a common run reads no branch's own ones.
        library: Module → first letters of the sha256 of its source: those it can reach.
        declared: Names of the files that it rests on, heard or not: its branch's own tables, its
            registers, its page's texts, other files that the template names.
        origin: `own` if a table or file supplied by the user may be behind its results,
            `fictitious` if a fictitious register may, else `public`.
        edition_folder: `outputs/<edition_id>`.
        files: The files as they were when it was planned, one for all runs.
    """

    branch_code: str
    template: Template
    parameters: Mapping[str, Any]
    reads: tuple[RunId, ...]
    library: Mapping[str, str]
    declared: tuple[str, ...]
    origin: Origin
    edition_folder: Path
    files: Files = field(repr=False)

    @property
    def notebook(self) -> str:
        """Name of the template, such as `01_emplois`."""
        return self.template.name

    @property
    def id(self) -> RunId:
        """What names the run in its edition."""
        return self.branch_code, self.notebook

    @property
    def is_released(self) -> bool:
        """Whether it reads tables of its branch as they may be published."""
        return any(name.startswith(f"{release.RELEASED}/") for name in self.declared)

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

    def inputs(self, read: Iterable[str] = ()) -> dict[str, str]:
        """Return name → sha256 of its declared files and of others that it has read."""
        sums = {name: self.files.sha256(name) for name in (*self.declared, *read)}
        return {name: sha256 for name, sha256 in sums.items() if sha256 is not None}

    def changed_files(self, read: Iterable[str] = ()) -> list[str]:
        """Return those of these files that are no longer what they were when planned."""
        names = dict.fromkeys(name.partition("#")[0] for name in (*self.declared, *read))
        return [name for name in names if self.files.has_changed(name)]


def plan(root: Path, edition: EditionParams, branches: Mapping[str, BranchParams]) -> list[Run]:
    """Return every run of an edition, each after the runs that it reads.

    Args:
        root: The project.
        edition: Parameters of the edition.
        branches: Parameters of every branch, by code.

    Raises:
        DataError: With every defect: a template that is not as it should, a notebook that reads
            one which its branch does not run, a table that is not there.
    """
    templates = read_templates(root / "notebooks")
    DataError.refuse(_defects(root, edition, branches, templates))
    edition_folder = root / "outputs" / edition.edition_id
    hashes = Hashes(edition_folder / CACHE)
    modules = library.read(hashes)
    reached = {name: modules.reached(each.imports) for name, each in templates.items()}
    short = {name: {m: sha[:SHORT] for m, sha in each.items()} for name, each in reached.items()}
    texts = {name: modules.texts_beside(each) for name, each in reached.items()}
    by_file = {f"parameters/branches/{code}.yml": branch for code, branch in branches.items()}
    files = Files(edition_folder, modules, hashes, {"parameters/edition.yml": edition, **by_file})
    reads = _reads(templates, branches)
    supplied = {code: branch.tables.paths() for code, branch in branches.items()}
    released = release.in_place(root, edition, branches, modules)
    of_edition = {each: getattr(edition, each) for each in EDITION} | IN_A_BATCH
    runs: dict[RunId, Run] = {}
    for code, name in _ordered(reads):
        template = templates[name]
        registers = {each: getattr(edition.registers, each) or "" for each in template.registers}
        hidden, public = _tables(template, supplied.get(code, {}), released.get(code, {}))
        read = reads[code, name]
        if code == COMMON:
            read = tuple(each for each in read if each[0] == COMMON or runs[each].origin != "own")
        origins = ("own" if hidden or template.files else "public", _origin(registers, edition))
        given = {BRANCH: code, **of_edition}
        given |= {f"{each}{REGISTER}": path for each, path in registers.items()}
        runs[code, name] = Run(
            branch_code=code,
            template=template,
            parameters={each: given[each] for each in template.defaults if each in given},
            reads=read,
            library=short[name],
            declared=(
                *(*filter(None, registers.values()), *hidden, *public),
                *(*texts[name], *template.files),
            ),
            origin=worst([*origins, *(runs[each].origin for each in read)]),
            edition_folder=edition_folder,
            files=files,
        )
    files.look(each for run in runs.values() for each in run.declared)
    hashes.save()
    return list(runs.values())


def select(
    runs: Sequence[Run], branch_codes: Collection[str] = (), notebooks: Collection[str] = ()
) -> list[Run]:
    """Return the runs that somebody asked for and those that they read, in the same order.

    Args:
        runs: From `plan`.
        branch_codes: Branches (or `COMMON`) wanted; empty for all.
        notebooks: Notebooks wanted; empty for all.

    Raises:
        DataError: If a branch or a notebook is unknown, or no branch wanted has a notebook wanted.
    """
    DataError.refuse(_unknown("branch", branch_codes, {run.branch_code for run in runs}))
    DataError.refuse(_unknown("notebook", notebooks, {run.notebook for run in runs}))
    needed: set[RunId] = set()
    for run in reversed(runs):
        is_asked = (not branch_codes or run.branch_code in branch_codes) and (
            not notebooks or run.notebook in notebooks
        )
        if is_asked or run.id in needed:
            needed |= {run.id, *run.reads}
    if branch_codes and notebooks and not needed:
        what, expected = "not a notebook of these branches", "one that their files list"
        fix = f"leave --branch out, or write `--branch {COMMON}` for one that runs once for all"
        raise DataError.of("--notebook", what, expected, fix, ", ".join(notebooks))
    return [run for run in runs if run.id in needed]


def of_branches(runs: Sequence[Run], branch_codes: Collection[str]) -> list[Run]:
    """Return the runs of some branches, as `select`, and what is common and reads no branch."""
    alone = {run.id for run in runs if run.branch_code == COMMON and not run.reads}
    asked = alone | {run.id for run in select(runs, branch_codes)}
    return [run for run in runs if run.id in asked]


def shown(run_id: RunId) -> str:
    """Return a run's name for people.

    Examples:
        >>> shown(("chimie", "01_emplois"))
        'chimie/01_emplois'
    """
    return "/".join(run_id)


def _reads(
    templates: Mapping[str, Template], branches: Mapping[str, BranchParams]
) -> dict[RunId, tuple[RunId, ...]]:
    """Return every run and those that it may read: its branch's; a common one, every branch's."""
    wanted = [(code, name) for code, branch in branches.items() for name in branch.notebooks]
    wanted += [(COMMON, name) for name, each in templates.items() if each.scope == "common"]
    known = set(wanted)
    everywhere = [*branches, COMMON]
    return {
        (code, name): tuple(
            (other, read)
            for read in templates[name].reads
            for other in (everywhere if code == COMMON else (code, COMMON))
            if (other, read) in known
        )
        for code, name in wanted
    }


def _tables(
    template: Template, supplied: Mapping[str, str], released: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str]]:
    """Return the files of its branch's own tables that a notebook reads whole, and as released."""
    read = [name for name in template.own_tables if name in supplied]
    hidden = [supplied[name] for name in read if name not in released]
    return hidden, [path for name in read for path in released.get(name, ())]


def _origin(registers: Mapping[str, str], edition: EditionParams) -> Origin:
    """Return what registers make of results, by name of the register: its path."""
    if edition.edition_id == DEMO:
        return "fictitious" if any(registers.values()) else "public"
    closed = [path for name, path in registers.items() if name not in OPEN_REGISTERS]
    return "own" if any(closed) else "public"


def _ordered(reads: Mapping[RunId, tuple[RunId, ...]]) -> list[RunId]:
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = " → ".join(dict.fromkeys(notebook for _, notebook in error.args[1]))
        what = f"notebooks read each other in a circle: {circle}"
        fix = "remove one of these names from `opmq.reads`"
        where, expected = "notebooks, metadata", "results that flow one way"
        raise DataError.of(where, what, expected, fix) from error


def _defects(
    root: Path,
    edition: EditionParams,
    branches: Mapping[str, BranchParams],
    templates: Mapping[str, Template],
) -> Iterator[Defect]:
    yield from _open(root, edition, branches)
    for code, branch in branches.items():
        where = f"parameters/branches/{code}.yml"
        for name in branch.notebooks:
            for read in templates[name].reads:
                if templates[read].scope == "branch" and read not in branch.notebooks:
                    what = f"`{name}` reads `{read}`, which the branch does not run"
                    fix = f"add `{read}`, or remove `{name}`"
                    yield Defect(f"{where}, notebooks", what, f"`{read}` in the list as well", fix)
        for name, table in branch.tables.paths().items():
            if not (root / table).is_file():
                place, what = f"{where}, tables.{name}", f"there is no file `{table}`"
                expected = "a file, by its path from the project's root"
                fix = "correct the path, or write null to use what is public"
                yield Defect(place, what, expected, fix)


def _open(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams]
) -> Iterator[Defect]:
    """Say which own table or register lies where every notebook may read it: nothing keeps it."""
    named = {f"{code}.yml, tables": each.tables.paths() for code, each in branches.items()}
    files = {f"parameters/branches/{where}": paths for where, paths in named.items()}
    files["parameters/edition.yml, registers"] = edition.registers.model_dump(exclude_none=True)
    own = [(root / each).resolve() for each in (*READ_BY_ALL, official.FOLDER)]
    places = [*(Path(each).resolve() for each in confine.SYSTEM), *own]
    for where, paths in files.items():
        for name, path in paths.items():
            real = Path(os.path.realpath(root / path))
            if any(map(real.is_relative_to, places)) or _has_other_name(real, own):
                what = f"`{path}` lies where every notebook may read it"
                fix = (
                    "move the file, such as to `data/`, or the project out of the system's folders"
                )
                yield Defect(f"{where}.{name}", what, "a file that is kept from notebooks", fix)


def _has_other_name(path: Path, folders: Sequence[Path]) -> bool:
    """Return whether a file is also in some folders, under another name (a hard link)."""
    if not path.is_file() or path.stat().st_nlink == 1:
        return False
    others = (each for folder in folders for each in folder.rglob("*"))
    return any(map(path.samefile, filter(Path.is_file, others)))


def _unknown(kind: str, names: Collection[str], known: Collection[str]) -> Iterator[Defect]:
    for name in names:
        if name not in known:
            expected = f"one of {', '.join(sorted(known)) or 'none'}"
            fix = did_you_mean(name, known) or "correct it"
            yield Defect(f"--{kind}", f"`{name}` is not a {kind} of this edition", expected, fix)
