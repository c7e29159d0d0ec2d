"""The page of requests: every number with its interval and what it is computed from."""

import re

import pandas as pd
import w8_prime
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


def text(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", "", html).replace("\u00a0", " ").split())


def w8_prime_results(**cells: object) -> dict[str, pd.DataFrame]:
    """Return the review of W8 (second form), cells of the row of the gap per company replaced."""
    table = measures.review(w8_prime.register(), FIRMS, ["chimie"], LAST_DAY)
    row = table["indicator"].eq("gap_points") & table["variant"].eq("by_company")
    row &= table["reason"].eq("all") & table["branch_code"].eq("chimie")
    for name, value in cells.items():
        table.loc[row, name] = value
    return results(table)


def test_every_measure_has_its_interval_and_what_it_rests_on() -> None:
    given = w8()
    shown = cells(demandes.bands_table(given).html, given["demandes"])
    for indicator in ("unmet_share_pct", "requests_per_1000_firms", "answer_delay_median_days"):
        for column in ("value", "lower", "upper"):
            assert (indicator, "under_50", "all", column) in shown, (indicator, column)
    for indicator in ("requesting_companies_count", "requests_count"):
        assert (indicator, "under_50", "all", "value") in shown
    topics = cells(demandes.topics_table(given, LABELS).html, given["demandes"])
    for column in ("value", "lower", "upper", "numerator_count"):
        assert ("topic_share_of_unmet_pct", "under_50", "recrutement", column) in topics, column
    for column in ("value", "lower", "upper"):
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


def test_the_gap_is_said_as_it_may_be() -> None:
    said = text(demandes.gap(w8_prime_results()).html)
    assert ("une entreprise de moins de 50 salariés voit une plus grande part de ses demandes non "
            "couverte : +40 points [+7 ; +73].") in said  # fmt: skip
    assert "1 branches comparées" not in said
    assert "90 % des demandes des moins de 50 salariés, 100 % de celles des autres" in said
    assert "1 branche comparée, 1 écart retenu" in said
    said = text(demandes.gap(w8_prime_results(value=-1.0)).html)
    assert "voit une moins grande part de ses demandes non couverte : −1 point [" in said
    said = text(demandes.gap(w8_prime_results(retained="no", lower=-3.0, upper=104.0)).html)
    assert "Aucun écart n’est montré : les données admettent de −3 à ≥ +100 points." in said
    assert "L’écart entre demandes tient aux entreprises qui demandent beaucoup." in said
    absent = {"value": None, "lower": None, "upper": None, "retained": ""}
    for status, words in (("nd", "Trop peu d’entreprises pour comparer."),
                          ("s", "secret statistique (s)"), ("np", "n’a rien demandé")):  # fmt: skip
        assert words in text(demandes.gap(w8_prime_results(status=status, **absent)).html)
    assert "pas d’écart" not in said
    assert "pas de différence" not in said


def test_topics_are_ranked_only_where_draws_agree_and_come_in_the_order_of_the_nomenclature() -> (
    None
):
    table = reviewed(20_000, 1)
    given = results(table)
    sure, _ = demandes._leading(given, LABELS)
    assert 0 < len(sure) <= 3
    listed = [*demandes._listed(given, LABELS).values()]
    order = [*LABELS]
    assert listed == sorted(listed, key=order.index)
    said = text(demandes.findings(given, LABELS).html)
    assert "parmi les trois premiers thèmes : " in said
    assert all(LABELS[topic] in said for topic in sure)
    unranked = text(demandes.findings(w8(), LABELS).html)
    assert "trois premiers" not in unranked
    assert f"{LABELS['recrutement']} (64 %)" in unranked


def test_fewer_than_ten_requests_are_said_so() -> None:
    register = w8_register().iloc[[*range(4), *range(20, 25)]]
    given = results(measures.review(register, FIRMS, ["chimie"], LAST_DAY))
    assert "moins de 10" in text(demandes.bands_table(given).html)


def test_a_remainder_is_no_reason() -> None:
    given = w8()
    assert "Délai trop long" in demandes.reasons_table(given).html
    table = given["demandes"]
    left = table[~table["reason"].isin([*demandes.REASONS]) | table["reason"].eq("delay")]
    left = left[~left["variant"].isin([*demandes.KINDS])]
    page = demandes.reasons_table(results(left.replace({"reason": {"delay": "other"}}))).html
    assert "Secret statistique" in page
    assert "Autre motif" not in page
