"""Chain of `03_tensions`."""

import pandas as pd

from opmq_lib.methods import tension
from opmq_lib.methods.employment import measures
from opmq_lib.methods.tension import nomenclatures
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import (
    Tables,
    branch_employment,
    in_field,
    national_levels,
    without_residual,
)
from opmq_lib.tables import indicators

LARGEST = 10
"""Métiers whose recruitment projects are added up by region."""


def tension_results(
    inputs: Tables, branch_code: str, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `03_tensions` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        `tensions`: indicators, national: published index, class, factors and profiles of the
        métiers of the field (FAP-2009), hard-to-fill bounds of each survey (FAP-2009 in 2023,
        FAP-2021 after), the same by region where sources have it, the branch's composition of
        national tensions, what the branch's own components give, and the employment that ranks the
        métiers: the branch's where it is known, otherwise the national one. `profils`: the
        conventions that profiles are read from.
    """
    jobs = branch_employment(inputs, branch_code, edition.base_year)
    metiers = indicators.last_year(without_residual(jobs))
    ranking = _national_ranking(inputs) if metiers.empty else measures.levels(metiers)
    index = inputs["tension"]
    index = index[index["metier_code"].isin(ranking["metier_code"])]
    surveyed = in_field(inputs, inputs["recruitment_intentions"])
    bounds = tension.hard_to_fill(surveyed)
    published = tension.published_index(index).assign(source_code="dares_tensions")
    parts = [
        ranking,
        published,
        bounds.assign(source_code="ft_bmo", region_code=indicators.WHOLE_COUNTRY),
        _profiles(index, inputs["tension_profiles"]),
        *([] if metiers.empty else [_composition(metiers, index)]),
        *_regions(inputs, ranking, surveyed),
        *_supplied(inputs, index, surveyed),
    ]
    return {
        "tensions": indicators.stack(parts, branch_code, "tensions"),
        "profils": inputs["tension_profiles"].assign(origin="public"),
    }


def _profiles(index: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return one row per profile of each métier in tension, with its place in the table."""
    latest = indicators.last_year(index)
    tense = latest[latest["tension_class"].ge(tension.TENSE_FROM_CLASS).fillna(False)]
    order = {code: place for place, code in enumerate(profiles["profile_code"], start=1)}
    rows = [
        {"metier_code": row["metier_code"], "year": row["year"], "code": code}
        for row in tense.to_dict("records")
        for code in tension.profiles_of(
            pd.Series({name: row[name] for name in tension.FACTORS}), profiles
        )
    ]
    table = pd.DataFrame(rows, columns=["metier_code", "year", "code"])
    return table[["metier_code", "year"]].assign(
        indicator="tension_profile." + table["code"].astype("str"),
        value=table["code"].map(order).astype(float),
        unit="place_in_table",
        source_code="dares_tensions",
    )


def _composition(metiers: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Return the branch's composition of national tensions and the part of it that is covered."""
    levels = measures.levels(metiers)
    total = levels["value"].sum()
    shares = levels.assign(**{name: levels[name] / total for name in ("value", "lower", "upper")})
    latest = indicators.last_year(index)
    found = tension.branch_index(shares, latest.set_index("metier_code")["tension_index"])
    common = {
        "year": int(latest["year"].max()),
        "nature": "estimate",
        "origin": "own" if levels["origin"].eq("own").any() else "public",
        "source_code": "dares_tensions",
    }
    rows = [
        common
        | {
            "indicator": "branch_tension_index",
            "value": found["value"],
            "lower": found["lower"],
            "upper": found["upper"],
            "unit": "index",
        },
        common
        | {
            "indicator": "branch_tension_coverage_pct",
            "value": 100 * found["coverage"],
            "unit": "pct",
        },
    ]
    return pd.DataFrame(rows)


def _regions(inputs: Tables, ranking: pd.DataFrame, surveyed: pd.DataFrame) -> list[pd.DataFrame]:
    """Return what sources say of regions: class, basins of each métier, bounds of the largest."""
    codes = ranking["metier_code"]
    regions = inputs["tension_regions"]
    regions = regions[regions["metier_code"].isin(codes)]
    # Without a class the producer repeats a national or common index: it measures no region.
    published = regions["tension_index"].where(regions["tension_class"].notna())
    regional = tension.regional_index(regions.assign(tension_index=published))
    everywhere = inputs["tension_basins"].assign(region_code=indicators.WHOLE_COUNTRY)
    basins = tension.high_tension_basins(
        everywhere, inputs["fap_rome"][inputs["fap_rome"]["metier_code"].isin(codes)]
    )
    largest = indicators.codes(indicators.largest_first(ranking))[:LARGEST]
    first = surveyed[surveyed["nomenclature"] == nomenclatures.OLD]
    together = first[first["metier_code"].isin(largest)].assign(metier_code=indicators.ALL_METIERS)
    bounds = tension.hard_to_fill(together, by_region=True)
    return [
        regional.assign(
            indicator="regional_" + regional["indicator"], source_code="dares_tensions_regions"
        ),
        basins.assign(source_code="pe_tensions_bassins"),
        bounds.assign(indicator="regional_" + bounds["indicator"], source_code="ft_bmo"),
    ]


def _supplied(inputs: Tables, index: pd.DataFrame, surveyed: pd.DataFrame) -> list[pd.DataFrame]:
    """Return what the branch's own components, and a crosswalk that it supplies, allow."""
    parts: list[pd.DataFrame] = []
    components = inputs["own_tension_components"]
    if not components.empty:
        parts += _composite(components, inputs["own_tension_reference"], index)
    crosswalk = inputs["own_fap_crosswalk"]
    if not crosswalk.empty:
        bounds = tension.hard_to_fill(tension.chained(surveyed, crosswalk))
        parts.append(
            bounds.assign(
                indicator="chained_" + bounds["indicator"],
                region_code=indicators.WHOLE_COUNTRY,
                nature="estimate",
                source_code="ft_bmo",
            )
        )
    return parts


def _composite(
    components: pd.DataFrame, reference: pd.DataFrame, index: pd.DataFrame
) -> list[pd.DataFrame]:
    found = tension.composite_index(components, reference)
    told = found[["metier_code", "region_code", "year"]].assign(
        nature="estimate",
        origin=components["origin"].to_numpy(),
        source_code=components["source_code"].to_numpy(),
    )
    names = ["tension_index", *(f"z_{name}" for name in tension.WEIGHTS)]
    parts = [
        told.assign(indicator=f"composite_{name}", value=found[name], unit="index")
        for name in names
    ]
    if "tension_variance" in components:
        national = indicators.last_year(index).set_index("metier_code")["tension_index"]
        centres = found["metier_code"].map(national).astype(float)
        ready = centres.notna() & found["tension_index"].notna()
        ready &= components["tension_variance"].notna()
        drawn = tension.shrunk(
            found.loc[ready, "tension_index"].tolist(),
            components.loc[ready, "tension_variance"].tolist(),
            centres[ready].tolist(),
        )
        small = told[ready].reset_index(drop=True)
        parts += [
            small.assign(
                indicator="composite_tension_index_shrunk", value=drawn["value"], unit="index"
            ),
            small.assign(indicator="shrinkage_weight", value=drawn["weight"], unit="ratio"),
        ]
    return parts


def _national_ranking(inputs: Tables) -> pd.DataFrame:
    """Return national employment of the industrial métiers, FAP-225, in the last year."""
    metiers = in_field(inputs, inputs["metiers"])
    industrial = metiers[(metiers["scope"] == "industry") & (metiers["level"] == "fap225")]
    national = indicators.last_year(inputs["employment_national"])
    return national_levels(national[national["metier_code"].isin(industrial["metier_code"])])
