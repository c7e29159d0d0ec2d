"""The composite index (T1), from components that a user supplies and a registered reference."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.errors import CoherenceError, DataError, Defect, RangeError, VintageError, gather
from opmq_lib.methods.tension.published import class_range

WEIGHTS = {"hard_to_fill_share": 0.50, "offers_per_seeker_ratio": 0.30, "exit_rate": 0.20}
"""Weights of the three components; source: Dares, as in StatDares/PortraitStatMetiers."""
KEYS = ("metier_code", "nomenclature", "region_code", "year")
LEAST_CELLS = 5
"""Cells below which the variance between them is not estimated; source: convention, T3."""


def composite_index(components: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the composite tension index T = Σ weight · z and its three terms.

    Args:
        components: `KEYS`, the columns of `WEIGHTS` (shares and rates from 0 to 1, offers per
            job seeker) and `reference_code`, the reference that they ask for.
        reference: One row per component: `component, mean, standard_deviation, reference_code,
            nomenclature`, from a release of the producer; nothing is estimated here.

    Returns:
        `KEYS`, `tension_index`, `z_<component>` and the range of classes `class_lowest`,
        `class_highest`, one row per row of `components`. A missing component makes the index
        missing: weights are not redistributed.

    Raises:
        VintageError: If the reference is not the one that the components name, is of another
            nomenclature, or if a component has no reference.
        RangeError: If a standard deviation is not above 0.

    Source:
        Methodology, T1.

    Examples:
        >>> keys = {"metier_code": ["D1Z41"], "nomenclature": "FAP-2009", "region_code": "FM",
        ...         "year": 2019, "reference_code": "r"}
        >>> x = {"hard_to_fill_share": [0.61], "offers_per_seeker_ratio": [1.40],
        ...      "exit_rate": [0.098]}
        >>> reference = pd.DataFrame({"component": list(x), "mean": [0.42, 0.95, 0.085],
        ...     "standard_deviation": [0.14, 0.60, 0.02], "reference_code": "r",
        ...     "nomenclature": "FAP-2009"})
        >>> found = composite_index(pd.DataFrame(keys | x), reference)
        >>> found[["tension_index", "class_lowest"]].round(6).to_numpy().tolist()
        [[1.033571, 5.0]]
    """
    _check_reference(components, reference)
    known = reference.set_index("component")
    z = {
        name: (components[name].astype(float) - float(known["mean"].loc[name]))
        / float(known["standard_deviation"].loc[name])
        for name in WEIGHTS
    }
    terms = [weight * z[name] for name, weight in WEIGHTS.items()]
    index = terms[0] + terms[1] + terms[2]
    lowest, highest = class_range(index)
    named = {f"z_{name}": values for name, values in z.items()}
    return components[list(KEYS)].assign(
        tension_index=index, **named, class_lowest=lowest, class_highest=highest
    )


def shrunk(
    values: Sequence[float], variances: Sequence[float], centres: Sequence[float]
) -> pd.DataFrame:
    """Return small cells drawn towards their national value, with the weight they keep.

    The variance between cells is estimated by moments on the deviations from the national values:
    their mean square less the mean sampling variance, never below 0.

    Args:
        values: Measured index of each cell, without unit.
        variances: Their sampling variances.
        centres: National index of each cell's métier.

    Returns:
        `value` (T̃ = μ₀ + B(T - μ₀)) and `weight` (B = τ²/(τ²+v)), one row per cell. Under
        `LEAST_CELLS` cells the national value stands alone: B = 0.

    Raises:
        RangeError: If a variance is negative.

    Source:
        Methodology, T3.

    Examples:
        >>> shrink_one(1.033571, 0.16, 0.40, 0.09)
        (0.628086, 0.36)
        >>> shrunk([1.0, 0.2], [0.1, 0.1], [0.4, 0.3])["weight"].tolist()
        [0.0, 0.0]
    """
    measured, variance, centre = (np.asarray(each, float) for each in (values, variances, centres))
    if (variance < 0).any():
        defect = Defect("tension_variance", "a negative variance", "≥ 0", "correct the variances")
        raise RangeError([defect])
    between = 0.0
    if len(measured) >= LEAST_CELLS:
        between = max(0.0, float(np.mean((measured - centre) ** 2 - variance)))
    total = between + variance
    weight = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return pd.DataFrame({"value": centre + weight * (measured - centre), "weight": weight})


def shrink_one(value: float, variance: float, centre: float, between: float) -> tuple[float, float]:
    """Return one cell drawn towards its centre and the weight it keeps, both to six digits."""
    weight = between / (between + variance)
    return round(centre + weight * (value - centre), 6), round(weight, 6)


