"""Parameter files into checked models: the edition, its scenarios, its branches.

Every defect of every file is collected and raised once, with its file, line and key. Only the
standard library, pydantic and PyYAML are imported, so that looking at the state stays fast.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from opmq_lib.errors import DataError, Defect, SchemaError, ScopeError, did_you_mean, gather
from opmq_lib.params import (
    BRANCH_NOTEBOOKS,
    READY_CRITERIA,
    REFERENCE,
    SCHEMA_MODELS,
    BranchParams,
    EditionParams,
    ScenarioParams,
    json_schema,
)
from opmq_lib.sources.yaml_model import Model, Reading, read_file

_DATA: Final = Path(__file__).parent.parent / "data"


def load_edition(root: Path) -> EditionParams:
    """Return the parameters of the edition.

    Args:
        root: The project's root.

    Raises:
        DataError: With every defect of `parameters/edition.yml`; a scenario without file is one.
    """
    reading = read_edition(root)
    if reading.params is None or reading.errors:
        raise gather(reading.errors)
    return reading.params


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


def read_edition(root: Path) -> Reading[EditionParams]:
    """Return `parameters/edition.yml` as read, with its defects instead of an exception."""
    where = "parameters/edition.yml"
    reading = read_file(root / where, where, EditionParams)
    known = sorted(path.stem for path in (root / "parameters/scenarios").glob("*.yml"))
    reading.errors += _unknown_items(reading, "scenario_codes", "scenario", known)
    return reading


def read_scenarios(root: Path) -> list[Reading[ScenarioParams]]:
    """Return the files of `parameters/scenarios` as read, with their defects."""
    return _read_folder(root, "parameters/scenarios", read_scenario)


def read_branches(root: Path) -> list[Reading[BranchParams]]:
    """Return the files of `parameters/branches` as read, with their defects."""
    readings = _read_folder(root, "parameters/branches", read_branch)
    for reading, error in _shared_conventions(readings):
        reading.errors.append(error)
    return readings


def read_scenario(path: Path, where: str) -> Reading[ScenarioParams]:
    """Return one scenario file as read; `where` is how messages name it."""
    reading = read_file(path, where, ScenarioParams)
    reading.errors += _name_errors(reading, "scenario_code")
    if _get(reading, "scenario_code") == REFERENCE and _get(reading, "lines"):
        where = reading.at(("lines",))
        told = ("the reference changes something", "lines: []: past trends go on")
        fix = "write these lines in a scenario of their own"
        reading.errors.append(_schema(where, *told, fix))
    return reading


def read_branch(path: Path, where: str) -> Reading[BranchParams]:
    """Return one branch file as read; branch, notebooks and conventions must exist."""
    reading = read_file(path, where, BranchParams)
    reading.errors += _name_errors(reading, "branch_code")
    code, known = _get(reading, "branch_code"), known_codes("branches", "branch_code")
    if isinstance(code, str) and code not in known:
        reading.errors.append(unknown(reading.at(("branch_code",)), "branch", code, known))
    conventions = known_codes("idcc_history", "idcc_code")
    reading.errors += _unknown_items(reading, "notebooks", "notebook", BRANCH_NOTEBOOKS)
    reading.errors += _unknown_items(reading, "idcc_codes", "IDCC", conventions)
    reading.errors += _outside_errors(reading, path.absolute().parents[2])
    reading.errors += _question_errors(reading)
    return reading


def lies_inside(root: Path, path_from_root: str) -> bool:
    """Return whether a path stays in the project once symbolic links are followed."""
    return (root / path_from_root).resolve().is_relative_to(root.resolve())


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
    few = f"one of: {', '.join(names)}"
    return ScopeError(
        [
            Defect(
                where=where,
                what=f"unknown {kind}",
                expected=few if len(names) <= 40 else f"one of the {len(names)} known codes",
                fix=did_you_mean(code, names) or "correct the code",
                value=code,
            )
        ]
    )


@cache
def known_codes(table: str, column: str) -> frozenset[str]:
    """Return the values of a text column of an embedded table, without importing pandas.

    Examples:
        >>> "00044" in known_codes("idcc_history", "idcc_code")
        True
    """
    with (_DATA / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return frozenset(row[column] for row in csv.DictReader(lines))


@cache
def studied_metiers() -> dict[str, str]:
    """Return the label of each métier that the study gives results for, without importing pandas.

    Examples:
        >>> len(studied_metiers()), "G1Z70" in studied_metiers()
        (59, True)
    """
    with (_DATA / "metiers.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["metier_code"]: row["label"]
            for row in csv.DictReader(lines)
            if (row["nomenclature"], row["level"]) == ("FAP-2009", "fap225")
            and row["scope"] in {"industry", "transverse"}
        }


def write_schemas(root: Path) -> None:
    """Write the JSON Schemas that editors use to complete the parameter files.

    Args:
        root: The project's root; the files go to its `parameters/schema`.
    """
    for name, model in SCHEMA_MODELS.items():
        target = root / "parameters/schema" / f"{name}.schema.json"
        target.write_text(json_schema(model), encoding="utf-8", newline="\n")


def _models(readings: Sequence[Reading[Model]]) -> dict[str, Model]:
    errors = [error for reading in readings for error in reading.errors]
    if errors:
        raise gather(errors)
    return {
        Path(reading.where).stem: reading.params
        for reading in readings
        if reading.params is not None
    }


def _read_folder(
    root: Path, folder: str, read: Callable[[Path, str], Reading[Model]]
) -> list[Reading[Model]]:
    paths = sorted((root / folder).glob("*.y*ml"))
    if paths:
        return [read(path, f"{folder}/{path.name}") for path in paths]
    empty: Reading[Model] = Reading(folder)
    empty.errors.append(_schema(folder, "no file", "at least one .yml file", "restore its files"))
    return [empty]


def _name_errors(reading: Reading[Model], code_key: str) -> list[DataError]:
    file, code = Path(reading.where), _get(reading, code_key)
    if file.suffix != ".yml":
        return [_schema(reading.where, "ends in .yaml", "a file in .yml", "rename the file")]
    if not isinstance(code, str) or code == file.stem:
        return []
    where, expected = reading.at((code_key,)), f"{code_key}: {file.stem}"
    return [_schema(where, "is not the file's name", expected, "rename one of the two", code)]


def _outside_errors(reading: Reading[BranchParams], root: Path) -> list[DataError]:
    paths = reading.params.tables.paths() if reading.params else {}
    return [
        _schema(
            reading.at(("tables", name)),
            f"`{table}` is a link that leads out of the project",
            "a file that lies in the project",
            "copy the file into the project",
        )
        for name, table in paths.items()
        if not lies_inside(root, table)
    ]


def _question_errors(reading: Reading[BranchParams]) -> list[DataError]:
    """Return an error for each criterion without a table, and each unknown métier."""
    if reading.params is None:
        return []
    errors: list[DataError] = []
    metiers = studied_metiers()
    supplied = reading.params.tables.criterion_values is not None
    for number, question in enumerate(reading.params.questions):
        key = ("questions", number)
        for position, criterion in enumerate(question.criteria):
            code = criterion.criterion_code
            if code not in READY_CRITERIA and not supplied:
                where = reading.at((*key, "criteria", position, "criterion_code"))
                errors.append(no_data(where, code))
        errors += [
            unknown(reading.at((*key, "voted_metiers", position)), "métier", code, metiers)
            for position, code in enumerate(question.voted_metiers)
            if code not in metiers
        ]
    return errors


def no_data(where: str, code: str) -> ScopeError:
    """Return the error of a criterion that nothing gives a value of.

    Examples:
        >>> print(no_data("form.xlsx", "aging"))
        1 defect
          form.xlsx: no table gives a value of this criterion (found: aging)
            expected: one of: ageing, certification_count, digital_exposure, ecological_exposure, \
