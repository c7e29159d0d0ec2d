"""From one nomenclature to another by explicit weights: totals are kept."""

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect


def convert(
    rows: pd.DataFrame, weights: pd.DataFrame, source: str, target: str, value: str
) -> pd.DataFrame:
    """Return figures by codes of another nomenclature.

    Args:
        rows: `source`, `value`, and columns that stay, such as `year`.
        weights: `source`, `target`, `share`: the shares of a code sum to 1.
        source: Name of the column of codes that figures have.
        target: Name of that which they get.
        value: Name of the figures; where one is missing, so is what it goes into.

    Returns:
        The columns that stay and `target`, with the sums of `value`.

    Raises:
        CoherenceError: With every code that has no weight, or whose shares do not sum to 1.

    Examples:
        >>> rows = pd.DataFrame({"naf_code": ["a", "b"], "year": 2023, "heads": [10.0, 4.0]})
        >>> weights = pd.DataFrame({"naf_code": ["a", "a", "b"], "branch_code": ["x", "y", "y"],
        ...                         "share": [0.25, 0.75, 1.0]})
        >>> convert(rows, weights, "naf_code", "branch_code", "heads")["heads"].tolist()
        [2.5, 11.5]
    """
    shares = weights.groupby(source)["share"].sum()
    codes = rows[source].drop_duplicates()
    wrong = codes[~codes.isin(shares.index)]
    uneven = shares[shares.index.isin(codes) & ((shares - 1).abs() > 1e-6)]
    fix = "complete the table of weights, or leave the code out and say so"
    CoherenceError.refuse(
        Defect(f"{source} {code}", what, "weights that sum to 1", fix)
        for what, listed in (("no weight", wrong), ("weights do not sum to 1", uneven.index))
        for code in listed
    )
    scaled = weights.assign(share=weights["share"] / weights[source].map(shares))
    both = rows.merge(scaled[[source, target, "share"]], on=source)
    both[value] = both[value] * both.pop("share")
    key = [name for name in both if name not in (source, value)]
    is_missing = both[value].isna()
    sums = both.groupby(key, sort=True)[value].sum()
    has_missing = is_missing.groupby([both[name] for name in key], sort=True).any()
    known: pd.DataFrame = sums.mask(has_missing).reset_index()
    return known
