"""Parameter files into checked models: the edition, its scenarios, its branches.

Every defect of every file is collected and raised once, with its file, line and key. Only the
standard library, pydantic and PyYAML are imported, so that looking at the state stays fast.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final

from opmq_lib.errors import ScopeError, did_you_mean, refuse
from opmq_lib.params import (
    READY_CRITERIA,
    REFERENCE,
    BranchParams,
    EditionParams,
    ScenarioParams,
)
from opmq_lib.sources import project
from opmq_lib.sources.yaml_model import Model, Reading, read_file

_DATA: Final = Path(__file__).parent.parent / "data"


def load_edition(root: Path) -> EditionParams:
    """Return the parameters of the edition.

    Args:
        root: The project's root.

    Raises:
        DataError: With every defect of `parameters/edition.yml`; a scenario without file is one.
    """
    return read_edition(root).checked()


def load_scenarios(root: Path) -> dict[str, ScenarioParams]:
    """Return the scenarios by code, in alphabetical order.

    Args:
        root: The project's root.

    Raises:
        DataError: With every defect of every file of `parameters/scenarios`.
    """
    return _models(read_scenarios(root))


def load_branches(root: Path) -> dict[str, BranchParams]:
    """Return the branches by code, in alphabetical order.

    Args:
        root: The project's root.

    Raises:
        DataError: With every defect of every file of `parameters/branches`: keys, types, ranges,
            unknown branch, notebook or convention, one convention in two branches.
    """
    return _models(read_branches(root))


def load_some_branches(paths: Iterable[Path]) -> dict[str, BranchParams]:
    """Return the branches of some files by code; what branches may not share is not looked at.

    Raises:
        DataError: With every defect of these files.
    """
    return _models([read_branch(path, f"parameters/branches/{path.name}") for path in paths])


def branches_with(root: Path, notebook: str) -> list[str]:
    """Return the codes of the branches that run a notebook, in alphabetical order.

    It counts as no use of their files: whose results a run reads is part of its plan.

    Raises:
        DataError: As `load_branches`.
    """
    readings = read_branches(root)
    _models(readings)
    asked = [each for each in readings if notebook in each.get("notebooks")]
    return [Path(reading.where).stem for reading in asked]


def read_edition(root: Path) -> Reading[EditionParams]:
    """Return `parameters/edition.yml` as read, with its defects instead of an exception."""
    where = "parameters/edition.yml"
    reading = read_file(root / where, where, EditionParams)
    folder, codes = root / "parameters/scenarios", reading.get("scenario_codes")
    # Listed only where one lacks: a new scenario changes nothing for those who use others.
    if isinstance(codes, list) and not all((folder / f"{code}.yml").is_file() for code in codes):
        scenarios = [path.stem for path in folder.glob("*.yml")]
        _check_known(reading, "scenario_codes", "scenario", scenarios)
    return reading


def read_scenarios(root: Path) -> list[Reading[ScenarioParams]]:
    """Return the files of `parameters/scenarios` as read, with their defects."""
    return _read_folder(root, "parameters/scenarios", read_scenario)


def read_branches(root: Path) -> list[Reading[BranchParams]]:
    """Return the files of `parameters/branches` as read, with their defects."""
    read = partial(read_branch, scopes=project.scopes(root))
    readings = _read_folder(root, "parameters/branches", read)
    first: dict[str, Reading[BranchParams]] = {}
    for reading in readings:
        for position, code in enumerate(reading.params.idcc_codes if reading.params else ()):
            owner = first.setdefault(code, reading)
            if owner is not reading:
                where = reading.at(("idcc_codes", position))
                what = f"this IDCC is already in {owner.where}"
                expected = "each convention in one branch"
                fix = "leave it in the branch that holds it today"
                reading.errors.append(ScopeError.of(where, what, expected, fix, code))
    return readings


def read_scenario(path: Path, where: str) -> Reading[ScenarioParams]:
    """Return one scenario file as read; `where` is how messages name it."""
    reading = read_file(path, where, ScenarioParams)
    _check_name(reading, "scenario_code")
    if reading.get("scenario_code") == REFERENCE and reading.get("lines"):
        expected = "lines: []: past trends go on"
        fix = "write these lines in a scenario of their own"
        reading.refuse(("lines",), "the reference changes something", expected, fix)
    edition = read_edition(path.absolute().parents[2]).params
    first = edition.edition_date.year if edition else 0
    for number, line in enumerate(reading.params.lines if reading.params else ()):
        if line.start_year < first:
            expected = f"{first}, the year of the edition, or later: what is over is no scenario"
            key = ("lines", number, "start_year")
            fix = "move the years of the line"
            reading.refuse(
                key, "a scenario that starts in the past", expected, fix, f"{line.start_year}"
            )
    return reading


def read_branch(
    path: Path, where: str, scopes: Mapping[str, str] | None = None
) -> Reading[BranchParams]:
    """Return one branch file as read; branch, notebooks and conventions must exist.

    Args:
        path: The file.
        where: How messages name it.
        scopes: From `project.scopes`, where it is known already.
    """
    root = path.absolute().parents[2]
    scopes = scopes or project.scopes(root)
    reading = read_file(path, where, BranchParams)
    _check_name(reading, "branch_code")
    code, known = reading.get("branch_code"), known_codes("branches", "branch_code")
    if isinstance(code, str) and code not in known:
        reading.errors.append(unknown(reading.at(("branch_code",)), "branch", code, known))
    notebooks = [name for name, scope in scopes.items() if scope != "common"]
    _check_known(reading, "notebooks", "notebook", notebooks)
    _check_known(reading, "idcc_codes", "IDCC", known_codes("idcc_history", "idcc_code"))
    if reading.params is not None:
        _check_links(reading, reading.params.tables.paths(), root)
        _check_questions(reading, reading.params)
    return reading


def lies_inside(root: Path, path_from_root: str) -> bool:
    """Return whether a path stays in the project once symbolic links are followed; no loop does."""
    try:
        return (root / path_from_root).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # links that lead to each other
        return False


def unknown(where: str, kind: str, code: str, known: Iterable[str]) -> ScopeError:
    """Return the error of a code that does not exist, with the one that was probably meant.

    Examples:
        >>> print(unknown("edition.yml", "scenario", "referense", ["reference"]))
        1 defect
          edition.yml: unknown scenario (found: referense)
            expected: one of: reference
            what to do: did you mean `reference`?
    """
    names = sorted(known)
    few = f"one of: {', '.join(names)}" if len(names) <= 40 else ""
    expected = few or f"one of the {len(names)} known codes"
    fix = did_you_mean(code, names) or "correct the code"
    return ScopeError.of(where, f"unknown {kind}", expected, fix, code)


def refuse_unknown(where: str, kind: str, codes: Iterable[str], known: Collection[str]) -> None:
    """Refuse every code that does not exist."""
    refuse([unknown(where, kind, code, known) for code in codes if code not in known])


def no_data(where: str, code: str) -> ScopeError:
    """Return the error of a criterion that nothing gives a value of.

    Examples:
        >>> print(no_data("form.xlsx", "aging"))
        1 defect
          form.xlsx: no table gives a value of this criterion (found: aging)
            expected: one of: ageing, certification_count, departure_rank, ecological_exposure, \
