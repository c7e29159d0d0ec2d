"""Growth and departures of métiers: the families' official totals are kept, nothing is lost."""

import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.needs.metier_rates import metier_rates
from opmq_lib.methods.needs.official import FAMILIES, national
from opmq_lib.questions import country
from opmq_lib.sources import embedded, study
from opmq_lib.tables.fap import METIER_LENGTH

OFFICIAL = embedded.load("official_projections")


@pytest.fixture(scope="module")
def rates() -> pd.DataFrame:
    return country.metier_rates(study.load_inputs(), study.edition())


def heads_of(codes: pd.Series) -> pd.Series:
    table = embedded.load("employment_national")
    base = table[table["year"] == study.edition().base_year].set_index("metier_code")
    return codes.map(base["employment_headcount"])


def test_departures_of_metiers_add_up_to_those_of_their_official_family(rates) -> None:
    known = national(OFFICIAL).set_index("metier_code")
    official = rates[rates["nature"].eq("official_projection") & rates["family_code"].ne("")]
    heads = heads_of(official["metier_code"])
    left = (official["departure_rate_pct"] * heads).groupby(official["family_code"]).sum()
    mean = left / heads.groupby(official["family_code"]).sum()
    years = known["horizon_year"] - known["base_year"]
    middle = known["employment_headcount"] + known["net_creation_headcount"] / 2
    expected = 100 * known["departures_headcount"] / (years * middle)
    assert len(mean) == 83
    assert mean.to_numpy() == pytest.approx(expected[mean.index].to_numpy(), abs=1e-9)


def test_the_rate_of_all_jobs_is_the_national_one(rates) -> None:
    whole = rates[rates["metier_code"] == "ENS"].iloc[0]
    assert whole["departure_rate_pct"] == pytest.approx(2.53, abs=0.005)
    created, base = (OFFICIAL[f"{name}_headcount"].sum() for name in ("net_creation", "employment"))
    assert whole["growth_rate_pct"] == pytest.approx(100 * np.log(1 + created / base) / 11)


def test_families_projected_together_have_one_growth(rates) -> None:
    table = rates.set_index("metier_code")
    for code, together in FAMILIES.items():
        members = table[table.index.str.startswith(code)]
        assert set(members["family_code"]) == {together}
    growth = table.groupby("family_code")[["growth_rate_pct", "own_growth_rate_pct"]].nunique()
    assert (growth == 1).all(axis=None)


def test_without_official_code_our_own_trend_is_all_there_is(rates) -> None:
    alone = rates[rates["nature"] == "projection"]
    assert set(alone["family_code"]) == {"ZZZ"}
    for name in ("growth_rate_pct", "departure_rate_pct"):
        assert (alone[name] == alone[f"own_{name}"]).all()


def test_what_corsica_publishes_together_counts_in_each_family(rates) -> None:
    """H0Z and N0Z, by hand: the row H0Z;N0Z is shared by their employment on the mainland."""
    alone = OFFICIAL[OFFICIAL["metier_code"].isin(["H0Z", "N0Z"])]
    sums = alone.groupby("metier_code")[["employment_headcount", "net_creation_headcount"]].sum()
    together = OFFICIAL.set_index("metier_code").loc["H0Z;N0Z", sums.columns].astype(float)
    part = sums["employment_headcount"] / sums["employment_headcount"].sum()
    for code in ("H0Z", "N0Z"):
        base, created = sums.loc[code] + part[code] * together
        found = rates.loc[rates["family_code"] == code, "growth_rate_pct"]
        assert found.to_numpy() == pytest.approx(100 * np.log(1 + created / base) / 11)


def test_every_metier_has_its_rates_and_only_known_ages_change_them(rates) -> None:
    codes = embedded.load("employment_national")["metier_code"].unique()
    assert set(rates["metier_code"]) == {c for c in codes if len(c) == METIER_LENGTH} | {"ENS"}
    metiers = pd.DataFrame(
        {"metier_code": ["E1Z40", "E1Z41"], "employment_headcount": [300.0, 100.0]}
    )
    change, names = pd.Series({"E1Z": 0.0}), ["departure_rate_pct", "own_departure_rate_pct"]
    found = metier_rates(OFFICIAL, metiers.assign(own_departure_rate_pct=[2.0, np.nan]), change)
    both, own = found[names].head(2).to_numpy().T
    assert both[0] == both[1]
    assert np.isnan(own[1])
