"""The accounting of needs, one formula each: postes à pourvoir on one side, hires on the other.

Two layers that are never added: posts to fill (net creation plus career-end departures) and gross
hires or hiring intentions, which count turnover as well.

Source: method page, E1 and E3–E6.
"""

import math
from typing import TypeVar

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect, RangeError
from opmq_lib.methods.needs.cohorts import Array

TOLERANCE = 1e-9

Heads = TypeVar("Heads", float, Array, pd.Series)
"""One count of heads, or as many as wanted."""


def posts(net_creation_headcount: Heads, career_end_departures_headcount: Heads) -> Heads:
    """Return posts to fill over a horizon, in heads: PAP = ΔE + F; `nan` (nd) if a term is.

    Negative posts (not replaced) are kept as they are.

    Examples:
        >>> posts(-300.0, 730.0)
        430.0
    """
    return net_creation_headcount + career_end_departures_headcount


def imbalance(
    posts_headcount: Heads, young_beginners_headcount: Heads, net_mobility_headcount: Heads
) -> Heads:
    """Return posts not matched by identified entrants, in heads: D = PAP - J - N.

    `nan` (nd) where young beginners or net inward mobility are unknown. A potential, never a
    shortage.

    Examples:
        >>> imbalance(430.0, 310.0, -45.0)
        165.0
    """
    return posts_headcount - young_beginners_headcount - net_mobility_headcount


def check_closed_mobility(net_mobility_headcount: list[float]) -> None:
    """Refuse net mobilities of a closed field, all its métiers, that do not cancel out.

    Raises:
        CoherenceError: If they do not sum to 0 within 1e-9 of their size.

    Examples:
        >>> check_closed_mobility([30.0, -10.0, -20.0])
    """
    total, size = sum(net_mobility_headcount), sum(map(abs, net_mobility_headcount))
    if abs(total) > TOLERANCE * max(size, 1.0):
        told = ("does not sum to 0 over a closed field", "entries equal to exits")
        fix = "complete the métiers, or declare the field open"
        raise CoherenceError([Defect("net_mobility_headcount", *told, fix)])


def ratio(part_headcount: float, employment_headcount: float) -> float:
    """Return heads relative to employment (ratio), `nan` (np) where there is no employment.

    Examples:
        >>> ratio(165.0, 8000.0)
        0.020625
    """
    return part_headcount / employment_headcount if employment_headcount else math.nan


def hire_rate_pct(hires_count: float, mean_employment_headcount: float) -> float:
    """Return gross hires of a year in % of mean employment, `nan` (np) without employment.

    Examples:
        >>> round(hire_rate_pct(612, 7850), 6)
        7.796178
    """
    return 100 * ratio(hires_count, mean_employment_headcount)


def hard_to_fill_share(hard_to_fill_count: float, projects_count: float) -> float:
    """Return the share of recruitment projects judged hard to fill, `nan` (np) without project.

    Raises:
        RangeError: If there are more hard projects than projects.

    Examples:
        >>> round(hard_to_fill_share(141, 230), 6)
        0.613043
    """
    if hard_to_fill_count > projects_count:
        told = ("more than all projects", "hard projects ≤ projects", "correct the counts")
        raise RangeError([Defect("hard_to_fill_count", *told)])
    return ratio(hard_to_fill_count, projects_count)


def separations(
    mean_employment_headcount: float, exit_rate: float, transfer_rate: float = math.nan
) -> float:
    """Return yearly separations, in heads: exits from employment, and transfers where known.

    A comparator (occupational separations, BLS), not comparable with posts to fill. No French
    rate is assumed.

    Raises:
        RangeError: If the rates are negative or add up to more than 1.

    Examples:
        >>> round(separations(7850, 0.031, 0.054), 6)
        667.25
    """
    transfers = 0.0 if math.isnan(transfer_rate) else transfer_rate
    if not 0 <= exit_rate <= exit_rate + transfers <= 1:
        told = ("rates out of range", "0 ≤ exit, transfer and their sum ≤ 1", "correct the rates")
        raise RangeError([Defect("exit_rate, transfer_rate", *told)])
    return mean_employment_headcount * (exit_rate + transfers)


def separation_openings(separations_headcount: float, net_creation_per_year: float) -> float:
    """Return yearly openings of the comparator, in heads: separations plus net creation.

    Examples:
        >>> separation_openings(667.25, -60.0)
        607.25
    """
    return separations_headcount + net_creation_per_year
