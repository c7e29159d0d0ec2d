"""Step of `02_besoins` for companies: the departures of each métier by age band."""

from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, first_age, read_ages
from opmq_lib.methods.needs.cohorts import BAND_YEARS, FIRST_OLD_SHARE, Array
from opmq_lib.methods.needs.departures import survival_of
from opmq_lib.methods.needs.rates import rates_of
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check
from opmq_lib.tables.columns import COUNTED_BANDS
from opmq_lib.tables.indicators import ALL_METIERS

RATES: Final = "entreprise_taux"


def rates(  # noqa: PLR0913 - one argument per table
    inputs: Tables,
    branch_code: str,
    cells: pd.DataFrame,
    metier_rates: pd.DataFrame,
    ages: pd.DataFrame,
    edition: EditionParams,
) -> pd.DataFrame:
    """Return the departures of each métier of a branch, by age band.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        cells: From `chain.cells`: its métiers; those of the field where it has none.
        metier_rates: From `chain.metier_rates`.
        ages: From `chain.ages`: the national ones say how many stay of each age.
        edition: Its year says which five years are ahead.

    Returns:
        Table `company_rates`, in % of the heads per year, largest métiers first, all others
        (`RESIDUAL_METIER`) last: of each age our own rates of the five years in which the edition's
        year falls; of an unknown age the published rate of the métier, that of all métiers for
        others of which none is known.
    """
    codes = _codes(inputs, cells, edition)
    every = [cells, metier_rates] if len(cells) else [metier_rates.assign(origin="public")]
    known = pd.concat(every)
    known = known[known["departure_rate_pct"].notna() | known["metier_code"].ne(RESIDUAL_METIER)]
    known["metier_code"] = known["metier_code"].replace(ALL_METIERS, RESIDUAL_METIER)
    known = known.drop_duplicates("metier_code").set_index("metier_code").loc[codes]
    by_age, first_year = _left_by_age(ages, codes, edition.edition_date.year)
    keys = pd.MultiIndex.from_product([codes, COUNTED_BANDS], names=["metier_code", "age_band"])
    values = np.column_stack([by_age, known["departure_rate_pct"]]).ravel()
    table = pd.DataFrame({"departure_rate_pct": values}, keys).reset_index()
    table = table.merge(known[["nature", "origin"]], on="metier_code")
    is_official = (table["age_band"] == COUNTED_BANDS[-1]) & (table["nature"] != "projection")
    official = inputs["official_projections"]
    ends = (official["base_year"].min(), official["horizon_year"].max())
    table = table.assign(
        branch_code=branch_code,
        start_year=np.where(is_official, ends[0], first_year),
        end_year=np.where(is_official, ends[1], first_year + BAND_YEARS),
        source_code=np.where(is_official, "dares_metiers_2030", "dares_ages"),
        nature=np.where(is_official, "official_projection", "projection"),
        origin=table["origin"].fillna("public"),
    )
    return check("company_rates", table[list(DESCRIPTIONS["company_rates"])], RATES)


def _codes(inputs: Tables, cells: pd.DataFrame, edition: EditionParams) -> list[str]:
    """Return the métiers of a branch, else those of the field, largest first, then the rest."""
    table = cells
    if cells.empty:
        field = shared.in_field(inputs, shared.studied(inputs, "metiers"))
        national = inputs["employment_national"]
        national = national[national["year"] == edition.base_year]
        table = national.merge(field.loc[field["level"] == "fap225", ["metier_code"]])
    order = ["employment_headcount", "metier_code"]
    codes = table.sort_values(order, ascending=[False, True])["metier_code"].tolist()
    return [code for code in codes if code != RESIDUAL_METIER] + [RESIDUAL_METIER]


def _left_by_age(ages: pd.DataFrame, codes: list[str], year: int) -> tuple[Array, int]:
    """Return what leaves of each band in a year, in %, (métiers, bands of an age), and since when.

    Rates are those of the five-year step, after the last table of ages, in which the year falls.
    """
    pyramids = read_ages(ages[ages["branch_code"] == ""])
    step = (year - pyramids.years[-1]) // BAND_YEARS
    table = rates_of(pyramids, step + 1)
    stay = survival_of(codes, table, pyramids.first_ages).survival[:, step]
    firsts = [first_age(band) or 0 for band in COUNTED_BANDS[:-1]]
    places = [max(n for n, age in enumerate(pyramids.first_ages) if age <= a) for a in firsts]
    counted = np.where(np.array(firsts) < FIRST_OLD_AGE, FIRST_OLD_SHARE, 1.0)
    left = 100 * counted * (1 - stay[:, places]) / BAND_YEARS
    return left, pyramids.years[-1] + step * BAND_YEARS
