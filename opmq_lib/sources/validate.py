"""Checks parameters and tables before anything runs, and says what was checked."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, RangeError, SchemaError, ScopeError, refuse
from opmq_lib.methods.employment.estimate import heads_by_metier
from opmq_lib.params import EditionParams, is_project_path
from opmq_lib.sources import embedded, grids, parameters, registers, rncp, table_files
from opmq_lib.sources.yaml_model import Reading, read_file
from opmq_lib.tables import titles
from opmq_lib.tables.scope import REST

FAR = 1.5
"""How many times larger, or smaller, an own total may be than the published one, unsaid."""
Checked = tuple[str, list[DataError]]
"""What was checked, in words, and what is wrong with it."""


def validate(root: Path, files: Sequence[Path] = ()) -> list[str]:
    """Check the parameters and the tables they name, or the given files only.

    Args:
        root: The project's root.
        files: YAML files, recognised by their folder, and tables, recognised by their columns.
            A given table is taken as the user's own: no message shows a value of it.

    Returns:
        What was checked, one line each, in the order of checking.

    Raises:
        DataError: With every defect of every file; of the class they share, if they share one.
    """
    checked = list(_given(root, files) if files else _project(root))
    refuse([error for _, each in checked for error in each])
    return [line for line, _ in checked]


def best_match(names: Sequence[str]) -> str | None:
    """Return the table whose columns look most like `names`, `None` if none shares half of them.

    Examples:
        >>> best_match(["Code FAP", "Année", "Effectif", "Nombre d’entreprises"])
        'employment'
        >>> best_match(["branch_code", "metier_code", "year", "heads", "nature", "units_count"])
        'employment'
        >>> best_match(["a", "b"]) is None
        True
    """

    def likeness(table: str) -> float:
        found = set(titles.columns(table, names)) - set(titles.FOR_READERS)
        columns = {use.name for use in tables.USES[table] if not use.may_be_absent}
        if table in table_files.SUPPLIED:
            columns -= {"branch_code", *table_files.IMPLIED} - found
        return len(found & columns) / len(found | columns)

    best = max(tables.TABLES, key=likeness)
    return best if likeness(best) >= 0.5 else None


def _project(root: Path) -> Iterator[Checked]:
    edition = parameters.read_edition(root)
    scenarios, branches = parameters.read_scenarios(root), parameters.read_branches(root)
    readings: list[Reading[Any]] = [edition, *scenarios, *branches]
    readings.append(registers.read_import(root))
    for reading in readings:
        yield reading.where, reading.errors
    for table in table_files.CONVENTIONS:
        path = root / "parameters/tables" / f"{table}.csv"
        yield _table(path, table, partial(table_files.read_convention, table, root))
    for branch in branches:
        yield from _supplied(root, Path(branch.where).stem, branch.get("tables"))
    if edition.params is not None:
        yield from _base_year(edition.params)
        yield from _previous(root, edition.params)
        yield from _registers(root, edition.params)


def _supplied(root: Path, branch_code: str, named: Any) -> Iterator[Checked]:
    """Check what a branch file names, even if the rest of it is wrong."""
    paths = {
        table: root / path
        for table, path in (named.items() if isinstance(named, dict) else ())
        if isinstance(path, str) and is_project_path(path) and parameters.lies_inside(root, path)
    }
    blocs = None
    if export := paths.pop("rncp_export", None):
        where = f"{table_files.shown(export)} (export of the register)"
        try:
            register = rncp.read_export(export)
        except DataError as error:
            yield where, [error]
        else:
            counts = f"{len(register['fiches'])} fiches, {len(register['blocs'])} blocs"
            yield f"{where}: {counts}", []
            blocs = set(register["blocs"]["bloc_code"])
    for table in (name for name in table_files.SUPPLIED if name in paths):
        codes = blocs if table == "bloc_readings" else None
        read = partial(table_files.read_supplied, paths[table], table, branch_code, codes)
        yield _table(paths[table], table, read)
    if "employment" in paths:
        _compare_with_published(paths["employment"], branch_code)


def _compare_with_published(path: Path, branch_code: str) -> None:
    """Say where the total of a branch's own table is far from its published headcount.

    A table without the rest of the branch may be of some métiers only.
    """
    try:
        own = table_files.read_supplied(path, "employment", branch_code)
    except DataError:
        return
    published = embedded.load("branch_headcount").query("branch_code == @branch_code")
    year, heads = own["year"].max(), published["employees_headcount"].sum()
    last = own[own["year"] == year]
    ratio = last["employment_headcount"].sum() / heads if heads else 1.0
    is_whole = last["metier_code"].eq(REST).any()
    if ratio > FAR or (is_whole and ratio * FAR < 1):
        how = f"more than {FAR} times" if ratio > 1 else f"less than 1/{FAR} of"
        known = f"its published headcount ({published['year'].max()})"
        where = f"{table_files.shown(path)}: its total of {year}"
        warnings.warn(f"{where} is {how} {known}: check its unit, its perimeter", stacklevel=2)


def _base_year(edition: EditionParams) -> Iterator[Checked]:
    """Check that the year on which estimates close has published figures."""
    try:
        heads_by_metier(embedded.load("employment_national"), edition.base_year)
    except RangeError as error:
        where = "parameters/edition.yml"
        defects = [replace(each, where=f"{where}, {each.where}") for each in error.defects]
        yield where, [RangeError(defects)]


def _previous(root: Path, edition: EditionParams) -> Iterator[Checked]:
    """Check that the edition to compare with is there."""
    previous = edition.previous_edition_id
    if previous is not None and not (root / "outputs" / previous).is_dir():
        where = "parameters/edition.yml, previous_edition_id"
        expected = "the name of a folder of outputs/, or null"
        fix = f"put its results back in outputs/{previous}, or write null"
        yield where, [ScopeError.of(where, "no such edition", expected, fix, previous)]


def _registers(root: Path, edition: EditionParams) -> Iterator[Checked]:
    """Check the registers that the edition names."""
    on, named_works = edition.edition_date, edition.registers.works

    def works() -> pd.DataFrame:
        path = root / named_works if named_works else None
        named = edition.registers.decisions
        decisions = registers.read_decisions(root / named) if named else None
        return registers.read_works(path, root, on, decisions)

    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        "requests": lambda path: registers.read_requests(path, registers.known(root, on)),
        "works": lambda _: works(),
        "company_counts": lambda path: table_files.read_table(path, "company_counts"),
        "recommendations": lambda path: registers.read_recommendations(path, "own"),
        "decisions": registers.read_decisions,
        "notes": lambda path: registers.read_notes(path, works(), on, "own"),
    }
    for table, each in read.items():
        if named := getattr(edition.registers, table):
            yield _table(root / named, table, partial(each, root / named))


def _given(root: Path, files: Iterable[Path]) -> Iterator[Checked]:
    for path in files:
        if path.suffix in {".yml", ".yaml"}:
            reading = _reading(path.resolve())
            yield reading.where, reading.errors
        else:
            yield _unnamed_table(root, path)


def _reading(path: Path) -> Reading[Any]:
    """Return a YAML file as what its folder says it is."""
    where = table_files.shown(path)
    if path.parent.name == "branches":
        return parameters.read_branch(path, where)
    if path.parent.name == "scenarios":
        return parameters.read_scenario(path, where)
    return read_file(path, where, EditionParams)


def _unnamed_table(root: Path, path: Path) -> Checked:
    where = table_files.shown(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # reading its table says it again
            names = grids.read_grid(path, where, tuple(tables.TABLES)).names
    except SchemaError as error:
        return where, [error]
    table = best_match(names)
    if table is None:
        what = "its columns look like those of no table"
        expected = f"the columns of one of: {', '.join(tables.TABLES)}"
        fix = "name the columns as the data dictionary does, or begin with `opmq data template`"
        return where, [SchemaError.of(where, what, expected, fix)]
    if table in table_files.SUPPLIED:
        branch_code = _named_by(root, path, table)
        return _table(path, table, partial(table_files.read_supplied, path, table, branch_code))
    return _table(path, table, partial(table_files.read_table, path, table))


def _named_by(root: Path, path: Path, table: str) -> str | None:
    """Return the branch whose file names a table, if one does."""
    for reading in parameters.read_branches(root):
        named = reading.get("tables")
        its = named.get(table) if isinstance(named, dict) else None
        if isinstance(its, str) and (root / its).absolute() == path.absolute():
            return Path(reading.where).stem
    return None


def _table(path: Path, table: str, read: Callable[[], pd.DataFrame]) -> Checked:
    where = f"{table_files.shown(path)} (table `{table}`)"
    try:
        rows = len(read())
    except DataError as error:
        return where, [error]
    return f"{where}: {rows} row{'s' if rows > 1 else ''}", []
