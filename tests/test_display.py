import math

import pandas as pd
import pytest

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells


def table(**columns: object) -> pd.DataFrame:
    filled = {"value": 12_345.0, "lower": 10_500.0, "upper": 14_100.0, "status": "value"} | columns
    return pd.DataFrame({name: [value] for name, value in filled.items()})


def test_a_head_count_is_no_finer_than_its_interval() -> None:
    assert ">12\u202f300<" in Cells("emplois", table()).headcount(0)


def test_a_head_count_is_no_finer_than_the_step_asked_for() -> None:
    assert ">10\u202f000<" in Cells("emplois", table()).headcount(0, 10_000)


@pytest.mark.parametrize("status", sorted(french.STATUS_LABELS))
def test_an_absence_shows_its_own_sign_and_never_a_number(status: str) -> None:
    shown = Cells("emplois", table(value=math.nan, status=status)).number(0)
    assert f">{status}<" in shown
    assert "data-cell" not in shown


def test_zero_is_a_number() -> None:
    assert ">0<" in Cells("emplois", table(value=0.0)).number(0)


def test_both_ends_of_an_interval_name_their_cell() -> None:
    shown = Cells("emplois", table()).interval(0)
    assert 'data-cell="emplois:0:lower">10\u202f500<' in shown
    assert 'data-cell="emplois:0:upper">14\u202f100<' in shown


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
    assert ">12\u202f300<" in shown
    assert 'class="opmq-grade"' in shown
    assert ">B<" in shown
    bad = Cells("emplois", good.assign(reliability_grade="D")).headcount(0)
    assert ">12\u202f300<" not in bad
    assert 'data-cell="emplois:0:lower"' in bad
    assert 'data-cell="emplois:0:upper"' in bad
    assert ">D<" in bad
    assert "opmq-grade" not in Cells("emplois", good.assign(reliability_grade="")).headcount(0)
    assert "opmq-grade" not in Cells("emplois", good).interval(0)


def test_the_lower_end_of_a_wide_interval_keeps_its_first_digit() -> None:
    wide = table(value=2_000.0, lower=940.0, upper=8_900.0)
    shown = Cells("emplois", wide).interval(0)
    assert ">900<" in shown
    assert ">9\u202f000<" in shown
