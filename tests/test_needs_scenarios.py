"""Scenarios, intentions, qualifications and back-tests of needs."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import studied

from opmq_lib.errors import CoherenceError
from opmq_lib.methods import needs
from opmq_lib.methods.forecast import projection
from opmq_lib.methods.needs import backtests, qualifications, summary
from opmq_lib.methods.needs import scenarios as sets
from opmq_lib.methods.needs.intentions import recruitment_projects
from opmq_lib.params import NOT_VOTED, ScenarioLine, ScenarioParams
from opmq_lib.sources import embedded, parameters
from opmq_lib.tables import check

ROOT = Path(__file__).parent.parent
NET, LEFT, POSTS = needs.QUANTITIES


def line(**changes: object) -> ScenarioLine:
    given = {
        "label": "Essai",
        "multiplier": 0.9,
        "start_year": 2018,
        "end_year": 2028,
        "unit": "rapport à la référence",
        "vote": None,
        "basis": NOT_VOTED,
    }
    return ScenarioLine.model_validate(given | changes)


def scenario(*lines: ScenarioLine, code: str = "essai") -> ScenarioParams:
    return ScenarioParams(
        scenario_code=code, label="Essai", vote=None, basis=NOT_VOTED, lines=lines
    )


NODES = pd.DataFrame(
    [(b, m) for b in ("chimie", "verre_mecanique") for m in ("E1Z41", "E1Z43", "G1Z70")],
    columns=["branch_code", "metier_code"],
)


def effects(*chosen: ScenarioParams, year: int = 2028) -> pd.DataFrame:
    return sets.effects(chosen, NODES, embedded.load("branches"), year)


def posts(given: pd.DataFrame) -> pd.DataFrame:
    facts = {"level_year": 2020, "family_code": "", "nature": "projection", "origin": "public"}
    rates = {"growth_rate_pct": 1.0, "departure_rate_pct": 3.0, "ages_basis": "national"}
    cells = NODES.assign(employment_headcount=2000.0, **facts, **rates)
    found = needs.posts_to_fill(cells, 2024, 2028, {"essai": given})
    key = ["branch_code", "metier_code", "quantile_level"]
    return found.pivot(index=key, columns="quantity", values="value")


# Scenarios


def test_the_reference_changes_nothing() -> None:
    reference = parameters.load_scenarios(ROOT)["reference"]
    key = ["branch_code", "metier_code"]
    pd.testing.assert_frame_equal(posts(effects(reference)), posts(NODES[key]))


def test_one_line_changes_exactly_the_cells_it_names_and_no_departure() -> None:
    before = posts(effects())
    changed = posts(effects(scenario(line(branch_codes=["chimie"], metier_codes=["E1Z"]))))
    moved = (changed != before).any(axis=1)
    touched = set(moved[moved].index.droplevel("quantile_level"))
    codes = ("E1Z41", "E1Z43", "ENS")
    assert touched == {(branch, code) for branch in ("chimie", "ensemble") for code in codes}
    assert (changed[[LEFT, "departure_rate_pct"]] == before[[LEFT, "departure_rate_pct"]]).all(
        axis=None
    )


def test_a_branch_total_is_the_sum_of_its_metiers_under_every_scenario() -> None:
    for each in parameters.load_scenarios(ROOT).values():
        point = posts(effects(each)).xs(0.5, level="quantile_level").reset_index()
        whole = point[point["metier_code"] == "ENS"].set_index("branch_code")
        parts = point[point["metier_code"] != "ENS"].groupby("branch_code")
        sums = parts[list(needs.QUANTITIES)].sum()
        assert sums.to_numpy() == pytest.approx(whole.loc[sums.index, sums.columns].to_numpy())


def test_a_scenario_that_changes_departures_is_refused() -> None:
    with pytest.raises(ValueError, match="quantity"):
        line(quantity="departures")


def test_scenarios_compose_by_multiplying() -> None:
    one = scenario(line(metier_codes=["E1Z"]))
    two = scenario(line(multiplier=1.1, industry_group_codes=["C"]))
    both, first, second = effects(one, two), effects(one), effects(two)
    name = "employment_multiplier"
    assert both[name].tolist() == pytest.approx((first[name] * second[name]).tolist())


def test_a_path_goes_straight_between_its_points_and_stays() -> None:
    points = [{"year": 2020, "multiplier": 0.8}]
    path = sets.multiplier_path(line(points=points), np.array([2017, 2018, 2019, 2020, 2024, 2030]))
    assert path.tolist() == pytest.approx([1, 1, 0.9, 0.8, 0.85, 0.9])


def test_lines_are_told_one_by_one_and_nothing_claims_a_vote() -> None:
    shipped = list(parameters.load_scenarios(ROOT).values())
    table = check("scenario_lines", sets.line_table(shipped), "scenarios")
    assert len(table) == sum(max(len(each.lines), 1) for each in shipped)
    assert {each.scenario_code for each in shipped} >= {
        "reference",
        "bas_carbone",
        "reindustrialisation",
        "choc_activite",
    }
    assert set(table["vote"]) == {""}
    assert set(table["basis"]) == {NOT_VOTED}
    assert not any("probab" in name for name in table)


def test_years_of_a_line_must_increase() -> None:
    with pytest.raises(ValueError, match="do not increase"):
        line(start_year=2028)


# Two layers, never mixed


def test_recruitment_projects_change_nothing_of_posts_and_conversely() -> None:
    intentions = embedded.load("recruitment_intentions").query("nomenclature == 'FAP-2009'")
    doubled = intentions.assign(projects_count=intentions["projects_count"] * 2)
    before, after = recruitment_projects(intentions), recruitment_projects(doubled)
    assert after["lower"].sum() > before["lower"].sum()
    names = set(before["indicator"])
    assert names.isdisjoint(needs.QUANTITIES)


def test_no_module_of_posts_imports_the_intentions() -> None:
    paths = sorted((ROOT / "opmq_lib/methods/needs").glob("*.py"))
    assert paths
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "opmq_lib.methods.needs.intentions" not in imported, path.stem
        tension = any(name.startswith("opmq_lib.methods.tension") for name in imported)
        assert path.stem == "intentions" or not tension, path.stem


# Entries


def test_entries_are_subtracted_and_unknown_ones_stay_nd() -> None:
    key = ["branch_code", "metier_code", "origin"]
    rows = pd.DataFrame([("chimie", code, "public") for code in ("E1Z41", "G1Z70")], columns=key)
    rows = rows.assign(
        indicator=POSTS, year=2023, value=500.0, lower=400.0, upper=600.0, interval_level=0.8
    ).assign(reliability_grade="", nature="projection")
    entries = pd.DataFrame(
        {
            "branch_code": ["chimie"],
            "metier_code": ["E1Z41"],
            "young_beginners_per_year_headcount": [20.0],
            "net_mobility_per_year_headcount": [-5.0],
        }
    )
    found = summary.entry_rows(rows, entries, 2018).set_index(["metier_code", "indicator"])["value"]
    assert found["E1Z41", "potential_imbalance_headcount"] == pytest.approx(500 - 100 + 25)
    assert np.isnan(found["G1Z70", "potential_imbalance_headcount"])


# Qualifications


def test_the_parts_of_the_change_of_qualifications_add_up() -> None:
    jobs = studied("employment_national")
    jobs = jobs[jobs["metier_code"].str.len() == 5].assign(
        nature="observed", origin="public", branch_code="x"
    )
    table = qualifications.structure_rows(jobs)
    rows = table.set_index(["indicator", "level", "year"])["value"]
    shares = {
        name: rows["qualification_share_pct", name, 2018] for name in qualifications.CLASSES[:4]
    }
    assert sum(shares.values()) == pytest.approx(100)
    for name in shares:
        change = rows["qualification_change_points", name, 2018]
        assert change == pytest.approx(shares[name] - rows["qualification_share_pct", name, 2004])
        parts = [rows[f"qualification_{part}_points", name, 2018] for part in ("mix", "within")]
        assert sum(parts) == pytest.approx(change)
    assert table.set_index("indicator")["value"].isna()["diploma_share_pct"]


def test_draws_that_leave_no_job_are_left_out_without_a_warning() -> None:
    """One métier of two years, as the README's own example: some of its futures are empty."""
    jobs = pd.DataFrame({"metier_code": "E1Z43", "year": [2023, 2024]}).assign(
        branch_code="x", employment_headcount=[100.0, 90.0], nature="observed", origin="public"
    )
    ends = {0.1: 0.0, 0.25: 0.0, 0.5: 80.0, 0.75: 90.0, 0.9: 100.0}
    future = pd.DataFrame({"quantile_level": ends.keys(), "value": ends.values()})
    future = future.assign(metier_code="E1Z43", year=2036)
    rows = qualifications.projection_rows(jobs, future).set_index("indicator")
    share = rows.loc["projected_qualification_share_pct"]
    assert share[["lower", "value", "upper"]].tolist() == [100, 100, 100]


