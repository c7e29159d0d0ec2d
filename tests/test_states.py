"""States of validation: forward only, bound to the tables that were decided on, without a name."""

from datetime import date
from pathlib import Path

import pytest

from opmq_lib.errors import DataError, SchemaError
from opmq_lib.sources import states
from opmq_lib.sources.states import Standing, Step

TABLES = {"01_emplois/emplois.csv": "a", "03_tensions/tensions.csv": "b"}
TODAY = date(2026, 6, 1)


def following(
    now: Standing,
    state: str,
    on: date = date(2026, 3, 12),
    reference: str = "RD 2026-03",
    tables: states.Tables = TABLES,
) -> Step:
    return states.following(now, "chimie", state, on, reference, "CPNEFP", tables, TODAY)


def test_a_branch_goes_from_draft_to_publishable_one_step_at_a_time() -> None:
    steps: list[Step] = []
    for state in states.STATES[1:]:
        steps.append(following(states.standing(steps, TABLES), state))
    assert [step.state for step in steps] == ["submitted", "validated", "publishable"]
    assert {step.version for step in steps} == {1}
    assert states.standing(steps, TABLES).is_publishable
    assert states.LABELS["submitted"] == "soumis"


@pytest.mark.parametrize("state", ["draft", "validated", "publishable"])
def test_no_step_is_left_out_and_none_goes_back(state: str) -> None:
    with pytest.raises(DataError, match=f"version 1 is draft: {state} does not follow"):
        following(states.NEW, state)


def test_nothing_follows_the_last_state() -> None:
    step = following(states.NEW, "submitted").model_copy(update={"state": "publishable"})
    with pytest.raises(DataError, match="nothing: it is the last state"):
        following(states.standing([step], TABLES), "publishable")


def test_a_misspelt_state_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(DataError, match="did you mean `submitted`"):
        following(states.NEW, "submited")


def test_a_table_that_changes_or_goes_opens_the_next_version_in_draft() -> None:
    step = following(states.NEW, "submitted")
    changed = states.standing([step], TABLES | {"01_emplois/emplois.csv": "c"})
    assert (changed.state, changed.version) == ("draft", 2)
    assert changed.changed == ("01_emplois/emplois.csv",)
    gone = states.standing([step], {"01_emplois/emplois.csv": "a"})
    assert (gone.version, gone.changed) == (2, ("03_tensions/tensions.csv",))
    again = following(changed, "submitted", tables=TABLES | {"01_emplois/emplois.csv": "c"})
    assert again.version == 2
    assert states.standing([step], TABLES).state == "submitted"  # back to what was decided


@pytest.mark.parametrize(
    ("on", "reference", "words"),
    [
        (date(2026, 6, 2), "RD 1", "expected: a day until 2026-06-01"),
        (date(2026, 3, 12), " ", "--reference: is empty"),
        (date(2026, 3, 12), "voté par Mme Durand", "holds a person's name"),
        (date(2026, 3, 12), "cpnefp@exemple.fr", "holds an e-mail address"),
    ],
)
def test_a_day_to_come_and_a_person_are_refused(on: date, reference: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        following(states.NEW, "submitted", on, reference)
    assert "Durand" not in str(refusal.value)


def test_a_step_is_not_before_the_last_one() -> None:
    now = states.standing([following(states.NEW, "submitted")], TABLES)
    with pytest.raises(DataError, match="a day from 2026-03-12 to 2026-06-01"):
        following(now, "validated", date(2026, 3, 11))


def test_a_branch_that_publishes_nothing_has_nothing_to_submit() -> None:
    with pytest.raises(DataError, match="publishes no table"):
        following(states.NEW, "submitted", tables={})


def test_the_record_only_grows_and_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "parameters").mkdir()
    first = following(states.NEW, "submitted")
    second = following(states.standing([first], TABLES), "validated")
    path = states.append(tmp_path, "2026", first)
    before = path.read_bytes()
    states.append(tmp_path, "2026", second)
    assert path.read_bytes().startswith(before)
    assert states.read(tmp_path, "2026") == {"chimie": [first, second]}
    assert states.read(tmp_path, "2027") == {}
    path.write_text(path.read_text(encoding="utf-8").replace('"validated"', '"voted"'))
    with pytest.raises(SchemaError, match=r"2026.jsonl, line 2: this is no step"):
        states.read(tmp_path, "2026")


def test_what_ships_is_draft() -> None:
    assert not list(Path(__file__).parents[1].glob("parameters/states/*"))
