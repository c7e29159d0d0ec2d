"""From the register to what each company asked, and the places that it counts in."""

from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.methods.requests.denominators import BANDS, GROUPS
from opmq_lib.methods.requests.intervals import Numbers

REASONS: Final = ("out_of_offer", "delay", "budget", "area", "other", "unknown")
KINDS: Final = ("partly", "not_covered")
TOTAL: Final = "ensemble"
Indices = npt.NDArray[np.int64]


class Counts(NamedTuple):
    """What every company asked in one period.

    Attributes:
        companies: `branch_code`, `size_band`, `answer_delay_days` (the company's median), by
            `company_code`.
        asked: Requests; axes company, topic.
        unmet: Requests not covered; axes company, topic, kind (`KINDS`), reason (`REASONS`).
    """

    companies: pd.DataFrame
    asked: Numbers
    unmet: Numbers


def period(register: pd.DataFrame, last_day: date, years_before: int = 0) -> pd.DataFrame:
    """Return the requests of the twelve months that end on a day, or as many years before.

    Args:
        register: Table `requests`.
        last_day: Last day of the current period, included.
        years_before: 0 for the current period, 1 for the one before.

    Examples:
        >>> days = pd.DataFrame({"requested_on": ["2024-11-24", "2024-11-25", "2025-11-24"]})
        >>> period(days, date(2025, 11, 24))["requested_on"].tolist()
        ['2024-11-25', '2025-11-24']
        >>> period(days, date(2025, 11, 24), 1)["requested_on"].tolist()
        ['2024-11-24']
    """
    end = pd.Timestamp(last_day) - pd.DateOffset(years=years_before)
    start = end - pd.DateOffset(years=1)
    days = register["requested_on"]
    inside = (days > start.date().isoformat()) & (days <= end.date().isoformat())
    kept: pd.DataFrame = register.loc[inside]
    return kept


def companies(requests: pd.DataFrame) -> pd.DataFrame:
    """Return `branch_code` and `size_band` of each company, by `company_code`, in order.

    A company's band is that of its last request.
    """
    last = requests.sort_values(["requested_on", "request_code"], kind="stable")
    each = last.drop_duplicates("company_code", keep="last").set_index("company_code")
    return each[["branch_code", "size_band"]].sort_index()


def count(requests: pd.DataFrame, topics: list[str]) -> Counts:
    """Return what each company asked. A request covered in part only is not covered.

    Args:
        requests: Rows of table `requests`, of one period.
        topics: Topics of the register, in the order wanted.
    """
    table = companies(requests)
    at = table.index.get_indexer(pd.Index(requests["company_code"]))
    topic = pd.Index(topics).get_indexer(pd.Index(requests["topic_code"]))
    asked = np.zeros((len(table), len(topics)))
    np.add.at(asked, (at, topic), 1)
    kind = pd.Index(KINDS).get_indexer(pd.Index(requests["coverage"]))
    reason = pd.Index(REASONS).get_indexer(pd.Index(requests["reason"]))
    unmet = np.zeros((*asked.shape, len(KINDS), len(REASONS)))
    is_unmet = kind >= 0
    np.add.at(unmet, tuple(each[is_unmet] for each in (at, topic, kind, reason)), 1)
    delays = requests.get("answer_delay_days", pd.Series(np.nan, requests.index))
    median = delays.astype("float64").groupby(requests["company_code"]).median()
    return Counts(table.assign(answer_delay_days=median.reindex(table.index)), asked, unmet)


def grid(branch_codes: list[str]) -> pd.MultiIndex:
    """Return the places of a review: branches and their total, bands and their groups."""
    return pd.MultiIndex.from_product(
        [[*branch_codes, TOTAL], [*BANDS, *GROUPS]], names=["branch_code", "size_band"]
    )


def members(table: pd.DataFrame, places: pd.MultiIndex) -> tuple[Indices, Indices]:
    """Return the places that companies count in: row of the company, row of the place.

    Examples:
        >>> table = pd.DataFrame({"branch_code": ["verre"], "size_band": ["10_49"]})
        >>> row, place = members(table, grid(["verre"]))
        >>> [" ".join(grid(["verre"])[each]) for each in place]
        ['verre 10_49', 'verre under_50', 'verre all', \
'ensemble 10_49', 'ensemble under_50', 'ensemble all']
    """
    found = []
    for branch in (table["branch_code"], pd.Series(TOTAL, table.index)):
        for names in (table["size_band"], *_groups(table["size_band"])):
            place = places.get_indexer(pd.MultiIndex.from_arrays([branch, names]))
            row = np.flatnonzero(place >= 0)
            found.append(np.stack([row, place[row]]))
    row, place = np.concatenate(found, axis=1)
    return row, place


def _groups(bands: pd.Series) -> list[pd.Series]:
    """Return the group of each band, one series a group; empty where it is of another group."""
    return [bands.isin(inside).map({True: name, False: ""}) for name, inside in GROUPS.items()]
