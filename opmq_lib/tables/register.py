"""The registers of requests, works and notes against what a column alone cannot tell."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

import pandas as pd

from opmq_lib.errors import CoherenceError, ConfidentialityError, RangeError, ScopeError
from opmq_lib.tables import personal
from opmq_lib.tables.checking import Problem, Sheet, as_error, find_problems
from opmq_lib.tables.schemas import DESCRIPTIONS, KEYS, Rule

TABLE: Final = "requests"
UNMET: Final = ("partly", "not_covered")
"""Coverages that count as unmet: at least a part of the request was not covered."""
BAND_BOUNDS: Final = {"1_9": (1, 9), "10_49": (10, 49), "50_249": (50, 249), "250_plus": (250, 1e9)}
FIRST_DAY: Final = "2000-01-01"
EVERY_BRANCH: Final = "ensemble"

NOTE_LENGTH: Final = 400
"""Characters of a note, at most."""
_BODIES: Final = (
    r"(?i)\b(?:CPNE|CPNEFP|SPP|OPCO|CSE|commission|comité|conseil|section|observatoire|groupe|"
    r"fédération|syndicat|association|union|bureau)\b"
)
"""What the name of a body holds."""
_OFFICES: Final = (
    r"(?i)\b(?:président|secrétaire|direct(?:eur|rice)|rapporteur|rapporteuse|vice-président)e?\b"
)
"""What names who signs for it: an office."""
_PERSONAL_TITLES: Final = re.compile(
    r"\b(?:pr[ée]nom|nom|e-?mail|courriel|t[ée]l(?:[ée]phone)?|portable|contact|interlocuteur)\b",
    re.IGNORECASE,
)


class Known(NamedTuple):
    """What a register of requests is checked against.

    Attributes:
        branch_codes: Known branches.
        topics: Table `request_topics`.
        last_day: No request may be later.
        origin: What every row must say: `own`, or `fictitious` in a demonstration.
        free_texts: Columns of free words that the operator has declared; no other is kept.
    """

    branch_codes: Collection[str]
    topics: pd.DataFrame
    last_day: date
    origin: str = "own"
    free_texts: Collection[str] = ()


def check(register: pd.DataFrame, where: str, known: Known) -> pd.DataFrame:
    """Return a register of requests unchanged if everything in it is right.

    Args:
        register: Columns of the contract `requests`; codes are text, an empty text is missing.
        where: The file, for messages.
        known: Branches, topics, last day, origin.

    Returns:
        `register` itself.

    Raises:
        DataError: With every defect: unknown or missing column, a code outside its list, a
            request twice, an impossible date, a company in two branches, a band that the
            headcount contradicts, personal data. Messages name rows by their key and show no
            other value; of personal data, only the column.
    """
    problems = request_problems(register, known)
    if problems:
        raise as_error(problems, sheet(register, where))
    return register


def sheet(register: pd.DataFrame, where: str, rows: Sequence[int] | None = None) -> Sheet:
    """Return a register for messages."""
    return Sheet(register, KEYS[TABLE], where, rows, own=True)


def request_problems(register: pd.DataFrame, known: Known) -> list[Problem]:
    """Return everything in which a register of requests is not what it must be, without values."""
    problems = find_problems(TABLE, register, [*_COHERENT, *_known_rules(known)])
    return [
        *(replace(each, value=None) for each in problems),
        *_personal_problems(register),
        *_free_texts(register, known.free_texts),
    ]


def work_rules(
    codes: Mapping[str, Collection[str]],
    decision_codes: Collection[str],
    on: date,
    origin: str,
) -> list[Rule]:
    """Return what a register of works must say: known codes in its lists, days in order, no person.

    Args:
        codes: Known ones of each column that lists some, `ensemble` among the branches.
        decision_codes: Decisions of their register; none: not checked.
        on: Day of the edition; what is done cannot lie after it.
        origin: What every row says: `own`, or `fictitious` in a demonstration.
    """
    past = ("requested_on", "decided_on", "fieldwork_end_on", "delivered_on")
    return [
        *(_codes_within(name, set(known)) for name, known in codes.items()),
        *(_days_within(name, on) for name in past),
        *map(_without_person, _WORK_TEXTS),
        origin_rule(origin, "works"),
        *_WORK_RULES,
        Rule(
            columns=("decision_code",),
            holds=lambda works: (
                works["decision_code"].isin(["", *decision_codes]) | (not decision_codes)
            ),
            what="a decision that the register of decisions does not have",
            expected="a code of that register, or nothing",
            fix="correct the code",
            error=ScopeError,
            choices=decision_codes,
        ),
        *(
            _not_before(name, "requested_on", "before it was requested")
            for name in ("decided_on", "due_on", "delivered_on")
        ),
    ]


def note_rules(
    branch_codes: Collection[str],
    metier_codes: Collection[str],
    work_codes: Collection[str],
    on: date,
) -> list[Rule]:
    """Return what a register of notes must say: known codes, a body, a basis, no person.

    Args:
        branch_codes: Known branches; a note may also be of `ensemble`.
        metier_codes: Known métiers.
        work_codes: Studies of the register of works.
        on: Day of the edition; nothing can be signed or heard after it.
    """
    lists = {"branch_codes": {*branch_codes, EVERY_BRANCH}, "metier_codes": set(metier_codes)}
    return [
        *(_codes_within(name, codes) for name, codes in lists.items()),
        *(_days_within(name, on) for name in ("signed_on", "heard_on")),
        *map(_without_person, ("note", "basis", "signed_by")),
        *_NOTE_RULES,
        Rule(
            columns=("work_code", "basis_kind"),
            holds=lambda notes: (
                notes["basis_kind"].ne("study") | notes["work_code"].isin(list(work_codes))
            ),
            what="a study that the register does not have",
            expected="a study of the register of works",
            fix="correct the code, or name that register in parameters/edition.yml",
            error=ScopeError,
            choices=work_codes,
        ),
    ]


def _not_before(name: str, first: str, what: str) -> Rule:
    return Rule(
        columns=(name, first),
        holds=lambda frame: frame[name].eq("") | (frame[name] >= frame[first]),
        what=what,
        expected=f"a day from `{first}` on",
        fix="correct one of the two dates",
        error=CoherenceError,
    )


def told_rules() -> list[Rule]:
    """Return what the free words of decisions and recommendations must not hold."""
    return list(map(_without_person, ("offer_change", "decision", "minutes_reference")))


def _without_person(name: str) -> Rule:
    return Rule(
        columns=(name,),
        holds=lambda frame: pd.Series(~personal.rows(frame[name]), index=frame.index),
        what="personal data (its content is not shown here)",
        expected="no person, no e-mail address, no phone number",
        fix="name the body or the place, never a person",
        error=ConfidentialityError,
    )


def origin_rule(origin: str, rows: str) -> Rule:
    """Return the rule that keeps real rows apart from fictitious ones, called `rows` if refused."""
    return Rule(
        columns=("origin",),
        holds=lambda frame: frame["origin"].eq(origin),
        what=f"real and fictitious {rows} must never meet",
        expected=origin,
        fix="keep fictitious registers for the demonstration",
        error=ConfidentialityError,
    )


def _codes_within(name: str, codes: set[str]) -> Rule:
    return Rule(
        columns=(name,),
        holds=lambda frame: frame[name].map(lambda cell: set(cell.split()) <= codes),
        what="an unknown code in the list",
        expected="codes separated by a space",
        fix="correct the codes",
        error=ScopeError,
    )


def _days_within(name: str, last_day: date, first: str = "") -> Rule:
    last = last_day.isoformat()
    return Rule(
        columns=(name,),
        holds=lambda frame: frame[name].between(first, last),
        what="an impossible date",
        expected=f"a day {f'from {first} ' if first else ''}to {last}, such as 2025-03-31",
        fix="correct the date",
        error=RangeError,
    )


def _unless_draft(name: str) -> Rule:
    return Rule(
        columns=(name, "status"),
        holds=lambda notes: notes["status"].eq("draft") | notes[name].ne(""),
        what="empty cell, of a note that is no draft",
        expected="which body signed, when, and until when it is valid",
        fix="fill it in, or say `draft` (projet)",
    )


def _is_in_band(requests: pd.DataFrame) -> pd.Series:
    low, high = (
        requests["size_band"].map({band: ends[at] for band, ends in BAND_BOUNDS.items()})
        for at in (0, 1)
    )
    heads = requests["company_headcount"]
    return ~((heads < low) | (heads > high))


def _is_in_first_branch(requests: pd.DataFrame) -> pd.Series:
    companies = requests.groupby("company_code", sort=False)
    first = companies["branch_code"].transform("first")
    return first.eq(requests["branch_code"]) | requests["company_code"].eq("")


_COHERENT: Final = (
    Rule(
        columns=("branch_code",),
        holds=_is_in_first_branch,
        what="a company of another branch in row",
        expected="each company in one branch",
        fix="correct the branch, or the company",
        error=CoherenceError,
        first_of=("company_code",),
    ),
    Rule(
        columns=("size_band", "company_headcount"),
        holds=_is_in_band,
        what="the band and the headcount contradict each other",
        expected="the band that the headcount lies in",
        fix="correct one of the two",
        error=CoherenceError,
    ),
    Rule(
        columns=("reason", "coverage"),
        holds=lambda requests: (
            requests["coverage"].isin(UNMET).eq(requests["reason"] != "")
            | requests["coverage"].eq("")
        ),
        what="an unmet request without reason, or a covered one with a reason",
        expected="a reason (`unknown` if nobody knows) where coverage is partly or not_covered",
        fix="fill the reason in, or remove it",
        error=CoherenceError,
    ),
)
"""What the cells of one request must say together."""


_WORK_TEXTS: Final = (
    *("title", "requested_by", "question", "method", "method_note_link", "minutes_reference"),
    *("outcome", "deliverables", "link", "reused_by"),
)
"""What is published of a work in free words."""

_WORK_RULES: Final = (
    Rule(
        columns=("delivered_on", "status"),
        holds=lambda frame: (
            frame["delivered_on"].eq("") | frame["status"].isin(["delivered", "validated"])
        ),
        what="a day on which it was done, of a work that is not",
        expected="status `delivered` (fait) or `validated` (validé), or no day",
        fix="correct the status or remove the day",
        error=CoherenceError,
    ),
    Rule(
        columns=("status", "delivered_on", "kind"),
        holds=lambda frame: (
            ~frame["status"].isin(["delivered", "validated"])
            | frame["kind"].eq("study")
            | frame["delivered_on"].ne("")
        ),
        what="done without its day",
        expected="`delivered_on`, or another status",
        fix="say when it was done",
    ),
    Rule(
        columns=("status", "decided_on", "minutes_reference"),
        holds=lambda frame: (
            frame["status"].ne("decided")
            | (frame["decided_on"].ne("") & frame["minutes_reference"].ne(""))
        ),
        what="decided without its day or its minutes",
        expected="`decided_on` and `minutes_reference`, or another status",
        fix="fill them in, from the minutes of the meeting",
    ),
    Rule(
        columns=("kind", "theme_codes", "question"),
        holds=lambda frame: (
            frame["kind"].ne("study") | (frame["theme_codes"].ne("") & frame["question"].ne(""))
        ),
        what="a study without its theme or its question",
        expected="`theme_codes` and `question`",
        fix="fill them in: coverage is counted by theme",
    ),
)
"""What the cells of one work must say together."""

_NOTE_RULES: Final = (
    *map(_unless_draft, ("signed_by", "signed_on", "valid_until")),
    Rule(
        columns=("note",),
        holds=lambda notes: notes["note"].str.len() <= NOTE_LENGTH,
        what=f"more than {NOTE_LENGTH} characters",
        expected=f"{NOTE_LENGTH} characters at most",
        fix="shorten the note",
        error=RangeError,
    ),
    Rule(
        columns=("signed_by",),
        holds=lambda notes: (
            notes["signed_by"].eq("")
            | notes["signed_by"].str.contains(_BODIES, regex=True)
            & ~notes["signed_by"].str.contains(_OFFICES, regex=True)
        ),
        what="not the name of a body",
        expected="a body, such as CPNEFP de la chimie",
        fix="name the commission, committee, section or organisation that signs",
        error=ScopeError,
    ),
    Rule(
        columns=("basis", "basis_kind", "heard_on"),
        holds=lambda notes: (
            notes["basis_kind"].isin(["study", ""])
            | notes["basis"].ne("") & (notes["basis_kind"].ne("hearing") | notes["heard_on"].ne(""))
        ),
        what="a published source or a hearing that is not named, or not dated",
        expected="`basis`, and `heard_on` for a hearing",
        fix="say which source, or who was heard (a body) and when",
    ),
    Rule(
        columns=("heard_on", "signed_on"),
        holds=lambda notes: notes["signed_on"].eq("") | (notes["heard_on"] <= notes["signed_on"]),
        what="signed before the hearing that it rests on",
        expected="a day of signature from that of the hearing on",
        fix="correct one of the two dates",
        error=CoherenceError,
    ),
    _not_before("valid_until", "signed_on", "out of date before it was signed"),
)
"""What the cells of one note must say."""


def _known_rules(known: Known) -> Iterator[Rule]:
    is_topic = known.topics["parent_topic_code"].eq("")
    owners = known.topics[is_topic].set_index("topic_code")["branch_code"].to_dict()
    parents = known.topics[~is_topic].set_index("topic_code")["parent_topic_code"].to_dict()
    yield _days_within("requested_on", known.last_day, FIRST_DAY)
    yield Rule(
        columns=("branch_code",),
        holds=lambda requests: requests["branch_code"].isin(list(known.branch_codes)),
        what="unknown branch",
        expected="a code of table `branches`",
        fix="correct the code",
        error=ScopeError,
    )
    yield Rule(
        columns=("topic_code", "branch_code"),
        holds=lambda requests: (
            requests["topic_code"].map(owners).isin([""])
            | requests["topic_code"].map(owners).eq(requests["branch_code"])
        ),
        what="unknown topic in this branch",
        expected="a topic of table `request_topics`",
        fix="correct the code, or add the topic there",
        error=ScopeError,
    )
    yield Rule(
        columns=("subtopic_code", "topic_code"),
        holds=lambda requests: (
            requests["subtopic_code"].eq("")
            | requests["subtopic_code"].map(parents).eq(requests["topic_code"])
        ),
        what="not a sub-topic of the topic of its row",
        expected="a sub-topic of table `request_topics`",
        fix="correct one of the two codes",
        error=ScopeError,
    )
    yield origin_rule(known.origin, "requests")


def _free_texts(register: pd.DataFrame, declared: Collection[str]) -> Iterator[Problem]:
    """Yield the columns of free words that nobody declared: no rule finds every person in words."""
    for name, column in DESCRIPTIONS[TABLE].items():
        is_free = column.kind == "text" and not column.choices and name not in declared
        if is_free and name in register and register[name].astype("str").fillna("").ne("").any():
            yield Problem(
                column=name,
                what="free words, which may name a person",
                expected="codes, days and numbers alone",
                fix="remove the column, or give it a title in parameters/requests.yml: `columns`",
                error=ConfidentialityError,
            )


def _personal_problems(register: pd.DataFrame) -> Iterator[Problem]:
    for name in register.columns[~register.columns.duplicated(keep=False)]:
        if pd.api.types.is_numeric_dtype(register[name]):
            continue
        cells = register[name].astype("str").fillna("")
        if name in ("company_code", "requested_on"):  # what is as it must be is nobody's number
            cells = cells[~cells.str.fullmatch(DESCRIPTIONS[TABLE][name].pattern)]
        kinds = personal.kinds(cells)
        if name == "request_code":  # a serial number may look like a company's
            kinds = [kind for kind in kinds if kind != personal.COMPANY_NUMBER]
        is_known = name in DESCRIPTIONS[TABLE]
        if not kinds and not is_known and _PERSONAL_TITLES.search(str(name).replace("_", " ")):
            kinds = ["a person's data, by its title"]
        if kinds:
            yield Problem(
                column=str(name),
                what=f"the column holds {', '.join(kinds)}",
                expected="no personal data and no company number anywhere in a register",
                fix="remove it from the column (its content is not shown here), or the column",
                error=ConfidentialityError,
            )
