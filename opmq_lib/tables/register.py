"""The register of requests against its contract: every defect at once, no value ever shown."""

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import CoherenceError, ConfidentialityError, DataError, RangeError, ScopeError
from opmq_lib.tables import Problem, Sheet
from opmq_lib.tables.schemas import Use

TABLE: Final = "requests"
UNMET: Final = ("partly", "not_covered")
"""Coverages that count as unmet: at least a part of the request was not covered."""
BAND_BOUNDS: Final = {"1_9": (1, 9), "10_49": (10, 49), "50_249": (50, 249), "250_plus": (250, 1e9)}
FIRST_DAY: Final = "2000-01-01"

_TITLES: Final = "[Mm]mes?|MME|[Mm]lles?|MLLE|[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|MM|M[Rr]|[Dd]r"
_PERSONAL: Final = {
    "an e-mail address": r"[\w.+-]+\s?(?:@|[\[(]\s?(?:at|arobase|@)\s?[\])])\s?[\w-]+\s?"
    r"(?:\.|[\[(]\s?(?:dot|point)\s?[\])])\s?\w+",
    "a phone number": r"(?<!\d)(?:(?:\+|00)33[ ./-]?(?:\(0\)[ ./-]?)?|0)[1-9](?:[ ./-]?\d{2}){4}"
    r"(?!\d)",
    "a person's name": rf"\b(?:(?:{_TITLES})\.?\s+[A-Za-zÀ-ÿ]|M\.\s+[A-ZÀ-Þ]|M\s+[A-ZÀ-Þ])[\w’'-]+",
}
_LA_POSTE: Final = [3, 5, 6, 0, 0, 0, 0, 0, 0]
_COMPANY_NUMBER: Final = re.compile(r"(?<!\d)\d{3}[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{5})?(?!\d)")
_FIRST_NAMES: Final = (
    "Alain|Alexandre|Alice|André|Anne|Antoine|Bernard|Camille|Caroline|Catherine|Cécile|Céline|"
    "Chloé|Christian|Christine|Christophe|Claire|Claude|Daniel|David|Denis|Dominique|Emma|"
    "Emmanuel|Éric|Eric|Fabien|Fatima|François|Françoise|Frédéric|Gérard|Guillaume|Hélène|Hugo|"
    "Isabelle|Jacques|Jean|Jérôme|Julie|Julien|Karim|Kevin|Kévin|Laurence|Laurent|Léa|Louis|Lucas|Luc|Manon|"
    "Marc|Marie|Martine|Mathieu|Maxime|Michel|Mohamed|Monique|Nathalie|Nicolas|Olivier|Pascal|"
    "Patrick|Paul|Philippe|Pierre|Romain|Sandrine|Sarah|Sébastien|Sophie|Stéphane|Sylvie|Thierry|"
    "Thomas|Valérie|Véronique|Vincent|Virginie|Yves"
)
_NAME: Final = rf"\b(?:{_FIRST_NAMES})(?:-(?:{_FIRST_NAMES}))?\s+(?:de\s+|du\s+|d[’'])?[A-ZÀ-Þ]"
_CAPITALS_FIRST: Final = rf"\b[A-ZÀ-Þ][A-ZÀ-Þ’'-]+\s+(?:{_FIRST_NAMES})\b"
_PERSONAL_HEADERS: Final = re.compile(
    r"\b(?:pr[ée]nom|nom|e-?mail|courriel|t[ée]l(?:[ée]phone)?|portable|contact|interlocuteur)\b",
    re.IGNORECASE,
)


class Known(NamedTuple):
    """What a register is checked against.

    Attributes:
        branch_codes: Known branches.
        topics: Table `request_topics`.
        last_day: No request may be later.
        origin: What every row must say: `own`, or `fictitious` in a demonstration.
    """

    branch_codes: Collection[str]
    topics: pd.DataFrame
    last_day: date
    origin: str = "own"


def check(register: pd.DataFrame, where: str, known: Known) -> pd.DataFrame:
    """Return a register unchanged if everything in it is right.

    Args:
        register: Columns of the contract `requests`; codes are text, an empty text is missing.
        where: The file, for messages.
        known: Branches, topics, last day, origin.

    Returns:
        `register` itself.

    Raises:
        DataError: With every defect: unknown or missing column, a code outside its list, a
            request twice, an impossible date, a company in two branches, a band that the
            headcount contradicts, personal data. Row keys are told, never a value; of personal
            data, only the column.
    """
    problems = find_problems(register, known)
    if problems:
        raise error(problems, register, where)
    return register


def error(problems: list[Problem], register: pd.DataFrame, where: str) -> DataError:
    """Return one error for all problems of a register."""
    return tables.as_error(problems, Sheet(shown(register), ("request_code",), where, own=True))


def shown(register: pd.DataFrame) -> pd.DataFrame:
    """Return a register whose keys may be shown: those that hold anything personal are blanked."""
    if "request_code" not in register:
        return register
    codes = register["request_code"].astype("str")
    kept = codes.str.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*") & ~personal_rows(codes)
    return register.assign(request_code=codes.where(kept, ""))


