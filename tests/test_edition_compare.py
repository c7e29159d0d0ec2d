"""What changed between two editions: the right cause, and only the figures that it moved."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from opmq_lib import tables
from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import compare
from opmq_lib.runs.editions.compare import Edition

DATA_FOLDER = Path(tables.__file__).parents[1] / "data"
DATA = "opmq_lib/data/employment_national.csv"
NATIONAL = "metier_code,year,employment_headcount\nE2Z70,2018,100\nE0Z20,2018,50\n"
TABLE = "branch_code,metier_code,year,indicator,value,status,origin\n"
JOBS, TENSION = ("chimie", "01_emplois"), ("chimie", "03_tensions")
REPORT = ("chimie", "00_rapport")


def row(metier: str, year: int, value: float) -> str:
    return f"chimie,{metier},{year},employment_headcount,{value},value,public\n"


def edition(name: str, data: str = NATIONAL, **changes: Any) -> Edition:
    """Return an edition of three runs; the report reads the jobs, which read a table of data."""
    jobs = TABLE + row("E2Z70", 2018, changes.pop("value", 100.0)) + row("E0Z20", 2018, 50.0)
    files = {"chimie/01_emplois/emplois.csv": jobs, DATA: data}
    files["chimie/00_rapport/rapport.csv"] = jobs
    files["chimie/03_tensions/tensions.csv"] = TABLE + row("E2Z70", 2019, 1.0)
    sums = {name: fingerprint.bytes_sha256(text.encode()) for name, text in files.items()}
    line = {
        "template_sha256": "t",
        "parameters": {"horizon_years": 12, "edition_id": name},
        "library": {"opmq_lib.methods.needs": "a"},
        "versions": {"pandas": "3.0.0"},
    } | changes
    read = {JOBS: {DATA: sums[DATA]}, TENSION: {}}
    upstream = "chimie/01_emplois/emplois.csv"
    read[REPORT] = {upstream: sums[upstream]}
    tables = {JOBS: "emplois", TENSION: "tensions", REPORT: "rapport"}
    records = {
        id_: line
        | {"inputs": read[id_]}
        | {"outputs": {f"{table}.csv": sums[f"{'/'.join(id_)}/{table}.csv"]}}
        for id_, table in tables.items()
    }
    content = {name: text.encode() for name, text in files.items()}
    return Edition(name, records, content.get)


def told(before: Edition, after: Edition) -> list[tuple[str, ...]]:
    names = ["notebook", "metier_code", "before", "after", "cause_kinds", "causes"]
    cells = compare.changes(before, after)
    return sorted(map(tuple, cells[names].to_numpy().tolist()))


@pytest.mark.parametrize(
    ("changes", "kind", "cause"),
    [
        ({"data": NATIONAL.replace("100", "101")}, "revised_data", f"{DATA} (1\xa0cellule)"),
        ({"data": NATIONAL + "E2Z70,2019,99\n"}, "new_data", f"{DATA} (1\xa0ligne)"),
        ({"parameters": {"horizon_years": 10}}, "parameter", "horizon_years (12 → 10)"),
        ({"library": {"opmq_lib.methods.needs": "b"}}, "method", "opmq_lib.methods.needs"),
        ({"template_sha256": "u"}, "method", "notebook 01_emplois"),
        ({"versions": {"pandas": "3.1.0"}}, "version", "pandas (3.0.0 → 3.1.0)"),
        ({}, "unknown", "rien, dans les registres"),
    ],
)
def test_a_change_has_its_cause_and_only_the_figures_that_it_moved(
    changes: dict[str, Any], kind: str, cause: str
) -> None:
    found = told(edition("a"), edition("b", value=101.0, **changes))
    assert [each[:5] for each in found] == [
        ("00_rapport", "E2Z70", "100.0", "101.0", kind),
        ("01_emplois", "E2Z70", "100.0", "101.0", kind),
    ]
    assert cause in found[1][5]
    assert cause.replace("01_emplois", "00_rapport") in found[0][5] or kind == "method"


def test_several_causes_are_told_together() -> None:
    after = edition("b", NATIONAL.replace("100", "101"), value=101.0, versions={"pandas": "3.1.0"})
    assert {each[4] for each in told(edition("a"), after)} == {"revised_data,version"}


def test_what_changes_no_figure_is_not_told_but_another_version_is_named() -> None:
    after = edition("b", NATIONAL.replace("50", "51"), versions={"pandas": "3.1.0"})
    assert told(edition("a"), after) == []
    assert compare.versions(edition("a"), after) == ["pandas 3.0.0 → 3.1.0"]


def test_new_data_bring_the_years_that_follow_them_and_parts_are_told_apart() -> None:
    data, years = NATIONAL + "E2Z70,2019,99\n", {compare.EDITION: b"base_year: 2019\n"}
    before, after = edition("a"), edition("b", data, value=107.0, parameters={"horizon_years": 11})
    after.records[JOBS]["inputs"][f"{compare.EDITION}#base_year"] = "new"
    told_years = {"a": {compare.EDITION: b"base_year: 2018\n"}, "b": years}
    before, after = (
        each._replace(read=lambda name, each=each: told_years[each.name].get(name, each.read(name)))
        for each in (before, after)
    )
    rows = compare.changes(before, after)
    assert set(rows["cause_kinds"]) == {"new_data"}
    assert rows["new_data_part"].tolist() == [7.0, 7.0]


def test_causes_are_apart_where_the_steps_between_were_made_again() -> None:
    after = edition("b", NATIONAL.replace("100", "101"), value=107.0, template_sha256="u")
    between = edition("between", value=102.0).read
    rows = compare.changes(edition("a"), after, {"revised_data": between})
    assert rows[["revised_data_part", "method_part"]].to_numpy().tolist() == [[2.0, 5.0]] * 2
    rows = compare.changes(edition("a"), after)
    assert rows[["revised_data_part", "method_part"]].isna().all(axis=None)


@pytest.mark.parametrize("name", ["employment_national", "sources", "age_structure", "tension"])
def test_one_cell_changed_anywhere_is_told_and_no_other(name: str) -> None:
    before = revisions.read((DATA_FOLDER / f"{name}.csv").read_bytes())
    names = [each for each in before if each not in revisions.IDENTITY | {*tables.KEYS[name]}]
    place, column = random.Random(name).randrange(len(before)), names[-1]
    after = before.copy()
    after.loc[place, column] = "other"
    row = {"branch_code": "", "metier_code": "", "year": ""} | before.loc[place].to_dict()
    told = revisions.changes(before, after)
    assert told[["column", "change", "after"]].to_numpy().tolist() == [[column, "revised", "other"]]
    assert told.iloc[0][["before", *revisions.LABELS]].tolist() == [
        row[each] for each in (column, *revisions.LABELS)
    ]


def test_a_row_among_others_of_the_same_skill_is_new_and_moves_none_of_them() -> None:
    rows = pd.DataFrame(
        {"branch_code": "chimie", "skill_code": "1", "signal": ["emerging", "rome"]}
    )
    before = rows.assign(value=["10", "20"])
    first = pd.DataFrame(
        {"branch_code": ["chimie"], "skill_code": "1", "signal": "bmo", "value": "5"}
    )
    told = revisions.changes(before, pd.concat([first, before], ignore_index=True))
    assert told[["row", "change", "after"]].to_numpy().tolist() == [
        ["skill_code=1, signal=bmo", "added", "5"]
    ]
