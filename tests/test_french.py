import pytest

from opmq_lib.show import french


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Oui : 12 %", "Oui\u00a0: 12\u00a0%"),
        ("« Chimie » ; quoi ? non !", "«\u00a0Chimie\u00a0»\u202f; quoi\u202f? non\u202f!"),
        ("sans rien à changer", "sans rien à changer"),
    ],
)
def test_typography_sets_no_break_spaces(prose: str, expected: str) -> None:
    assert french.typography(prose) == expected


def test_typography_done_twice_changes_nothing() -> None:
    once = french.typography("« A » : b ; c ! 3 %")
    assert french.typography(once) == once


def test_a_small_estimate_is_said_to_be_below_the_step() -> None:
    assert french.rounded(37, 100) == "moins de\u00a0100"
    assert french.rounded(0, 100) == "0"


def test_zero_after_rounding_has_no_minus_sign() -> None:
    assert french.number(-0.004, 2) == "0,00"
    assert french.number(-0.006, 2) == "−0,01"


def test_labels_mend_the_producers_typos() -> None:
    assert french.label("Ouviers de l'industrie") == "Ouvriers de l’industrie"