def find_problems(register: pd.DataFrame, known: Known) -> list[Problem]:
    """Return everything in which a register is not what it must be."""
    frame = register.reset_index(drop=True)
    problems = [*tables.header_problems(TABLE, frame.columns), *_personal_problems(frame)]
    for use in tables.USES[TABLE]:
        if use.name in frame:
            problems += _column_problems(frame[use.name], use)
    for found in (
        _duplicates(frame),
        _dates(frame, known.last_day),
        _scope(frame, known),
        _two_branches(frame),
        _bands(frame),
        _reasons(frame),
        _origins(frame, known.origin),
    ):
        problems += found
    return problems


def personal_kind(texts: pd.Series) -> str:
    """Return every kind of personal data that some texts hold, or an empty text.

    Examples:
        >>> personal_kind(pd.Series(["DUPONT Marie, 06/12/34/56/78"]))
        "a phone number, a person's name"
        >>> personal_kind(pd.Series(["D-1", "voir Mme Durand"]))
        "a person's name"
        >>> personal_kind(pd.Series(["machine 3 à Paris", "atelier de 12 personnes"]))
        ''
    """
    joined = "\n".join(pd.unique(texts.astype("str")))
    found = [kind for kind, pattern in _PERSONAL.items() if re.search(pattern, joined)]
    if "a person's name" not in found and re.search(f"{_NAME}|{_CAPITALS_FIRST}", joined):
        found.append("a person's name")
    if any(map(is_company_number, _COMPANY_NUMBER.findall(joined))):
        found.append("a company number (SIREN or SIRET)")
    return ", ".join(found)


def personal_rows(texts: pd.Series) -> npt.NDArray[np.bool_]:
    """Return which texts hold personal data."""
    pattern = "|".join([*(f"(?:{each})" for each in _PERSONAL.values()), _NAME, _CAPITALS_FIRST])
    found = texts.astype("str").str.contains(pattern, regex=True)
    return found.to_numpy(dtype=bool)


def is_company_number(text: str) -> bool:
    """Return whether digits are a SIREN or a SIRET: their control sum says so.

    A SIRET of La Poste adds its digits up to a multiple of 5 instead.

    Examples:
        >>> is_company_number("732 829 320"), is_company_number("732 829 321")
        (True, False)
    """
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [2 * d if place % 2 else d for place, d in enumerate(reversed(digits))]
    if sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0:
        return True
    return len(digits) == 14 and digits[:9] == _LA_POSTE and sum(digits) % 5 == 0


def _personal_problems(frame: pd.DataFrame) -> Iterator[Problem]:
    for name in frame.columns:
        if frame.columns.tolist().count(name) > 1 or pd.api.types.is_numeric_dtype(frame[name]):
            continue
        cells = frame[name].astype("str")
        form = {"company_code": r"[0-9a-f]{16}", "requested_on": r"[0-9]{4}-[0-9]{2}-[0-9]{2}"}
        if name in form:  # what is as it must be is nobody's number
            cells = cells[~cells.str.fullmatch(form[name])]
        kind = personal_kind(cells)
        if name == "request_code":  # a serial number may look like a company's
            kind = kind.removesuffix("a company number (SIREN or SIRET)").removesuffix(", ")
        if not kind and name not in tables.DESCRIPTIONS[TABLE]:
            kind = (
                "a person's data, by its title"
                if _PERSONAL_HEADERS.search(str(name).replace("_", " "))
                else ""
            )
        if kind:
            yield Problem(
                column=str(name),
                what=f"the column holds {kind}",
                expected="no personal data and no company number anywhere in a register",
                fix="remove it from the column (its content is not shown here), or the column",
                error=ConfidentialityError,
            )


def _column_problems(cells: pd.Series, use: Use) -> list[Problem]:
    column = tables.DESCRIPTIONS[TABLE][use.name]
    is_text = column.kind in {"text", "code"}
    uniques = pd.Series(pd.unique(cells))
    missing = uniques.isna() | (uniques == "")
    if is_text:
        good = uniques.map(lambda cell: isinstance(cell, str)).astype(bool)
        if column.choices:
            good &= uniques.isin(column.choices)
        elif column.pattern:
            good &= uniques.map(
                lambda cell: isinstance(cell, str) and bool(re.fullmatch(column.pattern, cell))
            ).astype(bool)
    else:
        numbers = pd.to_numeric(uniques, errors="coerce")
        good = numbers.ge(column.low or 0) & (numbers % 1 == 0)
    bad = uniques[~good & ~missing]
    problems = [
        Problem(use.name, "not what is expected here", tables.expectation(column),
                "correct it", row=int(row))
        for row in np.flatnonzero(cells.isin(bad))
    ]  # fmt: skip
    if not use.may_be_empty and missing.any():
        empty = cells.isna() | (cells == "")
        problems += [
            Problem(use.name, "an empty cell", tables.expectation(column), "fill it in", int(row))
            for row in np.flatnonzero(empty)
        ]
    return problems


