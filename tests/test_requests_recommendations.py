"""Recommendations are kept from one edition to the next, with what became of them."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_requests_review import FIRMS, w8_register

from opmq_lib.errors import DataError
from opmq_lib.methods import decisions
from opmq_lib.methods.requests import comparison, measures, recommendations
from opmq_lib.sources import registers

LAST_DAY, NEXT_DAY = date(2026, 11, 24), date(2027, 11, 24)


def test_a_key_that_looks_like_a_name_is_never_echoed(tmp_path: Path) -> None:
    path = tmp_path / "recommandations.csv"
    rows = pd.DataFrame({"recommendation_code": ["Mme Durand", "Mme Durand", "jean@exemple.fr"]})
    rows.to_csv(path, index=False)
    with pytest.raises(DataError, match="the same key as row 2") as caught:
        registers.read_recommendations(path, "own")
    assert "Durand" not in str(caught.value)
    assert "jean" not in str(caught.value)


def test_a_decision_written_down_survives_the_next_review_and_is_followed() -> None:
    first = measures.review(w8_register(), FIRMS, ["chimie"], LAST_DAY)
    proposed = recommendations.candidates(first, LAST_DAY)
    assert proposed[["topic_code", "unmet_companies_count"]].to_numpy().tolist() == [
        ["recrutement", 9],
        ["alternance", 5],
    ]
    kept = proposed.assign(status=["implemented", "candidate"], decision=["Module court", ""])
    later = w8_register().assign(requested_on="2027-03-02")
    later.loc[:3, "coverage"], later.loc[:3, "reason"] = "covered", ""
    both = pd.concat([w8_register(), later.assign(request_code=lambda t: t["request_code"] + "b")])
    second = measures.review(both, FIRMS, ["chimie"], NEXT_DAY)
    register = decisions.updated(kept, recommendations.candidates(second, NEXT_DAY), "topic_code")
    assert register["topic_code"].tolist() == ["recrutement", "alternance", "recrutement"]
    assert register["decision"].tolist() == ["Module court", "", ""]
    follow = recommendations.follow_up(register, second, both).set_index("topic_code")
    assert follow.index.tolist() == ["alternance", "recrutement"]
    asked, unmet = np.zeros((55, 2, 1)), np.zeros((55, 2, 1))
    asked[:] = 1  # 55 companies under 50 ask about it, 9 and then 5 of them in vain
    unmet[:9, 1] = unmet[4:9, 0] = 1
    expected = comparison.difference(comparison.evidence(asked, unmet, by_company=False))
    row = follow.loc["recrutement"]
    assert row["decision_status"] == "implemented"
    assert row["value"] == round(100 * (5 - 9) / 55)
    assert row["lower"] == np.floor(100 * expected.lower)
    assert row["upper"] == np.ceil(100 * expected.upper)
    assert follow.loc["alternance", "status"] == "nd"  # five companies, all in vain
    counted = recommendations.counted(recommendations.follow_up(register, second, both), second)
    assert set(counted["indicator"]) == {"recommendations_count"}
    by_status = dict(zip(counted["variant"], counted["value"], strict=True))
    assert by_status == {"": 2, "candidate": 1, "implemented": 1}
