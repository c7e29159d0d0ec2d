import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import site_edition as given
from chains import employment_results

from opmq_lib.methods.forecast import evaluation as scores
from opmq_lib.params import EditionParams
from opmq_lib.questions.emplois import page as explications
from opmq_lib.questions.evaluation import chain
from opmq_lib.questions.evaluation import page as evaluation
from opmq_lib.questions.shared import ALL_BRANCHES
from opmq_lib.show.pieces import Html
from opmq_lib.sources import study
from opmq_lib.tables import indicators

LABELS = study.metier_labels() | study.branch_labels()
HEADS = "employment_headcount"
STARTS = {"2025": {"E2Z70": 100, "E0Z20": 50}, "2026": {"E2Z70": 104, "E0Z20": 50}}
"""Employment of 2016, as each of two editions has it; the later one has 2017 and 2018 as well."""
SEEN = {("E2Z70", 2017): 125, ("E2Z70", 2018): 100, ("E0Z20", 2017): 55, ("E0Z20", 2018): 40}
PROJECTED = {
    ("E2Z70", 2017): (90, 100, 110),
    ("E2Z70", 2018): (80, 100, 120),
    ("E0Z20", 2017): (40, 50, 60),
    ("E0Z20", 2018): (30, 50, 60),
}
"""What the earlier one projected, and its interval at 80 %."""
KNOWN = ["4", "14,5", "1,6", "75"]
"""Errors of 20, 0, 9.09 and 25 %, 0 to 4 % of them from the start; one of four not covered."""


def vintages(root: Path) -> None:
    """Write two editions of one branch; a branch that only the later one has is not judged."""
    given.project(root, ["ceramique", "chaux"])
    jobs, projections = (["branch_code,metier_code,year,indicator,value"],
                         ["branch_code,metier_code,scenario_code,cutoff_year,year,quantile_level,"
                          "quantity,value"])  # fmt: skip
    for (code, year), values in PROJECTED.items():
        for level, value in zip((0.1, 0.5, 0.9), values, strict=True):
            for scenario, heads in (("reference", value), ("bas_carbone", 999)):
                cells = ("ceramique", code, scenario, 2016, year, level, HEADS, heads)
                projections.append(",".join(map(str, cells)))
    for name, starts in STARTS.items():
        known = {(code, 2016): heads for code, heads in starts.items()}
        known |= SEEN if name == "2026" else {}
        rows = [f"ceramique,{code},{year},{HEADS},{n}" for (code, year), n in known.items()]
        tables = {"emplois.csv": [*jobs, *rows], "emplois_projections.csv": projections}
        written = {table: "\n".join([*lines, ""]) for table, lines in tables.items()}
        given.run(root, "ceramique", "01_emplois", tables=written)
        if name == "2025":
            (root / "outputs/2026").rename(root / "outputs/2025")
    others = {table: text.replace("ceramique", "chaux") for table, text in written.items()}
    given.run(root, "chaux", "01_emplois", tables=others)


