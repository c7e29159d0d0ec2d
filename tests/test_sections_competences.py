"""What the page of skills and certifications says, and what it refuses to say."""

import re
from functools import cache

import pandas as pd
import pytest
from chains import needs_results, skill_results

from opmq_lib.questions.besoins import fiches
from opmq_lib.questions.competences import page as competences
from opmq_lib.questions.competences.chain import skills_consolidation
from opmq_lib.show import french
from opmq_lib.sources import study
from opmq_lib.tables import indicators


@cache
def besoins(branch_code):
    inputs, edition = study.load_inputs([branch_code]), study.edition()
    return needs_results(inputs, study.scenarios()[:1], branch_code, 10, edition)["besoins"]


@cache
def results(branch_code):
    inputs = study.load_inputs([branch_code])
    return skill_results(inputs, branch_code, study.edition(), besoins(branch_code))


def page(branch_code):
    found, labels = results(branch_code), study.metier_labels()
    pieces = [
        competences.banner(found),
        competences.findings(found, labels),
        competences.reasons_table(found),
        competences.calendar_table(found),
        competences.coverage_table(found, labels),
        competences.uncovered_table(found),
        competences.emerging_table(found),
        competences.posts_table(found),
        competences.gaps_table(found, study.metier_labels(), study.skill_labels()),
        competences.portfolio_table(found),
    ]
    return "".join(piece.html for piece in pieces)


