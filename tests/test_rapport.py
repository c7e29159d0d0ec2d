"""The periodic report: assembled from a list, honest about gaps, compared by interval."""

import json
from pathlib import Path

import pandas as pd

from opmq_lib import display
from opmq_lib.display import Html
from opmq_lib.params import NOTEBOOKS
from opmq_lib.sections import rapport

TEMPLATE = Path(__file__).parent.parent / "notebooks/00_rapport.ipynb"
TOLD = rapport.Context("chimie", {}, ())


def test_the_notebook_reads_every_question_that_has_a_section() -> None:
    reads = json.loads(TEMPLATE.read_text(encoding="utf-8"))["metadata"]["opmq"]["reads"]
    answered = [each.notebook for each in rapport.QUESTIONS if each.essentials]
    assert reads == answered
    assert set(answered) <= NOTEBOOKS.keys()


def test_a_question_without_section_or_result_says_so_in_one_sentence() -> None:
    page = rapport.essentials({}, TOLD).html
    for each in rapport.QUESTIONS:
        assert page.count(f'id="essentiel-{each.notebook[3:].replace("_", "-")}"') == 1
    assert page.count("Pas encore") == len(rapport.QUESTIONS)
    assert rapport.missing_questions({}) == [each.notebook for each in rapport.QUESTIONS]


def test_a_new_question_is_one_entry(monkeypatch) -> None:
    added = rapport.Question(
        "99_essai", "Essai", essentials=lambda found, _: Html(f"<p>{len(found)}</p>")
    )
    monkeypatch.setattr(rapport, "QUESTIONS", (*rapport.QUESTIONS, added))
    page = rapport.essentials({"99_essai": {"essai": pd.DataFrame()}}, TOLD).html
    assert page.endswith('<h3 id="essentiel-essai">Essai</h3><p>1</p>')


def compared(then: tuple[float, ...], now: tuple[float, ...], monkeypatch) -> str:
    number = rapport.Compared("Part", "t", {"indicator": "i"}, display.number)
    question = rapport.Question("99_essai", "Essai", lambda *_: Html(""), compared=(number,))
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
    assert "Brouillon" in rapport.banner(()).html
    found = {"06_demandes": {"demandes": pd.DataFrame({"origin": ["fictitious"]})}}
    page = rapport.banner((), found).html
    assert page.index("Données fictives") < page.index("Brouillon")
