import json

from opmq_lib.site import search


def entries(body: str) -> list[tuple[str, str, str]]:
    found = search.rows("a.html", f'<main><h1 class="title">Page</h1>{body}</main>')
    return [(href, section, text) for href, _, section, text in found]


def test_numbers_of_tables_menus_and_draft_notes_are_left_out() -> None:
    body = (
        '<div class="opmq-draft" role="note"><p>Brouillon</p></div>'
        "<nav><ul><li>Accueil</li></ul></nav>"
        "<table><caption>Métiers</caption><tr><th>Soudeurs</th><td>1 200</td></tr></table>"
    )
    assert entries(body) == [("a.html", "", "Page Métiers Soudeurs")]


def test_sections_without_words_are_still_found_by_their_title() -> None:
    assert entries('<h2 id="a">Sources</h2><svg><text>x</text></svg>') == [
        ("a.html", "", "Page"),
        ("a.html#a", "Sources", ""),
    ]


def test_long_sections_are_cut_between_words() -> None:
    ((_, _, text),) = entries("<p>" + "mots " * 200 + "</p>")
    assert text.endswith("mots …")
    assert len(text) <= search.TEXT_LIMIT + 2


def test_the_index_is_a_script_that_sets_a_global_and_cannot_end_early() -> None:
    written = search.script([["a.html", "P", "S", "</script> œuvre"]])
    prefix = f"window.{search.GLOBAL}="
    assert written.startswith(prefix)
    assert "</script>" not in written
    assert json.loads(written.removeprefix(prefix).rstrip(";\n")) == [
        ["a.html", "P", "S", "</script> œuvre"]
    ]


def test_titles_menus_and_contents_are_no_text_of_a_page_and_its_other_names_stand_first() -> None:
    page = (
        '<main><header id="title-block-header"><h1 class="title">Soudeurs</h1>'
        '<p class="subtitle lead">Métier</p></header><details class="contents">Sur</details>'
        '<p class="opmq-sought" hidden data-names="soudage ; soudure" data-jobs="45000"'
        ' data-others="brasage"></p>'
        '<h2 id="a">Qui part</h2><p>Mots</p></main><footer>Pied</footer>'
    )
    assert search.rows("m.html", page) == [
        ["m.html", "Soudeurs – Métier", "", "", "soudage ; soudure", "45000", "brasage"],
        ["m.html#a", "Soudeurs – Métier", "Qui part", "Mots"],
    ]
