from hypothesis import given
from hypothesis import strategies as st

from opmq_lib.site import markup

PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "a < b",
        "<img alt='x > y'>",
        "<!-- <p> -->",
        "<script>a</b>",
        "</script>",
        "&lt;",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8)).map("".join))
def test_tokens_joined_are_the_page_again(html: str) -> None:
    assert "".join(markup.tokens(html)) == html


def test_a_script_is_one_token_whatever_it_holds() -> None:
    html = "<script>if (a < b) { c('</p>') }</script><p>d</p>"
    assert [markup.name(token) for token in markup.tokens(html)] == ["script", "p", "", "p"]


def test_attributes_may_be_quoted_bare_or_alone() -> None:
    tag = "<input type='search' hidden value=a data-x=\"it's\">"
    assert markup.attributes(tag) == {
        "type": "search",
        "hidden": "",
        "value": "a",
        "data-x": "it's",
    }


def test_attributes_of_a_script_do_not_come_from_its_content() -> None:
    assert markup.attributes("<script src=a.js>let src = 'b.js'</script>") == {"src": "a.js"}
