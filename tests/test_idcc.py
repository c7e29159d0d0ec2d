import os
from datetime import date, timedelta

import pandas as pd
import pytest

from opmq_lib.errors import ScopeError
from opmq_lib.sources import embedded
from opmq_lib.sources.idcc import UNKNOWN_DATE, Event, branch_conventions, resolve

HISTORY = embedded.load("idcc_history")
BRANCHES = embedded.load("branches")
FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
COLUMNS = ["idcc_code", "branch_code", "successor_idcc_code", "effective_on", "ended_on"]


def history(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("idcc_code", "on", "expected_code", "expected_branch"),
    [
        ("00207", date(2024, 1, 30), "00207", "cuirs_peaux"),
        ("00207", date(2024, 1, 31), "02528", "maroquinerie"),
        ("03227", date(2025, 2, 16), "03227", "chaux"),
        ("03227", date(2025, 2, 17), "03249", "carrieres_materiaux"),
        ("00715", date(2024, 2, 1), "00489", "cartonnage"),
        ("00650", date(2023, 12, 31), "00650", "metallurgie"),
        ("00650", date(2024, 1, 1), "03248", "metallurgie"),
        ("01388", date(2026, 1, 1), "01388", "petrole"),
    ],
)
def test_convention_is_followed_to_the_one_in_force_on_the_date(
    idcc_code: str, on: date, expected_code: str, expected_branch: str
) -> None:
    resolution = resolve(idcc_code, on, HISTORY)
    assert (resolution.idcc_code, resolution.branch_code) == (expected_code, expected_branch)


def test_path_tells_every_convention_on_the_way() -> None:
    assert resolve("00571", date(2026, 1, 1), HISTORY).path == (
        "00571",
        "01177",
        "03151",
        "03227",
        "03249",
    )


def test_every_convention_of_the_history_leads_today_to_its_final_convention() -> None:
    for row in HISTORY.itertuples():
        expected = row.final_idcc_code or row.idcc_code
        assert resolve(row.idcc_code, date(2026, 6, 30), HISTORY).idcc_code == expected


def changing_days(code: str) -> list[date]:
    """The days from 2010 to 2026 on which what a code means may change, and those around."""
    rows, days = HISTORY.set_index("idcc_code"), {date(2010, 1, 1), date(2026, 12, 31)}
    while code:
        row = rows.loc[code]
        for text in filter(None, (row["effective_on"], row["ended_on"])):
            around = (date.fromisoformat(text) + timedelta(days=shift) for shift in (-1, 0, 1))
            days |= {day for day in around if 2010 <= day.year <= 2026}
        code = row["successor_idcc_code"]
    return sorted(days)


def test_every_code_leads_to_a_branch_on_any_day_from_2010_to_2026_or_has_not_begun() -> None:
    known, asked, refused = HISTORY.set_index("idcc_code"), 0, 0
    for code in known.index[:: 1 if FULL else 12]:
        for day in changing_days(code):
            asked += 1
            if known.loc[code, "effective_on"] > day.isoformat():
                refused += 1
                said = rf"not in force on {day}\n.*a date from {known.loc[code, 'effective_on']} on"
                with pytest.raises(ScopeError, match=said + r"\n.*(replaces: \d{5}|replaces none)"):
                    resolve(code, day, HISTORY)
                continue
            found = resolve(code, day, HISTORY)
            ended = known.loc[found.idcc_code, "ended_on"]
            assert ended == "" or ended >= day.isoformat()
            assert found.path[0] == code
            assert found.branch_code in set(BRANCHES["branch_code"])
    assert (asked, refused) == ((1773, 30) if FULL else (148, 4))


def test_unknown_convention_is_refused_with_the_nearest_code() -> None:
    with pytest.raises(ScopeError, match=r'code 3248: unknown convention .*\n.*\n.*"03248"'):
        resolve("3248", date(2026, 1, 1), HISTORY)


