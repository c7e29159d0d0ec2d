import pandas as pd
import pytest
from chains import consolidation_results, employment_results, tension_results

from opmq_lib.questions.coeurs_strategiques import chain as coeurs
from opmq_lib.questions.shared import branch_employment
from opmq_lib.sources import study
from opmq_lib.tables import indicators

BRANCH = "ceramique"
EDITION = study.edition()


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


def own_table(years: range) -> pd.DataFrame:
    rows = [
        (code, year, heads + year - 2000)
        for code, heads in (("A1", 90.0), ("B1", 40.0))
        for year in years
    ]
    return pd.DataFrame(rows, columns=["metier_code", "year", "employment_headcount"]).assign(
        branch_code=BRANCH,
        nature="observed",
        origin="own",
        units_count=12,
        largest_share_pct=20.0,
        source_code="enquete",
    )


def test_a_branchs_own_table_takes_the_place_of_the_estimate(inputs: dict) -> None:
    own = inputs | {"own_employment": own_table(range(2008, 2025))}
    jobs = branch_employment(own, BRANCH, 2018)
    assert set(jobs["metier_code"]) == {"A1", "B1"}
    assert jobs["nature"].eq("observed").all()


def test_a_branch_without_headcount_gets_what_its_own_table_says_and_no_other(
    inputs: dict,
) -> None:
    table = own_table(range(2008, 2025)).assign(branch_code="chaux")
    own = inputs | {"own_employment": table}
    assert branch_employment(inputs, "chaux", 2018).empty
    assert branch_employment(own, "chaux", 2018)["employment_headcount"].tolist() == (
        table["employment_headcount"].tolist()
    )
    other = branch_employment(own, BRANCH, 2018)
    pd.testing.assert_frame_equal(other, branch_employment(inputs, BRANCH, 2018))


def test_results_of_an_own_table_are_own_and_projected_from_its_last_year(inputs: dict) -> None:
    own = inputs | {"own_employment": own_table(range(2008, 2025))}
    results = employment_results(own, BRANCH, 6, EDITION)
    projections = results["emplois_projections"]
    assert projections["origin"].eq("own").all()
    assert projections["year"].max() == 2030
    levels = indicators.select(results["emplois"], "employment_headcount")
    assert levels["origin"].eq("own").all()
    assert levels["units_count"].eq(12).all()
    assert indicators.select(results["emplois"], "headcount_fit_ratio").empty


def test_tension_of_a_branch_is_ranked_by_its_estimate_and_otherwise_nationally(
    inputs: dict,
) -> None:
    known = tension_results(inputs, BRANCH, EDITION)["tensions"]
    unknown = tension_results(inputs, "chaux", EDITION)["tensions"]
    assert indicators.select(known, "national_employment_headcount").empty
    assert indicators.select(unknown, "employment_headcount").empty
    assert len(indicators.select(unknown, "national_employment_headcount")) > 40


def test_métiers_left_out_by_convention_appear_in_no_survey_table(inputs: dict) -> None:
    left_out = inputs["metiers_left_out"].query("nomenclature == 'FAP-2021'")["metier_code"]
    tensions = tension_results(inputs, BRANCH, EDITION)["tensions"]
    surveyed = indicators.select(tensions, "recruitment_projects_count")
    latest = surveyed[surveyed["year"] > 2023]
    assert not latest["metier_code"].isin(left_out).any()
    assert not latest.empty


def test_consolidation_of_nothing_is_an_empty_table(inputs: dict) -> None:
    assert consolidation_results(inputs, pd.DataFrame())["consolidation"].empty


def test_consolidation_keeps_every_branch_and_leaves_the_unknown_one_out_of_counts(
    inputs: dict,
) -> None:
    jobs = pd.concat(
        [employment_results(inputs, code, 1, EDITION)["emplois"] for code in (BRANCH, "chaux")],
        ignore_index=True,
    )
    labels = coeurs.run(inputs, BRANCH, EDITION, study.criteria(BRANCH))["coeurs"]
    table = consolidation_results(inputs, jobs, labels)["consolidation"]
    accepted = indicators.select(table, "core_acceptability_pct")
    assert set(accepted["branch_code"]) == {BRANCH}
    assert accepted["nature"].eq("estimate").all()
    headcounts = indicators.select(table, "branch_headcount").set_index("branch_code")["status"]
    assert headcounts.to_dict() == {BRANCH: "value", "chaux": "nd"}
    assert indicators.select(table, "branches_in_top_ten_count")["value"].eq(1).all()
    domains = indicators.select(table, "domain_share_pct")
    assert abs(domains["value"].sum() - 100) < 1e-9
    outside = indicators.select(table, "outside_branches_share_pct")["value"]
    assert outside.between(0, 100 + 1e-9).all()


def test_every_parameter_of_the_edition_changes_the_results(inputs: dict) -> None:
    changed = EDITION.model_copy(
        update={"base_year": 2015, "quantile_levels": (0.1, 0.5, 0.9), "scenario_codes": ("x",)}
    )
    results = employment_results(inputs, BRANCH, 2, changed)
    projections = results["emplois_projections"]
    assert projections["cutoff_year"].eq(2015).all()
    assert sorted(projections["quantile_level"].unique()) == [0.1, 0.5, 0.9]
    assert projections["scenario_code"].eq("x").all()
    short = indicators.select(results["emplois"], "employment_headcount")
    whole = employment_results(inputs, BRANCH, 2, EDITION)["emplois"]
    levels = indicators.select(whole, "employment_headcount")
    kept = levels[levels["year"] <= 2015]
    assert short["year"].max() == 2015
    assert short["value"].tolist() == kept["value"].tolist()


def test_an_own_table_without_the_rest_of_the_branch_gives_no_share(inputs: dict) -> None:
    own = inputs | {"own_employment": own_table(range(2008, 2025))}
    table = employment_results(own, BRANCH, 1, EDITION)["emplois"]
    assert indicators.select(table, "employment_share_pct").empty
