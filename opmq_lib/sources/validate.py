"""Checks parameters and tables before anything runs, and says what was checked."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect, RangeError, SchemaError, ScopeError, gather
from opmq_lib.methods import employment
from opmq_lib.params import EditionParams, is_project_path
from opmq_lib.sources import embedded, parameters, registers, rncp, table_files
from opmq_lib.sources.yaml_model import Reading, read_file

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
    checked = list(_given(files) if files else _project(root))
    errors = [error for _, found in checked for error in found]
    if errors:
        raise gather(errors)
    return [line for line, _ in checked]


def best_match(names: Iterable[str]) -> str | None:
    """Return the table whose columns look most like `names`, `None` if none shares half of them.

    Examples:
        >>> best_match(["branch_code", "metier_code", "year", "headcount", "nature", "origin"])
        'employment'
        >>> best_match(["a", "b"]) is None
        True
    """
    found = set(names)

    def likeness(table: str) -> float:
        columns = {use.name for use in tables.USES[table] if not use.may_be_absent}
        return len(found & columns) / len(found | columns)

    best = max(tables.TABLES, key=likeness)
    return best if likeness(best) >= 0.5 else None


def _project(root: Path) -> Iterator[Checked]:
    edition = parameters.read_edition(root)
    scenarios, branches = parameters.read_scenarios(root), parameters.read_branches(root)
    readings: list[Reading[Any]] = [edition, *scenarios, *branches]
    readings.append(registers.reading_of_import(root))
    for reading in readings:
        yield reading.where, reading.errors
    for table in table_files.CONVENTIONS:
        yield _table(root / "parameters/tables" / f"{table}.csv", table, "public")
    for branch in branches:
        codes = None
        if export := _export(root, branch.get("tables")):
            register, codes = _register(export)
            yield register
        for table, path_from_root in _own_tables(branch.get("tables")).items():
            if parameters.lies_inside(root, path_from_root):
                origin, code = table_files.SUPPLIED[table], Path(branch.where).stem
                only = code if "branch_code" in tables.DESCRIPTIONS[table] else None
                blocs = codes if table == "bloc_readings" else None
                yield _table(root / path_from_root, table, origin, only, blocs)
    if edition.params is not None:
        yield from _base_year(edition.params)
        yield from _previous(root, edition.params)
        yield from _registers(root, edition.params)


def _base_year(edition: EditionParams) -> Iterator[Checked]:
    """Check that the year on which estimates close has published figures."""
    try:
        employment.metier_totals(embedded.load("employment_national"), edition.base_year)
    except RangeError as error:
        where = "parameters/edition.yml"
        told = [replace(defect, where=f"{where}, {defect.where}") for defect in error.defects]
        yield where, [RangeError(told)]


def _previous(root: Path, edition: EditionParams) -> Iterator[Checked]:
    """Check that the edition to compare with is there."""
    previous = edition.previous_edition_id
    if previous is not None and not (root / "outputs" / previous).is_dir():
        where = "parameters/edition.yml, previous_edition_id"
        defect = Defect(
            where=where,
            what="no such edition",
            expected="the name of a folder of outputs/, or null",
            fix=f"put its results back in outputs/{previous}, or write null",
            value=previous,
        )
        yield where, [ScopeError([defect])]


def _registers(root: Path, edition: EditionParams) -> Iterator[Checked]:
    """Check the registers that the edition names."""
    named = edition.registers
    if named.requests:
        where = f"{named.requests} (table `requests`)"
        try:
            known = registers.known(root, edition.edition_date)
            frame = registers.read_requests(root / named.requests, known)
        except DataError as error:
            yield where, [error]
        else:
            yield f"{where}: {len(frame)} rows", []
    if named.studies:
        where = f"{named.studies} (table `studies`)"
        try:
            frame = registers.read_studies(root / named.studies, root, edition.edition_date)
        except DataError as error:
            yield where, [error]
        else:
            yield f"{where}: {len(frame)} rows", []
    for table in ("company_counts", "recommendations"):
        path = getattr(named, table)
        if path:
            yield _table(root / path, table, "own")


def _own_tables(named: Any) -> dict[str, str]:
    """Return the own tables that a branch file names, even if the rest of the file is wrong."""
    return {
        table: path
        for table, path in (named.items() if isinstance(named, dict) else ())
        if table in table_files.SUPPLIED and isinstance(path, str) and is_project_path(path)
    }


def _export(root: Path, named: Any) -> Path | None:
    """Return the export of the register that a branch file names, if its path is one to read."""
    path = named.get("rncp_export") if isinstance(named, dict) else None
    if isinstance(path, str) and is_project_path(path) and parameters.lies_inside(root, path):
        return root / path
    return None


def _register(export: Path) -> tuple[Checked, set[str] | None]:
    """Return what was checked of an export of the register, and its blocs if it can be read."""
    where = f"{table_files.shown(export)} (export of the register)"
    try:
        found = rncp.read_export(export)
    except DataError as error:
        return (where, [error]), None
    counts = f"{len(found['fiches'])} fiches, {len(found['blocs'])} blocs"
    return (f"{where}: {counts}", []), set(found["blocs"]["bloc_code"])


def _given(files: Iterable[Path]) -> Iterator[Checked]:
    for path in files:
        if path.suffix in {".yml", ".yaml"}:
            reading = _reading(path.resolve())
            yield reading.where, reading.errors
        else:
            yield _unnamed_table(path)


def _reading(path: Path) -> Reading[Any]:
    """Return a YAML file as what its folder says it is."""
    where = table_files.shown(path)
    if path.parent.name == "branches":
        return parameters.read_branch(path, where)
    if path.parent.name == "scenarios":
        return parameters.read_scenario(path, where)
    return read_file(path, where, EditionParams)


def _unnamed_table(path: Path) -> Checked:
    where = table_files.shown(path)
    try:
        names = table_files.read_grid(path, where, tuple(tables.TABLES)).names
    except SchemaError as error:
        return where, [error]
    table = best_match(names)
    if table is None:
        defect = Defect(
            where=where,
            what="its columns look like those of no table",
            expected=f"the columns of one of: {', '.join(tables.TABLES)}",
            fix="name the columns as the data dictionary does",
        )
        return where, [SchemaError([defect])]
    return _table(path, table, "own")


def _table(
    path: Path,
    table: str,
    origin: Literal["own", "public"],
    branch_code: str | None = None,
    bloc_codes: Collection[str] | None = None,
) -> Checked:
    where = f"{table_files.shown(path)} (table `{table}`)"
    try:
        frame = table_files.read_table(path, table, origin, branch_code, bloc_codes)
    except DataError as error:
        return where, [error]
    return f"{where}: {len(frame)} row{'s' if len(frame) > 1 else ''}", []
