"""Decisions on doubtful matches are kept."""

import pandas as pd
import pytest

from opmq_lib.errors import SchemaError
from opmq_lib.methods.skills import review

MATCHES = pd.DataFrame(
    [("a", 1, "X", "x", 0.4, True), ("a", 2, "Y", "y", 0.3, True), ("b", 1, "Z", "z", 0.9, False),
     ("c", 1, "", "", 0.0, True)],
    columns=["query", "rank", "code", "label", "confidence", "unsure"],
)  # fmt: skip


def test_only_doubtful_proposals_with_a_code_are_asked():
    assert review.review_sheet(MATCHES)["code"].tolist() == ["X", "Y"]


def test_a_decision_survives_any_number_of_runs_untouched():
    sheet = review.review_sheet(MATCHES)
    sheet.loc[0, ["decision", "decided_on", "note"]] = ["refused", "2026-01-05", "non"]
    first = sheet.iloc[0]
    for _ in range(3):
        sheet = review.review_sheet(MATCHES.assign(confidence=0.1), sheet)
        pd.testing.assert_series_equal(sheet.iloc[0], first)
    assert sheet["code"].tolist() == ["X", "Y"]
    assert sheet["version"].tolist()[0] == 1
    assert sheet["version"].tolist()[1] > 1


def test_an_accepted_code_settles_its_text():
    sheet = review.review_sheet(MATCHES)
    sheet.loc[1, "decision"] = "accepted"
    assert review.review_sheet(MATCHES, sheet)["code"].tolist() == ["Y"]
    applied = review.apply_decisions(MATCHES, sheet)
    assert applied["code"].tolist() == ["Y", "Z", ""]
    assert applied["unsure"].tolist() == [False, False, True]


def test_a_strange_decision_is_refused():
    sheet = review.review_sheet(MATCHES).assign(decision="peut-être")
    with pytest.raises(SchemaError) as caught:
        review.review_sheet(MATCHES, sheet)
    assert len(caught.value.defects) == 2
