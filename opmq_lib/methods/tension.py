"""Recruitment tension per métier: published (T1, T2), from the BMO survey, for a branch (T3).

The published index is carried, never re-estimated; the survey stands apart, its secret cells give
bounds. An index is computed only from components and a reference that a branch supplies. FAP-2009
and FAP-2021 are two lists: some codes exist in both and mean something else (`G0A40` among them),
so nothing passes from one to the other without a crosswalk.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import CoherenceError, Defect, VintageError
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.indicators import WHOLE_COUNTRY, last_year

Floats = npt.NDArray[np.floating]

OLD, NEW = "FAP-2009", "FAP-2021"
INDEX, CLASS = "tension_index", "tension_class"
UNITS = {INDEX: "index", CLASS: "class_1_to_5"} | dict.fromkeys(FACTORS, "quintile_1_to_5")
TENSE_FROM_CLASS = 4
"""Published class from which a métier is said to be in tension; source: convention."""

SECRET_CELL_BELOW = 5
COUNTS = [
    "projects_count",
    "projects_secret_cells_count",
    "hard_to_fill_count",
    "hard_to_fill_secret_cells_count",
]
LEAST_BASINS = 10
"""Fewest ROME × basin pairs of a share: under it the share says nothing (convention)."""

WEIGHTS = {"hard_to_fill_share": 0.50, "offers_per_seeker_ratio": 0.30, "exit_rate": 0.20}
"""Weights of the three components; source: Dares, as in StatDares/PortraitStatMetiers."""
LEAST_COVERAGE = 0.80
"""Share of a branch's employment whose métiers must have an index; source: convention, T3."""
LEAST_CELLS = 5
"""Cells below which the variance between them is not estimated; source: convention, T3."""


# --- published -----------------------------------------------------------------------------------


def published_index(tension: pd.DataFrame) -> pd.DataFrame:
    """Return the published tension index, class and six factors as indicator rows.

    Class and factors are those of the last year, the only one for which the producer gives them.

    Args:
        tension: One row per `metier_code`, `year` with the columns of `UNITS`; the index is centred
            and scaled on 2014–2018, class and factors go from 1 to 5.

    Returns:
        One row per métier, year and indicator: `metier_code, year, indicator, value, unit,
        source_code`, in the order of the input and of `UNITS`.

    Source:
        Dares, Les tensions sur le marché du travail (edition of 2019, FAP-2009).

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["D2Z41"], "year": [2019],
        ...     **{name: [1.0] for name in UNITS}})
        >>> published_index(table)["indicator"].head(2).tolist()
        ['tension_index', 'tension_class']
    """
    rows = _indicators(tension, ["metier_code", "year"], list(UNITS), "dares_tensions")
    rows = rows[(rows["indicator"] == INDEX) | (rows["year"] == rows["year"].max())]
    ordered: pd.DataFrame = rows.sort_index(kind="stable").reset_index(drop=True)
    return ordered


def regional_index(regions: pd.DataFrame) -> pd.DataFrame:
    """Return the published index and class of each region as indicator rows.

    A class that the producer does not give is not derived from the index. Without a class the
    producer repeats a national or common index: it measures no region and is left out.

    Args:
        regions: `metier_code, region_code, year, tension_index, tension_class`.

    Returns:
        One row per métier, region and indicator (`regional_tension_index`,
        `regional_tension_class`).

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["D2Z41"], "region_code": "84", "year": 2019,
        ...     "tension_index": [0.7], "tension_class": [None]})
        >>> regional_index(table)[["indicator", "value"]].to_numpy().tolist()
        [['regional_tension_index', nan], ['regional_tension_class', nan]]
    """
    known = regions.assign(tension_index=regions[INDEX].where(regions[CLASS].notna()))
    keys = ["metier_code", "region_code", "year"]
    rows = _indicators(known, keys, [INDEX, CLASS], "dares_tensions_regions")
    return rows.assign(indicator="regional_" + rows["indicator"])


