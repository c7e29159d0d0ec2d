"""Any table as a page or a notebook shows it."""

from collections.abc import Callable

import pandas as pd
from markupsafe import Markup

from opmq_lib.arguments import checked
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables.columns import COLUMNS


@checked
def frame(shown: pd.DataFrame | pd.Series, words: str = "Tableau") -> Html:
    """Return a table as it stands, in French: titles of the dictionary, commas, signs of absence.

    Args:
        shown: Any table, or a column of one, a line each row; its index is not shown. A number
            that is missing is shown as its row's `status` says (`s`, `nd`, `np`, `nv`), else as
            `nd`.
        words: What it says, in French; a second paragraph is its source.

    Examples:
        >>> mine = pd.DataFrame({"metier_code": ["E1Z43"], "year": [2024], "share": [None]})
        >>> [text in frame(mine).html for text in ("Métier", ">2024<", "nd", "NaN")]
        [True, True, True, False]
    """
    shown = pd.DataFrame(shown)
    names = [" ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in shown]
    shown.columns = pd.Index(names)
    columns = [(_title(name), _reader(shown, name)) for name in names]
    return pieces.table(words, columns, range(len(shown)))


def _title(name: str) -> str:
    known = COLUMNS.get(name)
    if known is None:
        return name
    return f"{known.label} ({known.unit})" if known.unit else known.label


def _reader(shown: pd.DataFrame, name: str) -> Callable[[int], str]:
    """Return what shows a column's cell in a row."""
    column = shown[name]
    is_number = pd.api.types.is_numeric_dtype(column) and column.dtype != "bool"
    signs = shown["status"] if is_number and "status" in shown else None
    decimals = 0 if name.endswith("_headcount") else 2
    whole = is_number and not (column.dropna() % 1).any()

    def show(row: int) -> str:
        value = column.iloc[row]
        if pd.isna(value):
            sign = "" if signs is None else str(signs.iloc[row])
            return pieces.absence(sign) if is_number else ""
        if not is_number:
            return str(value)
        text = str(int(value)) if name.endswith("year") and whole else None
        number = text or french.number(float(value), 0 if whole else decimals)
        return Markup('<span class="n">{}</span>').format(number)

    return show
