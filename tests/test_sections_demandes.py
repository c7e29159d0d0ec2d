"""The page of requests: every number with its interval and what it is computed from."""

import re

import pandas as pd
from test_requests_review import FIRMS, LAST_DAY, reviewed, w8_register

from opmq_lib.methods.requests import measures
from opmq_lib.questions.demandes import page as demandes
from opmq_lib.sources import study

LABELS = study.topic_labels() | study.branch_labels()


def results(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"demandes": table, "demandes_suites": pd.DataFrame()}


def w8() -> dict[str, pd.DataFrame]:
    return results(measures.review(w8_register(), FIRMS, ["chimie"], LAST_DAY))


def cells(html: str, table: pd.DataFrame) -> set[tuple[str, str, str, str]]:
    """Return indicator, band, topic and column of every number that a page shows."""
    found = re.findall(r'data-cell="demandes:(\d+):(\w+)"', html)
    keys = ["indicator", "size_band", "topic_code"]
    return {(*table.loc[int(row), keys], column) for row, column in found}


def test_every_measure_has_its_interval_and_denominator_on_the_page() -> None:
    given = w8()
    shown = cells(demandes.bands_table(given).html, given["demandes"])
    for indicator in ("unmet_share_pct", "unmet_requests_share_pct", "answer_delay_median_days",
                      "repeat_share_pct"):  # fmt: skip
        for column in ("value", "lower", "upper", "denominator_count"):
            if indicator == "repeat_share_pct" and column != "denominator_count":
                continue  # nobody comes back in this register
            assert (indicator, "under_50", "all", column) in shown, (indicator, column)
    topics = cells(demandes.topics_table(given, LABELS).html, given["demandes"])
    for column in ("value", "lower", "upper", "numerator_count", "denominator_count"):
        assert ("unmet_share_pct", "all", "recrutement", column) in topics, column


def test_shrunk_shares_have_their_interval() -> None:
    table = reviewed(6000, 6, 34)
    branch = table.loc[table["indicator"].eq("unmet_share_shrunk_pct")
                       & table["topic_code"].ne("all") & table["size_band"].eq("under_50")
                       & table["status"].eq("value"), "branch_code"]  # fmt: skip
    own = table[table["branch_code"] == branch.iloc[0]].reset_index(drop=True)
    shown = cells(demandes.topics_table(results(own), LABELS).html, own)
    kept = {column for name, _, _, column in shown if name == "unmet_share_shrunk_pct"}
    assert {"value", "lower", "upper"} <= kept


def test_the_tests_name_what_was_computed_and_one_point_is_singular() -> None:
    register = w8_register()
    register["topic_code"] = ["recrutement", "alternance"] * 56
    given = results(measures.review(register, FIRMS, ["chimie"], LAST_DAY))
    page = demandes.gap(given).html
    assert "Boschloo" in page
    assert "Mantel" in page
    table = given["demandes"]
    shares = table["indicator"].eq("unmet_share_pct") & table["topic_code"].eq("all")
    table.loc[shares, "denominator_count"] = 600
    table.loc[table["indicator"] == "gap_unmet_share_points", "value"] = 1.1
    page = demandes.gap(given).html
    assert "Boschloo" not in page
    assert "Fisher" in page
    text = re.sub("<[^>]+>", "", page).replace("\u00a0", " ")
    assert "1,1 point d" in text


def test_one_topic_has_no_order_and_a_remainder_is_no_reason() -> None:
    register = w8_register().assign(topic_code="recrutement")
    given = results(measures.review(register, FIRMS, ["chimie"], LAST_DAY))
    assert "ordre des thèmes" not in demandes.findings(given, LABELS).html
    assert "Délai trop long" in demandes.reasons_table(given).html
    table = given["demandes"]
    left = table[~table["reason"].isin([*demandes.REASONS]) | table["reason"].eq("delay")]
    page = demandes.reasons_table(results(left.replace({"reason": {"delay": "other"}}))).html
    assert "Secret statistique" in page
    assert "Autre motif" not in page


def test_candidates_come_in_the_order_of_their_labels() -> None:
    labels = LABELS | {"recrutement": "Aaa", "alternance": "Zzz"}
    page = demandes.candidates_table(w8(), labels).html
    assert page.index("Aaa") < page.index("Zzz")
