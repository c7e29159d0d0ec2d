"""The report: one sentence, what to do, figures with their tables, what is not known at the end."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from opmq_lib.questions.rapport import chain, figures, people
from opmq_lib.questions.rapport import page as rapport

TEMPLATE = Path(__file__).parent.parent / "notebooks/00_rapport.ipynb"
LABELS = {"A": "Soudeurs", "B": "Techniciens", "C": "Caristes"}


def plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html).replace("\u00a0", " ").replace("\u202f", " ").strip()


def rows(indicator: str, **columns: object) -> pd.DataFrame:
    """Return rows of one indicator for all métiers, as chains write them."""
    base = {"indicator": indicator, "metier_code": "ENS", "lower": float("nan"),
            "upper": float("nan"), "status": "value", "nature": "projection"}  # fmt: skip
    return pd.DataFrame(base | columns, index=[0] if not _is_long(columns) else None)


def _is_long(columns: dict[str, object]) -> bool:
    return any(isinstance(column, list) for column in columns.values())


def test_the_notebook_reads_every_question_and_calls_what_there_is() -> None:
    notebook = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    reads = notebook["metadata"]["opmq"]["reads"]
    assert reads == [*rapport.QUESTIONS] == [*chain.NOTEBOOKS, *chain.COMMON]
    assert all((TEMPLATE.parent / f"{name}.ipynb").is_file() for name in reads)
    calls = re.findall(r'"(page|figures|people)\.(\w+)\(', TEMPLATE.read_text(encoding="utf-8"))
    modules = {"page": rapport, "figures": figures, "people": people}
    assert len(calls) > 10
    assert all(hasattr(modules[module], name) for module, name in calls)


def test_a_question_without_result_takes_no_section_and_one_line_at_the_end() -> None:
    sections = [
        rapport.banner({}),
        rapport.shortlist({}, LABELS),
        figures.scatter({}, LABELS),
        people.company({}),
        people.people({}, LABELS),
        rapport.skills({}, LABELS),
        rapport.requests({}, LABELS),
        rapport.changes({}, LABELS),
        rapport.works_done({}, LABELS, "chimie"),
        rapport.comparison({}, {}, None, LABELS),
    ]
    assert [each.html for each in sections] == [""] * len(sections)
    end = rapport.unknown({}, {}).html
    assert all(name in plain(end) for name in ("Besoins", "Travaux", "Tensions"))
    assert end.count("Pas encore calculé") == 1


def test_a_branch_without_headcount_says_what_would_fill_it() -> None:
    tables = needs()
    table = tables["besoins"]
    gone = table["indicator"] == "career_end_departures_headcount"
    said = plain(rapport.headline({"02_besoins": tables | {"besoins": table[~gone]}}).html)
    assert "un tableau de ses emplois par métier, fourni par la branche, donnerait" in said


def test_a_branch_of_which_nothing_was_run_is_not_said_to_lack_a_headcount() -> None:
    assert "pas encore calculés dans cette édition" in plain(rapport.headline({}).html)


def needs() -> dict[str, pd.DataFrame]:
    table = pd.concat(
        [
            rows("career_end_departures_headcount", value=24451.0, lower=18759.0, upper=31745.0),
            rows("employment_headcount", metier_code=["A", "B", "C"], value=[900.0, 600.0, 5.0]),
            rows("start_employment_headcount", value=2000.0),
            rows(
                "departure_rate_pct",
                metier_code=["A", "B", "C"],
                value=[3.0, 2.0, 4.0],
                lower=[2.0, 1.5, 3.0],
                upper=[4.0, 2.5, 5.0],
            ),
            rows("national_departure_rate_pct", value=2.5),
            rows("share_50_and_over_pct", metier_code=["A", "B"], value=[24.4, 31.6], year=2018),
        ],
        ignore_index=True,
    )
    return {
        "besoins": table.assign(reliability_grade="", year=2030),
        "besoins_taux": pd.DataFrame(
            {"ages_basis": ["national"], "nature": "official_projection", "level_year": 2020}
        ),
        "besoins_projections": pd.DataFrame({"start_year": [2026], "year": [2030]}),
    }


def tensions() -> dict[str, pd.DataFrame]:
    table = {
        "metier_code": ["A", "B", "C"], "year": [2024, 2019, 2024], "tension_rank": [5, 2, 40],
        "ranked_count": [58, 186, 58], "tension_rank_share": [0.93, 0.99, 0.3], "status": "value",
    }  # fmt: skip
    return {"metier_tensions": pd.DataFrame(table)}


def test_the_first_sentence_has_a_number_its_interval_and_how_many_metiers() -> None:
    said = plain(rapport.headline({"02_besoins": needs()}).html)
    assert said.startswith("De fin 2026 à fin 2030, 24 000 départs en fin de carrière")
    assert "(19 000 à 32 000)" in said
    assert len(said) < 160


def test_the_scatter_names_large_metiers_with_a_table_and_a_short_alternative() -> None:
    html = figures.scatter({"02_besoins": needs(), "03_tensions": tensions()}, LABELS).html
    drawing, table = html.split("<details>")
    assert "Soudeurs" in drawing
    assert "Caristes" not in html  # less than 1 % of the branch
    assert drawing.index("Techniciens") < drawing.index("Soudeurs")  # the most tense first
    (said,) = re.findall(r'role="img" aria-label="([^"]*)"', drawing)
    assert len(said) <= 200
    assert "Le métier le plus tendu : Techniciens." in said.replace("\u00a0", " ")
    assert 'data-cell="besoins:5:value">3,0' in table
    assert 'data-cell="metier_tensions:0:tension_rank">5' in table
    assert "opmq-wide" in drawing
    assert "opmq-phone" in drawing


def test_ages_are_drawn_largest_first_and_say_that_they_are_national() -> None:
    html = people.ages({"02_besoins": needs()}, LABELS).html
    assert plain(html).startswith("Techniciens : 32 % ont 50 ans ou plus en France")
    assert html.index("32\u00a0%") < html.index("24\u00a0%")


@pytest.mark.parametrize(("dates", "said"), [(["2026-01-01", None], True), (["2026-01-01"], False)])
def test_criteria_that_nobody_voted_are_said_to_be_an_example(
    dates: list[str | None], said: bool
) -> None:
    lists = {
        "criteres": pd.DataFrame(
            {"vote_date": dates, "question_code": "core", "criterion_code": "a", "label": "A",
             "unit": ""}
        ),
        "conditions": pd.DataFrame(columns=["question_code", "criterion_code", "label", "unit"]),
        "faits": pd.DataFrame(columns=["metier_code", "criterion_code", "value"]),
        "coeurs": pd.DataFrame(
            {"question_code": ["core"], "metier_code": "A", "label": "in_list",
             "hires_evidence": "seen", "voted": "none", "acceptability_pct": 95.0}
        ),
    }  # fmt: skip
    page = rapport.skills({"04_coeurs_strategiques": lists}, LABELS).html
    assert ("exemple, non voté" in page) == said
    assert '<span data-metier="A">Soudeurs</span>' in page


def test_fictitious_data_are_said_first() -> None:
    found = {"06_demandes": {"demandes": pd.DataFrame({"origin": ["fictitious"]})}}
    assert "Données fictives" in rapport.banner(found).html


def compared(then: tuple[float, ...], now: tuple[float, ...], monkeypatch) -> str:
    monkeypatch.setattr(rapport, "COMPARED", (rapport.Compared("Part", "99_essai", "t", "i"),))

    def results(numbers: tuple[float, ...]) -> dict[str, dict[str, pd.DataFrame]]:
        row = dict(zip(("value", "lower", "upper"), numbers, strict=True))
        return {"99_essai": {"t": pd.DataFrame([{"indicator": "i", "status": "value"} | row])}}

    return rapport.comparison(results(now), results(then), "2025", LABELS).html


def test_a_change_is_told_only_where_intervals_do_not_touch(monkeypatch) -> None:
    assert "en hausse" in compared((20, 15, 25), (40, 30, 50), monkeypatch)
    assert "en baisse" in compared((40, 30, 50), (20, 15, 25), monkeypatch)
    page = compared((20, 15, 25), (28, 22, 34), monkeypatch)
    assert "aucune évolution montrée" in page
    assert 'data-cell="2025/t:0:value"' in page


def test_needs_and_certifications_are_compared_at_the_last_horizon() -> None:
    def edition(posts: float, certifications: float) -> rapport.Answers:
        ends = {"lower": [posts - 60, posts - 100], "upper": [posts + 60, posts + 100]}
        projected = [
            rows(name, value=[1000.0, posts], year=[2023, 2028], **ends)
            for name in ("posts_to_fill_headcount", "career_end_departures_headcount")
        ]
        skills = rows("certifications_count", value=[certifications], year=[2026])
        return {
            "02_besoins": {"besoins": pd.concat(projected, ignore_index=True)},
            "05_competences": {"competences": skills},
        }

    page = rapport.comparison(edition(3000, 12), edition(2000, 9), "2025", LABELS).html
    assert page.count("en hausse") == 3
    for label in ("Postes à pourvoir", "Départs de fin de carrière", "Certifications"):
        assert label in page
    assert "besoins:1:value" in page
    assert "besoins:0:value" not in page