def test_convention_that_is_not_yet_in_force_is_refused() -> None:
    with pytest.raises(ScopeError, match="code 03233: not in force on 2020-01-01"):
        resolve("03233", date(2020, 1, 1), HISTORY)


def test_two_branches_for_one_convention_on_one_date_are_refused() -> None:
    twice = history(
        ("00001", "bois", "", "2000-01-01", ""), ("00001", "verre", "", "2010-01-01", "")
    )
    with pytest.raises(ScopeError, match="two branches on 2020-01-01: bois, verre"):
        resolve("00001", date(2020, 1, 1), twice)


def test_a_branch_that_changed_in_time_is_the_one_of_the_date() -> None:
    moved = history(
        ("00001", "bois", "", "2000-01-01", "2009-12-31"),
        ("00001", "verre", "", "2010-01-01", ""),
    )
    assert resolve("00001", date(2009, 6, 1), moved).branch_code == "bois"
    assert resolve("00001", date(2010, 6, 1), moved).branch_code == "verre"


def test_circular_successors_are_refused_with_the_circle() -> None:
    circle = history(
        ("00001", "bois", "00002", "2000-01-01", "2010-01-01"),
        ("00002", "bois", "00001", "2000-01-01", "2011-01-01"),
    )
    with pytest.raises(ScopeError, match="00001 → 00002 → 00001"):
        resolve("00001", date(2020, 1, 1), circle)


def test_end_on_an_unknown_date_counts_as_ended() -> None:
    undated = history(
        ("00001", "bois", "00002", UNKNOWN_DATE, UNKNOWN_DATE),
        ("00002", "bois", "", "1960-01-01", ""),
    )
    assert resolve("00001", date(2020, 1, 1), undated).idcc_code == "00002"
    branches = pd.DataFrame({"branch_code": ["bois"]})
    found = branch_conventions("bois", date(2020, 1, 1), undated, branches)
    assert found.events == (Event(None, "00001", "00002", "bois"),)


def test_successor_that_starts_later_still_takes_over() -> None:
    gap = history(
        ("00001", "bois", "00002", "1990-01-01", "2009-12-31"),
        ("00002", "bois", "", "2010-03-01", ""),
    )
    assert resolve("00001", date(2010, 1, 15), gap).idcc_code == "00002"


@pytest.mark.parametrize("branch_code", BRANCHES["branch_code"])
def test_conventions_in_force_in_2026_are_those_of_the_branch_table(branch_code: str) -> None:
    found = branch_conventions(branch_code, date(2026, 6, 30), HISTORY, BRANCHES)
    listed = BRANCHES.set_index("branch_code").at[branch_code, "idcc_2026_codes"]
    assert list(found.idcc_codes) == listed.split()


def test_merger_into_another_branch_is_an_event_of_the_branch() -> None:
    found = branch_conventions("cuirs_peaux", date(2026, 1, 1), HISTORY, BRANCHES)
    assert found.events[-1] == Event(date(2024, 1, 31), "00207", "02528", "maroquinerie")


def test_mergers_after_the_date_are_not_told() -> None:
    before = date(2025, 2, 17) - timedelta(days=1)
    found = branch_conventions("chaux", before, HISTORY, BRANCHES)
    assert found.idcc_codes == ("03227",)
    assert "03227" not in {event.idcc_code for event in found.events}


def test_events_are_told_oldest_first() -> None:
    days = [
        event.on
        for event in branch_conventions("metallurgie", date(2026, 1, 1), HISTORY, BRANCHES).events
    ]
    assert days == sorted(days)
    assert len(days) > 100


def test_unknown_branch_is_refused_with_the_nearest_code() -> None:
    with pytest.raises(ScopeError, match=r'code chimi: unknown branch\n.*\n.*"chimie"'):
        branch_conventions("chimi", date(2026, 1, 1), HISTORY, BRANCHES)