def branch_index(
    shares: pd.DataFrame, tension_index: pd.Series, least_coverage: float = 0.80
) -> dict[str, float]:
    """Return the composition of national tensions by a branch's métiers (T3).

    It is no tension measured in the branch. Métiers without index are left out and the shares of
    the others scaled up; the part covered is told, and under `least_coverage` there is no index.

    Args:
        shares: `metier_code`, `value` (share of the branch's métiers, summing to 1), and `lower`,
            `upper`, missing on observed tables.
        tension_index: National index by `metier_code`.
        least_coverage: Share of the métiers' employment that must have an index; source:
            convention, T3.

    Returns:
        `value`, `lower`, `upper` (index without unit, NaN under the coverage) and `coverage`
        (0 to 1). The range holds all compositions whose shares keep within their own ranges, and
        always holds `value`.

    Raises:
        CoherenceError: If the shares do not sum to 1.

    Examples:
        >>> shares = pd.DataFrame({"metier_code": ["A", "B", "C"], "value": [0.35, 0.45, 0.20],
        ...     "lower": None, "upper": None})
        >>> found = branch_index(shares, pd.Series({"A": 1.033571428571, "B": -0.10, "C": 0.30}))
        >>> round(found["value"], 6), found["coverage"], found["lower"] == found["value"]
        (0.37675, 1.0, True)
    """
    part = shares["value"].astype(float)
    if abs(part.sum() - 1) > 1e-9:
        defect = Defect(
            "shares", "they do not sum to 1", "shares that sum to 1", "scale them", f"{part.sum()}"
        )
        raise CoherenceError([defect])
    national = shares["metier_code"].map(tension_index).astype(float)
    known = national.notna()
    coverage = float(part[known].sum())
    if coverage < least_coverage:
        return {"value": np.nan, "lower": np.nan, "upper": np.nan, "coverage": coverage}
    levels = national[known].to_numpy()
    value = float((part[known].to_numpy() * levels).sum() / coverage)
    least = shares["lower"].astype(float).fillna(part)[known].to_numpy()
    most = shares["upper"].astype(float).fillna(part)[known].to_numpy()
    lower, upper = _extreme(levels, least, most), -_extreme(-levels, least, most)
    return {
        "value": value,
        "lower": min(lower, value),
        "upper": max(upper, value),
        "coverage": coverage,
    }


def _extreme(levels: np.ndarray, least: np.ndarray, most: np.ndarray) -> float:
    """Return the smallest mean of `levels` whose unscaled weights lie between their bounds.

    At the optimum the weights of the lowest levels are at their most and the others at their
    least, so trying every such split finds it.
    """
    order = np.argsort(levels, kind="stable")
    level, low, high = levels[order], np.minimum(least, most)[order], most[order]
    tops = np.concatenate([[0.0], np.cumsum(high * level)])
    rest = np.concatenate([np.cumsum((low * level)[::-1])[::-1], [0.0]])
    weights = np.concatenate([[0.0], np.cumsum(high)])
    weights += np.concatenate([np.cumsum(low[::-1])[::-1], [0.0]])
    means = np.divide(tops + rest, weights, out=np.full_like(weights, np.inf), where=weights > 0)
    return float(means.min())


def duncan(offers: Sequence[float], seekers: Sequence[float]) -> float:
    """Return the geographic mismatch ½ Σ |o/O - d/D|, from 0 to 1 (T2).

    Args:
        offers: Offers by region.
        seekers: Job seekers by region, in the same order.

    Returns:
        NaN where there is no offer or no seeker at all.

    Examples:
        >>> round(duncan([0.5, 0.3, 0.2], [0.35, 0.25, 0.40]), 6)
        0.2
        >>> duncan([0, 0], [1, 2])
        nan
    """
    o, d = np.asarray(offers, float), np.asarray(seekers, float)
    if o.sum() == 0 or d.sum() == 0:
        return float("nan")
    return float(np.abs(o / o.sum() - d / d.sum()).sum() / 2)


def _check_reference(components: pd.DataFrame, reference: pd.DataFrame) -> None:
    errors: list[DataError] = []

    def vintage(what: str, fix: str, value: str | None = None) -> None:
        expected = "the registered reference of these components, whole"
        errors.append(VintageError([Defect("tension reference", what, expected, fix, value)]))

    missing = [name for name in WEIGHTS if name not in set(reference["component"])]
    if missing:
        vintage(f"no mean nor standard deviation for {', '.join(missing)}", "add these lines")
    registered = set(reference["reference_code"])
    for code in sorted(set(components["reference_code"]) - registered):
        vintage("the components ask for another one", "supply the reference they name", code)
    if len(registered) > 1:
        vintage("several references in one table", "keep one", ", ".join(sorted(registered)))
    for name in sorted(set(components["nomenclature"]) - set(reference["nomenclature"])):
        vintage("the components are in another nomenclature", "use the one of the release", name)
    for row in reference[~(reference["standard_deviation"] > 0)].itertuples():
        defect = Defect(
            where=f"tension reference, {row.component}",
            what="the standard deviation is not above 0",
            expected="> 0",
            fix="copy it from the release",
            value=f"{row.standard_deviation}",
        )
        errors.append(RangeError([defect]))
    if errors:
        raise gather(errors)
