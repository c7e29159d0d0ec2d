import re
from collections import Counter

import pytest

from opmq_lib.site.markdown import render


def html(source: str) -> str:
    return render(source).html


def test_headings_have_the_identifiers_that_pandoc_gives_them() -> None:
    shown = html("## L’emploi en 2018\n\n## L’emploi en 2018\n\n## Où ? {#lieu}")
    assert '<h2 id="lemploi-en-2018">' in shown
    assert '<h2 id="lemploi-en-2018-1">' in shown
    assert '<h2 id="lieu">Où ?</h2>' in shown


def test_identifiers_are_unlike_in_all_the_cells_of_a_page() -> None:
    names = Counter[str]()
    shown = [render("## Suite", names=names).html for _ in range(2)]
    assert shown == ['<h2 id="suite">Suite</h2>\n', '<h2 id="suite-1">Suite</h2>\n']


def test_a_callout_has_its_title() -> None:
    shown = html('::: {.callout-note title="À & savoir"}\nTexte\n:::\n\nSuite')
    assert shown == (
        '<div class="callout callout-note">\n<p class="callout-title">À &amp; savoir</p>\n'
        "<p>Texte</p>\n</div>\n<p>Suite</p>\n"
    )


def test_quotes_and_apostrophes_become_french() -> None:
    assert html('L\'emploi "réel"...') == "<p>L’emploi «\u00a0réel\u00a0»…</p>\n"


def test_tables_definitions_and_raw_html_are_read() -> None:
    shown = html("| a |\n|---|\n| 1 |\n\nTerme\n: Sens\n\n```{=html}\n<b>x</b>\n```")
    assert "<th>a</th>" in shown
    assert "<dt>Terme</dt>\n<dd>Sens</dd>" in shown
    assert "\n<b>x</b>\n" in shown


def test_links_from_the_root_lead_to_pages_from_where_the_text_stands() -> None:
    shown = render("[a](/b.qmd#c) [d](https://exemple.fr/e.qmd) [f](#g)", up="../").html
    assert re.findall('href="([^"]*)"', shown) == ["../b.html#c", "https://exemple.fr/e.qmd", "#g"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("Soit $x^2$.", "$x^2$"),
        ("$$\nx\n$$", "$$"),
        ("Voir @fig-emplois.", "@fig-emplois"),
        ("{{< video a.mp4 >}}", "{{< video a.mp4 >}}"),
        ("Mot[^1].\n\n[^1]: Note", "[^1]"),
        ("[n]{.n}", "{.n}"),
        ('![a](a.svg){fig-alt="b"}', '{fig-alt="b"}'),
        ("## Titre {.large}", "{.large}"),
        ("```{python}\n1\n```", "{python}"),
        ("::: {.panel-tabset}\na\n:::", "::: {.panel-tabset}"),
        ("::: {.callout-note}\na\n:::", "::: {.callout-note}"),
    ],
)
def test_what_is_outside_the_subset_is_said_with_its_line(source: str, what: str) -> None:
    assert render(f"Avant\n\n{source}").outside == [(3, what)]


@pytest.mark.parametrize("source", ["2 $ et 3 $", "`$x$`", "marie@exemple.fr", "prix : 5 $."])
def test_what_only_looks_outside_the_subset_is_not_said(source: str) -> None:
    assert render(source).outside == []


def test_a_caption_under_a_table_is_said() -> None:
    assert render("| a |\n|---|\n| 1 |\n\n: Légende").outside == [(5, ": Légende")]


def test_a_callout_that_is_never_closed_is_said() -> None:
    outside = render('::: {.callout-note title="a"}\nb\n\nc').outside
    assert [what for _, what in outside] == ["callout never closed"]
