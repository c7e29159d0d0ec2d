"""What Dares' portraits say of a group of collective agreements, added up or averaged."""

import numpy as np
import pandas as pd

FTE, FIRMS = "employees_fte", "firms_main_idcc_count"
_SUMS = {
    "employees_headcount": ("employees_headcount", "headcount"),
    FTE: ("employees_fte", "fte"),
    FIRMS: ("firms_count", "firms"),
    "establishments_main_idcc_count": ("establishments_count", "establishments"),
}
SIZES = ("under_10", "10_to_19", "20_to_49", "50_to_99", "100_to_249", "250_to_499", "500_or_more")
_CLASSES = ("managers", "intermediate", "clerks", "workers")
_WAGE, _NEAR, _GAP = "wage_eur_per_month", "under_1_05_smic_share_pct", "wage_gap_pct"


def branch_facts(headcount: pd.DataFrame, branch_code: str, together: str) -> pd.DataFrame:
    """Return the facts of a branch, then those of all agreements that have a portrait.

    Heads, firms and establishments add up (by main agreement); shares of firms are weighted by
    firms, the mean wage by full-time equivalents: all exact. Where several agreements publish it,
    the rest is an estimate: wages of women and men are weighted by the full-time equivalents of
    each sex that the three published means imply; what classes earn, and shares near the minimum
    wage, by the full-time equivalents of the whole agreement, as theirs are not published.

    Args:
        headcount: Table `branch_headcount`: one row per agreement, of one year; a column that is
            absent is not published.
        branch_code: A branch that has a row.
        together: Code that stands for all of them.

    Returns:
        Indicator rows of both: `employees_headcount`, `employees_fte`, `firms_count`,
        `establishments_count`, `wage_gap_pct` (women against men), and by `level`
        `firms_share_pct` (size), `wage_eur_per_month` (net, full-time equivalent; all, sex, class)
        and `under_1_05_smic_share_pct` (as wages). A value is missing where no agreement
        publishes it.

    Examples:
        Half of the first agreement's full-time equivalents are women's, three quarters of the
        second's:

        >>> table = pd.DataFrame({"branch_code": ["verre", "verre"], "year": 2020,
        ...     "employees_headcount": [90.0, 30.0], "employees_fte": [60.0, 40.0],
        ...     "firms_main_idcc_count": 4, "establishments_main_idcc_count": 5,
        ...     "wage_all_eur_per_month": [2000.0, 2500.0],
        ...     "wage_women_eur_per_month": [1900.0, 2400.0],
        ...     "wage_men_eur_per_month": [2100.0, 2800.0]})
        >>> facts = branch_facts(table, "verre", "ensemble").query("branch_code == 'verre'")
        >>> wages = facts.set_index("level").query("indicator == 'wage_eur_per_month'")
        >>> wages.loc[["all", "women", "men"], "value"].tolist()
        [2200.0, 2150.0, 2275.0]
        >>> wages.loc[["all", "women", "men"], "nature"].tolist()
        ['observed', 'estimate', 'estimate']
    """
    own = headcount[headcount["branch_code"] == branch_code]
    groups = {branch_code: own, together: headcount}
    rows = [_facts(group).assign(branch_code=code) for code, group in groups.items()]
    return pd.concat(rows, ignore_index=True).assign(
        year=int(headcount["year"].max()), source_code="dares_portraits_branches"
    )


def _facts(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.join(_by_sex(rows))
    sums = [
        (indicator, "", rows[column].sum(min_count=1), "observed", unit)
        for column, (indicator, unit) in _SUMS.items()
    ]
    weights = dict.fromkeys(_CLASSES, FTE) | {sex: f"{FTE}_{sex}" for sex in ("women", "men")}
    sizes = {size: (f"share_firms_{size}_pct", FIRMS) for size in SIZES}
    wages = {who: (f"wage_{who}_eur_per_month", weight) for who, weight in weights.items()}
    near = {who: (f"share_under_1_05_smic_{who}_pct", weight) for who, weight in weights.items()}
    means = [
        *_means(rows, "firms_share_pct", sizes),
        *_means(rows, _WAGE, {"all": ("wage_all_eur_per_month", FTE)} | wages),
        *_means(rows, _NEAR, {"all": ("share_under_1_05_smic_pct", FTE)} | near),
    ]
    columns = ["indicator", "level", "value", "nature", "unit"]
    facts = pd.DataFrame([*sums, *means], columns=columns)
    return pd.concat([facts, _gap(rows, facts)], ignore_index=True)


def _means(
    rows: pd.DataFrame, indicator: str, columns: dict[str, tuple[str, str]]
) -> list[tuple[str, str, float, str, str]]:
    """Return the mean of each column, by level: (column, weights)."""
    unit = "eur_per_month" if indicator == _WAGE else "pct"
    found = []
    for level, (column, weight) in columns.items():
        known = rows.reindex(columns=[column, weight]).dropna()
        parts = known[column] * (known[weight] / known[weight].sum())
        value = parts.sum(min_count=1)
        is_exact = len(known) < 2 or weight == FIRMS or (indicator, level) == (_WAGE, "all")
        found.append((indicator, level, value, "observed" if is_exact else "estimate", unit))
    return found


def _by_sex(rows: pd.DataFrame) -> pd.DataFrame:
    """Return full-time equivalents of women and men: those that give the mean wage of all."""
    everybody, women, men = (
        rows.get(f"wage_{who}_eur_per_month", pd.Series(np.nan, rows.index))
        for who in ("all", "women", "men")
    )
    share = ((men - everybody) / (men - women).where(men != women)).clip(0, 1).fillna(0.5)
    return pd.DataFrame({f"{FTE}_women": share * rows[FTE], f"{FTE}_men": (1 - share) * rows[FTE]})


def _gap(rows: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the wage gap: the published one of a single agreement, else that of the means."""
    wages = facts[facts["indicator"] == _WAGE].set_index("level")["value"]
    is_published = len(rows) == 1 and _GAP in rows
    value = rows[_GAP].iloc[0] if is_published else 100 * (wages["women"] / wages["men"] - 1)
    nature = "observed" if is_published else "estimate"
    return pd.DataFrame(
        {"indicator": [_GAP], "level": "", "value": value, "nature": nature, "unit": "pct"}
    )
