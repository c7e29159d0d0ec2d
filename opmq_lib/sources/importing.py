"""An export into the register: columns renamed, words coded, companies pseudonymised."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
from openpyxl.utils import get_column_letter

from opmq_lib import tables
from opmq_lib.tables import Problem
from opmq_lib.tables.personal import is_company_number
from opmq_lib.tables.register import BAND_BOUNDS, TABLE

COMPANY: Final = "company"
"""Name, in the mapping, of the column that identifies a company: SIREN or SIRET."""
LEAST_KEY_BYTES: Final = 16

_FRENCH_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NUMBER_COLUMNS: Final = ("company_headcount", "answer_delay_days")


def pseudonym(company: str, key: bytes) -> str:
    """Return what stands for a company: a keyed hash of its SIREN, so that branches share it.

    Args:
        company: A SIREN (9 digits) or a SIRET (14, of which the first 9 are the SIREN), blanks
            and dots allowed.
        key: Secret; without it nobody can find the company back, even trying every SIREN.

    Returns:
        Sixteen hexadecimal digits; an empty text if `company` is neither, by its length or by its
        control sum.

    Source:
        HMAC-SHA-256, RFC 2104.

    Examples:
        >>> pseudonym("732 829 320", b"0123456789abcdef") == pseudonym(
        ...     "73282932000074", b"0123456789abcdef")
        True
        >>> pseudonym("732 829 320", b"0123456789abcdef") == pseudonym(
        ...     "732 829 320", b"another key of 16")
        False
        >>> pseudonym("Dupont SA", b"0123456789abcdef")
        ''
    """
    digits = re.sub(r"[\s.\u00a0\u202f]", "", company)
    if not re.fullmatch(r"\d{9}|\d{14}", digits) or not is_company_number(digits):
        return ""
    return hmac.new(key, digits[:9].encode(), hashlib.sha256).hexdigest()[:16]


def register_rows(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    columns: Mapping[str, str | None],
    values: Mapping[str, Mapping[str, str]],
    key: bytes,
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    """Return the register that an export holds, what is wrong with it, and what is left out.

    Args:
        names: Titles of the export's columns.
        rows: Its cells.
        columns: Column of the register (or `COMPANY`) → title in the export, `None` if absent.
        values: Column of the register → word of the export → code.
        key: For `pseudonym`.

    Returns:
        Rows in the columns of table `requests`; one problem per title that is not there and per
        company number that is none; the letters of the columns that nothing maps, not imported.
    """
    place = {title: names.index(title) for title in columns.values() if title in names}
    problems = [
        Problem(title, "a column that the mapping names is not there",
                f"one of the titles of the export: {', '.join(names)}",
                "correct `columns` in parameters/requests.yml, or write null there")
        for title in columns.values() if title is not None and title not in names
    ]  # fmt: skip
    cells = {
        name: [_text(row[place[title]]) for row in rows]
        for name, title in columns.items()
        if title in place
    }
    frame = pd.DataFrame(index=range(len(rows)))
    for use in tables.USES[TABLE]:
        if use.name == "company_code":
            numbers = cells.get(COMPANY, [])
            codes = [pseudonym(text, key) for text in numbers]
            problems += [
                Problem(str(columns[COMPANY]), "not a SIREN or a SIRET",
                        "9 or 14 digits, the last a control digit that fits",
                        "correct the number: without it companies cannot be counted", row=at)
                for at, code in enumerate(codes) if not code
            ]  # fmt: skip
            frame["company_code"] = codes or ""
        elif use.name in cells:
            known = values.get(use.name, {})
            frame[use.name] = [_coded(use.name, text, known) for text in cells[use.name]]
        elif use.name != "origin":
            frame[use.name] = ""
    frame["origin"] = "own"
    for name in _NUMBER_COLUMNS:
        problems += _numbered(frame, name, str(columns.get(name)))
    _fill_bands(frame)
    used = {title for title in columns.values() if title is not None}
    unused = [get_column_letter(at) for at, title in enumerate(names, 1) if title not in used]
    return frame, problems, unused


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _coded(name: str, text: str, known: Mapping[str, str]) -> str:
    if name == "requested_on" and (match := _FRENCH_DAY.fullmatch(text)):
        day, month, year = match.groups()
        return f"{year}-{month:0>2}-{day:0>2}"
    return known.get(text, text)


def _numbered(frame: pd.DataFrame, name: str, title: str) -> list[Problem]:
    texts = frame[name].astype("str").str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    numbers = pd.to_numeric(texts.where(texts != "", None), errors="coerce")
    wrong = numbers.isna() & (texts != "")
    frame[name] = numbers.astype("float64")
    return [
        Problem(title, "not a number", tables.expectation(tables.DESCRIPTIONS[TABLE][name]),
                "write digits only", row=int(row))
        for row in wrong.to_numpy().nonzero()[0]
    ]  # fmt: skip


def _fill_bands(frame: pd.DataFrame) -> None:
    """Give an empty band the one that the headcount lies in, or `unknown`."""
    for band, (low, high) in BAND_BOUNDS.items():
        inside = (frame["size_band"] == "") & frame["company_headcount"].between(low, high)
        frame.loc[inside, "size_band"] = band
    frame.loc[frame["size_band"] == "", "size_band"] = "unknown"
