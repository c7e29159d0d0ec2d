"""Steps of `03_tensions`: which métiers are in tension nationally, why, where, and for the branch.

Each step returns indicator rows (`tables.indicators`), but for `index`, the published table, and
`vintages`.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from opmq_lib.methods.employment import measures
from opmq_lib.methods.tension import branch, own_index, published, survey
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check, indicators

LARGEST = 10
"""Métiers whose recruitment projects are added up by region."""
CONVERTED = f"{survey.OLD} → {survey.NEW}"


def ranking(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return the employment that ranks the métiers: the branch's, or national where it is unknown.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        `employment_headcount` of the branch's métiers, otherwise `national_employment_headcount` of
        the industrial métiers (FAP-225), in heads, in the last year.
    """
    jobs = shared.field_employment(inputs, branch_code, edition.base_year)
    studied = shared.without_residual(jobs)
    if not studied.empty:
        return measures.levels(indicators.last_year(studied))
    metiers = shared.in_field(inputs, inputs["metiers"])
    industrial = metiers[(metiers["scope"] == "industry") & (metiers["level"] == "fap225")]
    national = indicators.last_year(inputs["employment_national"])
    return shared.national_levels(national[national["metier_code"].isin(industrial["metier_code"])])


def index(inputs: Tables, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the published index, class and factors of some métiers, one row per métier and year.

    Args:
        inputs: The study's input tables.
        ranking: From `ranking`.

    Examples:
        >>> classes = pd.DataFrame({"metier_code": ["E1Z43", "A0Z00"], "tension_class": [3, 1]})
        >>> asked = pd.DataFrame({"metier_code": ["E1Z43"]})
        >>> index({"tension": classes}, asked)["tension_class"].tolist()
        [3]
    """
    table = inputs["tension"]
    return table[table["metier_code"].isin(ranking["metier_code"])]


def intentions(inputs: Tables) -> pd.DataFrame:
    """Return recruitment projects of each survey and the share judged hard to fill, as bounds.

    `variant` is the list of métiers of the survey: the series breaks where it changes.
    """
    bounds = survey.hard_to_fill(shared.in_field(inputs, inputs["recruitment_intentions"]))
    return bounds.assign(
        variant=bounds["nomenclature"], region_code=indicators.WHOLE_COUNTRY, source_code="ft_bmo"
    )


def vintages(inputs: Tables, branch_code: str, ranking: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return where métiers stand in both vintages, and their images in FAP-2021.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        ranking: From `ranking`.

    Returns:
        `metier_tensions` (`passage.metier_tensions`) and `metier_images`: the images of each métier
        with what is published of them.
    """
    places, images = shared.metier_tensions(inputs), shared.images(inputs)
    published_2021 = images.merge(inputs["tension_2021"], on="metier_2021_code", how="left")
    parts = {"metier_tensions": places, "metier_images": published_2021.assign(status="value")}
    asked = ranking["metier_code"]
    return {
        name: _contracted(name, table[table["metier_code"].isin(asked)], branch_code)
        for name, table in parts.items()
    }


def tense_share(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return the share of the branch's jobs in the most tense quarter of all métiers.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`; no row where its employment is not known.
        edition: Gives the base year.
    """
    jobs = shared.metier_employment(inputs, branch_code, edition.base_year)
    standing = published.standing(inputs["tension"])
    return branch.tense_share(indicators.last_year(jobs), standing) if len(jobs) else jobs


def regions(inputs: Tables, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return what sources say of regions: class, basins of each métier, projects of the largest.

    Projects are those of the last survey in FAP-2009.

    Args:
        inputs: The study's input tables.
        ranking: From `ranking`.
    """
    codes = ranking["metier_code"]
    by_region, links = inputs["tension_regions"], inputs["fap_rome"]
    surveyed = shared.in_field(inputs, inputs["recruitment_intentions"])
    last = indicators.last_year(surveyed[surveyed["nomenclature"] == survey.OLD])
    largest = indicators.codes(indicators.largest_first(ranking))[:LARGEST]
    is_largest = last["metier_code"].isin(largest)
    together = last[is_largest].assign(metier_code=indicators.ALL_METIERS)
    projects = survey.hard_to_fill(together, by_region=True)
    return pd.concat(
        [
            published.regional_index(by_region[by_region["metier_code"].isin(codes)]),
            published.high_tension_basins(
                inputs["tension_basins"], links[links["metier_code"].isin(codes)]
            ),
            projects.assign(indicator="regional_" + projects["indicator"], source_code="ft_bmo"),
        ]
    )


def supplied(inputs: Tables, index: pd.DataFrame) -> pd.DataFrame:
    """Return what components and a crosswalk supplied by the branch allow; otherwise nothing.

    Args:
        inputs: The study's input tables.
        index: From `index`.

    Returns:
        `composite_…` and `shrinkage_weight`: the index computed from the components, its terms,
        and small cells drawn towards the national index of the last year; `chained_…`: the survey's
        projects as one series in FAP-2021, `variant` telling which years were converted.
    """
    components, crosswalk = inputs["own_tension_components"], inputs["own_fap_crosswalk"]
    parts = []
    if not components.empty:
        national = indicators.last_year(index).set_index("metier_code")["tension_index"]
        reference = inputs["own_tension_reference"]
        parts.append(own_index.own_index(components, reference, national))
    if not crosswalk.empty:
        surveyed = shared.in_field(inputs, inputs["recruitment_intentions"])
        bounds = survey.hard_to_fill(survey.in_new_nomenclature(surveyed, crosswalk))
        old = surveyed.loc[surveyed["nomenclature"] == survey.OLD, "year"]
        parts.append(
            bounds.assign(
                indicator="chained_" + bounds["indicator"],
                variant=bounds["year"].isin(old).map({True: CONVERTED, False: survey.NEW}),
                region_code=indicators.WHOLE_COUNTRY,
                nature="estimate",
                origin="public",
                source_code="ft_bmo",
            )
        )
    return pd.concat(parts) if parts else pd.DataFrame()


def results(
    inputs: Tables,
    branch_code: str,
    parts: Sequence[pd.DataFrame],
    vintages: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `03_tensions` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        parts: Indicators that the steps gave, in the order of the table.
        vintages: From `vintages`.

    Returns:
        `tensions`: the indicators of all parts. `profils`: the conventions that profiles are read
        from. `metier_tensions`, `metier_images`: from `vintages`.
    """
    rows = [part for part in parts if not part.empty]
    return {
        "tensions": indicators.stack(rows, branch_code, "tensions"),
        "profils": inputs["tension_profiles"].assign(origin="public"),
        **vintages,
    }


def _contracted(name: str, table: pd.DataFrame, branch_code: str) -> pd.DataFrame:
    columns = DESCRIPTIONS[name]
    whole = {column: "Int64" for column, meant in columns.items() if meant.kind == "whole"}
    filled = table.assign(branch_code=branch_code, origin="public")
    return check(name, filled[[*columns]].astype(whole).reset_index(drop=True), name)
