from datetime import date

import pytest

from opmq_lib.errors import SchemaError
from opmq_lib.sources.yaml_text import Bare, parse

DISPUTED = (
    "0016 | 1E05 | 1e5 | 0x10 | 0o16 | 1_000 | 12:30 | .5 | 5. | .inf | +012 | NO | no | y | on | "
    "Off | 2026-02-30 | 2026-1-3 | 2026-01-31 10:00"
)


def error(text):
    with pytest.raises(SchemaError) as caught:
        parse(text, "x.yml")
    return str(caught.value)


@pytest.mark.parametrize("raw", DISPUTED.split(" | "))
def test_a_bare_word_that_readers_take_differently_stays_what_was_written(raw):
    assert parse(f"key: {raw}", "x.yml").value == {"key": Bare(raw)}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("10", 10),
        ("-3", -3),
        ("0.25", 0.25),
        ("true", True),
        ("null", None),
        ("", None),
        ("2026-01-31", date(2026, 1, 31)),
        ("chimie", "chimie"),
        ("H2102", "H2102"),
        ("01_emplois", "01_emplois"),
    ],
)
def test_a_bare_word_that_readers_agree_on_is_what_they_read(raw, value):
    found = parse(f"key: {raw}", "x.yml").value["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("code", ["0016", "1E05", "0292", "NO", "NA", "null", "2026-01-31"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_code_survives(code, quote):
    assert parse(f"key: {quote}{code}{quote}", "x.yml").value == {"key": code}


def test_every_value_knows_its_line():
    document = parse('a: 1\nb:\n  - c: "x"\n  - c: "y"\n', "x.yml")
    assert document.find(("b", 1, "c")) == (4, "y")
    assert document.find(("b", 2, "c")) is None


def test_a_key_given_twice_is_a_defect_that_names_both_lines():
    document = parse("a: 1\nb: 2\na: 3\n", "x.yml")
    assert [(defect.where, defect.what) for defect in document.defects] == [
        ("x.yml, line 3", "key `a` is given twice (first on line 1)")
    ]
    assert document.value == {"a": 1, "b": 2}


def test_an_alias_is_a_defect_even_if_it_refers_to_itself():
    text = error("a: &x [1, *x]\nb: *x\n")
    assert text.startswith("2 defects\n  x.yml, line 1: an alias (`*name`)\n")
    assert "x.yml, line 2: an alias" in text


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_a_file_without_any_value_is_refused(text):
    assert error(text) == (
        "1 defect\n  x.yml: the file is empty\n    expected: keys and values\n"
        "    what to do: restore or delete the file"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: c: d\n", 2), ('a: 1\nb: "x\n', 2), ("--- 1\n--- 2\n", 2), ("a: 1\nb:\n\t- x\n", 3)],
)
def test_a_text_that_is_not_yaml_is_refused_with_its_line(text, line):
    assert error(text).splitlines()[1].startswith(f"  x.yml, line {line}: not YAML: ")


def test_control_characters_are_refused():
    assert "x.yml: not YAML" in error("a: \x01\n")
