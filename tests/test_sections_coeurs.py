import re

import ipywidgets
import pandas as pd
import pytest
from chains import tension_results

from opmq_lib.methods import consolidation, core
from opmq_lib.params import Vote
from opmq_lib.questions.coeurs_strategiques import chain, comite
from opmq_lib.questions.coeurs_strategiques import page as coeurs
from opmq_lib.questions.shared import ALL_BRANCHES
from opmq_lib.questions.tensions import page as tensions
from opmq_lib.show import french
from opmq_lib.show.pieces import Html
from opmq_lib.sources import study
from opmq_lib.tables import indicators

BRANCH = "ceramique"
LABELS = study.metier_labels() | study.branch_labels()
QUESTIONS = study.criteria(BRANCH)
EDITION = study.edition()


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


@pytest.fixture(scope="module")
def values(inputs: dict) -> pd.DataFrame:
    return chain.values(inputs, BRANCH, chain.jobs(inputs, BRANCH, EDITION))


@pytest.fixture(scope="module")
def results(inputs: dict) -> dict[str, pd.DataFrame]:
    return chain.run(inputs, BRANCH, EDITION, QUESTIONS)


def text(html: Html) -> str:
    return re.sub("<[^>]+>", "", html.html).replace(french.NBSP, " ").replace(french.NNBSP, " ")


