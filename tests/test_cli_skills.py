"""Commands of skills, as a user calls them."""

import json

import pandas as pd
import pytest
from test_sources_rncp import SAMPLES, needs_samples
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.cli.skills import skills_app
from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.sources import embedded, labels

RUN = CliRunner()
assert skills_app in [group.typer_instance for group in app.registered_groups]


def call(*arguments):
    return RUN.invoke(app, ["skills", *map(str, arguments)], catch_exceptions=False)


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


def mentions(*counts):
    rows = [
        {"period_rank": rank, "skill_code": skill, "mentions_count": count,
         "documents_count": 10_000, "employers_count": count,
         "mentions_squares_count": count, "source_code": "offres", "origin": "own"}
        for rank, count in enumerate(counts, start=1)
        for skill, count in (("100007", count), ("100015", 300))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_skills_that_rise_in_two_successive_changes_are_retained(tmp_path):
    file, found = tmp_path / "mentions.csv", tmp_path / "tendances.csv"
    mentions(20, 120, 400).to_csv(file, index=False)
    result = call("emerging", file, "-o", found)
    assert "1 of them in 2 successive ones" in result.output
    table = pd.read_csv(found, dtype={"skill_code": "str"})
    assert table.loc[table["retained"] == "yes", "skill_code"].tolist() == ["100007"]
    assert set(table["origin"]) == {"own"}


def test_mentions_of_one_period_alone_or_above_their_documents_are_refused(tmp_path):
    file, found = tmp_path / "mentions.csv", tmp_path / "tendances.csv"
    mentions(20).to_csv(file, index=False)
    with pytest.raises(RangeError, match="one period"):
        call("emerging", file, "-o", found)
    mentions(20, 20_000).to_csv(file, index=False)
    with pytest.raises(RangeError, match="mentions"):
        call("emerging", file, "-o", found)
    totals = mentions(20, 120)
    totals.loc[0, "documents_count"] = 9_000
    totals.to_csv(file, index=False)
    with pytest.raises(DataError, match="documents_count"):
        call("emerging", file, "-o", found)
    assert not found.exists()


@pytest.mark.parametrize("command", ["match", "occupations", "emerging"])
def test_a_file_is_never_both_read_and_written(tmp_path, command):
    file = tmp_path / "titres.csv"
    file.write_text("query\nsoudeur\n", encoding="utf-8")
    with pytest.raises(DataError, match="the same file twice"):
        call(command, file, "-o", file)
    assert file.read_text(encoding="utf-8") == "query\nsoudeur\n"


def test_titles_or_bundles_are_told_by_their_columns_and_candidates_counted(tmp_path):
    file, found = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text("query\nsoudeur\nhippogriffier\n", encoding="utf-8")
    output = call("occupations", file, "-o", found).output
    assert "1 of 2 are candidates" in output
    assert "not a new occupation" in output
    assert pd.read_csv(found)["unexplained"].tolist() == [False, True]
    skills = embedded.load("metier_skills").query("rome_code == 'H2913'")["skill_code"]
    pd.DataFrame({"bundle": "a", "skill_code": skills}).to_csv(file, index=False)
    assert "0 of 1 are candidates" in call("occupations", file, "-o", found).output
    assert pd.read_csv(found)["nearest_profile"].tolist() == ["H2913"]


@pytest.mark.parametrize("header", ["titre", "query,bundle,skill_code"])
def test_what_is_neither_titles_nor_bundles_is_refused(tmp_path, header):
    file = tmp_path / "in.csv"
    file.write_text(f"{header}\n{','.join('x' for _ in header.split(','))}\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="neither titles nor bundles"):
        call("occupations", file, "-o", tmp_path / "out.csv")


def test_a_title_is_a_candidate_for_a_list_that_lacks_it(tmp_path):
    file, found, some = (tmp_path / name for name in ("in.csv", "out.csv", "list.csv"))
    file.write_text("query\navocat\n", encoding="utf-8")
    core = labels.core_labels("titles")
    core[core["code"].str.startswith("H")].to_csv(some, index=False)
    output = call("occupations", file, "-o", found, "--labels", some).output
    assert "1 of 1 are candidates" in output
    output = call("occupations", file, "-o", found).output
    assert "0 of 1 are candidates" in output
    assert "the titles of 532 codes" in output
    assert pd.read_csv(found)["nearest_code"].tolist() == ["K1903"]
    file.write_text("bundle,skill_code\na,100007\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="not compared with titles"):
        call("occupations", file, "-o", found, "--labels", some)


@needs_samples
def test_ends_of_registration_are_listed_as_json_too():
    rows = json.loads(call("expiry", sorted(SAMPLES.glob("*.zip"))[0], "--json").output)
    assert len(rows) == 9
    assert {"fiche_code", "ends_on", "state", "title"} <= set(rows[0])
