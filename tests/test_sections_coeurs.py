import re
from collections import defaultdict

import ipywidgets
import pandas as pd
import pytest
from chains import tension_results
from markupsafe import Markup

from opmq_lib.methods import consolidation, core
from opmq_lib.params import Vote
from opmq_lib.questions.changements import page as changes
from opmq_lib.questions.coeurs_strategiques import chain, comite, moved
from opmq_lib.questions.coeurs_strategiques import page as coeurs
from opmq_lib.questions.coeurs_strategiques.reasons import Of
from opmq_lib.questions.que_faire import page as shortlist
from opmq_lib.questions.shared import ALL_BRANCHES
from opmq_lib.questions.tensions import page as tensions
from opmq_lib.show import french
from opmq_lib.show.pieces import Html
from opmq_lib.sources import study
from opmq_lib.tables import indicators

BRANCH = "ceramique"
LABELS = study.metier_labels() | study.branch_labels()
QUESTIONS = study.criteria(BRANCH)
ASKED, GATES = chain.questions(QUESTIONS), chain.gates(QUESTIONS)
EDITION = study.edition()


@pytest.fixture(scope="module")
def inputs() -> dict[str, pd.DataFrame]:
    return study.load_inputs()


@pytest.fixture(scope="module")
def known(inputs: dict) -> chain.Known:
    return chain.known(inputs, BRANCH, EDITION)


@pytest.fixture(scope="module")
def results(known: chain.Known) -> dict[str, pd.DataFrame]:
    labels = chain.labels(ASKED, GATES, known)
    return chain.results(BRANCH, ASKED, GATES, known, labels)


def text(html: Html) -> str:
    return re.sub("<[^>]+>", "", html.html).replace(french.NBSP, " ").replace(french.NNBSP, " ")


