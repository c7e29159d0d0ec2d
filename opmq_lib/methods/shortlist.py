"""« Que faire ? » (L4): the few métiers of a branch to look at first, why, and how surely.

A métier is looked at where a published fact is an alarm: its tension, or its departures. The list
is ordered by one natural unit, departures to replace, counted cautiously; no weight is used.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods.draws import Array
from opmq_lib.methods.employment.levels import INTERVAL_SPAN
from opmq_lib.methods.skills.profiles import FEW_HIRES, NO_HIRES
from opmq_lib.methods.tension.survey import NEW
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.indicators import ALL_METIERS

LISTED_COUNT: Final = 6
LEAST_SHARE_PCT, JUDGED_SHARE_PCT = 0.5, 2.0
"""Share of the branch from which a métier may be listed; from which it is named when it cannot be
judged."""
HIGHEST_CLASS, TENSE_RANK_SHARE = 5, 0.75
"""Tension that is an alarm: the highest class on every image in FAP-2021; in FAP-2009, a rank above
this share of all métiers."""
LARGE_DEPARTURES: Final = 1.15
"""Departure rate that is an alarm, over that of all métiers."""
SHOWN_PRESENCE_PCT, SOLID_PRESENCE_PCT = 50, 80
"""Share of draws from which a métier of the list is shown; from which it is said to be solid, and
shown though few are hired."""
LEAST_OVERLAP: Final = 0.55
"""Mean Jaccard index of the list and the lists of the draws under which it is said to be
unstable."""
HIGH_QUINTILE: Final = 4
"""Quintile of a factor of tension from which it is a cause."""
CAUSES: Final = (
    "training",
    "recruiting",
    "conditions",
    "contracts",
    "geography",
    "departures",
    "inventory",
)
"""Causes of an alarm that a lever answers, in the order in which they are told."""


class Shortlist(NamedTuple):
    """The list of one branch.

    Attributes:
        metiers: The first métiers, `LISTED_COUNT` at most: the columns of the cells, `rank`,
            `departure_rate_pct_lower` and `_upper` (80 %, moved so that the median is the rate),
            `departures_per_year_headcount` (to replace, counted cautiously), `presence_pct` (share
            of the draws whose list has it) and `is_shown` (`yes`: often enough, for what is hired).
        overlap: Mean Jaccard index of the list and those of the draws, 0 to 1; `nan` if there is
            never a métier to list.
    """

    metiers: pd.DataFrame
    overlap: float


def alarms(rates: pd.DataFrame, tensions: pd.DataFrame) -> pd.DataFrame:
    """Return which published facts of each métier are an alarm.

    Args:
        rates: `metier_code` (`ENS`: all métiers), `departure_rate_pct` and `growth_rate_pct` a
            year.
        tensions: `metier_code`, `nomenclature`, `tension_class_least`, `tension_rank_share`,
            `status`.

    Returns:
        The rates of each métier and, as booleans, `tension_alarm`; `departures_alarm`: departures
        of `LARGE_DEPARTURES` times those of all métiers, in jobs that do not fall by more than
        these exceed; `is_falling`: as many departures, but jobs fall; `is_known`: there is a
        tension.

    Examples:
        >>> rates = pd.DataFrame({"metier_code": ["ENS", "E1Z41", "D4Z40", "G1Z70"],
        ...     "departure_rate_pct": [2.5, 3.5, 3.0, 2.4], "growth_rate_pct": [0.4, 0, -2, 0.5]})
        >>> tensions = pd.DataFrame({"metier_code": ["E1Z41", "D4Z40", "G1Z70"], "status": "value",
        ...     "nomenclature": ["FAP-2021", "FAP-2021", "FAP-2009"],
        ...     "tension_class_least": [3.0, 5, 5], "tension_rank_share": [0.9, 0.9, 0.7]})
        >>> found = alarms(rates, tensions)
        >>> found[["tension_alarm", "departures_alarm", "is_falling"]].values.tolist()
        [[False, True, False], [True, False, True], [False, False, False]]
    """
    is_all = rates["metier_code"] == ALL_METIERS
    national = rates.loc[is_all, "departure_rate_pct"].item()
    table = rates[~is_all].merge(tensions, on="metier_code", how="left")
    table["national_departure_rate_pct"] = national
    is_highest = table["tension_class_least"] == HIGHEST_CLASS
    is_tense = is_highest.where(
        table["nomenclature"] == NEW, table["tension_rank_share"] >= TENSE_RANK_SHARE
    )
    is_large = table["departure_rate_pct"] >= LARGE_DEPARTURES * national
    is_replaced = table["departure_rate_pct"] + table["growth_rate_pct"] >= national
    return table.assign(
        tension_alarm=is_tense,
        departures_alarm=is_large & is_replaced,
        is_falling=is_large & ~is_replaced,
        is_known=table["status"] == "value",
    )


def shortlist(cells: pd.DataFrame, drawn_heads: Array, drawn_rates: Array) -> Shortlist:
    """Return the métiers to look at first in one branch, and how surely each is one of them.

    Alarms are facts: draws do not change them.

    Args:
        cells: By `metier_code`: `employment_headcount`, `level_log_sd`, `branch_headcount`,
            `departure_rate_pct`, `hires_evidence` and the columns of `alarms`.
        drawn_heads: (cells, draws) employment.
        drawn_rates: (cells, draws) departure rates, in % a year.

    Source:
        Method page, L4.

    Examples:
        >>> cells = pd.DataFrame({"metier_code": ["E1Z41", "G1Z70", "N0Z90"],
        ...     "employment_headcount": [100.0, 4.0, 80.0], "level_log_sd": 0.0,
        ...     "branch_headcount": 1000.0, "departure_rate_pct": [3.0, 4.0, 4.0],
        ...     "tension_alarm": [True, True, False], "departures_alarm": [False, False, True],
        ...     "hires_evidence": "seen"})
        >>> heads = np.array([[100.0, 100.0], [4.0, 6.0], [80.0, 80.0]])
        >>> rates = cells[["departure_rate_pct"]].to_numpy() * np.ones(2)
        >>> found = shortlist(cells, heads, rates)
        >>> names = ["metier_code", "departures_per_year_headcount", "presence_pct"]
        >>> found.metiers[names].to_numpy().tolist()
        [['N0Z90', 3.2, 100.0], ['E1Z41', 3.0, 100.0]]
        >>> round(found.overlap, 3)
        0.833
    """
    order = cells["metier_code"].argsort().to_numpy()
    cells, heads, rates = cells.iloc[order], drawn_heads[order], drawn_rates[order]
    point = cells[["employment_headcount", "departure_rate_pct"]].to_numpy()
    cautious, rank = _ranked(cells, point[:, :1], point[:, 1:])
    drawn = _ranked(cells, heads, rates)[1] > 0
    is_listed = rank > 0
    with np.errstate(invalid="ignore"):
        overlaps = (is_listed & drawn).sum(axis=0) / (is_listed | drawn).sum(axis=0)
    low, middle, high = np.quantile(rates, [0.1, 0.5, 0.9], axis=1)
    table = cells.assign(
        rank=rank[:, 0],
        departure_rate_pct_lower=cells["departure_rate_pct"] + low - middle,
        departure_rate_pct_upper=cells["departure_rate_pct"] + high - middle,
        departures_per_year_headcount=cautious[:, 0],
        presence_pct=100 * drawn.mean(axis=1),
    )
    is_doubted = cells["hires_evidence"] == FEW_HIRES
    least = np.where(is_doubted, SOLID_PRESENCE_PCT, SHOWN_PRESENCE_PCT)
    is_shown = table["presence_pct"] >= least
    table["is_shown"] = is_shown.map({True: "yes", False: "no"})
    listed = table[is_listed[:, 0]].sort_values("rank", ignore_index=True)
    return Shortlist(listed, float(np.nanmean(overlaps)) if drawn.any() else np.nan)


def _ranked(cells: pd.DataFrame, heads: Array, rates: Array) -> tuple[Array, Array]:
    """Return cautious departures a year and the place in each draw's list, 0 outside it."""
    low = np.exp(-INTERVAL_SPAN / 2 * cells["level_log_sd"].to_numpy())[:, None]
    departures = heads * low * rates / 100
    share = heads / cells["branch_headcount"].to_numpy()[:, None]
    has_alarm = (cells["tension_alarm"] | cells["departures_alarm"]).to_numpy(bool)[:, None]
    is_eligible = has_alarm & (share >= LEAST_SHARE_PCT / 100)
    counted = np.where(is_eligible, departures, -1.0)
    rank = (-counted).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    return departures, np.where(is_eligible & (rank <= LISTED_COUNT), rank, 0)


