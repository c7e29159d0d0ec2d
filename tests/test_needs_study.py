"""The chain and the page of needs: own data, fallbacks, what inputs may change, what is told."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from chains import needs_results

from opmq_lib.errors import RangeError
from opmq_lib.methods import needs
from opmq_lib.questions.besoins import chain, fiches, hypotheses
from opmq_lib.questions.besoins import page as besoins
from opmq_lib.show import french
from opmq_lib.sources import study
from opmq_lib.tables.indicators import largest_first, select

NET, LEFT, POSTS = needs.QUANTITIES
SHOWN = re.compile(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<')


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs(["ceramique"])


def run(inputs: Mapping[str, pd.DataFrame], branch: str = "ceramique") -> dict[str, pd.DataFrame]:
    return needs_results(inputs, study.scenarios(), branch, 12, study.edition())


@pytest.fixture(scope="module")
def results(inputs: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return run(inputs)


def consolidated(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return chain.consolidation(study.edition(), table, pd.DataFrame({"branch_code": []}))


def values(results: Mapping[str, pd.DataFrame], *names: str, column: str = "value") -> pd.Series:
    rows = select(results["besoins"], *names)
    return rows.set_index(["metier_code", "year", "indicator", "variant"])[column]


def test_posts_are_the_sum_of_two_causes_in_every_cell_shown(results) -> None:
    table = values(results, *needs.QUANTITIES)
    wide = table.unstack("indicator")
    assert set(wide.index.get_level_values("variant")) > {"", *chain.VARIANTS}
    assert (wide[NET] + wide[LEFT]).to_numpy() == pytest.approx(wide[POSTS].to_numpy(), abs=1e-6)


def test_intentions_change_no_post_and_posts_no_intention(inputs, results) -> None:
    projects = ("recruitment_projects_count", "seasonal_projects_count", "hard_to_fill_share_pct")
    table = inputs["recruitment_intentions"]
    doubled = table.assign(projects_count=2 * table["projects_count"])
    other = run({**inputs, "recruitment_intentions": doubled})
    pd.testing.assert_series_equal(
        values(results, *needs.QUANTITIES), values(other, *needs.QUANTITIES)
    )
    upper = [values(each, *projects, column="upper") for each in (results, other)]
    assert not upper[0].equals(upper[1])
    official = inputs["official_projections"]
    more = official.assign(departures_headcount=2 * official["departures_headcount"])
    other = run({**inputs, "official_projections": more})
    pd.testing.assert_series_equal(values(results, *projects), values(other, *projects))
    assert not values(results, LEFT).equals(values(other, LEFT))


def test_own_ages_replace_national_ones_for_their_metiers_alone(inputs, results) -> None:
    code = "E1Z43"
    national = inputs["age_structure"]
    last = national[(national["metier_code"] == code) & (national["period"] == "2017-2019")]
    own = last.assign(branch_code="ceramique", origin="own", units_count=12, largest_share_pct=20.0)
    own["employment_headcount"] = [1.0] * 6 + [90.0, 90.0, 20.0]
    other = run({**inputs, "own_branch_ages": own.drop(columns="share")})
    before, after = values(results, LEFT), values(other, LEFT)
    changed = before.index[(before != after.reindex(before.index)).to_numpy()]
    assert {metier for metier, *_ in changed} == {code, "ENS"}
    assert after[code, 2030, LEFT, ""] > before[code, 2030, LEFT, ""]
    table = other["besoins"]
    mine = table[(table["metier_code"] == code) & (table["indicator"] == LEFT)]
    assert set(mine["origin"]) == {"own"}
    bases = other[chain.CELLS].set_index("metier_code")["ages_basis"]
    assert bases[code] == "branch"
    assert bases["E1Z41"] == "national"
    assert "pour les autres métiers" in besoins.banner(other).html


def test_one_year_of_an_own_table_is_no_trend(inputs, results) -> None:
    own = pd.DataFrame({"metier_code": ["E1Z43", "autres_metiers"]}).assign(
        branch_code="ceramique", year=2024, employment_headcount=[200.0, 100.0], nature="observed",
        origin="own", units_count=9, largest_share_pct=40.0, source_code="enquete")  # fmt: skip
    found = run({**inputs, "own_employment": own})
    trend = [
        each[chain.CELLS].set_index("metier_code").loc["E1Z43", "own_growth_rate_pct"]
        for each in (results, found)
    ]
    assert trend[0] == pytest.approx(trend[1])
    assert "sont à remplacer" in besoins.headline(found, study.metier_labels()).html


def test_a_branch_without_headcount_says_nd_and_shows_no_national_number(inputs) -> None:
    found = run(inputs, "chaux")
    assert found["besoins_projections"].empty
    labels = study.metier_labels()
    assert "ne connaissons pas les départs" in besoins.headline(found, labels).html
    assert "non disponibles (nd)" in besoins.banner(found).html
    for piece in (
        besoins.intentions_table(found, labels),
        besoins.departures_figure(found, labels),
        besoins.pyramid_figure(found),
        besoins.findings(found, labels),
        hypotheses.scenarios(found),
        besoins.posts_table(found, labels),
        hypotheses.scenarios_table(found),
        hypotheses.lines_table(found, labels, {}),
        besoins.imbalance_table(found),
        fiches.sheets(found, labels),
    ):
        assert piece.html == ""


def test_every_number_of_the_page_is_a_cell_of_a_table(results) -> None:
    labels = study.metier_labels()
    pieces = [
        besoins.headline(results, labels),
        besoins.findings(results, labels),
        besoins.posts_table(results, labels),
        besoins.departures_figure(results, labels),
        hypotheses.scenarios(results),
        hypotheses.scenarios_table(results),
        hypotheses.lines_table(results, labels, study.group_labels()),
        besoins.imbalance_table(results),
        besoins.intentions_table(results, labels),
        fiches.sheets(results, labels),
    ]
    found = SHOWN.findall("".join(piece.html for piece in pieces))
    assert len(found) > 150
    for table, row, column, _ in found:
        assert not pd.isna(results[table].loc[int(row), column])


def test_findings_say_who_leaves_and_no_sign_that_draws_do_not_support(results) -> None:
    labels = study.metier_labels()
    said = besoins.findings(results, labels).html
    first = besoins.headline(results, labels).html.partition("</p>")[0]
    assert "départs en fin de carrière sont à remplacer" in first
    assert "par an pour 100 emplois" in first
    assert "On ne peut pas dire si l’emploi montera ou baissera" in said
    table = results["besoins"].copy()
    row = besoins.row_at(results, "net_creation_rate_pct", "ENS", 2030)
    table.loc[row, ["lower", "value", "upper"]] = [0.2, 2.0, 4.0]
    sure = besoins.findings({**results, "besoins": table}, labels).html
    assert "L’emploi progresserait" in sure


def test_imbalance_is_nd_while_nobody_supplies_entries(results) -> None:
    html = besoins.imbalance_table(results).html
    assert html.count(">nd</abbr>") == 3
    assert "pénurie" in html


def test_departures_are_shown_by_their_interval_and_posts_may_be_negative(results) -> None:
    labels, table = study.metier_labels(), results["besoins"].copy()
    posts = besoins.row_at(results, POSTS, "ENS", 2030)
    table.loc[posts, ["value", "lower", "upper"]] = [-32_688.0, -126_377.0, 74_867.0]
    changed = {**results, "besoins": table}
    html = besoins.posts_table(changed, labels).html
    shown = {(int(at), column): told for _, at, column, told in SHOWN.findall(html)}
    assert shown[posts, "lower"].replace("\u202f", " ").endswith("130 000")
    assert shown[posts, "upper"].replace("\u202f", " ") == "75 000"
    left = besoins.row_at(results, LEFT, "ENS", 2030)
    assert {(left, "lower"), (left, "upper")} <= set(shown)
    assert shown[posts, "value"].replace("\u202f", " ").endswith("33 000")
    both = html + besoins.consolidated_table(consolidated(table), study.branch_labels()).html
    assert both.count(">Départs (intervalle") == 2


def test_every_scenario_can_be_chosen_and_shows_the_posts_of_its_table(results) -> None:
    html = hypotheses.scenarios(results).html
    names = re.findall(r"<label[^>]*>([^<]*)</label>", html)
    assert len(names) == html.count('class="opmq-option"') == len(study.scenarios()) + 2
    shown = re.findall(r"<h3>.*?besoins:(\d+):value", html)
    rows = results["besoins"].loc[list(map(int, shown))]
    assert set(rows["indicator"]) == {"posts_rate_pct"}
    assert rows["variant"].is_unique
    drawn = re.findall(r"<h3><span[^>]*>([^<]*)<", html)
    assert drawn == [french.number(value, 1) for value in rows["value"]]
    assert "ordre de grandeur" in besoins.posts_table(results, study.metier_labels()).html


def test_sources_that_diverge_are_said_to(results) -> None:
    labels, cells = study.metier_labels(), results[chain.CELLS]
    code = largest_first(select(results["besoins"], besoins.JOBS))["metier_code"].iloc[0]
    for gap, is_said in ((0.9, False), (1.1, True)):
        own = cells["growth_rate_pct"] - gap * cells["metier_code"].eq(code)
        changed = {**results, chain.CELLS: cells.assign(own_growth_rate_pct=own)}
        rates = besoins.rates_table(changed, labels, [code])
        for piece in (besoins.findings(changed, labels), rates):
            assert ("sources divergent" in piece.html.partition("</tbody>")[0]) == is_said


def test_beyond_the_official_horizon_our_own_trend_is_all_there_is(inputs) -> None:
    found = needs_results(inputs, study.scenarios(), "ceramique", 13, study.edition())
    assert set(found[chain.CELLS]["nature"]) == {"projection"}
    html = besoins.departures_figure(found, study.metier_labels()).html
    assert "projection officielle" not in html
    assert "notre seule tendance" in besoins.banner(found).html
    rates = values(found, "net_creation_rate_pct").unstack("variant")
    assert rates["own_trend"].to_numpy() == pytest.approx(rates[""].to_numpy())


def test_the_total_holds_every_metier_of_the_branch(results) -> None:
    cells = results[chain.CELLS]
    heads = study.load_inputs()["branch_headcount"].query("branch_code == 'ceramique'")
    assert cells["employment_headcount"].sum() == pytest.approx(heads["employees_headcount"].sum())
    assert set(cells["level_year"]) == set(heads["year"])
    start = cells["employment_headcount"] * np.exp(0.06 * cells["growth_rate_pct"])
    row = besoins.row_at(results, needs.JOBS, "ENS", 2030)
    assert results["besoins"]["value"].loc[row] == pytest.approx(start.sum())


def test_a_sheet_tells_the_departures_of_its_metiers(results) -> None:
    html = fiches.sheets(results, study.metier_labels()).html
    assert "partiraient chaque année en fin de carrière" in html
    row = besoins.row_at(results, "departure_rate_pct", "E1Z43", 2030)
    assert f"besoins:{row}:lower" in html


def test_only_the_reference_is_an_official_projection(results) -> None:
    rows = select(results["besoins"], *needs.RATES)
    natures = rows.groupby("variant")["nature"].agg(set).to_dict()
    assert natures.pop("") == {"official_projection"}
    assert set(natures) > set(chain.VARIANTS)
    assert all(each == {"projection"} for each in natures.values())


def test_scenarios_carry_a_banner_while_nobody_voted(results) -> None:
    assert "non votés" in hypotheses.banner(results).html


def test_the_consolidation_lists_branches(results) -> None:
    both = pd.concat(
        [results["besoins"], results["besoins"].assign(branch_code="chimie")], ignore_index=True
    )
    found = consolidated(both)
    html = besoins.consolidated_table(found, study.branch_labels()).html
    assert "Industries céramiques" in html
    assert "Industries chimiques" in html
    empty = consolidated(pd.DataFrame())
    assert "Non disponible" in besoins.consolidated_table(empty, {}).html


def test_a_horizon_that_is_over_is_refused(inputs) -> None:
    with pytest.raises(RangeError, match="projections end in 2026") as caught:
        needs_results(inputs, study.scenarios(), "ceramique", 8, study.edition())
    assert "ask for 9 or more" in str(caught.value)


def test_no_need_is_counted_before_the_edition(results) -> None:
    table = results["besoins_projections"]
    assert set(table["start_year"]) == {study.edition().edition_date.year}
    assert (table["year"] > table["start_year"]).all()


def test_departures_of_an_estimate_have_a_grade_and_signed_quantities_none(results) -> None:
    table = results["besoins"]
    graded = table["reliability_grade"].fillna("").ne("")
    heads = table["indicator"].isin(needs.GRADED)
    assert graded[heads].all()
    assert not graded[table["indicator"].isin([NET, POSTS, *needs.RATES[::2]])].any()
    rates = select(table, "departure_rate_pct", variant="")
    assert set(rates["reliability_grade"]) == {"A"}
    rows = table[heads & graded]
    ratio = rows["upper"] / rows["lower"]
    wide = ratio.gt(6) | rows["lower"].le(0)
    assert rows.loc[wide, "reliability_grade"].eq("D").all()
    assert rows.loc[ratio.le(2), "reliability_grade"].isin(["A", "B"]).all()


def test_leaving_a_year_later_lowers_departures_of_the_years_counted(results) -> None:
    left = values(results, LEFT).unstack("variant")
    assert len(left) > 10
    assert (left["later_pension"] < 0.98 * left[""]).mean() > 0.8
    assert left.loc["ENS", "later_pension"].item() < 0.97 * left.loc["ENS", ""].item()
    created = values(results, NET).unstack("variant")
    assert (created["later_pension"] == created[""]).all()


def test_a_rate_of_departure_is_better_known_than_the_count(results) -> None:
    lower, upper = (
        values(results, LEFT, "departure_rate_pct", column=end).unstack("indicator")
        for end in ("lower", "upper")
    )
    ratio = (upper / lower).xs("", level="variant").drop("ENS")
    assert len(ratio) > 10
    assert (ratio["departure_rate_pct"] <= ratio[LEFT]).all()


def test_letters_stand_beside_departures_and_a_metier_of_grade_d_has_no_sheet(results) -> None:
    labels, table = study.metier_labels(), results["besoins"].copy()
    letters = re.compile(r'class="opmq-grade"[^>]*>([A-D])<')
    assert len(letters.findall(besoins.headline(results, labels).html)) >= 2
    sheets = fiches.sheets(results, labels).html
    assert sheets.count("partiraient") < len(letters.findall(sheets))
    assert "best_grade" not in results["besoins_projections"]
    rows = consolidated(table)
    html = besoins.consolidated_table(rows, study.branch_labels()).html
    assert len(letters.findall(html)) >= 2
    code = largest_first(select(table, besoins.JOBS))["metier_code"].iloc[0]
    assert f"<strong>{labels[code]}</strong>" in sheets
    of_metier = table["metier_code"].eq(code) & table["indicator"].eq(besoins.JOBS)
    table.loc[of_metier, "reliability_grade"] = "D"
    without = fiches.sheets({**results, "besoins": table}, labels).html
    assert f"<strong>{labels[code]}</strong>" not in without
    assert "Sans fiche, effectif trop incertain" in without


def test_all_branches_together_are_their_sum_and_better_known_than_each(results) -> None:
    both, edition = study.load_inputs(["ceramique", "ciments"]), study.edition()
    other = needs_results(both, study.scenarios(), "ciments", 12, edition)
    tables, cells = (
        pd.concat([each[name] for each in (results, other)], ignore_index=True)
        for name in ("besoins", chain.CELLS)
    )
    found = chain.consolidation(edition, tables, cells)["consolidation_besoins"]
    reference = found[found["variant"].fillna("").eq("") & found["metier_code"].eq("ENS")]
    for name in needs.QUANTITIES:
        rows = select(reference, name).set_index("branch_code")
        parts, whole = rows.drop("ensemble"), rows.loc["ensemble"]
        assert whole["value"] == pytest.approx(parts["value"].sum())
        width = parts["upper"] - parts["lower"]
        assert width.max() < whole["upper"] - whole["lower"] < width.sum()


def test_rates_of_chimie_are_those_that_the_design_measured() -> None:
    inputs, edition = study.load_inputs(["chimie"]), study.edition()
    table = needs_results(inputs, study.scenarios()[:1], "chimie", 12, edition)["besoins"]
    net, left, posts = needs.RATES
    expected = {
        ("ENS", left): (2.6, 2.1, 3.3),
        ("ENS", net): (0.6, -1.1, 2.4),
        ("ENS", posts): (3.2, 1.3, 5.3),
        ("E1Z41", left): (3.5, 2.5, 4.8),
        ("E1Z41", net): (-0.2, -2.8, 2.8),
    }
    rows = select(table, *needs.RATES, variant="").set_index(["metier_code", "indicator"])
    for place, numbers in expected.items():
        found = rows.loc[place, ["value", "lower", "upper"]].tolist()
        assert found == pytest.approx(numbers, abs=0.11), place