def high_tension_basins(basins: pd.DataFrame, fap_rome: pd.DataFrame) -> pd.DataFrame:
    """Return, by métier, the share of published basins in class 4 or 5, in %.

    The unit counted is a ROME record in a basin. A ROME tied to several métiers counts for each
    of them: the share is a fact about its ROME records, not about the métier's hires.

    Args:
        basins: `rome_code, year, basins_count, high_tension_basins_count`.
        fap_rome: `metier_code, rome_code`.

    Returns:
        `high_tension_basins_share_pct`, one indicator row per métier that has a published basin;
        missing under `LEAST_BASINS`.

    Source:
        Pôle emploi, tension by ROME and basin, 2021 (copy of Mobiville).

    Examples:
        >>> basins = pd.DataFrame({"rome_code": ["H2903", "H2901"], "year": 2021,
        ...     "basins_count": [12, 4], "high_tension_basins_count": [10, 2]})
        >>> links = pd.DataFrame({"metier_code": "D1Z41", "rome_code": ["H2903", "H2901"]})
        >>> high_tension_basins(basins, links)["value"].tolist()
        [75.0]
    """
    linked = fap_rome.merge(basins, on="rome_code").groupby(["metier_code", "year"], sort=True)
    sums = linked[["basins_count", "high_tension_basins_count"]].sum().astype(float).reset_index()
    share = 100 * sums["high_tension_basins_count"] / sums["basins_count"]
    return sums[["metier_code", "year"]].assign(
        region_code=WHOLE_COUNTRY,
        indicator="high_tension_basins_share_pct",
        value=share.where(sums["basins_count"] >= LEAST_BASINS),
        unit="pct",
        source_code="pe_tensions_bassins",
    )


