import re

import pandas as pd

from opmq_lib.show import figures, inline

LABELS = {"A0Z40": "Ouvriers qualifiés", "B0Z40": "Techniciens"}
RANGES = pd.DataFrame(
    {
        "metier_code": ["A0Z40", "B0Z40"],
        "value": [1200.0, 900.0],
        "lower": [1000.0, 850.0],
        "upper": [1500.0, 1000.0],
    }
)


def ranges() -> figures.Figure:
    return figures.employment_ranges(RANGES, LABELS, "Un titre\n\nEmplois, source, table.")


def test_the_same_table_draws_the_same_bytes() -> None:
    assert ranges().svg == ranges().svg


def test_the_text_alternative_tells_every_métier_with_its_interval() -> None:
    assert ranges().alt == (
        "Un titre. Ouvriers qualifiés\u00a0: 1\u202f200 (1\u202f000 à 1\u202f500)\u202f; "
        "Techniciens\u00a0: 900 (850 à 1\u202f000)."
    )


def test_jupyter_gets_the_drawing_and_its_texts() -> None:
    data, metadata = ranges()._repr_mimebundle_()
    assert set(data) == {"image/svg+xml"}
    assert metadata["image/svg+xml"]["alt"].startswith("Un titre")
    assert metadata["opmq"]["caption"] == "Emplois, source, table."


def test_a_figure_is_narrow_enough_for_a_phone() -> None:
    width = re.search(r'<svg[^>]* width="([0-9.]+)pt"', ranges().svg)
    assert width is not None
    assert float(width[1]) <= 300


def test_a_fan_tells_where_each_métier_starts_and_may_end() -> None:
    history = pd.DataFrame({"metier_code": "A0Z40", "year": [2017, 2018], "value": [950.0, 1000.0]})
    projection = pd.DataFrame(
        [
            ("A0Z40", 2019, level, 1000 * factor)
            for level, factor in zip(figures.LEVELS, (0.8, 0.9, 1, 1.1, 1.2), strict=True)
        ],
        columns=["metier_code", "year", "quantile_level", "value"],
    )
    drawn = figures.employment_fan(history, projection, LABELS, "Titre\n\nSource.")
    assert drawn.alt == (
        "Titre. Ouvriers qualifiés\u00a0: 1\u202f000 en 2018, projection médiane 1\u202f000 en "
        "2019, intervalle à 80\u00a0% de 800 à 1\u202f200."
    )


def test_rank_by_tension_is_said_with_its_class() -> None:
    ranks = pd.DataFrame({"metier_code": ["A0Z40"], "fap2009_rank": 12, "fap2009_class": 5})
    drawn = figures.tension_ranking(
        ranks.assign(fap2009_ranked_count=186), LABELS, "Titre\n\nSource."
    )
    assert drawn.alt == "Titre. Ouvriers qualifiés\u00a0: rang 12 sur 186, classe 5 sur 5."


def test_a_heat_table_tells_the_largest_share_of_each_line() -> None:
    shares = pd.DataFrame({"Process": [70.0, 20.0], "Bois": [30.0, 80.0]}, ["Verre", "Meuble"])
    drawn = figures.share_heat(shares, "Titre\n\nSource.")
    assert drawn.alt == (
        "Titre. Verre\u00a0: surtout Process (70\u00a0%)\u202f; Meuble\u00a0: surtout Bois "
        "(80\u00a0%)."
    )


def test_a_past_projection_tells_what_then_happened() -> None:
    years = list(range(2000, 2019))
    history = pd.DataFrame(
        {"metier_code": "E0Z", "year": years, "value": [20_000.0 + 100 * n for n in range(19)]}
    )
    projection = pd.DataFrame(
        [
            ("E0Z", 2008, year, level, 21_000.0 + (level - 0.5) * 900 * (year - 2008))
            for year in range(2009, 2019)
            for level in figures.LEVELS
        ],
        columns=["metier_code", "cutoff_year", "year", "quantile_level", "value"],
    )
    figure = figures.employment_fan(history, projection, {"E0Z": "Ouvriers"}, "Titre\n\nSource")
    assert "en 2008, projection médiane" in figure.alt
    assert "Observé en 2018\u00a0: 22\u202f000." in figure.alt


def test_coverage_is_told_for_every_method_and_level() -> None:
    rows = [(m, level, level - 9.0) for level in (50, 80) for m in ("Étude", "Autre")]
    coverage = pd.DataFrame(rows, columns=["method", "announced_pct", "value"])
    figure = figures.coverage_dots(coverage, "Titre\n\nSource")
    assert "Intervalle annoncé à 80\u00a0%\u00a0: Étude 71\u00a0%, Autre 71\u00a0%." in figure.alt


def test_every_tenth_is_told() -> None:
    shares = pd.DataFrame({"tenth": range(1, 11), "value": [14.0, *[9.0] * 8, 14.0]})
    figure = figures.tenths(shares, "Titre\n\nSource")
    assert figure.alt.startswith("Titre. Valeurs observées par dixième")
    assert "1er 14\u00a0%, 2e 9\u00a0%" in figure.alt
    assert figure.alt.endswith("10e 14\u00a0%.")


def test_errors_are_told_year_by_year_for_each_method() -> None:
    rows = [("Étude", 2004, 1.25), ("Étude", 2005, 2.0), ("Autre", 2004, 3.0)]
    errors = pd.DataFrame(rows, columns=["method", "year", "value"])
    figure = figures.error_lines(errors, "Titre\n\nSource")
    assert figure.alt.startswith("Titre. Étude\u00a0: 2004\u00a0: 1,2, 2005\u00a0: 2,0.")


def test_a_page_holds_real_text_in_its_own_colours_with_what_is_drawn_below() -> None:
    data, metadata = ranges()._repr_mimebundle_()
    svg, words = data["image/svg+xml"], metadata["opmq"]
    html = inline.figure(svg, words, "cell-1").html
    assert re.search(r">Ouvriers qualifiés</text>", html)
    assert "font-family" not in html
    assert {"#1d2733", "#0b5c8a"} <= set(re.findall(r"var\(--opmq-\w+,(#\w+)\)", html))
    assert re.findall(r'aria-label="([^"]*)"', html) == ["Un titre"]
    assert html.count("Un titre") == 2  # the heading and the alternative, not the drawing
    assert "<li>Ouvriers qualifiés\u00a0: 1\u202f200 (1\u202f000 à 1\u202f500)</li>" in html
    assert len(html) < 5_000 < 2 * len(svg)


def test_two_drawings_of_a_page_share_no_identifier() -> None:
    data, metadata = ranges()._repr_mimebundle_()
    pages = [
        inline.figure(data["image/svg+xml"], metadata["opmq"], prefix).html
        for prefix in ("02-besoins-05-0", "02-besoins-06-0")
    ]
    one, other = (set(re.findall(r' id="([^"]*)"', page)) for page in pages)
    assert one
    assert not one & other
    for page, known in zip(pages, (one, other), strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', page)) <= known
