"""Commands of skills, as a user calls them."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.cli.skills import skills_app
from opmq_lib.errors import SchemaError

RUN = CliRunner()
assert skills_app in [group.typer_instance for group in app.registered_groups]


def call(*arguments):
    return RUN.invoke(app, ["skills", *map(str, arguments)], catch_exceptions=False)


def test_the_survey_template_has_its_sheets_and_is_never_overwritten(tmp_path):
    path = tmp_path / "enquete.xlsx"
    assert call("template", path).exit_code == 0
    sheets = pd.read_excel(path, sheet_name=None)
    assert list(sheets) == ["skill_needs", "skill_supply", "lisez_moi"]
    with pytest.raises(SchemaError, match="not overwritten"):
        call("template", path)


def test_texts_are_matched_and_decisions_of_the_review_sheet_applied(tmp_path):
    queries, found, review = (tmp_path / name for name in ("q.csv", "m.csv", "r.csv"))
    queries.write_text("query\nsoudeuse TIG\nregleur\n", encoding="utf-8")
    assert call("match", queries, "-o", found, "--review", review).exit_code == 0
    sheet = pd.read_csv(review, dtype="str", keep_default_na=False)
    assert set(sheet["query"]) == {"regleur"}
    sheet.loc[1, ["decision", "decided_on"]] = ["accepted", "2026-01-31"]
    sheet.to_csv(review, index=False)
    assert call("match", queries, "-o", found, "--review", review).exit_code == 0
    answers = pd.read_csv(found, dtype="str", keep_default_na=False)
    own = answers[answers["query"] == "regleur"]
    assert own["code"].tolist() == [sheet.loc[1, "code"]]
    again = pd.read_csv(review, dtype="str", keep_default_na=False)
    assert again["decision"].tolist() == ["accepted"]