def _duplicates(frame: pd.DataFrame) -> list[Problem]:
    if "request_code" not in frame:
        return []
    codes = frame["request_code"]
    first = pd.Series(np.arange(len(frame))).groupby(codes, sort=False).transform("first")
    return [
        Problem("request_code", "the same request as row", "each request once",
                "delete one of the two rows", row=int(row), first=int(first[row]))
        for row in np.flatnonzero(codes.duplicated() & (codes != ""))
    ]  # fmt: skip


def _dates(frame: pd.DataFrame, last_day: date) -> list[Problem]:
    if "requested_on" not in frame:
        return []
    texts = frame["requested_on"].astype("str")
    well_formed = texts.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
    days = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
    outside = days.isna() | (texts < FIRST_DAY) | (texts > last_day.isoformat())
    return [
        Problem(
            column="requested_on",
            what="an impossible date",
            expected=f"a day from {FIRST_DAY} to {last_day.isoformat()}, such as 2025-03-31",
            fix="correct the date",
            row=int(row),
            error=RangeError,
        )
        for row in np.flatnonzero(well_formed & outside)
    ]


def _scope(frame: pd.DataFrame, known: Known) -> list[Problem]:
    problems = []
    if "branch_code" in frame:
        unknown = ~frame["branch_code"].isin(list(known.branch_codes)) & (
            frame["branch_code"] != ""
        )
        problems += [
            Problem("branch_code", "unknown branch", "a code of table `branches`",
                    "correct the code", row=int(row), error=ScopeError)
            for row in np.flatnonzero(unknown)
        ]  # fmt: skip
    if not {"topic_code", "branch_code"} <= set(frame):
        return problems
    topics = known.topics[known.topics["parent_topic_code"] == ""]
    owner = frame["topic_code"].map(
        dict(zip(topics["topic_code"], topics["branch_code"], strict=True))
    )
    wrong = owner.isna() | ((owner != "") & (owner != frame["branch_code"]))
    problems += [
        Problem("topic_code", "unknown topic in this branch", "a topic of table `request_topics`",
                "correct the code, or add the topic there", row=int(row), error=ScopeError)
        for row in np.flatnonzero(wrong & (frame["topic_code"] != ""))
    ]  # fmt: skip
    if "subtopic_code" in frame:
        below = known.topics[known.topics["parent_topic_code"] != ""]
        parents = dict(zip(below["topic_code"], below["parent_topic_code"], strict=True))
        sub = frame["subtopic_code"]
        wrong = (sub != "") & (sub.map(parents) != frame["topic_code"])
        problems += [
            Problem("subtopic_code", "not a sub-topic of the topic of its row",
                    "a sub-topic of table `request_topics`", "correct one of the two codes",
                    row=int(row), error=ScopeError)
            for row in np.flatnonzero(wrong)
        ]  # fmt: skip
    return problems


def _two_branches(frame: pd.DataFrame) -> list[Problem]:
    if not {"company_code", "branch_code"} <= set(frame):
        return []
    first = frame.groupby("company_code", sort=False)["branch_code"].transform("first")
    place = pd.Series(np.arange(len(frame))).groupby(frame["company_code"], sort=False)
    rows = place.transform("first")
    return [
        Problem("branch_code", "a company of another branch in row", "each company in one branch",
                "correct the branch, or the company", row=int(row), first=int(rows[row]),
                error=CoherenceError)
        for row in np.flatnonzero((first != frame["branch_code"]) & (frame["company_code"] != ""))
    ]  # fmt: skip


def _bands(frame: pd.DataFrame) -> list[Problem]:
    if not {"size_band", "company_headcount"} <= set(frame):
        return []
    heads = pd.to_numeric(frame["company_headcount"], errors="coerce")
    low = frame["size_band"].map({band: ends[0] for band, ends in BAND_BOUNDS.items()})
    high = frame["size_band"].map({band: ends[1] for band, ends in BAND_BOUNDS.items()})
    return [
        Problem("size_band", "the band and the headcount contradict each other",
                "the band that the headcount lies in", "correct one of the two", row=int(row),
                error=CoherenceError)
        for row in np.flatnonzero((heads < low) | (heads > high))
    ]  # fmt: skip


def _reasons(frame: pd.DataFrame) -> list[Problem]:
    if not {"coverage", "reason"} <= set(frame):
        return []
    unmet, told = frame["coverage"].isin(UNMET), frame["reason"] != ""
    return [
        Problem("reason", "an unmet request without reason, or a covered one with a reason",
                "a reason (`unknown` if nobody knows) where coverage is partly or not_covered",
                "fill the reason in, or remove it", row=int(row), error=CoherenceError)
        for row in np.flatnonzero((unmet != told) & (frame["coverage"] != ""))
    ]  # fmt: skip


def _origins(frame: pd.DataFrame, origin: str) -> list[Problem]:
    if "origin" not in frame:
        return []
    return [
        Problem("origin", "real and fictitious requests must never meet", origin,
                "keep fictitious registers for the demonstration", row=int(row),
                error=ConfidentialityError)
        for row in np.flatnonzero((frame["origin"] != origin) & (frame["origin"] != ""))
    ]  # fmt: skip
