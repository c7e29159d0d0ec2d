"""What several questions know of the métiers of the whole country: growth, departures, ages.

Apart from `shared`, so that a question without them does not rest on forecasts.
"""

import pandas as pd

from opmq_lib.methods.forecast import projection, published
from opmq_lib.methods.needs import departures
from opmq_lib.methods.needs import metier_rates as rates
from opmq_lib.methods.needs.ages import centre_year, read_ages
from opmq_lib.methods.needs.cohorts import BAND_YEARS
from opmq_lib.methods.needs.rates import rates_of
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import Tables, estimate
from opmq_lib.sources import study
from opmq_lib.tables import check
from opmq_lib.tables.fap import METIER_LENGTH


def metier_rates(inputs: Tables, edition: EditionParams) -> pd.DataFrame:
    """Return growth and departures of every métier, in % of its jobs per year (P1).

    Args:
        inputs: The study's input tables.
        edition: Gives the last year that our own trend and our own ages know.

    Returns:
        Rows of the `metier_rates` contract, the last one of all métiers (`ENS`): official rates,
        and our own beside.
    """
    base, official = edition.base_year, inputs["official_projections"]
    years = int((official["horizon_year"] - official["base_year"]).iloc[0])
    ages = read_ages(national_ages(inputs, base))
    survival = rates_of(ages, -(-years // BAND_YEARS))
    left = departures.leaving(ages, survival, base, [years]).droplevel(0)[years]
    national = inputs["employment_national"]
    is_metier = national["metier_code"].str.len() == METIER_LENGTH
    metiers = national[is_metier & (national["year"] == base)]
    own = 100 / years * metiers["metier_code"].map(left)
    panel = projection.national_panel(national, base)
    change = published.changes_after(panel, rates.OWN_GROWTH_YEARS)
    metiers = metiers.assign(own_departure_rate_pct=own)
    return check("metier_rates", rates.metier_rates(official, metiers, change), "metier_rates")


def prepare() -> None:
    """Make what all branches of a batch share: the estimate, and what is known of each métier."""
    inputs = study.load_inputs()
    estimate(inputs)
    metier_rates(inputs, study.edition())


def national_ages(inputs: Tables, base_year: int) -> pd.DataFrame:
    """Return heads by métier and age of the whole country, as they were known in a year."""
    ages = inputs["age_structure"]
    centre = {period: centre_year(period) for period in ages["period"].unique()}
    return ages[ages["period"].map(centre) <= base_year]
