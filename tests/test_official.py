"""Official projections: regions add up to the nation, grouped rows shared out, nothing lost."""

import pandas as pd

from opmq_lib.methods.needs.official import national, official_family
from opmq_lib.sources import embedded

TABLE = embedded.load("official_projections")
HEADS = [name for name in TABLE if name.endswith("_headcount")]


def test_the_regions_add_up_to_the_nation() -> None:
    whole = national(TABLE)
    assert len(whole) == 83
    assert not whole["metier_code"].str.contains(";").any()
    pd.testing.assert_series_equal(whole[HEADS].sum(), TABLE[HEADS].sum(), rtol=1e-12)


def test_a_grouped_row_is_shared_by_employment_elsewhere() -> None:
    """H0Z;N0Z in Corsica, by hand: each takes the part that it has of both on the mainland."""
    alone = TABLE[TABLE["metier_code"].isin(["H0Z", "N0Z"])].groupby("metier_code")[HEADS].sum()
    grouped = TABLE.set_index("metier_code").loc["H0Z;N0Z", HEADS]
    part = alone["employment_headcount"] / alone["employment_headcount"].sum()
    found = national(TABLE).set_index("metier_code").loc[["H0Z", "N0Z"], HEADS]
    for code in ("H0Z", "N0Z"):
        expected = alone.loc[code] + part[code] * grouped.astype(float)
        pd.testing.assert_series_equal(found.loc[code], expected, rtol=1e-12, check_names=False)


def test_every_family_of_the_field_is_projected() -> None:
    metiers = embedded.load("metiers").query("nomenclature == 'FAP-2009' and level == 'fap87'")
    families = official_family(metiers["metier_code"])
    assert set(families) - set(national(TABLE)["metier_code"]) == {"ZZZ"}
