"""Which convention (IDCC) and which branch a code means on a given date."""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from opmq_lib.errors import ScopeError, closest

UNKNOWN_DATE = "1900-01-01"
"""What the producers write for a date that they do not know."""


class Resolution(NamedTuple):
    """What a convention code means on a date.

    Attributes:
        idcc_code: The convention that applies on that date.
        branch_code: The branch of that convention.
        path: The codes from the one asked to the one that applies, both included.
    """

    idcc_code: str
    branch_code: str
    path: tuple[str, ...]


class Event(NamedTuple):
    """The merger of a convention into another one.

    Attributes:
        on: Its last day, or the day its successor took over; `None` if unknown.
        idcc_code: The convention that ended.
        successor_idcc_code: The convention it was merged into.
        successor_branch_code: The branch of that one, which may be another branch.
    """

    on: date | None
    idcc_code: str
    successor_idcc_code: str
    successor_branch_code: str


class BranchConventions(NamedTuple):
    """The conventions of a branch on a date.

    Attributes:
        idcc_codes: Conventions in force that cover the branch, its own or those that its own
            were merged into, in increasing order.
        events: The mergers up to that date, oldest first.
    """

    idcc_codes: tuple[str, ...]
    events: tuple[Event, ...]


def resolve(idcc_code: str, on: date, history: pd.DataFrame) -> Resolution:
    """Return the convention that a code leads to on a date, and its branch.

    A convention that has ended leads to its successor, and so on. One that ended on an unknown
    date counts as ended. Its end date is its last day, unless the successor has taken effect by
    then: the producers write either.

    Args:
        idcc_code: Five digits, as text.
        on: The date at which the question is asked.
        history: The embedded table `idcc_history`, one row per convention.

    Raises:
        ScopeError: If the code is unknown or not in force yet, has two branches on that date,
            or its successors turn in a circle.

    Source:
        Method page, "Perimeter and IDCC resolution"; Dares and DGT, history of conventions.

    Examples:
        >>> from opmq_lib.sources import embedded
        >>> history = embedded.load("idcc_history")
        >>> resolve("03227", date(2020, 12, 31), history)
        Resolution(idcc_code='03227', branch_code='chaux', path=('03227',))
        >>> resolve("03227", date(2026, 1, 1), history).path
        ('03227', '03249')
    """
    current = _convention(idcc_code, on, history)
    if _starts_after(current, on):
        expected = f"a date from {current.effective_on} on"
        before = history.loc[history["successor_idcc_code"] == idcc_code, "idcc_code"]
        listed = f"use what it replaces: {', '.join(before)}" if len(before) else ""
        fix = listed or "it replaces none: ask for a later day"
        raise _scope_error(idcc_code, f"not in force on {on}", expected, fix)
    path = [idcc_code]
    while _has_ended(current, on, history):
        successor_code = current.successor_idcc_code
        if successor_code in path:
            circle = " → ".join([*path, successor_code])
            expected = "a chain with an end"
            raise _scope_error(idcc_code, f"circular successors {circle}", expected, "correct one")
        path.append(successor_code)
        current = _convention(successor_code, on, history)
    return Resolution(path[-1], current.branch_code, tuple(path))


def branch_conventions(
    branch_code: str, on: date, history: pd.DataFrame, branches: pd.DataFrame
) -> BranchConventions:
    """Return the conventions that cover a branch on a date, and what was merged into what.

    Args:
        branch_code: A code of the table of branches.
        on: The date at which the question is asked.
        history: The embedded table `idcc_history`, one row per convention.
        branches: The embedded table `branches`, one row per branch.

    Raises:
        ScopeError: If the branch is unknown, or one of its conventions cannot be resolved.

    Source:
        Method page, "Perimeter and IDCC resolution"; Dares and DGT, history of conventions.

    Examples:
        >>> from opmq_lib.sources import embedded
        >>> history, branches = embedded.load("idcc_history"), embedded.load("branches")
        >>> conventions = branch_conventions("chaux", date(2026, 1, 1), history, branches)
        >>> conventions.idcc_codes
        ('03249',)
        >>> conventions.events[-1]
        Event(on=datetime.date(2025, 2, 17), idcc_code='03227', successor_idcc_code='03249', \
successor_branch_code='carrieres_materiaux')
    """
    if branch_code not in set(branches["branch_code"]):
        raise _unknown("branch", branch_code, branches["branch_code"])
    own = history[history["branch_code"] == branch_code].itertuples()
    started: list[Any] = [each for each in own if not _starts_after(each, on)]
    codes = {resolve(convention.idcc_code, on, history).idcc_code for convention in started}
    ended = [convention for convention in started if _has_ended(convention, on, history)]
    events = [_event(convention, on, history) for convention in ended]
    events.sort(key=lambda event: (event.on or date.min, event.idcc_code))
    return BranchConventions(tuple(sorted(codes)), tuple(events))


def _convention(idcc_code: str, on: date, history: pd.DataFrame) -> Any:
    """Return the row of a convention; of several, one that holds on the date.

    Its dates are ISO texts, which sort as dates do.
    """
    rows = history[history["idcc_code"] == idcc_code]
    if rows.empty:
        raise _unknown("convention (IDCC)", idcc_code, history["idcc_code"])
    day = on.isoformat()
    holds = (rows["effective_on"] <= day) & ((rows["ended_on"] == "") | (day <= rows["ended_on"]))
    candidates = rows[holds] if holds.any() else rows.tail(1)
    branches = sorted(set(candidates["branch_code"]))
    if len(branches) > 1:
        what = f"two branches on {on}: {', '.join(branches)}"
        raise _scope_error(idcc_code, what, "one branch", "correct the dates of the history")
    return next(candidates.itertuples())


def _starts_after(convention: Any, on: date) -> bool:
    return str(convention.effective_on) > on.isoformat()


def _has_ended(convention: Any, on: date, history: pd.DataFrame) -> bool:
    if not convention.successor_idcc_code:
        return False
    day, ended_on = on.isoformat(), str(convention.ended_on)
    if ended_on != day:
        return "" < ended_on < day
    return not _starts_after(_convention(convention.successor_idcc_code, on, history), on)


def _event(convention: Any, on: date, history: pd.DataFrame) -> Event:
    successor_code, ended_on = convention.successor_idcc_code, convention.ended_on
    return Event(
        on=None if ended_on == UNKNOWN_DATE else date.fromisoformat(ended_on),
        idcc_code=convention.idcc_code,
        successor_idcc_code=successor_code,
        successor_branch_code=_convention(successor_code, on, history).branch_code,
    )


def _unknown(kind: str, code: str, known: Iterable[str]) -> ScopeError:
    padded = code.zfill(5)
    near = padded if padded in set(known) else closest(code, known)
    fix = "take a code of the table" if near is None else f'did you mean "{near}"?'
    return _scope_error(code, f"unknown {kind}", f"a known {kind}", fix)


def _scope_error(code: str, what: str, expected: str, fix: str) -> ScopeError:
    return ScopeError.of(f"code {code}", what, expected, fix)
