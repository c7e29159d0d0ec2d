"""`protect` a table before it is released, and `audit` all that is released together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import block_array, block_diag, csr_array, eye_array, hstack

from opmq_lib.errors import CoherenceError, ConfidentialityError, Defect
from opmq_lib.methods.disclosure.attack import exposures, extent
from opmq_lib.methods.disclosure.build import Built, build
from opmq_lib.methods.disclosure.graph import (
    OUTSIDER,
    Exposure,
    Graph,
    Margins,
    Numbers,
    Places,
    keys_of,
)
from opmq_lib.methods.disclosure.rules import given, is_hidden, is_own, number
from opmq_lib.methods.disclosure.suppress import suppress
from opmq_lib.params import DisclosureRules

MEASURED: Final = 200
"""Secret figures up to which an audit measures every interval, not those exposed alone."""


class Shares(NamedTuple):
    """Shares or rates released beside the figures.

    Attributes:
        table: Code columns of the numerator, `share_pct`, `rounding` (its step, in points).
        column: Code column that tells the numerator from the denominator.
        whole: Code of the denominator in this column: a total, or the base of a rate.
    """

    table: pd.DataFrame
    column: str
    whole: str


def protect(
    cells: pd.DataFrame,
    margins: Margins,
    rules: DisclosureRules | None,
    earlier: Sequence[pd.DataFrame] = (),
    effort: int = 12,
) -> pd.DataFrame:
    """Return the same rows with what may be released, and the others marked `s`.

    Figures that are secret in themselves (K1) are hidden, and others with them, at least cost, so
    that nobody can work them out closer than `rules` allow (K2): neither from additions and earlier
    editions (K3), nor with what the largest company of a cell knows of itself. The choice is
    optimal where that is proved; `attrs` say what it costs.

    Args:
        cells: Code columns, one row per figure, totals included; `value` (≥ 0), `units_count`,
            `largest_share_pct`; if wanted `origin` (rows `public` pass as their producer marked
            them in `status`), `weight` (what a figure is worth beside its value; 1), `holder_code`
            (code of the largest company), `changed_units_count`, and what `rules.primary` reads.
        margins: By code column, the code of its total, or parent → children, or a list of these
            where a total is cut in several ways. Columns without margin are not added up.
        rules: Thresholds; without any, nothing is released.
        earlier: Earlier editions, oldest first, as `cells` with the `status` that was released.
        effort: How often parts of the choice are chosen again, at most, to be cheaper; 0 for one
            that is safe and no more, as large tables have.

    Returns:
        The rows in their order, `value` empty and `status` `s` where hidden. `attrs`:
        `hidden_value` (cost of the cells hidden for others' sake), `least_value` (what any safe
        choice costs at least), `gap_pct` between them.

    Raises:
        ConfidentialityError: If rules or counts are missing, or no choice is proved safe.
        CoherenceError: If a total is not the sum of its parts.

    Examples:
        >>> cells = pd.DataFrame({"metier_code": ["a", "b", "c", "all"], "value": [8, 20, 30, 58],
        ...     "units_count": [2, 6, 9, 17], "largest_share_pct": [60, 30, 20, 10]})
        >>> protect(cells, {"metier_code": "all"}, DisclosureRules())[["value", "status"]]
           value status
        0    NaN      s
        1    NaN      s
        2   30.0  value
        3   58.0  value
    """
    built = build(cells, margins, given(rules), earlier)
    choice = suppress(built.graph, effort)
    ConfidentialityError.refuse(
        Defect(
            built.names[cell],
            "no choice of hidden cells protects it",
            "a figure that nobody can work out",
            "publish a coarser table, hold the revision back, or withhold this table",
        )
        for cell in sorted(set(choice.weak))
    )
    own, rows = is_own(cells), built.now
    hidden = own & (choice.hidden | built.secret)[rows]
    status = (
        cells["status"].fillna("value") if "status" in cells else pd.Series("value", cells.index)
    )
    released = cells.assign(
        value=cells["value"].astype("float64").mask(hidden | status.ne("value").to_numpy()),
        status=status.mask(hidden, "s"),
    )
    lost = float(built.graph.cost[choice.hidden & built.graph.free].sum())
    least = min(lost, choice.bound)
    gap = 0.0 if lost == 0 else 100 * (lost - least) / lost
    released.attrs = {"hidden_value": lost, "least_value": least, "gap_pct": gap}
    return released


def audit(
    released: pd.DataFrame,
    margins: Margins,
    rules: DisclosureRules | None,
    earlier: Sequence[pd.DataFrame] = (),
    shares: Sequence[Shares] = (),
) -> pd.DataFrame:
    """Return what attackers can work out of each secret figure from everything released together.

    Args:
        released: As `cells` of `protect`, with true values and the `status` that is released;
            `rounding` where values are rounded: the step. Several tables are one, a code column
            telling which.
        margins: As for `protect`.
        rules: Thresholds.
        earlier: As for `protect`.
        shares: Shares and rates released beside the figures.

    Returns:
        One row per secret figure, those of earlier editions and secret changes included: `figure`
        (its codes), `attacker` (`contributor` where a company that knows its own figures sees it
        too closely and an outsider does not, else `outsider`), `lower` and `upper` (what he knows
        of it; empty where it was enough to prove that it is wide), `required_lower` and
        `required_upper`, `is_exposed`, `margin_ratio` (room on its worse side over what is
        required; below 1 it is exposed). The exposed come first, then the nearest misses.

    Raises:
        ConfidentialityError: As `protect`.
        CoherenceError: If a total is not the sum of its parts, or a share not that of its figure,
            or of a figure that is not there.

    Examples:
        >>> cells = pd.DataFrame({"metier_code": ["a", "b", "c", "all"], "value": [8, 20, 30, 58],
        ...     "units_count": [2, 6, 9, 17], "largest_share_pct": [60, 30, 20, 10]})
        >>> margins, rules = {"metier_code": "all"}, DisclosureRules()
        >>> seen = ["figure", "lower", "upper", "is_exposed"]
        >>> released = cells.assign(status=protect(cells, margins, rules)["status"])
        >>> audit(released, margins, rules)[seen]
          figure  lower  upper  is_exposed
        0      a    0.0   28.0       False
        >>> audit(released.assign(status=["s", "value", "value", "value"]), margins, rules)[seen]
          figure  lower  upper  is_exposed
        0      a    8.0    8.0        True
    """
    built = build(released, margins, given(rules), earlier)
    graph, hidden = built.graph, built.graph.forced.copy()
    hidden[built.now] = is_hidden(released) & (graph.free | graph.forced)[built.now]
    graph = _with_rounding(graph, built.now, released)
    for each in shares:
        graph = _with_shares(graph, built, released, each)
    hidden = np.r_[hidden, np.zeros(len(graph.value) - len(hidden), bool)]
    weak = sorted(exposures(graph, hidden), key=lambda each: each.attacker, reverse=True)
    by = {each.cell: each for each in weak}  # an outsider, last, rather than a contributor
    secret = np.flatnonzero((graph.need_up > 0) | (graph.need_down > 0)).tolist()
    rows = []
    for cell in secret:
        worst, room = by.get(cell, Exposure(cell, 1, OUTSIDER)), [np.nan] * 2
        if cell in by or len(secret) <= MEASURED:
            room = [extent(graph, hidden, worst._replace(side=side)) for side in (-1, 1)]
        who = "outsider" if worst.attacker == OUTSIDER else "contributor"
        rows.append((built.names[cell], who, *room, cell in by))
    found = pd.DataFrame(rows, columns=["figure", "attacker", "lower", "upper", "is_exposed"])
    need = graph.need_down[secret], graph.need_up[secret]
    far = found["lower"].to_numpy(), found["upper"].to_numpy()
    ratio = [
        each / np.where(least > 0, least, np.nan) for each, least in zip(far, need, strict=True)
    ]
    value = graph.value[secret]
    return found.assign(
        lower=value - far[0],
        upper=value + far[1],
        required_lower=value - need[0],
        required_upper=value + need[1],
        margin_ratio=np.fmin(*ratio),
        is_exposed=found["is_exposed"].astype(bool),
    ).sort_values(["is_exposed", "margin_ratio"], ascending=[False, True], ignore_index=True)


def _with_rounding(graph: Graph, rows: slice, released: pd.DataFrame) -> Graph:
    """Return the graph with the room that rounding leaves to the figures that are shown."""
    if "rounding" not in released:
        return graph
    step, value = np.nan_to_num(number(released, "rounding")), graph.value[rows]
    shown = step * np.floor(value / np.where(step > 0, step, 1) + 0.5)
    is_rounded = (step > 0) & graph.free[rows] & ~is_hidden(released)
    down, up = graph.down_shown.copy(), graph.up_shown.copy()
    down[rows] = np.where(is_rounded, np.minimum(value - shown + step / 2, value), 0)
    up[rows] = np.where(is_rounded, shown + step / 2 - value, 0)
    return replace(graph, down_shown=down, up_shown=up)


def _with_shares(graph: Graph, built: Built, cells: pd.DataFrame, shares: Shares) -> Graph:
    """Return the graph with two inequalities per share p, rounded to a step r, of x in T.

    x − (p − r/2)/100·T ≥ 0 and (p + r/2)/100·T − x ≥ 0: the left sides are figures of their own.
    """
    keys, size = keys_of(cells), len(graph.value)
    row = pd.Series(
        np.arange(built.now.start, built.now.stop), pd.MultiIndex.from_frame(cells[keys])
    )
    bases = shares.table.assign(**{shares.column: shares.whole})
    x, whole = (
        row.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy(float)
        for table in (shares.table, bases)
    )
    share, step = number(shares.table, "share_pct"), number(shares.table, "rounding")
    kept = ~np.isnan(share)
    CoherenceError.refuse(
        Defect(
            ", ".join(map(str, shares.table[keys].iloc[at])),
            f"a share of `{shares.whole}`, without row for the figure or for what it is a share of",
            "both in the table that is audited",
            "add the row that is missing, or correct the codes",
        )
        for at in np.flatnonzero(kept & np.isnan(x + whole))
    )
    x, whole = x[kept].astype(int), whole[kept].astype(int)
    half = np.nan_to_num(step[kept]) / 2
    ratio = np.r_[share[kept] - half, share[kept] + half] / 100
    sign, line = np.repeat([1.0, -1.0], len(x)), np.arange(2 * len(x))
    at = np.r_[line, line], np.r_[x, x, whole, whole]
    rows = csr_array((np.r_[sign, -sign * ratio], at), shape=(len(line), size))
    value = rows @ graph.value
    CoherenceError.refuse(
        Defect(
            built.names[x[each % len(x)]],
            "its share is not that of the figure",
            "the share of the figure, to its rounding",
            "compute the share again",
        )
        for each in np.flatnonzero(value < -1e-9 * (1 + np.tile(graph.value[whole], 2)))
    )
    return _with_slacks(graph, rows, np.maximum(value, 0), np.tile(x, 2))


def _with_slacks(graph: Graph, rows: csr_array, value: Numbers, like: Places) -> Graph:
    """Return the graph with figures that are shown to be at least 0, each the value of a row."""
    count = len(value)
    more = {
        "value": value,
        "down_shown": value,
        "up_shown": np.full(count, np.inf),
        "room": np.full(count, np.inf),
        "codes": graph.codes[like],
        **{name: np.zeros(count) for name in ("down_hidden", "up_hidden", "need_down", "need_up")},
        **{name: np.zeros(count, bool) for name in ("sole", "free", "forced", "whole")},
        "cost": np.zeros(count),
    }
    unit = eye_array(count)
    lines = block_array([[graph.equations, None], [rows, -unit]])
    return replace(
        graph,
        equations=csr_array(lines),
        attackers=csr_array(
            hstack([graph.attackers, csr_array((graph.attackers.shape[0], count))])
        ),
        kin=csr_array(block_diag([graph.kin, unit])),
        **{name: np.concatenate([getattr(graph, name), added]) for name, added in more.items()},
    )