def assert_numbers_are_cells(html: str, results: dict[str, pd.DataFrame], least: int) -> None:
    found = re.findall(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<', html)
    assert len(found) >= least
    for table, row, column, said in found:
        shown = said.replace(french.NBSP, "").replace(french.NNBSP, "").replace("%", "")
        decimals = len(shown.partition(",")[2])
        number = float(shown.replace(",", ".").replace("−", "-"))
        value = float(results[table].loc[int(row), column])
        assert abs(value - number) <= 0.5001 * 10**-decimals, (table, row, column, said)


def test_every_number_of_the_lists_is_a_cell_of_a_result_table(results: dict) -> None:
    for question in ("core", "strategic"):
        html = coeurs.labels_list(results, LABELS, question).html
        assert_numbers_are_cells(html, results, 300)
        assert_numbers_are_cells(coeurs.criteria_table(results, question).html, results, 12)


def test_every_metier_opens_on_all_its_criteria(results: dict) -> None:
    for question in QUESTIONS:
        html = coeurs.labels_list(results, LABELS, question.question_code).html
        opened = re.findall(
            r'<details><summary>.*?</summary><p id="(.*?)">(.*?)</p></details>', html
        )
        table = results["coeurs"]
        rows = table[table["question_code"] == question.question_code]
        assert {name for name, _ in opened} == {
            f"{question.question_code}-{code}" for code in rows["metier_code"]
        }
        for _, why in opened:
            for criterion in question.criteria:
                assert criterion.label in why


def test_metiers_are_in_alphabetical_order_under_each_label(results: dict) -> None:
    html = coeurs.labels_list(results, LABELS, "core").html
    for group in html.split("<h3>")[1:]:
        names = re.findall(r"<summary>([^<]+?) ?(?:<|$)", group)
        assert names == sorted(names)
        assert len(names) > 0


def test_the_banner_says_that_nothing_was_voted_and_what_an_estimate_forbids(results: dict) -> None:
    said = text(coeurs.banner(results))
    assert "Exemple, non voté" in said
    assert "aucun métier ne peut être dit robuste" in said
    assert "exemple, non voté" in text(coeurs.criteria_table(results, "core"))


def test_a_vote_takes_the_banner_away_for_its_question_only(inputs: dict, results: dict) -> None:
    vote = Vote.model_validate(
        {"date": pd.Timestamp("2026-03-12").date(), "body": "CPNEFP", "minutes_reference": "3"}
    )
    code = results["coeurs"]["metier_code"].iloc[0]
    first = QUESTIONS[0].model_copy(
        update={"vote": vote, "basis": "étude", "voted_metiers": (code,)}
    )
    results = chain.run(inputs, BRANCH, EDITION, (first, QUESTIONS[1]))
    assert "« Métiers stratégiques »" in text(coeurs.banner(results))
    assert "voté le 12 mars 2026 par CPNEFP, 3" in text(coeurs.criteria_table(results, "core"))
    assert "Retenu par le vote." in text(coeurs.labels_list(results, LABELS, "core"))
    assert "vote." not in text(coeurs.labels_list(results, LABELS, "strategic"))


def test_a_branch_without_headcount_says_so_instead_of_a_list(inputs: dict) -> None:
    results = chain.run(inputs, "chaux", EDITION, QUESTIONS)
    assert "Aucun effectif de branche n’est publié" in text(coeurs.banner(results))
    assert "Aucune étiquette" in text(coeurs.labels_list(results, LABELS, "core"))


def test_the_page_shows_no_sliders_and_the_notebook_does(values: pd.DataFrame) -> None:
    asked = chain.questions(QUESTIONS)
    assert isinstance(comite.panel(asked, values, LABELS, sliders=False), Html)
    assert isinstance(comite.panel(asked, values, LABELS, sliders=True), ipywidgets.Tab)


def test_moving_a_slider_changes_the_list_at_once(values: pd.DataFrame) -> None:
    panel = comite.panel(chain.questions(QUESTIONS), values, LABELS, sliders=True)
    children = panel.children[0].children
    shown = children[-1]
    before = shown.value
    weights = [each for each in children if isinstance(each, ipywidgets.FloatSlider)][:4]
    for slider in weights[1:]:
        slider.value = 0
    assert shown.value != before
    weights[0].value = 0
    assert "Un poids au moins" in shown.value
    weights[0].value = 1
    posts = [each for each in children if isinstance(each, ipywidgets.FloatRangeSlider)]
    alone = shown.value
    posts[0].value = (posts[0].min, posts[0].max)
    assert shown.value != alone


def test_a_threshold_left_outside_moved_goalposts_is_dropped_from_the_trial() -> None:
    asked = chain.questions(QUESTIONS[:1]).assign(threshold=[4.0, None, None, None])
    posts = [(0.0, 2.0), *asked[["low", "high"]].iloc[1:].itertuples(index=False, name=None)]
    assert comite.moved(asked, [1, 1, 1, 1], posts, 0.5)["threshold"].isna().all()
    posts[0] = (0.0, 6.0)
    assert comite.moved(asked, [1, 1, 1, 1], posts, 0.5)["threshold"].iloc[0] == 4.0


def test_consolidation_draws_the_metiers_at_the_core_of_several_branches(results: dict) -> None:
    rows = consolidation.core_acceptability(results["coeurs"])
    table = indicators.stack([rows], ALL_BRANCHES, "consolidation")
    figure = coeurs.shared_heatmap({"consolidation": table}, LABELS)
    assert not isinstance(figure, Html)
    assert "Industries céramiques" in figure.alt
    elsewhere = rows.head(1).assign(branch_code="chimie", metier_code="G0B41", value=0.0)
    table = indicators.stack([rows, elsewhere], ALL_BRANCHES, "consolidation")
    chosen = rows["metier_code"].drop_duplicates().head(3).tolist()
    figure = coeurs.shared_heatmap({"consolidation": table}, LABELS, chosen)
    assert "Industries chimiques" not in figure.alt
    assert isinstance(coeurs.shared_heatmap({"consolidation": table.iloc[:0]}, LABELS), Html)


def test_pieces_of_tensions_show_cells_and_convention_texts(inputs: dict) -> None:
    found = tension_results(inputs, BRANCH, EDITION)
    regions = study.region_labels()
    assert_numbers_are_cells(tensions.factors_table(found, LABELS).html, found, 54)
    assert_numbers_are_cells(tensions.findings(found, LABELS).html, found, 6)
    assert_numbers_are_cells(tensions.regions_table(found, LABELS, regions).html, found, 7)
    standing = text(tensions.standing_table(found, LABELS))
    assert len(re.findall(r"\d+er? sur 186", standing)) == 9
    assert re.search(r"entre \d+ et \d+ %", standing)
    vintages = text(tensions.vintages_table(found, LABELS, study.metier_labels("FAP-2021")))
    assert "sur 58" in vintages
    assert re.search(r"[1-4] ou [2-5]", vintages)
    profiles = text(tensions.profiles_table(found, LABELS))
    assert "ce n’est pas une typologie officielle" in profiles
    assert "Aucune composante" in text(tensions.composite_values(found, LABELS))
    assert len(re.findall("<tr>", tensions.regional_intentions_table(found, regions).html)) == 19


def test_labels_and_sections_use_the_same_words() -> None:
    assert set(coeurs.WORDS.LABELS) == set(coeurs.WORDS.MEANINGS) == set(core.LABELS)
