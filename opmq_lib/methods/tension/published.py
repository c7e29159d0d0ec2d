"""Published tension of métiers (T1, T2): carried, never re-estimated; ranks, profiles, places."""

import pandas as pd

from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.fap import METIER_LENGTH
from opmq_lib.tables.indicators import WHOLE_COUNTRY, last_year

INDEX, CLASS = "tension_index", "tension_class"
UNITS = {INDEX: "index", CLASS: "class_1_to_5"} | dict.fromkeys(FACTORS, "quintile_1_to_5")
TENSE_FROM_CLASS = 4
"""Published class from which a métier is said to be in tension; source: convention."""
CHANGE_YEARS = 4
"""Years over which the change in rank is given; source: convention, L5."""
LEAST_BASINS = 10
"""Fewest ROME × basin pairs of a share: under it the share says nothing (convention)."""


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


def standing(tension: pd.DataFrame) -> pd.DataFrame:
    """Return where each métier stands among all of the last year, and how its rank has changed.

    Ranks are stable while levels follow the business cycle: a level alone says little.

    Args:
        tension: As for `published_index`, with `mean_employment_headcount` in the last year;
            families are left out.

    Returns:
        By `metier_code`: `year`, `index`, `class`, `rank` (1: the most tense) among `ranked_count`
        métiers, `rank_share` (0 least tense, 1 most),
        `employment_headcount`, `gap` (index less the mean of all métiers,
        weighted by employment), `rank_change` over `CHANGE_YEARS` (positive: more tense; `NaN`
        where the métier has no index that year).

    Source:
        Method page, L5.

    Examples:
        >>> table = pd.DataFrame({"metier_code": ["D1Z41", "D6Z70"] * 2, "year": [2015] * 2 +
        ...     [2019] * 2, "tension_index": [0.1, 0.2, 1.0, 0.5], "tension_class": [4, 4, 5, 4],
        ...     "mean_employment_headcount": [None, None, 100.0, 300.0]})
        >>> standing(table).loc["D1Z41", ["rank", "ranked_count", "gap", "rank_change"]].tolist()
        [1.0, 2.0, 0.375, 1.0]
    """
    metiers = tension[tension["metier_code"].str.len() == METIER_LENGTH]
    wide = metiers.pivot(index="metier_code", columns="year", values=INDEX).astype("float64")
    ranks = wide.rank(ascending=False, method="min")
    last = last_year(metiers).set_index("metier_code")
    year, count = int(last["year"].iloc[0]), len(last)
    rank, index = ranks[year], wide[year]
    weights = last["mean_employment_headcount"]
    before = ranks.get(year - CHANGE_YEARS, pd.Series(float("nan"), rank.index))
    table = pd.DataFrame(
        {
            "year": year,
            "index": index,
            "class": last[CLASS].astype("float64"),
            "rank": rank,
            "ranked_count": count,
            "rank_share": (count - rank) / (count - 1),
            "employment_headcount": weights,
            "gap": index - (index * weights).sum() / weights.sum(),
            "rank_change": before - rank,
        }
    )
    return table[index.notna()]


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
