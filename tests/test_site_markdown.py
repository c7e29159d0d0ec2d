import pytest

from opmq_lib.site.markdown import render


def html(source: str) -> str:
    return render(source, {"callout-note-title": "Note"}).html


def test_headings_have_the_identifiers_that_pandoc_gives_them() -> None:
    shown = html("## L’emploi en 2018\n\n## L’emploi en 2018\n\n## Où ? {#lieu .large}")
    assert '<h2 id="lemploi-en-2018">' in shown
    assert '<h2 id="lemploi-en-2018-1">' in shown
    assert '<h2 id="lieu" class="large">Où ?</h2>' in shown


def test_a_callout_takes_its_first_heading_as_title() -> None:
    shown = html("::: {.callout-note}\n## À savoir\n\nTexte\n:::")
    assert '<div class="callout callout-note">' in shown
    assert '<p class="callout-title">À savoir</p>' in shown
    assert "<h2" not in shown


def test_a_callout_without_title_has_the_one_of_the_language() -> None:
    assert '<p class="callout-title">Note</p>' in html("::: {.callout-note}\nTexte\n:::")
    assert '<p class="callout-title">Gare</p>' in html('::: {.callout-tip title="Gare"}\na\n:::')


def test_divs_nest_with_equal_colons_and_may_hold_code_that_looks_like_one() -> None:
    shown = html("::: outer\na\n\n::: inner\n```\n:::\n```\n:::\n\nb\n:::\n\nc")
    assert shown.index("inner") < shown.index(":::") < shown.index("<p>b</p>")
    assert shown.endswith("</div>\n<p>c</p>\n")


def test_a_line_after_a_table_is_its_caption() -> None:
    shown = html("| a | b |\n|---|--:|\n| 1 | 2 |\n\n: Deux *nombres* {#tbl-deux}\n\nSuite")
    assert '<table id="tbl-deux">\n<caption>Deux <em>nombres</em></caption>' in shown
    assert "<p>Suite</p>" in shown


def test_an_image_alone_is_a_figure_with_caption_and_alternative() -> None:
    shown = html('![Une *courbe*](a.svg){fig-alt="La courbe monte"}')
    assert '<img src="a.svg" alt="La courbe monte" />' in shown
    assert "<figcaption>Une <em>courbe</em></figcaption>" in shown


def test_quotes_and_apostrophes_become_french() -> None:
    assert html('L\'emploi "réel"...') == "<p>L’emploi «\u00a0réel\u00a0»…</p>\n"


def test_footnotes_definitions_spans_and_raw_html_are_read() -> None:
    shown = html("Mot[^1], [n]{.n}\n\nTerme\n: Sens\n\n```{=html}\n<b>x</b>\n```\n\n[^1]: Note")
    assert '<span class="n">n</span>' in shown
    assert "<dt>Terme</dt>\n<dd>Sens</dd>" in shown
    assert "<b>x</b>" in shown
    assert 'href="#fn1"' in shown


def test_code_is_highlighted_by_its_language() -> None:
    assert '<span class="mi">1</span>' in html("```python\na = 1\n```")
    assert "<code>a = 1</code>" in html("```inconnu\na = 1\n```")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("Soit $x^2$.", "maths"),
        ("$$\nx\n$$", "maths"),
        ("Voir @fig-emplois.", "citation or cross-reference"),
        ("{{< video a.mp4 >}}", "shortcode"),
        ("```{python}\n1\n```", "executable code block `{python}`"),
        ("::: {.panel-tabset}\na\n:::", "div `.panel-tabset`"),
        ("::: {.column-page}\na\n:::", "div `.column-page`"),
        ("::: note\na", "a div (`:::`) that is never closed"),
    ],
)
def test_what_is_outside_the_subset_is_said_with_its_line(source: str, what: str) -> None:
    assert render(f"Avant\n\n{source}").outside == ((3, what),)


@pytest.mark.parametrize("source", ["2 $ et 3 $", "`$x$`", "marie@exemple.fr", "prix : 5 $."])
def test_what_only_looks_outside_the_subset_is_not_said(source: str) -> None:
    assert render(source).outside == ()
