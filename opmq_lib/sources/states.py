"""What each branch's CPNEFP has decided about an edition, and about which tables exactly.

The record, `parameters/states/<edition_id>.jsonl`, only grows: one line a step. What ships is none,
and a branch without a line is a draft. Where a branch stands follows from its last line and from
its tables of today: as soon as they differ, it is at the next version, a draft again. No notebook
reads a state, so none becomes stale by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple

from pydantic import Field, ValidationError

from opmq_lib.errors import DataError, Defect, SchemaError, ScopeError, did_you_mean
from opmq_lib.params import Code, Strict, Text
from opmq_lib.sources import ledger

State = Literal["draft", "submitted", "validated", "publishable"]
STATES: Final[tuple[State, ...]] = ("draft", "submitted", "validated", "publishable")
"""In the only order in which they follow each other."""
LABELS: Final[dict[State, str]] = dict(
    zip(STATES, ("brouillon", "soumis", "validé", "publiable"), strict=True)
)
FOLDER: Final = "parameters/states"

Tables = Mapping[str, str]
"""Published result table, as `01_emplois/emplois.csv`, → its sha256."""


class Step(Strict):
    """One line of the record: a branch reaches a state, for the tables that it has that day."""

    branch_code: Code
    version: int = Field(ge=1)
    state: State
    date: date
    body: Text
    minutes_reference: Text
    tables: dict[str, str]


class Standing(NamedTuple):
    """Where a branch stands.

    Attributes:
        state: Its state.
        version: From 1; the next one begins when a table changes.
        step: The last line of its record, whatever has changed since.
        changed: Tables that are no longer those of that line.
    """

    state: State = "draft"
    version: int = 1
    step: Step | None = None
    changed: tuple[str, ...] = ()

    @property
    def is_publishable(self) -> bool:
        """Whether a release takes the branch."""
        return self.state == STATES[-1]


NEW: Final = Standing()
"""Where every branch begins."""


def read(root: Path, edition_id: str) -> dict[str, list[Step]]:
    """Return the steps of every branch that has some, in the order of the record.

    Raises:
        SchemaError: With every line that is no step: a record is never guessed.
    """
    path = root / FOLDER / f"{edition_id}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    steps, defects = dict[str, list[Step]](), list[Defect]()
    for number, line in enumerate(lines, start=1):
        try:
            step = Step.model_validate_json(line)
        except ValidationError as error:
            where = f"{FOLDER}/{path.name}, line {number}"
            what = f"this is no step ({error.errors()[0]['msg']})"
            fix = "restore the file: only `opmq edition state` adds to it"
            defects.append(Defect(where, what, "a line as it was written", fix))
        else:
            steps.setdefault(step.branch_code, []).append(step)
    SchemaError.refuse(defects)
    return steps


def append(root: Path, edition_id: str, step: Step) -> Path:
    """Add a step to the record and return the file."""
    path = root / FOLDER / f"{edition_id}.jsonl"
    path.parent.mkdir(exist_ok=True)
    ledger.append(path, step.model_dump(mode="json"))
    return path


def published(
    last: Mapping[tuple[str, str], ledger.Record], branch_code: str, notebooks: Iterable[str]
) -> dict[str, str]:
    """Return the tables that a branch publishes, of the notebooks that it runs.

    Args:
        last: From `ledger.latest`.
        branch_code: The branch.
        notebooks: Those that it runs.

    Examples:
        >>> run = {"status": "ok", "origin": "public"}
        >>> run |= {"outputs": {"01_emplois.ipynb": "a", "emplois.csv": "b"}}
        >>> last = {("chimie", "01_emplois"): run}
        >>> last["chimie", "03_tensions"] = run | {"origin": "own"}
        >>> published(last, "chimie", ["01_emplois", "02_besoins", "03_tensions"])
        {'01_emplois/emplois.csv': 'b'}
    """
    asked = {name: last.get((branch_code, name), {}) for name in notebooks}
    return {
        f"{notebook}/{name}": sha256
        for notebook, record in asked.items()
        if (record.get("status"), record.get("origin")) == ("ok", "public")
        for name, sha256 in sorted(record["outputs"].items())
        if name.endswith(".csv")
    }


def standing(steps: Sequence[Step], tables: Tables) -> Standing:
    """Say where a branch stands, whose tables are these today.

    Examples:
        >>> line = {"branch_code": "chimie", "version": 1, "state": "validated"}
        >>> line |= {"date": date(2026, 3, 12), "body": "CPNEFP", "minutes_reference": "RD 4"}
        >>> step = Step.model_validate(line | {"tables": {"01_emplois/emplois.csv": "a"}})
        >>> standing([step], {"01_emplois/emplois.csv": "a"}).state
        'validated'
        >>> standing([step], {"01_emplois/emplois.csv": "b"})[:2]
        ('draft', 2)
    """
    if not steps:
        return NEW
    last = steps[-1]
    names = sorted(last.tables.keys() | tables.keys())
    changed = tuple(name for name in names if last.tables.get(name) != tables.get(name))
    if changed:
        return Standing("draft", last.version + 1, last, changed)
    return Standing(last.state, last.version, last)


def following(  # noqa: PLR0913 - what a line of the record says
    now: Standing,
    branch_code: str,
    state: str,
    on: date,
    minutes_reference: str,
    body: str,
    tables: Tables,
    today: date,
) -> Step:
    """Return the step that takes a branch to a state.

    Args:
        now: Where the branch stands.
        branch_code: The branch.
        state: The state that it reaches: the next one.
        on: Day of the meeting.
        minutes_reference: Of its minutes (relevé de décisions).
        body: Who decided.
        tables: What it publishes today.
        today: No meeting is later.

    Raises:
        DataError: With all that is wrong: no such state, one that does not follow, a day before the
            last step or in the future, nothing to publish, no reference or personal data in it.
    """
    from opmq_lib.tables import personal

    where = f"branch {branch_code}"
    if state not in STATES:
        fix = did_you_mean(state, STATES) or "correct it"
        raise ScopeError.of("STATE", "unknown state", f"one of {', '.join(STATES)}", fix, state)
    follows = STATES[STATES.index(now.state) + 1 :][:1]
    defects = list[Defect]()
    if (state,) != follows:
        what = f"version {now.version} is {now.state}: {state} does not follow"
        expected = f"{follows[0]}, the next state" if follows else "nothing: it is the last state"
        fix = "take one step after the other; a new version begins when a table changes"
        defects.append(Defect(where, what, expected, fix))
    first = now.step.date if now.step else on
    if not first <= on <= today:
        expected = f"a day from {first} to {today}" if now.step else f"a day until {today}"
        defects.append(Defect("--date", "the day of a step", expected, "correct it", f"{on}"))
    if not tables:
        fix = f"run it: opmq run --branch {branch_code}"
        defects.append(Defect(where, "publishes no table", "results to decide on", fix))
    fix = "give the reference of the minutes alone: no person, no vote by name"
    defects += personal.defects("--reference", minutes_reference, "such as RD 2026-03", fix)
    DataError.refuse(defects)
    line = {"branch_code": branch_code, "version": now.version, "state": state, "date": on}
    line |= {"body": body, "minutes_reference": minutes_reference, "tables": dict(tables)}
    return Step.model_validate(line)