@pytest.mark.parametrize("branch_code", ["metallurgie", "ceramique"])
def test_every_number_is_a_cell_of_a_result_table(branch_code):
    found = results(branch_code)
    cells = re.findall(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<', page(branch_code))
    assert cells
    for table, row, column, text in cells:
        value = float(found[table].reset_index(drop=True).at[int(row), column])
        if table == "skill_posts" and column != "metiers_count":
            assert text == french.two_digits(value)
            continue
        shown = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
        shown = shown.replace(",", ".")
        shown = shown.removesuffix("%")
        if shown == "moinsde1":
            assert 0 < value < 1
            continue
        assert float(shown) == pytest.approx(value, abs=0.5)


def test_a_branch_whose_bodies_are_unknown_is_not_told_to_have_no_certification():
    html = page("ceramique")
    assert "Nous ne connaissons pas encore les certifications" in html
    assert "aucune certification de la branche ne vise" not in html


def test_a_gap_and_a_bloc_coverage_are_nd_without_survey_and_register():
    found = results("metallurgie")
    assert found["skill_gaps"].empty
    told = found["competences"].set_index("indicator")
    for name in ("bloc_coverage_pct", "expired_certifications_count"):
        assert told.loc[name, "status"] == "nd"


def test_projected_posts_by_skill_are_a_projection_with_bounds_and_never_more_than_all_posts():
    posts = results("metallurgie")["skill_posts"]
    assert set(posts["nature"]) == {"projection"}
    assert (posts["lower"] <= posts["value"]).all()
    assert (posts["value"] <= posts["upper"]).all()
    needs = besoins("metallurgie")
    rows = indicators.select(needs, "posts_to_fill_headcount", variant="")
    rows = rows[rows["metier_code"].ne("ENS")]
    assert posts["value"].max() <= rows.loc[rows["value"] > 0, "value"].sum()
    html = competences.posts_table(results("metallurgie")).html
    assert "ce n’est pas un écart" in html


def test_without_needs_projected_posts_by_skill_are_nd():
    inputs = study.load_inputs(["chimie"])
    found = skill_results(inputs, "chimie", study.edition())
    assert found["skill_posts"].empty
    assert "nd" in competences.posts_table(found).html


def test_a_survey_gives_gaps_marked_as_the_branch_s_own():
    inputs = dict(study.load_inputs(["chimie"]))
    key = {"branch_code": "chimie", "metier_code": "D1Z40", "skill_code": "100007"}
    people = pd.DataFrame(
        [key | {"skill_level": level, "respondents_count": 9} for level in range(1, 5)]
    )
    inputs["own_skill_needs"] = people.assign(needed_headcount=[10.0, 20, 30, 15], origin="own")
    inputs["own_skill_supply"] = people.assign(
        available_headcount=[25.0, 20, 10, 5], coverage_pct=50.0, origin="own"
    )
    found = skill_results(inputs, "chimie", study.edition())
    gaps = found["skill_gaps"]
    assert gaps["origin"].tolist() == ["own"]
    assert gaps.loc[0, "gap"] == pytest.approx(0.269841, abs=5e-7)
    html = competences.gaps_table(found, study.metier_labels(), study.skill_labels()).html
    assert "0,27" in html


def test_the_sheet_of_a_metier_names_skills_of_its_rome_and_counts_certifications():
    inputs, edition = study.load_inputs(["metallurgie"]), study.edition()
    found = needs_results(inputs, study.scenarios()[:1], "metallurgie", 10, edition)
    rome = inputs["fap_rome"].query("metier_code == 'D2Z41'")["rome_code"]
    own = inputs["metier_skills"].query("importance == 'principale'")
    carried = set(own.loc[own["rome_code"].isin(rome), "skill_code"])
    told = found["besoins_profils"].query("metier_code == 'D2Z41'")
    assert told["skill_rank"].tolist() == [1, 2, 3]
    assert set(told["skill_code"]) <= carried
    html = fiches.sheets(found, study.metier_labels()).html
    assert french.label(told["label"].iloc[0])[:20] in html
    counts = found["besoins"].query("indicator == 'certifications_count'")
    assert counts["value"].max() > 0


def test_a_branch_whose_bodies_are_unknown_has_nd_certifications_on_its_sheets():
    counts = besoins("ceramique").query("indicator == 'certifications_count'")
    assert set(counts["status"]) == {"nd"}


def test_certifications_to_share_stand_once_per_pair_of_different_branches():
    portfolios = pd.concat([results(code)["portfolio"] for code in ("metallurgie", "textile")])
    found = skills_consolidation(study.load_inputs(), portfolios)
    table = found["consolidation_certifications"]
    assert not table.empty
    assert (table["branch_code"] < table["other_branch_code"]).all()
    assert (table["shared_metiers_count"] >= 2).all()
    html = competences.overlaps_table(found, study.branch_labels()).html
    assert html.count("<tr>") == len(table) + 1


def test_the_calendar_of_an_export_tells_ends_and_lead_times_of_the_branch_s_fiches():
    inputs = dict(study.load_inputs(["metallurgie"]))
    day = study.edition().edition_date
    codes = results("metallurgie")["portfolio"]["certifinfo_code"]
    known = inputs["certifications"].drop_duplicates("certifinfo_code")
    known = known[known["certifinfo_code"].isin(codes) & (known["rncp_code"].fillna("") != "")]
    fiches = ["RNCP" + code for code in known["rncp_code"].unique()[:3]]
    inputs["rncp_fiches"] = pd.DataFrame(
        {
            "fiche_code": fiches,
            "title": "x",
            "active": ["yes", "yes", "no"],
            "starts_on": "2020-01-01",
            "ends_on": [day.isoformat(), f"{day.year + 9}-01-01", "2024-01-01"],
        }
    )
    found = skill_results(inputs, "metallurgie", study.edition())
    table = found["expiry_calendar"].drop_duplicates("fiche_code").set_index("fiche_code")
    assert table.loc[fiches, "state"].tolist() == ["within_12_months", "later", "expired"]
    assert table.loc[fiches[0], "months_left"] == 0
    assert table.loc[fiches[2], "months_left"] < 0
    assert set(table["state"].drop(fiches)) == {"nd"}
    html = competences.calendar_table(found).html
    assert "fin dans les 12 mois" in html
    assert "Couverture par blocs" in html


def test_without_an_export_the_calendar_is_nd_and_says_what_it_takes():
    assert results("metallurgie")["expiry_calendar"].empty
    assert "l’extrait du RNCP" in competences.calendar_table(results("metallurgie")).html


def test_a_branch_without_certifying_body_has_nd_and_not_zero():
    found = skill_results(study.load_inputs(["chaux"]), "chaux", study.edition())
    table = found["competences"].set_index("indicator")
    for name in ("certifications_count", "metiers_without_certification_count"):
        assert (table.loc[[name], "status"] == "nd").all()


def test_a_branch_without_headcount_has_one_line_that_says_what_would_fill_the_page():
    found = skill_results(study.load_inputs(["chaux"]), "chaux", study.edition())
    said = competences.findings(found, {}).html
    assert said.count("<p") == 2
    assert "Nous ne connaissons pas les métiers de cette branche" in said
    assert "Un tableau fourni par la branche" in said
    parts = (
        competences.banner(found),
        competences.reasons_table(found),
        competences.calendar_table(found),
        competences.coverage_table(found, {}),
        competences.uncovered_table(found),
        competences.emerging_table(found),
        competences.blocs_table(found, {}),
        competences.posts_table(found),
        competences.gaps_table(found, {}, {}),
        competences.portfolio_table(found),
    )
    assert [part.html for part in parts if part.html] == []


def test_signals_are_skills_of_metiers_that_the_branch_employs():
    """Hires of shared activities made eleven woodworking skills missing in metallurgy."""
    inputs = study.load_inputs()
    links, carried = inputs["fap_rome"], inputs["metier_skills"]
    wood = links[links["metier_code"].str[:3].isin(["F2Z", "F3Z"])]["rome_code"]
    others = links[~links["metier_code"].str[:3].isin(["F2Z", "F3Z"])]["rome_code"]
    only_wood = set(carried[carried["rome_code"].isin(wood)]["skill_code"]) - set(
        carried[carried["rome_code"].isin(others)]["skill_code"]
    )
    assert len(only_wood) > 50
    assert not only_wood & set(results("metallurgie")["skill_signals"]["skill_code"])
    assert only_wood & set(results("ameublement")["skill_signals"]["skill_code"])


def test_no_metier_that_every_branch_employs_is_said_to_lack_a_certification():
    said = competences.findings(results("chimie"), study.metier_labels()).html
    for name in ("Cariste", "Cuisinier", "magasinage", "CQP à créer", "créer"):
        assert name not in said
    assert "à inventorier" in said
    table = results("chimie")["competences"]
    existing = indicators.select(table, "existing_certifications_count")
    assert (existing["value"] > 0).all()


def test_small_metiers_carry_no_signal():
    for code in ("chimie", "petrole"):
        shares = results(code)["skill_signals"]["value"]
        assert (shares >= 0.5).all()
