import numpy as np
import pandas as pd
import pytest
from chains import tension_results
from hypothesis import given, settings
from hypothesis import strategies as st

from opmq_lib.errors import CoherenceError, RangeError, VintageError
from opmq_lib.methods.tension import own_index, published, survey
from opmq_lib.sources import embedded, study
from opmq_lib.tables import check

NAMES = list(own_index.WEIGHTS)
EDITION = study.edition()


def components(rows: list[tuple[float, float, float]], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=NAMES)
    keys = {
        "metier_code": [f"M{number}" for number in range(len(rows))],
        "nomenclature": "FAP-2009",
        "region_code": "FM",
        "year": 2019,
        "reference_code": "r",
        "origin": "own",
        "source_code": "enquete",
    }
    return table.assign(**(keys | columns))


def reference(
    means: tuple[float, ...] = (0.42, 0.95, 0.085),
    deviations: tuple[float, ...] = (0.14, 0.60, 0.02),
    **columns: object,
) -> pd.DataFrame:
    told = {"reference_code": "r", "nomenclature": "FAP-2009", "source_code": "dares"}
    return pd.DataFrame(
        {"component": NAMES, "mean": means, "standard_deviation": deviations}
    ).assign(**(told | columns))


def test_the_index_is_that_of_the_worked_example() -> None:
    found = own_index.composite_index(components([(0.61, 1.40, 0.098)]), reference()).iloc[0]
    assert found["tension_index"] == pytest.approx(1.033571, abs=5e-7)
    assert [found[f"z_{name}"] for name in NAMES] == pytest.approx([1.357143, 0.75, 0.65], abs=5e-7)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_the_index_is_recovered_from_components_of_a_known_reference(seed: int) -> None:
    random = np.random.default_rng(seed)
    means, deviations = random.normal(0, 2, 3), random.uniform(0.01, 3, 3)
    z = random.normal(0, 1, (20, 3))
    table = components([tuple(row) for row in z * deviations + means])
    found = own_index.composite_index(table, reference(tuple(means), tuple(deviations)))
    true = z @ np.array(list(own_index.WEIGHTS.values()))
    assert np.abs(found["tension_index"] - true).max() <= 1e-9


def test_units_and_order_change_no_index() -> None:
    rows = [(0.61, 1.40, 0.098), (0.2, 0.3, 0.05), (0.5, 2.0, 0.11)]
    found = own_index.composite_index(components(rows), reference())
    in_pct = [(100 * hard, ratio, rate) for hard, ratio, rate in rows]
    other = own_index.composite_index(
        components(in_pct), reference((42, 0.95, 0.085), (14, 0.60, 0.02))
    )
    assert np.allclose(found["tension_index"], other["tension_index"])
    mixed = own_index.composite_index(components(rows).iloc[::-1], reference().iloc[::-1])
    pd.testing.assert_frame_equal(mixed.loc[found.index], found)


def test_a_missing_component_makes_the_index_missing() -> None:
    found = own_index.composite_index(components([(0.61, np.nan, 0.098)]), reference())
    assert found["tension_index"].isna().all()
    assert found["z_hard_to_fill_share"].notna().all()


def test_another_reference_is_refused_with_all_that_is_wrong() -> None:
    wrong = reference(nomenclature="FAP-2021", reference_code="q")
    with pytest.raises(VintageError) as caught:
        own_index.composite_index(components([(0.6, 1.0, 0.1)]), wrong.iloc[:2])
    text = str(caught.value)
    assert text.startswith("3 defects\n")
    assert "no mean nor standard deviation for exit_rate" in text
    assert "the components ask for another one (found: r)" in text
    assert "another nomenclature (found: FAP-2009)" in text


def test_a_reference_without_spread_is_refused_by_its_contract() -> None:
    with pytest.raises(RangeError, match="standard_deviation"):
        check("tension_reference", reference(deviations=(0.1, 0.1, 0.0)), "reference.csv")


def test_small_cells_are_drawn_towards_the_national_value_with_their_weight() -> None:
    cells = pd.DataFrame({"tension_index": [1.0] * 4, "tension_variance": 0.1})
    few = own_index.shrunk(cells.assign(national_index=0.4))
    assert few["tension_index_shrunk"].tolist() == [0.4] * 4
    index = [1.4, -0.6, 1.4, -0.6, 1.4]
    cells = pd.DataFrame({"tension_index": index, "tension_variance": 0.2})
    enough = own_index.shrunk(cells.assign(national_index=0.4))
    assert enough["shrinkage_weight"].tolist() == pytest.approx([0.8 / 1.0] * 5)
    assert enough["tension_index_shrunk"].iloc[0] == pytest.approx(0.4 + 0.8)


# --- nomenclatures ----------------------------------------------------------------------------