def is_unattested(cells: pd.DataFrame) -> pd.Series:
    """Return where the estimate alone puts a métier in a branch: hardly anybody was hired for it.

    Args:
        cells: `hires_evidence`, missing where employment is observed.
    """
    return cells["hires_evidence"] == NO_HIRES


def left_out(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the métiers that a list leaves out though somebody may look for them there.

    Args:
        cells: As for `shortlist`, with `employment_share_pct` and `is_secret`: own cells whose
            numbers are not given.

    Returns:
        Rows of `cells` with `reason`: `no_figure` (large, and no tension is published), `falling`
        (many departures, but jobs fall), `secret`, `unattested` (in alarm, but hardly a hire
        in the branch's activities); the largest first.
    """
    has_alarm = cells["tension_alarm"] | cells["departures_alarm"]
    share = cells["employment_share_pct"]
    is_unknown = ~cells["is_known"] & (share >= JUDGED_SHARE_PCT)
    is_falling = cells["is_falling"] & (share >= LEAST_SHARE_PCT)
    rules = {
        "secret": cells["is_secret"],
        "unattested": has_alarm & (share >= LEAST_SHARE_PCT) & is_unattested(cells),
        "falling": ~has_alarm & is_falling,
        "no_figure": ~has_alarm & is_unknown,
    }
    kept = cells.assign(reason=np.select(list(rules.values()), list(rules), ""))
    kept = kept[kept["reason"] != ""]
    order = ["employment_share_pct", "metier_code"]
    table: pd.DataFrame = kept.sort_values(order, ascending=[False, True], ignore_index=True)
    return table


def causes(cells: pd.DataFrame, factors: pd.DataFrame) -> pd.Series:
    """Return the causes of each métier's alarm that a lever answers, as codes between spaces.

    Args:
        cells: `metier_code`, `tension_alarm`, `departures_alarm`, `own_certifications_count`
            (certifications of the branch's bodies; missing where these are not known).
        factors: `metier_code` and the factors of tension of one year, quintiles from 1 to 5.

    Returns:
        Codes of `CAUSES`: factors explain a tension, and no alarm of departures; empty where none
        is published.

    Source:
        Method page, L4: a convention of the project, not voted, on published factors.

    Examples:
        >>> cells = pd.DataFrame({"metier_code": ["N0Z90"], "tension_alarm": True,
        ...     "departures_alarm": False, "own_certifications_count": 0.0})
        >>> factors = pd.DataFrame({"metier_code": ["N0Z90"]} | dict.fromkeys(FACTORS, 1) | {
        ...     "labour_shortage": 5, "training_job_link": 4})
        >>> causes(cells, factors).tolist()
        ['training inventory']
    """
    known = factors.set_index("metier_code")[list(FACTORS)].astype("float64")
    high = known.reindex(cells["metier_code"]).reset_index(drop=True) >= HIGH_QUINTILE
    rows = cells.reset_index(drop=True)
    is_trained, is_tense = high["training_job_link"], rows["tension_alarm"]
    is_short = high["labour_shortage"] & is_tense
    holds = {
        "training": is_short & is_trained,
        "recruiting": is_short & ~is_trained,
        "conditions": high["hard_working_conditions"] & is_tense,
        "contracts": high["non_durable_jobs"] & is_tense,
        "geography": high["geographic_mismatch"] & is_tense,
        "departures": rows["departures_alarm"],
        "inventory": is_trained & ~(rows["own_certifications_count"] > 0),
    }
    found = pd.DataFrame(holds)[list(CAUSES)]
    return pd.Series(
        [" ".join(found.columns[row]) for row in found.to_numpy(bool)], cells.index, dtype="str"
    )