employment_share, location_quotient, tension_class, tension_rank
            what to do: did you mean `ageing`?
    """
    expected = f"one of: {', '.join(sorted(READY_CRITERIA))}"
    fix = "supply its values as `tables.criterion_values`, or remove it"
    fix = did_you_mean(code, READY_CRITERIA) or fix
    return ScopeError.of(where, "no table gives a value of this criterion", expected, fix, code)


@cache
def known_codes(table: str, column: str) -> frozenset[str]:
    """Return the values of a text column of an embedded table, without importing pandas.

    Examples:
        >>> "00044" in known_codes("idcc_history", "idcc_code")
        True
    """
    return frozenset(row[column] for row in _rows(table))


@cache
def metiers() -> dict[str, str]:
    """Return the label of each métier (FAP-225), without importing pandas.

    Examples:
        >>> len(metiers()), "G1Z70" in metiers()
        (226, True)
    """
    return {
        row["metier_code"]: row["label"]
        for row in _rows("metiers")
        if (row["nomenclature"], row["level"]) == ("FAP-2009", "fap225")
    }


def _rows(table: str) -> list[dict[str, str]]:
    with (_DATA / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _models(readings: Sequence[Reading[Model]]) -> dict[str, Model]:
    refuse([error for reading in readings for error in reading.errors])
    return {Path(reading.where).stem: reading.checked() for reading in readings}


def _read_folder(
    root: Path, folder: str, read: Callable[[Path, str], Reading[Model]]
) -> list[Reading[Model]]:
    paths = sorted((root / folder).glob("*.y*ml"))
    if paths:
        return [read(path, f"{folder}/{path.name}") for path in paths]
    empty: Reading[Model] = Reading(folder)
    empty.refuse((), "no file", "at least one .yml file", "restore its files")
    return [empty]


def _check_name(reading: Reading[Model], code_key: str) -> None:
    file, code = Path(reading.where), reading.get(code_key)
    if file.suffix != ".yml":
        reading.refuse((), "ends in .yaml", "a file in .yml", "rename the file")
    elif isinstance(code, str) and code != file.stem:
        expected = f"{code_key}: {file.stem}"
        fix = "rename one of the two"
        reading.refuse((code_key,), "is not the file's name", expected, fix, code)


def _check_known(reading: Reading[Model], key: str, kind: str, known: Collection[str]) -> None:
    codes = reading.get(key)
    for position, code in enumerate(codes if isinstance(codes, list) else ()):
        if isinstance(code, str) and code not in known:
            reading.errors.append(unknown(reading.at((key, position)), kind, code, known))


def _check_links(reading: Reading[BranchParams], paths: Mapping[str, str], root: Path) -> None:
    for name, table in paths.items():
        if not lies_inside(root, table):
            what = f"`{table}` is a link that leads out of the project, or to itself"
            fix = "copy the file into the project"
            reading.refuse(("tables", name), what, "a file that lies in the project", fix)


def _check_questions(reading: Reading[BranchParams], branch: BranchParams) -> None:
    """Add an error for each criterion without a table, and each unknown métier."""
    known = metiers()
    for number, question in enumerate(branch.questions):
        asked = {
            "gates": [line.criterion_code for line in question.gates],
            "criteria": [criterion.criterion_code for criterion in question.criteria],
        }
        for block, codes in asked.items():
            for position, code in enumerate(codes):
                if code not in READY_CRITERIA and branch.tables.criterion_values is None:
                    key = ("questions", number, block, position, "criterion_code")
                    reading.errors.append(no_data(reading.at(key), code))
        for position, code in enumerate(question.voted_metiers):
            if code not in known:
                where = reading.at(("questions", number, "voted_metiers", position))
                reading.errors.append(unknown(where, "métier", code, known))