def projects(**columns: list) -> pd.DataFrame:
    counts = {
        "projects_count": [100.0, 50.0, 80.0],
        "projects_secret_cells_count": [2, 0, 1],
        "hard_to_fill_count": [60.0, 20.0, None],
        "hard_to_fill_secret_cells_count": [3, 1, 2],
    }
    keys = {
        "metier_code": ["G0A40", "G0A41", "G0A40"],
        "nomenclature": ["FAP-2009", "FAP-2009", "FAP-2021"],
        "region_code": "84",
        "year": [2023, 2023, 2024],
    }
    return pd.DataFrame(keys | counts | columns)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_crosswalk_that_loses_nothing_keeps_every_total(seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), 2)
    links = pd.DataFrame(
        {
            "metier_code": ["G0A40"] * 3 + ["G0A41"] * 3,
            "metier_2021_code": ["G0A40", "G0A42", "G0A43"] * 2,
            "share": shares.ravel(),
        }
    )
    found = survey.in_new_nomenclature(projects(), links)
    assert set(found["nomenclature"]) == {"FAP-2021"}
    carried = found[found["year"] == 2023]
    before = projects().query("year == 2023")
    for name in ("projects_count", "projects_secret_cells_count", "hard_to_fill_count"):
        assert carried[name].sum() == pytest.approx(before[name].sum(), rel=1e-12)
    bounds = survey.hard_to_fill(found)
    assert (bounds["lower"] <= bounds["upper"]).all()


def test_a_crosswalk_that_loses_something_is_refused_code_by_code() -> None:
    links = pd.DataFrame({"metier_code": ["G0A40"], "metier_2021_code": ["G0A40"], "share": [1.0]})
    with pytest.raises(CoherenceError) as caught:
        survey.in_new_nomenclature(projects(), links)
    text = str(caught.value)
    assert text.startswith("1 defect\n")
    assert "crosswalk, G0A41: the code has no line" in text


# --- profiles and regions ---------------------------------------------------------------------


def test_profiles_follow_from_the_published_factors_and_blanks_never_do() -> None:
    profiles = study.load_inputs()["tension_profiles"]
    assert len(profiles) == 6
    assert profiles["basis"].eq("convention du projet, non votée").all()
    factors = [
        {"labour_shortage": 5, "training_job_link": 5},
        {"labour_shortage": 4, "training_job_link": 1, "hard_working_conditions": 5},
        {"labour_shortage": 5},
    ]
    table = pd.DataFrame(factors, columns=published.FACTORS)
    table = table.assign(metier_code=list("ABC"), year=2019, tension_class=4)
    found = published.tension_profiles(table, profiles)
    assert found[["metier_code", "variant"]].to_numpy().tolist() == [
        ["A", "skilled_shortage"],
        ["B", "open_shortage"],
        ["B", "conditions"],
    ]
    assert published.tension_profiles(table.assign(tension_class=3), profiles).empty


def test_bounds_of_regions_add_up_to_those_of_the_country() -> None:
    rows = embedded.load("recruitment_intentions")
    whole = survey.hard_to_fill(rows)
    parts = survey.hard_to_fill(rows, by_region=True)
    for end in ("lower", "upper"):
        sums = [
            table[table["indicator"] == "recruitment_projects_count"]
            .groupby(["nomenclature", "year"])[end]
            .sum()
            for table in (whole, parts)
        ]
        pd.testing.assert_series_equal(*sums)


def test_a_branch_that_supplies_components_and_a_crosswalk_gets_its_own_series() -> None:
    inputs = study.load_inputs()
    known = inputs["tension"].query("year == 2019")["metier_code"].tolist()[30:36]
    table = components([(0.5 + n / 20, 1.0 + n / 3, 0.1) for n in range(6)])
    supplied = table.assign(metier_code=known, tension_variance=0.1)
    surveyed = inputs["recruitment_intentions"]
    old = sorted(surveyed.query("nomenclature == 'FAP-2009'")["metier_code"].unique())
    links = pd.DataFrame({"metier_code": old, "metier_2021_code": "H0X40", "share": 1.0})
    own = {
        "own_tension_components": supplied,
        "own_tension_reference": reference(),
        "own_fap_crosswalk": links,
    }
    found = tension_results(inputs | own, "ceramique", EDITION)["tensions"]
    computed = found[found["indicator"] == "composite_tension_index"]
    assert computed["origin"].eq("own").all()
    assert len(computed) == 6
    weights = found[found["indicator"] == "shrinkage_weight"]["value"]
    assert weights.between(0, 1).all()
    chained = found[found["indicator"] == "chained_recruitment_projects_count"]
    lists = chained.drop_duplicates(["year", "variant"]).set_index("year")["variant"]
    assert lists.to_dict() == {2023: "FAP-2009 → FAP-2021", 2024: "FAP-2021", 2025: "FAP-2021"}
    published = found[found["indicator"] == "tension_index"]
    assert published["year"].max() == 2019
    assert published["origin"].eq("public").all()