def test_an_empty_group_takes_the_other_date_and_bad_shares_are_refused() -> None:
    nothing = np.array([[np.nan, np.nan], [0.5, 0.5]])
    mix, within = qualifications.decompose(
        np.array([0.0, 1.0]), np.array([0.5, 0.5]), nothing, np.array([[1.0, 0.0], [0.5, 0.5]])
    )
    assert (mix + within).tolist() == pytest.approx([0.25, -0.25])
    assert within.tolist() == [0, 0]
    with pytest.raises(CoherenceError):
        qualifications.decompose(np.array([0.5, 0.6]), np.array([0.5, 0.5]), nothing, nothing)


# Back-tests


@pytest.fixture(scope="module")
def employment() -> pd.DataFrame:
    panel = projection.national_panel(studied("employment_national"), 2018)
    return backtests.employment_errors(panel, 2008)


def test_projections_from_2008_beat_both_simple_rules(employment: pd.DataFrame) -> None:
    assert set(employment["year"]) == set(range(2010, 2019))
    for _, part in employment.groupby("level"):
        own, *rules = (
            backtests.weighted_error_pct(part, model)
            for model in ("study", "no_change", "last_growth")
        )
        assert own < min(rules)


def test_what_came_after_the_origin_is_hidden() -> None:
    panel = projection.national_panel(studied("employment_national"), 2018)
    changed = panel.assign(value=panel["value"].where(panel["year"] <= 2008, panel["value"] * 3))
    one, two = (backtests.employment_errors(each, 2008) for each in (panel, changed))
    assert (one["study"] == two["study"]).all()
    ages = studied("age_structure")
    late = ages["period"] > "2012-2014"
    grown = ages.assign(
        employment_headcount=ages["employment_headcount"].where(
            ~late, 2 * ages["employment_headcount"]
        )
    )
    before, after = (backtests.age_errors(each, 2013) for each in (ages, grown))
    assert (before["study"] == after["study"]).all()
    assert after["actual"].to_numpy() == pytest.approx(2 * before["actual"].to_numpy())


def test_ages_are_scored_on_three_bands_of_all_metiers() -> None:
    found = backtests.age_errors(studied("age_structure"), 2013)
    assert found.groupby("first_age").size().to_dict() == {50: 59, 55: 59, 60: 59}
    for band, part in found.groupby("first_age"):
        gap = abs(part["study"].sum() / part["actual"].sum() - 1)
        without_trend = abs(part["mean_rates"].sum() / part["actual"].sum() - 1)
        assert gap < without_trend, band
        assert 70 <= backtests.covered_pct(part) <= 95


def test_departures_are_of_the_order_of_declared_retirements() -> None:
    found = backtests.retirement_check(
        studied("age_structure"),
        embedded.load("exit_rates"),
        embedded.load("exit_reasons"),
        2008,
    )
    assert len(found) == 26
    weights = found["heads"] / found["heads"].sum()
    projected, declared = (
        (found[f"{name}_pct"] * weights).sum() for name in ("projected", "declared")
    )
    assert 0.5 < projected / declared < 2