def evaluation_results(
    inputs: dict, jobs: pd.DataFrame, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Take every step of the notebook, whose edition follows another one."""
    panel, families = chain.panel(inputs, edition), chain.families(inputs, edition)
    scored, rules = scores.past_accuracy(panel)
    branches = chain.branches(jobs, scored)
    past = chain.retrospective(families, panel, edition)
    needs = chain.needs(inputs, panel, edition)
    field = chain.field(inputs, scored)
    forecasts = chain.past_forecasts(edition.edition_id, "2025")
    return chain.results(field, rules, branches, needs, families, past, forecasts, edition)


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


@pytest.fixture(scope="module")
def jobs(inputs: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return employment_results(inputs, "ceramique", 12, study.edition())


@pytest.fixture(scope="module")
def results(
    inputs: dict, jobs: dict, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    root = tmp_path_factory.mktemp("study") / "project"
    vintages(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPMQ_ROOT", str(root))
        return evaluation_results(inputs, jobs["emplois"], study.edition())


def numbers(html: str) -> list[tuple[str, int, str, str]]:
    found = re.findall(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<', html)
    return [(table, int(row), column, text) for table, row, column, text in found]


def text(html: Html) -> str:
    return re.sub("<[^>]+>", "", html.html)


def test_every_number_of_a_table_is_that_of_its_cell(results: dict) -> None:
    shown = numbers(evaluation.scores_table(results).html)
    assert len(shown) == 2 * len(evaluation.SCORES) * len(evaluation.METHODS)
    for table, row, column, said in shown:
        value = float(said.replace(",", ".").replace("\u202f", ""))
        assert abs(value - results[table][column].loc[row]) <= 0.51


def test_findings_claim_nothing_that_their_interval_does_not_support(results: dict) -> None:
    of = {"level": "metier", "model": "naive"}
    row = indicators.row_of(results["evaluation"], "smape_difference_points", **of)
    said = {}
    for low, high in ((-2.0, -0.5), (-1.0, 1.0), (0.5, 2.0)):
        table = results["evaluation"].copy()
        table.loc[row, ["lower", "upper"]] = low, high
        told = text(evaluation.comparisons({**results, "evaluation": table}, LABELS))
        told = told.replace("\u00a0", " ")
        said[low] = told.partition("arrivé, « dernière valeur »")[2].partition("(écart")[0]
    assert "c’est mieux que « dernière valeur »" in said[-2.0]
    assert "pas de différence montrée" in said[-1.0]
    assert "c’est moins bien que" in said[0.5]


def test_branches_where_the_last_value_wins_are_named(results: dict) -> None:
    table = results["evaluation"].copy()
    for own, rule, told in ((9.0, 8.0, "Industries céramiques"), (8.0, 9.0, "au moins aussi bien")):
        for model, value in (("published", own), ("naive", rule)):
            row = indicators.row_of(table, "smape_pct_at_step", model=model)
            table.loc[row, "value"] = value
        assert told in text(evaluation.comparisons({**results, "evaluation": table}, LABELS))


def test_what_is_published_is_no_worse_than_the_last_value_nor_than_the_engine(
    results: dict,
) -> None:
    table = results["evaluation"]
    for level, years in (("metier", 5), ("family", 10)):
        error = {
            model: indicators.select(
                table, "smape_pct", model=model, level=level, horizon_years=years
            )["value"].item()
            for model in ("published", "naive", "panel")
        }
        assert error["published"] <= min(error["naive"], error["panel"])
    covered = indicators.select(
        table, "coverage_80_pct", model="published", level="metier", horizon_years=5
    )
    assert 78 <= covered["value"].item() <= 88
    pooled = indicators.select(
        table, "coverage_80_pct", model="published", level="family", horizon_years=10
    )
    assert 78 <= pooled["value"].item() <= 88


def test_figures_show_what_their_tables_hold(results: dict) -> None:
    past = evaluation.retrospective_figure(results, LABELS)
    assert len(past.rows) == evaluation.PANELS
    assert all(fan.after[-1][0] == 2018 for fan in past.rows)
    coverage = evaluation.coverage_figure(results)
    assert {bar.mark for bar in coverage.rows} == {*evaluation.NOMINAL_PCT.values()}
    tenths = evaluation.calibration_figure(results)
    table = results["evaluation"]
    shares = indicators.select(table, "pit_share_pct", model="published", level="metier")
    assert [bar.value for bar in tenths.rows] == shares["value"].tolist()
    lines = evaluation.cutoffs_figure(results)
    assert [line.label for line in lines.rows] == list(evaluation.METHODS.values())
    assert lines.rows[0].points[0][0] == 1999
    for figure in (past, coverage, tenths, lines):
        assert len(re.findall(r'aria-label="([^"]*)"', figure.html)[0]) <= 200
        assert "Voir les chiffres" in figure.html


def test_steps_origins_and_branches_have_one_line_each(results: dict) -> None:
    assert evaluation.steps_table(results).html.count('<th scope="row">') == 10
    assert evaluation.origins_table(results).html.count('<th scope="row">') == 15
    assert evaluation.rule_table(results).html.count('<th scope="row">') == 12
    branches = evaluation.branches_table(results, LABELS)
    assert branches.html.count('<th scope="row">') == 1
    assert "Erreur à 5\u00a0ans" in branches.html


def test_the_banner_counts_the_series_that_were_scored(results: dict) -> None:
    said = text(evaluation.banner(results)).replace("\u00a0", " ")
    assert "59 métiers à 5 ans et pour 87 familles de métiers à 10 ans." in said


def test_needs_are_said_better_only_where_the_whole_interval_is(results: dict) -> None:
    table = results["evaluation"].copy()
    rule = {"level": "metier", "model": "no_change"}
    row = indicators.row_of(table, "needs_error_difference_pct", **rule)
    ours = indicators.row_of(table, "needs_error_pct", level="metier", model="study")
    theirs = indicators.row_of(table, "needs_error_pct", **rule)
    difference = table.loc[ours, "value"] - table.loc[theirs, "value"]
    assert table.loc[row, "value"] == pytest.approx(difference)
    said = {}
    for low, high in ((-3.5, 1.5), (-5.1, -0.2), (0.2, 3.0)):
        table.loc[row, ["lower", "upper"]] = low, high
        findings = text(evaluation.needs_findings({**results, "evaluation": table}))
        said[low] = findings.partition("rien ne change")[0]
    assert "Pas de différence montrée" in said[-3.5]
    assert "mieux" not in said[-3.5]
    assert "C’est mieux que" in said[-5.1]
    assert "C’est moins bien que" in said[0.2]


def test_coverage_of_needs_is_judged_by_its_own_interval(results: dict) -> None:
    table = results["evaluation"].copy()
    row = indicators.row_of(table, "needs_coverage_pct", level="metier")
    assert table.loc[row, "lower"] < table.loc[row, "value"] < table.loc[row, "upper"]
    for ends, verdict in (
        ((60.0, 70.0), "moins qu’annoncé"),
        ((68.0, 83.0), "compatible avec les 80 % annoncés"),
        ((85.0, 95.0), "plus qu’annoncé"),
    ):
        table.loc[row, ["lower", "upper"]] = ends
        findings = text(evaluation.needs_findings({**results, "evaluation": table}))
        assert verdict in findings.partition("Familles de l’industrie")[0].replace("\u00a0", " ")


def test_without_any_branch_the_page_says_so(results: dict) -> None:
    table = results["evaluation"]
    alone = results | {"evaluation": table[table["branch_code"] == ALL_BRANCHES]}
    assert "aucune branche" in text(evaluation.branches_table(alone, LABELS))
    assert "1999 à 2013" in text(evaluation.banner(alone))


def test_explanations_show_the_largest_metiers_and_three_opinions(jobs: dict) -> None:
    for table in (
        explications.errors_table(jobs, LABELS),
        explications.opinions_table(jobs, LABELS),
    ):
        assert table.html.count('<th scope="row">') == 10
    assert "2030" in explications.opinions_table(jobs, LABELS).html
    assert explications.gaps(jobs, LABELS).html == ""


def test_forecasts_of_the_edition_before_are_judged_by_this_one(results: dict) -> None:
    page = evaluation.past_table(results, LABELS, "2026", "2025").html
    assert [each for *_, each in numbers(page)] == KNOWN
    assert "l’édition 2025 projetait" in page
    assert LABELS["ceramique"] in page
    assert LABELS["chaux"] not in page
    assert evaluation.past_table(results, LABELS, "2026", None).html == ""


def test_filled_years_are_named(jobs: dict) -> None:
    table = jobs["emplois_explications"].copy()
    row = table.index[table["indicator"] == "filled_years_count"][0]
    table.loc[row, "value"] = 2.0
    said = explications.gaps({"emplois_explications": table}, LABELS)
    assert LABELS[table.loc[row, "metier_code"]] in said.html
    assert numbers(said.html)[0][3] == "2"


def test_a_branch_without_headcount_has_no_explanation(inputs: dict) -> None:
    nothing = employment_results(inputs, "chaux", 12, study.edition())
    for piece in (
        explications.gaps,
        explications.errors_table,
        explications.opinions_table,
    ):
        assert piece(nothing, LABELS).html == ""


def test_the_pooled_coverage_stands_beside_that_of_its_worst_and_best_years(results: dict) -> None:
    at = {"level": "metier", "model": "published"}
    held = indicators.select(results["evaluation"], "coverage_80_pct_by_cutoff", **at)
    shares = held.set_index("year")["value"].sort_values()
    said = " ".join(text(evaluation.comparisons(results, LABELS)).split())
    ends = [f"{shares.iloc[end]:.0f} % ({shares.index[end]})" for end in (0, -1)]
    assert f"selon l’année de départ de {ends[0]} à {ends[1]}." in re.sub(r"\s", " ", said)


def test_ages_are_scored_to_the_last_published_where_employment_goes_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins = []

    def scored(*given: Any) -> pd.DataFrame:
        origins.append(given[-1])
        return pd.DataFrame({"series_code": [], "metier_code": []})

    for name in ("employment_errors", "age_errors", "retirement_check"):
        monkeypatch.setattr(chain.backtests, name, scored)
    later = study.edition().model_copy(update={"base_year": 2023})
    chain.needs(study.load_inputs(), pd.DataFrame(), later)
    assert origins == [2013, 2013, 2008]