employment_share, location_quotient, qualification_level, replacement_difficulty, tension_index
            what to do: did you mean `ageing`?
    """
    return ScopeError(
        [
            Defect(
                where=where,
                what="no table gives a value of this criterion",
                expected=f"one of: {', '.join(sorted(READY_CRITERIA))}",
                fix=did_you_mean(code, READY_CRITERIA)
                or "supply its values as `tables.criterion_values`, or remove it",
                value=code,
            )
        ]
    )


def _get(reading: Reading[Model], key: str) -> Any:
    value = reading.document.value
    return value.get(key) if isinstance(value, dict) else None


def _unknown_items(
    reading: Reading[Model], key: str, kind: str, known: Iterable[str]
) -> list[DataError]:
    codes, names = _get(reading, key), set(known)
    if not isinstance(codes, list):
        return []
    return [
        unknown(reading.at((key, position)), kind, code, names)
        for position, code in enumerate(codes)
        if isinstance(code, str) and code not in names
    ]


def _shared_conventions(
    readings: Sequence[Reading[BranchParams]],
) -> list[tuple[Reading[BranchParams], DataError]]:
    first: dict[str, Reading[BranchParams]] = {}
    shared: list[tuple[Reading[BranchParams], DataError]] = []
    for reading in readings:
        codes = reading.params.idcc_codes if reading.params else ()
        for position, code in enumerate(codes):
            owner = first.setdefault(code, reading)
            if owner is not reading:
                defect = Defect(
                    where=reading.at(("idcc_codes", position)),
                    what=f"this IDCC is already in {owner.where}",
                    expected="each convention in one branch",
                    fix="leave it in the branch that holds it today",
                    value=code,
                )
                shared.append((reading, ScopeError([defect])))
    return shared


def _schema(
    where: str, what: str, expected: str, fix: str, value: str | None = None
) -> SchemaError:
    return SchemaError([Defect(where, what, expected, fix, value)])
