import numpy as np
import pandas as pd
import pytest

from opmq_lib.methods.employment.candidates import candidates
from opmq_lib.methods.skills import profiles
from opmq_lib.questions import shared
from opmq_lib.show import pieces
from opmq_lib.sources import study

HEADS = "employment_headcount"
NATIONAL = pd.DataFrame(
    {"metier_code": ["ENS", "E1Z41", "H0Z90", "U1Z81"], HEADS: [26_000.0, 130.0, 260.0, 13.0]}
)


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


def jobs(rows: list[tuple[str, float, float | None]], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            (code, heads, *((np.nan, np.nan) if ratio is None else (heads / ratio, heads * ratio)))
            for code, heads, ratio in rows
        ],
        columns=["metier_code", HEADS, f"{HEADS}_lower", f"{HEADS}_upper"],
    )
    return table.assign(branch_code="verre", year=2018, nature="estimate", **columns)


def test_shares_quotients_and_spread_are_those_by_hand() -> None:
    """50 of 1,000 against 130 of 26,000: 5 %, ten times the country's share; ends times 1.5."""
    rows = [("H0Z90", 2.0, 1.5), ("E1Z41", 50.0, 1.5), ("autres_metiers", 948.0, 1.1)]
    found = candidates(jobs(rows), NATIONAL, {"E1Z41", "H0Z90"}).set_index("metier_code")
    assert found.index.tolist() == ["E1Z41", "H0Z90"]
    row = found.loc["E1Z41"]
    assert row["level_log_sd"] == pytest.approx(np.log(1.5) / 1.2815516, abs=1e-7)
    assert row["branch_headcount"] == pytest.approx(1000)
    for name, value in {"employment_share_pct": 5.0, "location_quotient": 10.0}.items():
        ends = [row[f"{name}{end}"] for end in ("_lower", "", "_upper")]
        assert ends == pytest.approx([value / 1.5, value, value * 1.5])


def test_a_share_never_passes_the_whole_branch() -> None:
    rows = jobs([("E1Z41", 900.0, 3.0), ("autres_metiers", 100.0, 3.0)])
    found = candidates(rows, NATIONAL, {"E1Z41"}).iloc[0]
    assert found["employment_share_pct_upper"] == 100
    assert found["location_quotient_upper"] == pytest.approx(100 / 0.5)


@pytest.mark.parametrize(
    ("heads", "ratio", "is_looked_at"), [(8.0, 2.0, True), (8.0, 2.1, False), (4.9, 1.0, False)]
)
def test_a_metier_outside_the_field_is_looked_at_when_it_is_the_branchs_own(
    heads: float, ratio: float, is_looked_at: bool
) -> None:
    """8 of 1,000 is sixteen times the country's 0.05 %: eight at the lower end of a factor of 2."""
    found = candidates(
        jobs([("U1Z81", heads, ratio), ("autres_metiers", 1000 - heads, None)]), NATIONAL, set()
    )
    assert found["metier_code"].tolist() == ["U1Z81"] * is_looked_at
    assert not found["in_field"].any()


def test_an_observed_metier_is_known_and_a_branch_without_total_has_no_share() -> None:
    found = candidates(jobs([("E1Z41", 50.0, None)]), NATIONAL, {"E1Z41"}).iloc[0]
    assert found["level_log_sd"] == 0
    assert np.isnan(found["branch_headcount"])
    assert np.isnan(found["employment_share_pct"])


def test_jobs_that_are_not_coded_count_in_the_total_and_are_no_metier() -> None:
    rows = jobs([("E1Z41", 50.0, None), ("ZZZZZ", 150.0, None), ("autres_metiers", 800.0, None)])
    country = pd.concat([NATIONAL, pd.DataFrame({"metier_code": ["ZZZZZ"], HEADS: 26.0})])
    found = candidates(rows, country, {"E1Z41"})
    assert found[["metier_code", "employment_share_pct"]].to_numpy().tolist() == [["E1Z41", 5.0]]


def test_a_metier_more_changes_no_other() -> None:
    rows = [("H0Z90", 200.0, 1.5), ("E1Z41", 50.0, 1.5), ("autres_metiers", 750.0, 1.1)]
    whole = candidates(jobs(rows), NATIONAL, {"E1Z41", "H0Z90"})
    fewer = [*rows[1:2], ("autres_metiers", 950.0, 1.1)]
    alone = candidates(jobs(fewer), NATIONAL, {"E1Z41", "H0Z90"})
    pd.testing.assert_frame_equal(whole.head(1), alone)


def test_every_field_metier_of_a_branch_is_looked_at_and_none_without_headcount(
    inputs: dict,
) -> None:
    found = shared.candidates(inputs, "chimie", 2018)
    headcount = inputs["branch_headcount"].query("branch_code == 'chimie'")["employees_headcount"]
    assert found["branch_headcount"].unique() == pytest.approx([headcount.sum()])
    metiers = shared.studied(inputs, "metiers")
    field = shared.in_field(inputs, metiers[metiers["level"] == "fap225"])["metier_code"]
    assert set(field) <= set(found["metier_code"])
    others = found[~found["in_field"]]
    assert others["location_quotient_lower"].ge(8).all()
    assert others["employment_share_pct"].ge(0.5).all()
    assert shared.candidates(inputs, "chaux", 2018).empty


def test_the_main_romes_are_those_that_make_six_hires_in_ten() -> None:
    """A ROME of two métiers counts for its share; under 30 hires, or past three ROME, no name."""
    hires = {
        "A": [100, 30, 20],  # half of the first is A's: 50 %, then 80 %
        "B": [60, 40],
        "C": [20, 20, 20, 20, 20],  # three make 60 % exactly
        "D": [20, 20, 20, 20, 20, 20],  # it would take four
        "E": [29.9],
    }
    rows = [
        (code, f"{code}{place}", count)
        for code, each in hires.items()
        for place, count in enumerate(each)
    ]
    table = pd.DataFrame(rows, columns=["metier_code", "rome_code", "hires"])
    shares = table.assign(share=1.0)
    shares.loc[0, "share"] = 0.5
    found = profiles.main_romes(shares, table.set_index("rome_code")["hires"])
    assert found.to_dict() == {"A": "A0 A1", "B": "B0", "C": "C0 C1 C2"}


def test_metal_removal_is_moulding_in_boats_and_turning_in_metallurgy(inputs: dict) -> None:
    known = [
        ("nautisme", "H3203", "Fabrication de pièces en matériaux composites"),
        ("metallurgie", "H2903", "Conduite d'équipement d'usinage"),
    ]
    for branch_code, rome_code, title in known:
        found = shared.candidates(inputs, branch_code, 2018).set_index("metier_code")
        assert found.loc["D1Z41", "main_rome_codes"] == rome_code
        assert found.loc["D1Z41", "main_romes"] == title
        assert found.loc["D1Z41", "branch_hires_count"] > 250
    none = shared.candidates(inputs, "nautisme", 2018).set_index("metier_code").loc["D1Z40"]
    assert (none["branch_hires_count"], none["main_romes"]) == (0.0, "")
    assert none["hires_evidence"] == "none"
    assert "aucune embauche déclarée" in pieces.mostly("", "none")
    assert not pieces.mostly("", float("nan"))
    assert not pieces.mostly("", "seen")
