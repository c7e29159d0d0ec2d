"""An export into the register: columns renamed, words coded, companies pseudonymised."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from opmq_lib import tables
from opmq_lib.params import RequestImport
from opmq_lib.sources.grids import Grid, day, number
from opmq_lib.sources.table_files import unique
from opmq_lib.tables import Problem
from opmq_lib.tables.personal import is_company_number
from opmq_lib.tables.register import BAND_BOUNDS, TABLE

COMPANY: Final = "company"
"""Name, in the mapping, of the column that identifies a company: SIREN or SIRET."""
LEAST_KEY_BYTES: Final = 16

_NUMBERS: Final = ("company_headcount", "answer_delay_days")


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
    grid: Grid, mapping: RequestImport, key: bytes
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    """Return the register that an export holds, what is wrong with it, and what is left out.

    Args:
        grid: The export.
        mapping: Its titles and words, by column of the register (or `COMPANY`) and code.
        key: For `pseudonym`.

    Returns:
        Rows in the columns of table `requests`; one problem per title that is not there and per
        company number that is none; the letters of the columns that nothing maps, not imported.
    """
    words = dict(mapping.values)
    titles = {name: title for name, title in mapping.columns.items() if title is not None}
    cells = unique(grid.cells)
    expected = f"one of the titles of the export: {', '.join(grid.names)}"
    fix = "correct `columns` in parameters/requests.yml, or write null there"
    problems = [
        Problem(title, "a column that the mapping names is not there", expected, fix)
        for title in titles.values()
        if title not in cells
    ]
    texts = {name: cells[title].map(_text) for name, title in titles.items() if title in cells}
    frame = pd.DataFrame("", index=cells.index, columns=[use.name for use in tables.USES[TABLE]])
    for name in texts.keys() & set(frame):
        frame[name] = [_coded(name, text, words.get(name, {})) for text in texts[name]]
    frame["origin"] = "own"
    for name in _NUMBERS:
        values = [(number(text, decimal_comma=True), text or None) for text in frame[name]]
        frame[name] = [text if value is None else value for value, text in values]
    if COMPANY in texts:
        frame["company_code"] = [pseudonym(text, key) for text in texts[COMPANY]]
    expected = "9 or 14 digits, the last a control digit that fits"
    fix = "correct the number: without it companies cannot be counted"
    problems += [
        Problem(str(titles[COMPANY]), "not a SIREN or a SIRET", expected, fix, row)
        for row, code in enumerate(frame["company_code"] if COMPANY in texts else ())
        if not code
    ]
    _fill_bands(frame)
    letters = {xl_col_to_name(at): title for at, title in enumerate(grid.names)}
    unused = [letter for letter, title in letters.items() if title not in titles.values()]
    return frame, problems, unused


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _coded(name: str, text: str, words: Mapping[str, str]) -> str:
    return str(day(text)) if name == "requested_on" else words.get(text, text)


def _fill_bands(frame: pd.DataFrame) -> None:
    """Give an empty band the one that the headcount lies in, or `unknown`."""
    for band, (low, high) in BAND_BOUNDS.items():
        heads = pd.to_numeric(frame["company_headcount"], errors="coerce")
        inside = (frame["size_band"] == "") & heads.between(low, high)
        frame.loc[inside, "size_band"] = band
    frame.loc[frame["size_band"] == "", "size_band"] = "unknown"
