"""The periodic report: assembled from a list, honest about gaps, compared by interval."""

import json
from pathlib import Path

import pandas as pd

from opmq_lib.questions.rapport import chain
from opmq_lib.questions.rapport import page as rapport
from opmq_lib.show.pieces import Html

TEMPLATE = Path(__file__).parent.parent / "notebooks/00_rapport.ipynb"


def test_the_notebook_reads_every_question_that_has_a_section() -> None:
    reads = json.loads(TEMPLATE.read_text(encoding="utf-8"))["metadata"]["opmq"]["reads"]
    answered = [each.notebook for each in rapport.QUESTIONS if each.essentials]
    assert reads == [*dict.fromkeys(answered)] == [*chain.NOTEBOOKS, *chain.COMMON]
    assert all((TEMPLATE.parent / f"{name}.ipynb").is_file() for name in answered)


def test_a_question_without_section_or_result_says_so_in_one_sentence() -> None:
    page = rapport.essentials({}, {}, "chimie").html
    for each in rapport.QUESTIONS:
        name = "-".join(filter(None, (each.notebook[3:].replace("_", "-"), each.part)))
        assert page.count(f'id="essentiel-{name}"') == 1
    assert page.count("Pas encore") == len(rapport.QUESTIONS)


def test_a_new_question_is_one_entry(monkeypatch) -> None:
    added = rapport.Question("99_essai", "Essai", [lambda results: Html(f"<p>{len(results)}</p>")])
    monkeypatch.setattr(rapport, "QUESTIONS", (*rapport.QUESTIONS, added))
    page = rapport.essentials({"99_essai": {"essai": pd.DataFrame()}}, {}, "chimie").html
    assert page.endswith('<h3 id="essentiel-essai">Essai</h3><p>1</p>')


def compared(then: tuple[float, ...], now: tuple[float, ...], monkeypatch) -> str:
    number = rapport.Compared("Part", "t", "i")
    question = rapport.Question("99_essai", "Essai", [], compared=[number])
    monkeypatch.setattr(rapport, "QUESTIONS", (question,))

    def results(numbers: tuple[float, ...]) -> dict[str, dict[str, pd.DataFrame]]:
        row = dict(zip(("value", "lower", "upper"), numbers, strict=True))
        return {"99_essai": {"t": pd.DataFrame([{"indicator": "i", "status": "value"} | row])}}

    return rapport.comparison(results(now), results(then), "2025").html


def test_a_change_is_told_only_where_intervals_do_not_touch(monkeypatch) -> None:
    assert "en hausse" in compared((20, 15, 25), (40, 30, 50), monkeypatch)
    assert "en baisse" in compared((40, 30, 50), (20, 15, 25), monkeypatch)
    page = compared((20, 15, 25), (28, 22, 34), monkeypatch)
    assert "aucune évolution montrée" in page
    assert 'data-cell="2025/t:0:value"' in page


def test_without_previous_edition_the_report_says_so() -> None:
    assert "Aucune édition précédente" in rapport.comparison({}, {}, None).html
    assert "aucun résultat comparable" in rapport.comparison({}, {}, "2025").html


def test_the_state_and_fictitious_data_are_told_first() -> None:
    assert "Brouillon" in rapport.banner({}).html
    found = {"06_demandes": {"demandes": pd.DataFrame({"origin": ["fictitious"]})}}
    page = rapport.banner(found).html
    assert page.index("Données fictives") < page.index("Brouillon")
    assert "Incomplet" in page
    assert "Métiers en tension" in page
    assert "Demandes que" not in page
    whole = {each.notebook: found["06_demandes"] for each in rapport.QUESTIONS}
    assert "Incomplet" not in rapport.banner(whole).html


def test_criteria_that_nobody_voted_are_said_to_be_an_example() -> None:
    def page(*dates: str | None) -> str:
        criteria = pd.DataFrame({"vote_date": dates})
        return rapport.banner({"04_coeurs_strategiques": {"criteres": criteria}}).html

    assert "Exemple, non voté" in page("2026-01-01", None)
    assert "Exemple, non voté" not in page("2026-01-01")


def rows(indicator: str, **columns: object) -> pd.DataFrame:
    """Return rows of one indicator for all métiers, as chains write them."""
    base = {"indicator": indicator, "metier_code": "ENS", "lower": float("nan"),
            "upper": float("nan"), "status": "value", "nature": "projection"}  # fmt: skip
    return pd.DataFrame(base | columns)


def test_needs_and_certifications_are_compared_at_the_last_horizon() -> None:
    def edition(posts: float, certifications: float) -> rapport.Answers:
        ends = {"lower": [posts - 60, posts - 100], "upper": [posts + 60, posts + 100]}
        needs = [
            rows(name, value=[1000.0, posts], year=[2023, 2028], **ends)
            for name in ("posts_to_fill_headcount", "career_end_departures_headcount")
        ]
        skills = rows("certifications_count", value=[certifications], year=[2026])
        return {
            "02_besoins": {"besoins": pd.concat(needs, ignore_index=True)},
            "05_competences": {"competences": skills},
        }

    page = rapport.comparison(edition(3000, 12), edition(2000, 9), "2025").html
    assert page.count("en hausse") == 3
    for label in ("Postes à pourvoir", "Départs de fin de carrière", "Certifications"):
        assert label in page
    assert "besoins:1:value" in page
    assert "besoins:0:value" not in page


def test_the_report_shows_qualifications_and_the_last_horizon() -> None:
    emplois, besoins = rapport.QUESTIONS[1:3]
    assert rapport.emplois.qualification_findings in emplois.essentials
    assert rapport.emplois.qualifications_table in emplois.details
    assert rapport.besoins.posts_table in besoins.details


def test_a_piece_is_given_what_it_asks_for(monkeypatch) -> None:
    def named(results, labels, branch_code):
        return Html(f"<p>{len(results)} {labels[branch_code]}</p>")

    question = rapport.Question("99_essai", "Essai", [lambda _: Html("")], [named])
    monkeypatch.setattr(rapport, "QUESTIONS", (question,))
    answers = {"99_essai": {"t": pd.DataFrame()}}
    assert "<p>1 Chimie</p>" in rapport.details(answers, {"chimie": "Chimie"}, "chimie").html