def assert_numbers_are_cells(html: str, results: dict[str, pd.DataFrame], least: int) -> None:
    found = re.findall(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<', html)
    assert len(found) >= least
    for table, row, column, said in found:
        cell = results[table].loc[int(row)]
        if said.startswith("moins de"):
            assert 0 < cell[column] < float(said.split(french.NBSP)[1])
            continue
        shown = re.sub("[^0-9,-]", "", said.replace("−", "-"))
        is_heads = "headcount" in f"{column} {cell.get('criterion_code')}"
        digit = len(shown) - len(shown.rstrip("0")) if is_heads else -len(shown.partition(",")[2])
        number = float(shown.replace(",", "."))
        assert abs(cell[column] - number) <= 0.5001 * 10**digit, (table, row, column, said)


def test_every_number_of_the_lists_is_a_cell_of_a_result_table(results: dict) -> None:
    for question in ("core", "strategic"):
        html = coeurs.lists(results, LABELS, question).html
        assert_numbers_are_cells(html, results, 100)
        assert_numbers_are_cells(coeurs.criteria_table(results, question).html, results, 6)


def test_every_metier_stands_once_under_its_label_with_what_it_rests_on(results: dict) -> None:
    table = results["coeurs"]
    for question in ("core", "strategic"):
        html = coeurs.lists(results, LABELS, question).html
        rows = table[table["question_code"] == question]
        places = re.findall(rf'id="{question}-(\w+)"', html)
        assert sorted(places) == sorted(rows["metier_code"])
        headings = {label: f"<h3>{coeurs.WORDS.LABELS[label]}</h3>" for label in coeurs.DOUBTFUL}
        for label, heading in headings.items():
            assert (heading in html) == (rows["label"] == label).any()
        seen = rows["hires_evidence"] != "none"
        for is_seen, mark in ((seen, "<caption>"), (~seen, "Présence à vérifier")):
            assert (mark in html) == ((rows["label"] == "in_list") & is_seen).any()


def test_a_doubt_is_told_with_its_reason_and_what_would_settle_it(results: dict) -> None:
    table = results["coeurs"]
    row = table.query("question_code == 'core' and label == 'depends_on_estimate'").iloc[0]
    of = Of(results, "core")
    assert "données" in of.doubt(row.name)
    assert re.search("condition [12] manquée|score|intervalle", of.reason(row.name))
    assert "un comptage" in of.settled(row.name)
    by_weights = table.query("question_code == 'strategic' and label == 'depends_on_weights'")
    assert "le vote des poids" in Of(results, "strategic").settled(by_weights.index[0])


def test_the_lists_say_what_a_metier_mostly_is_in_the_branch(inputs: dict) -> None:
    """Boats: moulders, that FAP-2009 puts among those who remove metal."""
    found = chain.run(inputs, "nautisme", EDITION, QUESTIONS)
    said = text(coeurs.listed(found, LABELS, "core"))
    name = "Ouvriers qualifiés travaillant par enlèvement de métal"
    assert f"{name} ici surtout : fabrication de pièces en matériaux composites" in said
    assert "déclarations d’embauche, 2016" in said
    is_named = found["coeurs"]["main_rome_codes"].fillna("").ne("")
    assert 0 < is_named.sum() < len(is_named)


def test_the_banner_says_that_nothing_was_voted_and_what_is_estimated(results: dict) -> None:
    said = text(coeurs.banner(results))
    assert "Exemple, non voté" in said
    assert "Emploi estimé" in said
    assert "exemple, non voté" in text(coeurs.criteria_table(results, "core"))
    assert "aide au vote" in text(coeurs.criteria_table(results, "strategic"))


def test_findings_name_the_list_first_and_lead_to_its_lines(results: dict) -> None:
    said = coeurs.findings(results, LABELS).html
    first = text(Html(said)).strip()
    assert first.startswith("Cœurs de métiers : 2 métiers dans la liste. Le premier : «")
    assert "2 autres y sont par l’estimation seule : présence à vérifier." in first
    places = re.findall(r'href="04_coeurs_strategiques.html#([\w-]+)"', said)
    lists = "".join(coeurs.lists(results, LABELS, code).html for code in ("core", "strategic"))
    assert places
    assert all(f'id="{place}"' in lists for place in places)


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
    assert "(retenu par le vote)" in text(coeurs.lists(results, LABELS, "core"))
    assert "par le vote)" not in text(coeurs.lists(results, LABELS, "strategic"))


def test_a_branch_without_headcount_says_so_instead_of_a_list(inputs: dict) -> None:
    results = chain.run(inputs, "chaux", EDITION, QUESTIONS)
    said = text(coeurs.findings(results, LABELS))
    assert said.startswith("Nous ne pouvons pas nommer")
    assert "Un tableau fourni par la branche" in said
    for question in ("core", "strategic"):
        assert coeurs.lists(results, LABELS, question).html == ""
    nothing = chain.trials(ASKED, GATES, chain.known(inputs, "chaux", EDITION), "chaux")
    assert coeurs.weights(results | {chain.TRIALS: nothing}, LABELS).html == ""


@pytest.mark.parametrize(
    ("codes", "units", "said"),
    [
        (["E1Z43", "G1Z70"], 9, "Non évaluable (nd)"),
        (["E1Z43", "autres_metiers"], 2, "Non étiqueté (s)"),
    ],
)
def test_no_label_at_all_is_no_empty_list(
    inputs: dict, codes: list[str], units: int, said: str
) -> None:
    own = pd.DataFrame({"metier_code": codes, "employment_headcount": [200.0, 100.0]}).assign(
        branch_code="chaux", year=2024, nature="observed", origin="own", units_count=units,
        largest_share_pct=40.0, source_code="enquete")  # fmt: skip
    results = chain.run(inputs | {"own_employment": own}, "chaux", EDITION, QUESTIONS)
    shown = text(coeurs.findings(results, LABELS)), text(coeurs.lists(results, LABELS, "core"))
    for each in shown:
        assert f"pas de liste. {said}" in each
        assert "liste vide" not in each


def test_the_page_shows_no_sliders_and_the_notebook_does(known: chain.Known) -> None:
    assert isinstance(comite.panel(ASKED, GATES, known, LABELS, sliders=False), Html)
    assert isinstance(comite.panel(ASKED, GATES, known, LABELS, sliders=True), ipywidgets.Tab)


def test_moving_a_slider_changes_the_list_at_once(known: chain.Known) -> None:
    panel = comite.panel(ASKED, GATES, known, LABELS, sliders=True)
    children = panel.children[0].children
    shown = children[-1]
    sliders = [each for each in children if isinstance(each, ipywidgets.FloatSlider)]
    posts = [each for each in children if isinstance(each, ipywidgets.FloatRangeSlider)]
    least, *_, first, second, _ = sliders
    seen = {shown.value}
    whole = (posts[0].min, posts[0].max)
    for slider, value in ((posts[0], whole), (second, 0.0), (least, 5.0)):
        slider.value = value
        assert shown.value not in seen
        seen.add(shown.value)
    first.value = 0
    assert "Un poids au moins" in shown.value


def test_consolidation_draws_the_metiers_at_the_core_of_several_branches(results: dict) -> None:
    rows = consolidation.core_acceptability(results["coeurs"])
    assert (rows["level"] == "in_list").sum() == 4
    listed = results["coeurs"].query("question_code == 'core' and label == 'in_list'").tail(2)
    listed = listed.assign(presence_pct=listed["acceptability_pct"])
    counted = consolidation.recurring(listed, "core")
    table = indicators.stack([rows, counted], ALL_BRANCHES, "consolidation")
    drawn = coeurs.shared_heatmap({"consolidation": table}, LABELS)
    first = LABELS[counted["metier_code"][0]]
    assert f"« {first} » : au cœur de 1 branche," in text(drawn)
    said = drawn.html
    assert "Industries céramiques" in said
    shown = rows["value"].nlargest(coeurs.SHOWN_METIERS)
    assert said.count("opmq-shade t5") == (shown >= 0.8 * shown.max()).sum()
    elsewhere = rows.head(1).assign(branch_code="chimie", metier_code="G0B41", value=0.0)
    table = indicators.stack([rows, elsewhere], ALL_BRANCHES, "consolidation")
    chosen = rows["metier_code"].drop_duplicates().head(3).tolist()
    said = coeurs.shared_heatmap({"consolidation": table}, LABELS, chosen).html
    assert "Industries chimiques" not in said
    nothing = coeurs.shared_heatmap({"consolidation": table.iloc[:0]}, LABELS)
    assert "opmq-banner" in nothing.html


def test_weights_that_a_reader_chooses_are_the_library_s_own(known: chain.Known) -> None:
    """Each option shows what `labels` finds under these weights, nothing that a page computes."""
    table = chain.trials(ASKED, GATES, known, BRANCH)
    asked = ASKED[ASKED["question_code"] == "strategic"]
    code = asked["criterion_code"].iloc[0]
    weight = asked["weight"].iloc[0]
    doubled = core.reweighted(ASKED, {code: 2 * weight})
    found = chain.labels(doubled, GATES, known)
    found = found[(found["question_code"] == "strategic") & (found["status"] == "value")]
    shown = table[table["variant"] == code].set_index("metier_code")["value"]
    expected = found.set_index("metier_code")["acceptability_pct"]
    assert shown.to_dict() == pytest.approx(expected.to_dict())
    assert set(table["variant"]) == {"", *asked["criterion_code"]}


def test_pieces_of_tensions_show_cells_and_convention_texts(inputs: dict) -> None:
    found = tension_results(inputs, BRANCH, EDITION)
    regions = study.region_labels()
    assert_numbers_are_cells(tensions.factors_table(found, LABELS).html, found, 54)
    assert_numbers_are_cells(tensions.findings(found, LABELS).html, found, 6)
    assert_numbers_are_cells(tensions.regions(found, LABELS, regions).html, found, 100)
    ranks = found["metier_tensions"]
    decimals = dict.fromkeys(ranks.select_dtypes("Int64").columns, "float64")
    from_file = found | {"metier_tensions": ranks.astype(decimals)}
    assert tensions.findings(from_file, LABELS) == tensions.findings(found, LABELS)
    assert "2024.0" not in tensions.banner(from_file).html
    shown = tensions._largest(found)[:10]
    standing = text(tensions.standing_table(found, LABELS, shown))
    assert len(re.findall(r"\d+er? sur 186", standing)) == 9
    assert re.search(r"entre \d+ et \d+ %", standing)
    vintages = text(tensions.vintages_table(found, LABELS, study.metier_labels("FAP-2021")))
    assert "sur 58" in vintages
    assert re.search(r"[1-4] ou [2-5]", vintages)
    profiles = text(tensions.profiles_table(found, LABELS))
    assert "ce n’est pas une typologie officielle" in profiles
    assert "n’a pas fourni de quoi calculer" in text(tensions.composite_values(found, LABELS))
    assert len(re.findall("<tr>", tensions.regional_intentions_table(found, regions).html)) == 19


def test_two_years_of_tension_are_explained_once_where_they_are_used(
    inputs: dict, results: dict
) -> None:
    strategic, core_lists = (
        text(coeurs.lists(results, LABELS, question)) for question in ("strategic", "core")
    )
    banner = text(tensions.banner(tension_results(inputs, BRANCH, EDITION)))
    for said in (banner, strategic):
        assert said.count("Pourquoi deux années") == 1
        assert re.search(r"2024 est publiée dans la liste .*suivante", said)
    assert "Pourquoi deux années" not in core_lists


def test_labels_and_sections_use_the_same_words() -> None:
    assert set(coeurs.WORDS.LABELS) == set(coeurs.WORDS.MEANINGS) == set(core.LABELS)


def test_a_label_that_moved_is_told_with_the_fact_or_the_rule_that_moved(results: dict) -> None:
    before = {name: table.copy() for name, table in results.items()}
    is_sure = results["faits"]["criterion_code"].eq("employment_share")
    is_sure &= results["faits"]["reliability_grade"].ne("D")
    metier = results["faits"].loc[is_sure, "metier_code"].iloc[0]
    listed = before["coeurs"]
    row = listed.index[listed["question_code"].eq("core") & listed["metier_code"].eq(metier)][0]
    assert listed.loc[row, "label"] != "not_assessable"
    listed.loc[row, "label"] = "not_assessable"
    said = text(moved.table(results, before, LABELS, "2025"))
    assert "1 étiquette n’est plus celle de l’édition précédente" in said
    assert "aucun fait de ce métier, à l’arrondi près : il est au bord de la liste" in said
    facts = before["faits"]
    is_share = facts["metier_code"].eq(metier) & facts["criterion_code"].eq("employment_share")
    facts.loc[is_share, ["value", "lower", "upper"]] = [9.9, 9.9, 9.9]
    page = moved.table(results, before, LABELS, "2025").html
    assert f'data-cell="2025/faits:{facts.index[is_share][0]}:value">10<' in page
    assert "part de l’emploi 10" in text(Html(page))
    assert " → " in text(Html(page))
    before["criteres"]["weight"] = 0.1
    assert "les règles de la liste ; part" in text(moved.table(results, before, LABELS, "2025"))
    same = moved.table(results, results, LABELS, "2025")
    assert "les mêmes étiquettes" in text(same)
    assert moved.table(results, {}, LABELS, None).html == ""


@pytest.mark.parametrize(
    ("tense", "known", "said"),
    [
        (0, 0, "aucun grand métier n’est classé (2019)"),
        (0, 1, "le seul grand métier classé n’est pas en tension (2019)"),
        (1, 1, "le seul grand métier classé est en tension (2019)"),
        (1, 2, "1 des 2 grands métiers classés en tension (2019)"),
    ],
)
def test_one_metier_of_a_region_is_not_one_of_one(tense: int, known: int, said: str) -> None:
    words = str(tensions.WORDS.region_table({"year": 2019}, "Guyane", tense, known))
    assert words.splitlines()[0].replace("\u00a0", " ") == f"Guyane : {said}"


@pytest.mark.parametrize(
    ("count", "said"),
    [("moins de\u00a010", "soit moins de 10 par an"), ("20", "soit au moins 20 par an")],
)
def test_less_than_ten_is_not_at_least(count: str, said: str) -> None:
    m = defaultdict(str, count=Markup(f"<span>{count}</span>"))
    assert said in " ".join(Markup(shortlist.WORDS.card(m)).striptags().split())


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ("1", "1 des 9 compétences s’y retrouve (1 lien exact ou plus étroit)"),
        ("4", "4 des 9 compétences s’y retrouvent (4 liens exacts ou plus étroits)"),
    ],
)
def test_one_link_is_one(links: str, said: str) -> None:
    found = {"part": Markup(f"<span>{links}</span>"), "whole": "9", "share": links}
    none = {"part": "0"}
    assert said in " ".join(Markup(changes.WORDS.esco(none, none, found)).striptags().split())
