import math

import pandas as pd
import pytest

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells


def table(**columns: object) -> pd.DataFrame:
    filled = {"value": 12_345.0, "lower": 10_500.0, "upper": 14_100.0, "status": "value"} | columns
    return pd.DataFrame({name: [value] for name, value in filled.items()})


def test_an_estimated_head_count_has_two_digits() -> None:
    assert ">12\u202f000<" in Cells("emplois", table()).headcount(0)
    assert ">moins de\u00a010<" in Cells("emplois", table(value=4.0)).headcount(0)


def test_an_observed_head_count_is_shown_as_published() -> None:
    published = table(lower=math.nan, upper=math.nan, nature="observed", value=225_843.0)
    assert ">225\u202f843<" in Cells("emplois", published).headcount(0)


@pytest.mark.parametrize("value", [9_451.0, 949.9, 105.1, -314.4, 38.2, 12_499.0])
def test_two_digits_are_never_more_than_five_percent_from_the_value(value: float) -> None:
    shown = french.two_digits(value).replace(french.NNBSP, "").replace(french.MINUS, "-")
    assert abs(float(shown) - value) <= 0.05 * abs(value)


@pytest.mark.parametrize("status", sorted(french.STATUS_LABELS))
def test_an_absence_shows_its_own_sign_and_never_a_number(status: str) -> None:
    shown = Cells("emplois", table(value=math.nan, status=status)).number(0)
    assert f">{status}<" in shown
    assert "data-cell" not in shown


def test_zero_is_a_number() -> None:
    assert ">0<" in Cells("emplois", table(value=0.0)).number(0)


def test_both_ends_of_an_interval_name_their_cell() -> None:
    shown = Cells("emplois", table()).interval(0)
    assert 'data-cell="emplois:0:lower">10\u202f000<' in shown
    assert 'data-cell="emplois:0:upper">14\u202f000<' in shown


def test_both_ends_under_the_unit_are_said_once() -> None:
    table = pd.DataFrame({"value": [0.4, 0.9], "lower": [0.1, 0.5], "upper": [0.7, 1.8]})
    cells = Cells("t", table.assign(status="value", nature="estimate"))
    said = [cells.ends(row, lambda value: french.rounded(value, 1), french.share) for row in (0, 1)]
    assert [each.striptags().replace("\u00a0", " ") for each in said] == [
        "moins de 1 %",
        "moins de 1 à 2 %",
    ]


def test_a_missing_row_is_nd() -> None:
    assert ">nd<" in Cells("emplois", table()).number(None)


def test_a_table_is_a_named_region_with_a_caption_and_row_headers() -> None:
    html = pieces.table(
        "Titre <b>\n\nSource.", {"Métier": str.title, "Emplois": lambda _: "texte"}, ["soudeur"]
    ).html
    assert 'aria-label="Titre &lt;b&gt;"' in html
    assert "<caption>Titre &lt;b&gt;</caption>" in html
    assert '<th scope="row">Soudeur</th><td class="text">texte</td>' in html


def test_without_finding_the_list_says_so() -> None:
    assert "Aucun constat" in pieces.findings("").html


def test_a_grade_stands_beside_its_number_and_the_last_one_leaves_the_interval_alone() -> None:
    good = table().assign(reliability_grade="B")
    shown = Cells("emplois", good).headcount(0)
    assert ">12\u202f000<" in shown
    assert 'class="opmq-grade"' in shown
    assert ">B<" in shown
    bad = Cells("emplois", good.assign(reliability_grade="D")).headcount(0)
    assert ">12\u202f000<" not in bad
    assert 'data-cell="emplois:0:lower"' in bad
    assert 'data-cell="emplois:0:upper"' in bad
    assert ">D<" in bad
    assert "opmq-grade" not in Cells("emplois", good.assign(reliability_grade="")).headcount(0)
    assert "opmq-grade" not in Cells("emplois", good).interval(0)
