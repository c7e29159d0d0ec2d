from opmq_lib.site.finish import finished

REGION = '<div class="opmq-table" tabindex="0" role="region" aria-label="{}">'


def test_words_have_french_spaces_and_code_does_not() -> None:
    page = finished("<p>Oui ; « non » : 3 %</p><pre>a ; b</pre><code>c : d</code>", "essai")
    assert "<p>Oui\u202f; «\u00a0non\u00a0»\u00a0: 3\u00a0%</p>" in page
    assert "<pre>a ; b</pre><code>c : d</code>" in page


def test_a_table_scrolls_in_a_region_named_by_its_caption() -> None:
    page = finished(
        "<table><caption>Deux <b>mots</b></caption><tr><td>1</td></tr></table>", "essai"
    )
    assert 'tabindex="0" role="region" aria-label="Deux mots"><table>' in page
    assert page.endswith("</table></div>")


def test_a_table_already_in_a_region_keeps_it() -> None:
    html = REGION.format("A") + "<table><tr><td>1</td></tr></table></div>"
    assert finished(html, "essai") == html


def test_two_regions_never_have_the_same_name() -> None:
    html = f"{REGION.format('A &amp; B')}<table></table></div>" * 2 + "<table></table>" * 2
    page = finished(html, "essai")
    for name in ("A &amp; B", "A &amp; B (2)", "Tableau", "Tableau (2)"):
        assert page.count(f'aria-label="{name}"') == 1


def test_what_a_page_would_fetch_from_elsewhere_is_taken_out() -> None:
    html = (
        '<script src="https://b.fr/require.js"></script><script src="a.js"></script>'
        '<link rel="stylesheet" href="//b.fr/a.css"><link rel="canonical" href="https://b.fr">'
    )
    page = finished(html, "essai")
    assert page == '<script src="a.js"></script><link rel="canonical" href="https://b.fr">'


def test_a_policy_is_added_where_the_engine_wrote_none() -> None:
    assert "default-src 'self'" in finished("<head><title>a</title></head>", "essai")
    own = '<head><meta http-equiv="Content-Security-Policy" content="x"></head>'
    assert finished(own, "essai") == own


def test_the_engine_is_named_in_the_last_footer() -> None:
    assert finished("<footer>a</footer>", "Quarto") == (
        '<footer>a<p class="opmq-stamp">Site produit par Quarto.</p>\n</footer>'
    )