def tension_profiles(tension: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return why each métier in tension is so: the profiles whose conditions all hold.

    Args:
        tension: Published class and factors, as for `published_index`; the last year counts.
        profiles: Rows of `tension_profiles`: in `<factor>_range` a quintile (`4`), a range (`4-5`)
            or nothing.

    Returns:
        `tension_profile`, one indicator row per métier of class `TENSE_FROM_CLASS` or more and
        profile (`variant`), worth the profile's place in the table. A condition on a missing factor
        does not hold: a blank is no middle.

    Source:
        Convention of the project (`parameters/tables/tension_profiles.csv`), not an official
        typology; factors: methodology, T2.

    Examples:
        >>> table = pd.DataFrame({"profile_code": ["training"]} | {
        ...     f"{name}_range": [""] for name in FACTORS} | {"labour_shortage_range": ["4-5"]})
        >>> tension = pd.DataFrame({"metier_code": ["A", "B"], "year": 2019, "tension_class": 5} |
        ...     {name: None for name in FACTORS} | {"labour_shortage": [4, None]})
        >>> tension_profiles(tension, table)[["metier_code", "variant"]].to_numpy().tolist()
        [['A', 'training']]
    """
    latest = last_year(tension)
    tense = latest[latest[CLASS].astype(float) >= TENSE_FROM_CLASS]
    pairs = tense.merge(profiles.assign(place=range(1, len(profiles) + 1)), how="cross")
    holds = pd.Series(True, index=pairs.index)
    for name in FACTORS:
        ends = pairs[f"{name}_range"].astype("str").str.extract("([1-5])-?([1-5])?").astype(float)
        least, most = ends[0], ends[1].fillna(ends[0])
        holds &= least.isna() | pairs[name].astype(float).between(least, most)
    held = pairs[holds]
    return held[["metier_code", "year"]].assign(
        indicator="tension_profile",
        variant=held["profile_code"],
        value=held["place"].astype(float),
        unit="place_in_table",
        source_code="dares_tensions",
    )


def _indicators(
    table: pd.DataFrame, keys: list[str], names: list[str], source_code: str
) -> pd.DataFrame:
    rows = table.melt(keys, names, "indicator", "value", ignore_index=False)
    value = rows["value"].astype("Float64").astype(float)
    unit = rows["indicator"].map(UNITS)
    return rows.assign(value=value, unit=unit, source_code=source_code)


# --- survey of recruitment intentions ------------------------------------------------------------


def hard_to_fill(intentions: pd.DataFrame, by_region: bool = False) -> pd.DataFrame:
    """Return recruitment projects and the share judged hard to fill, as bounds.

    A secret cell hides an estimate below 5. A sum over regions therefore lies between the sum of
    what is shown and that sum plus 5 per secret cell. The share is smallest when every secret cell
    holds easy projects only, largest when it holds hard ones only: a cell whose projects are
    secret hides its hard projects too, and hard projects are never more than projects.

    Args:
        intentions: One row per `metier_code`, `nomenclature`, `region_code`, `year` with `COUNTS`;
            an absent count means that all cells are secret.
        by_region: One sum per region instead of one for the whole country.

    Returns:
        Two rows per métier, nomenclature, year and, if asked for, region:
        `recruitment_projects_count` (projects) and `hard_to_fill_share_pct` (%), with `lower` and
        `upper`; `value` and status `value` only where nothing is secret, otherwise status `s`.

    Source:
        France Travail, enquête Besoins en main-d'œuvre; bounds: description of the secret cells.

    Examples:
        >>> cells = pd.DataFrame({
        ...     "metier_code": "G1Z70", "nomenclature": "FAP-2009", "year": 2023,
        ...     "region_code": ["11", "84"],
        ...     "projects_count": [80.0, 10.0], "projects_secret_cells_count": [0, 2],
        ...     "hard_to_fill_count": [60.0, None], "hard_to_fill_secret_cells_count": [0, 4]})
        >>> hard_to_fill(cells)[["lower", "upper", "status"]].values.tolist()
        [[90.0, 100.0, 's'], [60.0, 80.0, 's']]
    """
    key = ["metier_code", "nomenclature", "year", *["region_code"] * by_region]
    shown = intentions[key].join(_as_floats(intentions[COUNTS]))
    sums = shown.groupby(key, sort=True)[COUNTS].sum()
    projects, projects_secret, hard, hard_secret = (sums[name] for name in COUNTS)
    projects_most = projects + SECRET_CELL_BELOW * projects_secret
    hard_most = hard + SECRET_CELL_BELOW * hard_secret
    counted = pd.DataFrame({"lower": projects, "upper": projects_most}).assign(
        indicator="recruitment_projects_count", unit="projects", secret=projects_secret
    )
    share = pd.DataFrame(
        {
            "lower": 100 * hard / projects_most,
            "upper": (100 * hard_most / projects_most).clip(upper=100),
        }
    ).assign(indicator="hard_to_fill_share_pct", unit="pct", secret=projects_secret + hard_secret)
    rows = pd.concat([counted, share]).sort_index(kind="stable").reset_index()
    is_exact = rows.pop("secret") == 0
    return rows.assign(
        value=rows["lower"].where(is_exact), status=is_exact.map({True: "value", False: "s"})
    )


def in_new_nomenclature(intentions: pd.DataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """Return hiring intentions of both nomenclatures as one series in FAP-2021.

    Args:
        intentions: As for `hard_to_fill`.
        crosswalk: Official passage `metier_code` (FAP-2009) → `metier_2021_code` with `share`;
            the shares of a code sum to 1.

    Returns:
        The keys and `COUNTS`, all in FAP-2021; they add up to what was given.

    Raises:
        CoherenceError: If the crosswalk lacks a code and would lose its projects; every such code
            is named.

    Examples:
        >>> table = pd.DataFrame({"metier_code": "G0A40", "nomenclature": [OLD, NEW],
        ...     "region_code": "84", "year": [2023, 2024]} | dict.fromkeys(COUNTS, 1.0))
        >>> links = pd.DataFrame({"metier_code": "G0A40", "metier_2021_code": ["G0A40", "G0A41"],
        ...     "share": [0.25, 0.75]})
        >>> moved = in_new_nomenclature(table, links)
        >>> moved[["metier_code", "year", "projects_count"]].to_numpy().tolist()
        [['G0A40', 2023, 0.25], ['G0A40', 2024, 1.0], ['G0A41', 2023, 0.75]]
    """
    keys = ["metier_code", "nomenclature", "region_code", "year"]
    counts = intentions[keys].join(_as_floats(intentions[COUNTS]))
    is_old = counts["nomenclature"] == OLD
    linked = counts[is_old].merge(crosswalk, on="metier_code", how="left")
    expected, fix = "every FAP-2009 code of the survey", "add its lines: its projects would be lost"
    CoherenceError.refuse(
        Defect(f"crosswalk, {code}", "the code has no line", expected, fix)
        for code in sorted(set(linked.loc[linked["share"].isna(), "metier_code"]))
    )
    linked[COUNTS] = linked[COUNTS].mul(linked["share"], axis="index")
    moved = linked.assign(metier_code=linked["metier_2021_code"], nomenclature=NEW)
    whole = pd.concat([moved[[*keys, *COUNTS]], counts[~is_old]])
    return whole.groupby(keys, as_index=False, sort=True)[COUNTS].sum()


def _as_floats(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.astype("Float64").fillna(0).astype(float)


# --- a branch's tension --------------------------------------------------------------------------


def branch_index(employment: pd.DataFrame, tension_index: pd.Series) -> dict[str, float]:
    """Return the composition of national tensions by a branch's métiers (T3).

    It is no tension measured in the branch. Métiers without index are left out; where the others
    hold less than `LEAST_COVERAGE` of the employment there is no index.

    Args:
        employment: `metier_code`, `value` (heads in the branch), and `lower`, `upper`, missing on
            observed tables.
        tension_index: National index by `metier_code`.

    Returns:
        `value`, `lower`, `upper` (index without unit) and `coverage` (0 to 1). The range holds all
        compositions whose employment keeps within its own ranges, and always holds `value`.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": ["A", "B", "C"], "value": [35, 45, 20],
        ...     "lower": None, "upper": None})
        >>> index = branch_index(jobs, pd.Series({"A": 1.033571428571, "B": -0.10, "C": 0.30}))
        >>> round(index["value"], 6), index["coverage"], index["lower"] == index["value"]
        (0.37675, 1.0, True)
    """
    heads = employment["value"].astype(float)
    index = employment["metier_code"].map(tension_index).astype(float)
    known = index.notna()
    coverage = float(heads[known].sum() / heads.sum())
    if coverage < LEAST_COVERAGE:
        return {"value": np.nan, "lower": np.nan, "upper": np.nan, "coverage": coverage}
    levels = index[known].to_numpy()
    value = float(np.average(levels, weights=heads[known]))
    least, most = (
        employment[end].astype(float).fillna(heads)[known].to_numpy() for end in ("lower", "upper")
    )
    lower, upper = _lowest_mean(levels, least, most), -_lowest_mean(-levels, least, most)
    bounds = {"lower": min(lower, value), "upper": max(upper, value)}
    return {"value": value, **bounds, "coverage": coverage}


def _lowest_mean(levels: Floats, least: Floats, most: Floats) -> float:
    """Return the smallest mean of `levels` whose unscaled weights lie between their bounds.

    At the optimum the weights of the lowest levels are at their most and the others at their
    least, so trying every such split finds it.
    """
    order = np.argsort(levels, kind="stable")
    level, low, high = levels[order], np.minimum(least, most)[order], most[order]

    def split_sums(at_least: Floats, at_most: Floats) -> Floats:
        before = np.append(0.0, np.cumsum(at_most))
        after: Floats = np.append(np.cumsum(at_least[::-1])[::-1], 0.0)
        return before + after

    tops, weights = split_sums(low * level, high * level), split_sums(low, high)
    means = np.divide(tops, weights, out=np.full_like(weights, np.inf), where=weights > 0)
    return float(means.min())


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
