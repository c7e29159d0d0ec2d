"""Which figures are secret in themselves, and how little may be known of them (K1, K2)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.methods.disclosure.graph import Flags, Numbers, keys_of
from opmq_lib.params import DisclosureRules

NEEDED = ("value", "units_count", "largest_share_pct")


def names_of(cells: pd.DataFrame) -> list[str]:
    """Return how each row is named to its owner: by its codes, never by its value."""
    keys = cells[keys_of(cells)].astype(str)
    return [", ".join(row) for row in keys.itertuples(index=False)]


def given(rules: DisclosureRules | None) -> DisclosureRules:
    """Return the rules of an edition.

    Raises:
        ConfidentialityError: If it has none.
    """
    if rules is None:
        raise ConfidentialityError.of(
            "parameters/edition.yml, disclosure",
            "no rules say what may be published of the branches' own figures",
            "thresholds, such as min_units: 3 and max_share_pct: 85",
            "write them; until then nothing that rests on own tables is published",
        )
    return rules


def is_hidden(released: pd.DataFrame) -> Flags:
    """Return which rows of a released table have no figure."""
    return released["status"].ne("value").to_numpy()


def is_own(cells: pd.DataFrame) -> Flags:
    """Return which rows are figures of the observatory: not public, not marked as absent."""
    own = np.ones(len(cells), bool)
    if "origin" in cells:
        own &= cells["origin"].ne("public").to_numpy()
    if "status" in cells:
        own &= ~cells["status"].isin(["nd", "np", "nv"]).to_numpy()
    return own


def primary(cells: pd.DataFrame, rules: DisclosureRules) -> Flags:
    """Return which figures are secret in themselves: too few contributors, or one too large (K1).

    A zero without contributor is a true zero and is shown; a zero with contributors says of each
    of them that he has none, and is treated as any figure.

    Args:
        cells: `value`, `units_count`, `largest_share_pct`; `origin` where some rows are public.
            Where they are given: `second_share_pct` (p-percent rule: the others make less than
            `protection_pct` % of the largest, which the second then knows too well),
            `employees_count`, `largest_payroll_share_pct`, `fiscal_units_count`.
        rules: Thresholds.

    Raises:
        ConfidentialityError: If anything that a rule needs is missing or impossible.

    Examples:
        >>> cells = pd.DataFrame({"metier_code": ["a", "b", "c"], "value": [69, 60, 0],
        ...     "units_count": [3, 3, 0], "largest_share_pct": [87, 83, None]})
        >>> primary(cells, DisclosureRules()).tolist()  # W9 of the methodology, and a true zero
        [True, False, False]
    """
    ConfidentialityError.refuse(_defects(cells))
    own = is_own(cells)
    units, largest = number(cells, "units_count"), number(cells, "largest_share_pct")
    secret = (units < rules.min_units) | (largest > rules.max_share_pct)
    if "second_share_pct" in cells:
        rest = 100 - largest - number(cells, "second_share_pct")
        secret |= rest < rules.protection_pct / 100 * largest
    if "employees_count" in cells:
        secret |= number(cells, "employees_count") < rules.min_employees
    if "largest_payroll_share_pct" in cells:
        secret |= number(cells, "largest_payroll_share_pct") > rules.max_payroll_share_pct
    if "fiscal_units_count" in cells:
        secret |= number(cells, "fiscal_units_count") < rules.min_fiscal_units
    return np.asarray(own & (units > 0) & secret, bool)


def needs(value: Numbers, whole: Flags, rules: DisclosureRules) -> tuple[Numbers, Numbers]:
    """Return how far below and above the truth a secret figure must seem possible (K2).

    x is safe if what is known of it, [lo, hi], has lo ≤ 0.85 x and hi ≥ max(1.15 x, n₀), n₀ being
    the least number of employees that is published. Steps of whole numbers are whole.

    Examples:
        >>> below, above = needs(np.array([3.0, 20.0]), np.array([True, True]), DisclosureRules())
        >>> below.tolist(), above.tolist()
        ([1.0, 3.0], [2.0, 3.0])
    """
    step = value * rules.protection_pct / 100
    above = np.maximum(step, rules.min_employees - value)
    below, above = (np.where(whole, np.ceil(each - 1e-9), each) for each in (step, above))
    return below, above


def number(cells: pd.DataFrame, column: str) -> Numbers:
    """Return a column as numbers, missing ones as NaN."""
    return np.asarray(cells[column].astype("Float64").to_numpy(na_value=np.nan), dtype=np.float64)


def _defects(cells: pd.DataFrame) -> Iterator[Defect]:
    missing = [column for column in NEEDED if column not in cells]
    if missing:
        yield Defect(
            "the table to protect",
            f"no column {', '.join(missing)}",
            "a value, the number of contributors and the share of the largest, for each figure",
            "count the companies behind each figure when the table is made",
        )
        return
    own, names = is_own(cells), np.array(names_of(cells), dtype=object)
    value, units, largest = (number(cells, column) for column in NEEDED)
    fix = "complete or correct the row; what is not counted cannot be released"
    wrong = {
        "two rows for one figure": pd.Series(names).duplicated().to_numpy(),
        "no value, or a negative one": own & ~(value >= 0),
        "no number of contributors": own & ~((units >= 0) & (units % 1 == 0)),
        "a value without contributor": own & (units == 0) & (value > 0),
        "no share of the largest contributor": own & (value > 0)
        & ~((largest > 0) & (largest <= 100 + 1e-9)),
    }  # fmt: skip
    for column in ("second_share_pct", "employees_count", "largest_payroll_share_pct",
                   "fiscal_units_count"):  # fmt: skip
        if column in cells:
            wrong[f"no {column}"] = own & (value > 0) & ~(number(cells, column) >= 0)
    for what, rows in wrong.items():
        for name in names[rows]:
            yield Defect(name, what, "a figure whose contributors are counted", fix)
