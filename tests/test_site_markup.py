from opmq_lib.site import markup


def names(html: str) -> list[str]:
    return [name for name, _ in markup.tags(html)]


def test_a_script_is_skipped_whatever_it_holds() -> None:
    html = "<script>if (a < b) { c('<b></p>') }</script><p>d</p><!-- <i> -->"
    assert names(html) == ["script", "p"]
    assert markup.text(html) == "d"


def test_a_script_that_never_ends_is_a_tag() -> None:
    assert names("<script><p>a < b") == ["script", "p"]


def test_attributes_may_be_quoted_bare_or_alone() -> None:
    ((_, attributes),) = markup.tags("<input type='search' hidden value=a data-x=\"it's\">")
    assert attributes == {"type": "search", "hidden": "", "value": "a", "data-x": "it's"}


def test_attributes_of_a_script_do_not_come_from_its_content() -> None:
    ((_, attributes),) = markup.tags("<script src=a.js>let src = 'b.js'</script>")
    assert attributes == {"src": "a.js"}


def test_words_are_those_a_reader_sees() -> None:
    assert markup.text("<p>a &lt; b,<br>c</p>", " ") == "a < b, c"
