"""How many companies each size band of a branch has: what requests are related to."""

from typing import Final

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect

BANDS: Final = ("1_9", "10_49", "50_249", "250_plus", "unknown")
"""Bands that add up to all companies."""
UNDER_50: Final = ("1_9", "10_49")
GROUPS: Final = {
    "under_50": UNDER_50,
    "50_plus": ("50_249", "250_plus"),
    "all": BANDS,
}
"""Groups of bands; « under_50 » is the focus of the review."""

_SHARES: Final = {
    "1_9": ("share_firms_under_10_pct",),
    "10_49": ("share_firms_10_to_19_pct", "share_firms_20_to_49_pct"),
    "50_249": ("share_firms_50_to_99_pct", "share_firms_100_to_249_pct"),
    "250_plus": ("share_firms_250_to_499_pct", "share_firms_500_or_more_pct"),
}


def firms(branch_headcount: pd.DataFrame, own: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the companies of each branch and size band.

    Args:
        branch_headcount: Published portraits, one row per convention: `branch_code`,
            `firms_main_idcc_count` and the share of each band, in %.
        own: Table `company_counts`: the user's own counts; they replace a branch's portrait
            entirely.

    Returns:
        `branch_code`, `size_band`, `firms_count` (not rounded: the shares are published to four
        decimals, the counts to ten), bands and groups of `GROUPS`; branches without portrait nor
        own counts have no row. `50_plus` is only there with its two bands.

    Source:
        Dares, Portraits statistiques de branche.

    Examples:
        >>> shares = {name: [25.0] for names in _SHARES.values() for name in names[:1]}
        >>> shares |= {name: [0.0] for names in _SHARES.values() for name in names[1:]}
        >>> table = pd.DataFrame(
        ...     {"branch_code": ["verre"], "firms_main_idcc_count": [200], **shares})
        >>> firms(table).set_index("size_band")["firms_count"].to_dict()
        {'1_9': 50.0, '10_49': 50.0, '50_249': 50.0, '250_plus': 50.0, 'under_50': 100.0, \
'50_plus': 100.0, 'all': 200.0}
    """
    counts = branch_headcount["firms_main_idcc_count"].astype("float64")
    by_band = {
        band: counts * branch_headcount[list(names)].sum(axis=1) / 100
        for band, names in _SHARES.items()
    }
    published = pd.DataFrame({"branch_code": branch_headcount["branch_code"], **by_band})
    published = published.melt("branch_code", var_name="size_band", value_name="firms_count")
    if own is not None and not own.empty:
        published = published[~published["branch_code"].isin(own["branch_code"])]
        published = pd.concat([published, own[["branch_code", "size_band", "firms_count"]]])
    keys = ["branch_code", "size_band"]
    sums = published.groupby(keys)["firms_count"].sum().unstack("size_band")
    sums = sums.reindex(columns=list(BANDS[:-1]))
    for group, bands in GROUPS.items():
        sums[group] = sums[[band for band in bands if band != "unknown"]].sum(axis=1, skipna=False)
    long = sums.reset_index().melt("branch_code", var_name="size_band", value_name="firms_count")
    return long.dropna(ignore_index=True).astype({"firms_count": "float64", "size_band": "str"})


def refuse_too_few(companies: pd.DataFrame, firms_by_band: pd.DataFrame) -> None:
    """Refuse a register in which more companies ask than a band has.

    Args:
        companies: `branch_code`, `size_band`, `companies_count` of the register.
        firms_by_band: From `firms`.

    Raises:
        CoherenceError: Naming every branch and band; counts are not shown.
    """
    both = companies.merge(firms_by_band, on=["branch_code", "size_band"])
    wrong = both[both["companies_count"] > both["firms_count"] + 10]  # counts published to ten
    CoherenceError.refuse(
        Defect(
            where=f"register of requests, {row.branch_code}, band {row.size_band}",
            what="more companies ask than the branch has",
            expected="at most the companies of the branch's portrait",
            fix="correct branches and bands, or supply the branch's own `company_counts`",
        )
        for row in wrong.itertuples()
    )
