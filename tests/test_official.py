"""Official projections: regions add up to the nation, grouped rows shared out, nothing lost."""

import re

import pandas as pd
import pytest

from opmq_lib.methods.needs.official import national, official_family, official_rows
from opmq_lib.questions.besoins import chain, official
from opmq_lib.sources import embedded, study
from opmq_lib.tables import indicators

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


def test_posts_are_net_creation_and_departures_and_imbalance_what_is_left() -> None:
    rows = official_rows(TABLE, pd.Series(["E1Z41", "D0Z20"]))
    wide = rows.pivot(index="metier_code", columns="indicator", values="value")
    assert list(wide.index) == ["D0A", "E1Z"]
    posts = wide["net_creation_headcount"] + wide["career_end_departures_headcount"]
    assert wide["posts_to_fill_headcount"].tolist() == pytest.approx(posts.tolist())
    left = posts - wide["young_beginners_headcount"] + wide["net_mobility_headcount"]
    assert wide["potential_imbalance_headcount"].tolist() == pytest.approx(left.tolist())
    assert set(rows["nature"]) == {"official_projection"}


def test_the_page_shows_the_national_figures() -> None:
    jobs = pd.DataFrame(
        {
            "branch_code": "chimie",
            "metier_code": ["E1Z41", "D0Z20"],
            "year": 2018,
            "indicator": "employment_headcount",
            "value": [900.0, 100.0],
            "unit": "headcount",
        }
    )
    results = {
        "besoins": indicators.stack([jobs], "chimie", "besoins"),
        official.TABLE: chain.official({"official_projections": TABLE}, jobs),
    }
    html = official.official_table(results, study.metier_labels()).html
    first, second = re.findall(r"<tbody>.*</tbody>", html)[0].split("</tr>")[:2]
    shown = [text.replace("\u202f", "") for text in re.findall(r">(−?[\d\u202f]+)<", first)]
    of_family = national(TABLE).set_index("metier_code").loc["E1Z"]
    created, left = of_family["net_creation_headcount"], of_family["departures_headcount"]
    expected = [of_family["employment_headcount"], created, left, created + left]
    found = [float(text.replace("−", "-")) for text in shown]
    assert found == pytest.approx(expected, abs=50)
    assert "Ouvriers non qualifiés de la mécanique" in second
