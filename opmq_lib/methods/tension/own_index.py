"""The index that a branch's own components give (T1), and small cells drawn to the nation (T3)."""

import pandas as pd

from opmq_lib.errors import Defect, VintageError
from opmq_lib.methods.tension.published import INDEX

WEIGHTS = {"hard_to_fill_share": 0.50, "offers_per_seeker_ratio": 0.30, "exit_rate": 0.20}
"""Weights of the three components; source: Dares, as in StatDares/PortraitStatMetiers."""
LEAST_CELLS = 5
"""Cells below which the variance between them is not estimated; source: convention, T3."""


def own_index(
    components: pd.DataFrame, reference: pd.DataFrame, national: pd.Series
) -> pd.DataFrame:
    """Return the index that a branch's own components give, as indicator rows.

    Args:
        components: As for `composite_index`, with `metier_code`, `region_code`, `year`, `origin`,
            `source_code` and, where cells are small, `tension_variance`.
        reference: As for `composite_index`.
        national: Published national index by `metier_code`.

    Returns:
        `composite_tension_index` and its terms `composite_z_<component>`; of the cells that have a
        variance and a national index also `composite_tension_index_shrunk` and `shrinkage_weight`.

    Raises:
        VintageError: As for `composite_index`.
    """
    keys = ["metier_code", "region_code", "year", "origin", "source_code"]
    cells = composite_index(components, reference)
    terms = cells.melt(keys, [INDEX, *(f"z_{name}" for name in WEIGHTS)], "indicator", "value")
    parts = [terms.assign(indicator="composite_" + terms["indicator"])]
    if "tension_variance" in cells:
        cells["national_index"] = cells["metier_code"].map(national).astype(float)
        small = shrunk(cells.dropna(subset=[INDEX, "tension_variance", "national_index"]))
        small = small.rename(columns={"tension_index_shrunk": "composite_tension_index_shrunk"})
        names = ["composite_tension_index_shrunk", "shrinkage_weight"]
        parts.append(small.melt(keys, names, "indicator", "value"))
    rows = pd.concat(parts, ignore_index=True)
    unit = rows["indicator"].map({"shrinkage_weight": "ratio"}).fillna("index")
    return rows.assign(unit=unit, nature="estimate")


def composite_index(components: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the composite tension index T = Σ weight · z and its three terms.

    Args:
        components: Rows of `tension_components`: the columns of `WEIGHTS` (shares and rates from 0
            to 1, offers per job seeker) and `reference_code`, the reference that they ask for.
        reference: One row per component: `component, mean, standard_deviation, reference_code,
            nomenclature`, from a release of the producer; nothing is estimated here.

    Returns:
        `components` with `tension_index` and `z_<component>`. A missing component makes the index
        missing: weights are not redistributed.

    Raises:
        VintageError: If the reference is not the one that the components name, is of another
            nomenclature, or if a component has no reference.

    Source:
        Methodology, T1.

    Examples:
        >>> keys = {"metier_code": ["D1Z41"], "nomenclature": "FAP-2009", "reference_code": "r"}
        >>> x = {"hard_to_fill_share": [0.61], "offers_per_seeker_ratio": [1.40],
        ...      "exit_rate": [0.098]}
        >>> reference = pd.DataFrame({"component": list(x), "mean": [0.42, 0.95, 0.085],
        ...     "standard_deviation": [0.14, 0.60, 0.02], "reference_code": "r",
        ...     "nomenclature": "FAP-2009"})
        >>> composite_index(pd.DataFrame(keys | x), reference)["tension_index"].round(6).tolist()
        [1.033571]
    """
    _check_reference(components, reference)
    known = reference.set_index("component").loc[list(WEIGHTS), ["mean", "standard_deviation"]]
    z = (components[list(WEIGHTS)].astype(float) - known["mean"]) / known["standard_deviation"]
    index = z.mul(pd.Series(WEIGHTS)).sum(axis="columns", skipna=False)
    return components.assign(tension_index=index, **z.add_prefix("z_"))


def shrunk(cells: pd.DataFrame) -> pd.DataFrame:
    """Return small cells drawn towards their national value, with the weight they keep.

    The variance between cells is estimated by moments on the deviations from the national values:
    their mean square less the mean sampling variance, never below 0.

    Args:
        cells: `tension_index` (without unit), `tension_variance` (its sampling variance) and
            `national_index` of each cell's métier.

    Returns:
        `cells` with `tension_index_shrunk` (T̃ = μ₀ + B(T - μ₀)) and `shrinkage_weight`
        (B = τ²/(τ²+v)). Under `LEAST_CELLS` cells the national value stands alone: B = 0.

    Source:
        Methodology, T3.

    Examples:
        >>> cells = pd.DataFrame({"tension_index": [1.4, -0.6, 1.4, -0.6, 1.4],
        ...     "tension_variance": 0.2, "national_index": 0.4})
        >>> shrunk(cells)[["tension_index_shrunk", "shrinkage_weight"]].round(6).iloc[0].tolist()
        [1.2, 0.8]
        >>> shrunk(cells.head(4))["shrinkage_weight"].tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    centre, variance = cells["national_index"], cells["tension_variance"]
    deviation = cells["tension_index"] - centre
    between = max(0.0, float((deviation**2 - variance).mean())) if len(cells) >= LEAST_CELLS else 0
    weight = (between / (between + variance)).fillna(0.0)
    return cells.assign(tension_index_shrunk=centre + weight * deviation, shrinkage_weight=weight)


def _check_reference(components: pd.DataFrame, reference: pd.DataFrame) -> None:
    defects = []

    def add(what: str, fix: str, value: str | None = None) -> None:
        expected = "the registered reference of these components, whole"
        defects.append(Defect("tension reference", what, expected, fix, value))

    lacking = [name for name in WEIGHTS if name not in set(reference["component"])]
    if lacking:
        add(f"no mean nor standard deviation for {', '.join(lacking)}", "add these lines")
    registered = set(reference["reference_code"])
    for code in sorted(set(components["reference_code"]) - registered):
        add("the components ask for another one", "supply the reference they name", code)
    if len(registered) > 1:
        add("several references in one table", "keep one", ", ".join(sorted(registered)))
    for name in sorted(set(components["nomenclature"]) - set(reference["nomenclature"])):
        add("the components are in another nomenclature", "use the one of the release", name)
    VintageError.refuse(defects)
