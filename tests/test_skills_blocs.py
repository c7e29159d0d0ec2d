"""Bloc coverage: what a person read in the blocs of a real export, and never more."""

import re
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from chains import lists, skill_results
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.cli.skills import skills_app
from opmq_lib.errors import DataError, SchemaError, ScopeError
from opmq_lib.methods.skills.certifications import REASONS
from opmq_lib.questions.competences import chain, page
from opmq_lib.sources import rncp, study, table_files
from opmq_lib.sources.validate import validate

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "skills" / "rncp"
NAMES = ["export-fiches-csv-2024-02-22.zip", "export-fiches-csv-2024-02-22_continuity.zip"]
pytestmark = pytest.mark.skipif(
    not all((SAMPLES / name).is_file() for name in NAMES), reason="the producers' files are absent"
)
RUN = CliRunner()
assert skills_app in [group.typer_instance for group in app.registered_groups]
DAY = date(2026, 11, 24)
BLOC, OTHER = "RNCP509BC01", "RNCP509BC03"
END = b'"31/08/2023";;"Enregistrement de droit";;"INACTIVE"'


@pytest.fixture(scope="module")
def inputs():
    return dict(study.load_inputs(["chimie"]))


@pytest.fixture(scope="module")
def wanted(inputs):
    edition = study.edition()
    named = lists(inputs, "chimie", edition)
    own = chain.named(chain.metiers(inputs, "chimie", edition, named))
    return list(chain.romes(inputs, "chimie", own)["rome_code"])


@pytest.fixture(scope="module")
def main(inputs, wanted):
    """Return the main skills of the métiers looked at: `rome_code`, `skill_code`."""
    links = inputs["metier_skills"]
    return links[links["rome_code"].isin(wanted) & (links["importance"] != "autre")]


@pytest.fixture(scope="module")
def skills(main):
    """Return a skill of one métier only, then one of several."""
    counts = main["skill_code"].value_counts()
    return counts.index[-1], counts.index[0]


def renewed(folder, end="31/08/2030", start="", state="ACTIVE", name=NAMES[0]):
    """Write the real export with other dates for its only fiche that has blocs."""
    path, changed = folder / name, 0
    fresh = f'"{end}";"{start}";"Enregistrement de droit";;"{state}"'.encode()
    with zipfile.ZipFile(SAMPLES / name) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            changed += content.count(END)
            new.writestr(member, content.replace(END, fresh))
    assert changed == 1
    return path


def sheet(*readings):
    rows = [
        {"bloc_code": bloc, "bloc_label": "", "fiche_code": "RNCP509", "skill_code": skill,
         "skill_label": "", "confidence": 0.5, "decision": decision}
        for bloc, skill, decision in readings
    ]  # fmt: skip
    return pd.DataFrame(rows)


def coverage(inputs, wanted, export, readings):
    register = rncp.read_exports([export] if export else [])
    given = {f"rncp_{name}": frame for name, frame in register.items()}
    given |= {"own_bloc_readings": readings}
    edition = study.edition().model_copy(update={"edition_date": DAY})
    found = skill_results(inputs | given, "chimie", edition)["competences"]
    rests = found["indicator"].str.contains("bloc_coverage|read_blocs|undecided")
    metiers = pd.DataFrame({"rome_code": wanted})
    table = chain.bloc_coverage(inputs | given, "chimie", metiers, edition)
    return table, found[rests].reset_index(drop=True)


def ratios(table, lead_months=0):
    return table[table["lead_months"] == lead_months].set_index("rome_code")["coverage_ratio"]


def call(*arguments):
    found = RUN.invoke(app, ["skills", *map(str, arguments)], catch_exceptions=False)
    assert found.exit_code == 0
    return found.output


@pytest.mark.parametrize("name", NAMES)
def test_a_real_export_that_has_expired_covers_nothing_though_it_was_read(
    inputs, wanted, skills, name
):
    table, whole = coverage(inputs, wanted, SAMPLES / name, sheet((BLOC, skills[0], "yes")))
    told = table.groupby("rome_code")["status"].agg(set)
    assert (told == {"value"}).sum() == 1
    assert (told == {"nd"}).sum() == len(wanted) - 1
    assert table["read_skills_count"].sum() == 3
    assert set(table["coverage_ratio"].dropna()) == {0.0}
    assert set(whole["value"].head(3)) == {0.0}


def test_a_live_bloc_covers_one_skill_of_each_metier_that_carries_it(
    inputs, wanted, main, skills, tmp_path
):
    readings = sheet((BLOC, skills[1], "yes"), (BLOC, skills[0], "no"), (OTHER, skills[0], ""))
    table, whole = coverage(inputs, wanted, renewed(tmp_path, "24/11/2027"), readings)
    carriers = set(main.loc[main["skill_code"] == skills[1], "rome_code"])
    refused = set(main.loc[main["skill_code"] == skills[0], "rome_code"]) - carriers
    sizes = main.groupby("rome_code")["skill_code"].nunique()
    for months in (0, 12):
        expected = {rome: 1 / sizes[rome] for rome in carriers} | dict.fromkeys(refused, 0.0)
        assert ratios(table, months).dropna().to_dict() == pytest.approx(expected)
    assert set(ratios(table, 24).dropna()) == {0.0}
    last = table[table["lead_months"] == 24].set_index("rome_code")["ending_blocs_count"]
    assert last.dropna().to_dict() == dict.fromkeys(carriers, 1) | dict.fromkeys(refused, 0)
    left = table[~table["rome_code"].isin(carriers | refused)]
    assert len(left)
    assert set(left["status"]) == {"nd"}
    told = whole.set_index("indicator")["value"]
    assert told["bloc_coverage_pct"] == pytest.approx(100 * len(carriers) / sizes.sum())
    assert told["bloc_coverage_24_months_pct"] == 0
    assert told[["read_blocs_count", "undecided_bloc_proposals_count"]].tolist() == [1, 1]
    assert set(table["origin"]) | set(whole["origin"]) == {"own"}


@pytest.mark.parametrize(
    "dates",
    [
        {"end": "23/11/2026"},
        {"end": ""},
        {"end": "31/08/2031", "start": "25/11/2026"},
        {"state": "INACTIVE"},
    ],
    ids=["expired", "dateless", "future", "inactive"],
)
def test_a_bloc_that_is_not_live_is_never_counted(inputs, wanted, skills, tmp_path, dates):
    readings = sheet((BLOC, skills[1], "yes"))
    table, _ = coverage(inputs, wanted, renewed(tmp_path, **dates), readings)
    assert set(ratios(table).dropna()) == {0.0}
    assert set(table["ending_blocs_count"].dropna()) == {0}
    live, _ = coverage(inputs, wanted, renewed(tmp_path, "24/11/2026"), readings)
    assert ratios(live).max() > 0


def test_one_more_reading_changes_only_the_metiers_that_carry_the_skill(
    inputs, wanted, main, skills, tmp_path
):
    export, first = renewed(tmp_path), (BLOC, skills[1], "yes")
    before, _ = coverage(inputs, wanted, export, sheet(first, (OTHER, skills[0], "no")))
    after, _ = coverage(inputs, wanted, export, sheet(first, (OTHER, skills[0], "yes")))
    same = (before == after) | (before.isna() & after.isna())
    changed = set(wanted) - set(before.loc[same.all(axis=1), "rome_code"])
    assert changed == set(main.loc[main["skill_code"] == skills[0], "rome_code"])
    assert (ratios(after).dropna() >= ratios(before).dropna()).all()


@pytest.mark.parametrize("has_export", [True, False])
def test_without_export_or_without_decision_coverage_is_nd(inputs, wanted, skills, has_export):
    decision, export = ("", SAMPLES / NAMES[0]) if has_export else ("yes", None)
    table, whole = coverage(inputs, wanted, export, sheet((BLOC, skills[0], decision)))
    assert set(table["status"]) == {"nd"}
    assert set(table["origin"]) == {"own"}
    assert table["coverage_ratio"].isna().all()
    assert table["read_skills_count"].isna().all()
    assert whole["value"].isna().all()


def test_a_metier_without_main_skill_is_np_once_blocs_are_read(inputs, wanted, skills):
    readings = sheet((BLOC, skills[1], "yes"))
    table, _ = coverage(inputs, [*wanted, "Z9999"], SAMPLES / NAMES[0], readings)
    assert set(table.loc[table["rome_code"] == "Z9999", "status"]) == {"np"}
    table, _ = coverage(inputs, [*wanted, "Z9999"], None, readings)
    assert set(table["status"]) == {"nd"}


def test_all_that_may_rest_on_an_export_is_own(inputs):
    codes = inputs["certifications"].query("rncp_code != ''").set_index("certifinfo_code")
    owned = chain.portfolio(inputs, "metallurgie")
    fiche = "RNCP" + codes.loc[codes.index.isin(owned["certifinfo_code"]), "rncp_code"].iloc[0]
    register = rncp.read_exports([SAMPLES / NAMES[0]])
    fiches = register["fiches"].replace({"fiche_code": {"RNCP509": fiche}})
    given = {"rncp_fiches": fiches, "rncp_blocs": register["blocs"]}
    found = skill_results(inputs | given, "metallurgie", study.edition())
    for name in ("bloc_coverage", "expiry_calendar", "to_look_at"):
        assert set(found[name]["origin"]) == {"own"}
    told = found["competences"].set_index("indicator")["origin"]
    reasons = [f"{reason}_certifications_count" for reason in REASONS]
    assert set(told[[*reasons, "bloc_coverage_pct", "read_blocs_count"]]) == {"own"}


def test_an_export_without_any_fiche_of_the_branch_says_nothing_of_its_ends(inputs):
    register = rncp.read_exports([SAMPLES / NAMES[0]])
    given = {"rncp_fiches": register["fiches"], "rncp_blocs": register["blocs"]}
    found = skill_results(inputs | given, "metallurgie", study.edition())
    told = found["competences"].set_index("indicator")["status"]
    assert set(found["expiry_calendar"]["state"]) == {"nd"}
    assert told["expired_certifications_count"] == told["expiring_certifications_count"] == "nd"


def test_the_shipped_study_is_public_and_says_in_one_sentence_what_to_load(inputs):
    found = skill_results(inputs, "chimie", study.edition())
    assert set(found["bloc_coverage"]["status"]) == {"nd"}
    assert set(found["bloc_coverage"]["origin"]) == {"public"}
    html = page.blocs_table(found, {}).html
    assert "<table" not in html
    for word in ("nd", "personne ne l’a encore fait"):
        assert word in html


def test_proposals_wait_for_a_person_and_decisions_survive_any_number_of_runs(tmp_path):
    path = tmp_path / "lectures.csv"
    assert "not a reading" in call("blocs", SAMPLES / NAMES[0], "-o", path)
    first = table_files.read_table(path, "bloc_readings")
    assert set(first["bloc_code"]) <= {f"RNCP509BC0{number}" for number in range(1, 7)}
    assert set(first["decision"]) == {""}
    assert first.groupby("bloc_code").size().max() <= 5
    decided = first.assign(decision=["yes", "no", *first["decision"].iloc[2:]])
    decided.loc[0, ["bloc_label", "confidence"]] = ["corrigé", 0.123]
    added = decided.head(1).assign(skill_code="100007", confidence=float("nan"), decision="")
    pd.concat([decided.head(2), added, decided.iloc[2:]]).to_csv(path, index=False)
    for _ in range(2):
        assert "2 decisions kept" in call("blocs", SAMPLES / NAMES[1], "-o", path)
    again = table_files.read_table(path, "bloc_readings")
    pd.testing.assert_frame_equal(again.drop(2).reset_index(drop=True), decided)
    assert again.loc[2, "skill_code"] == "100007"


def test_proposals_for_a_branch_are_those_of_its_certifications(inputs, tmp_path):
    with pytest.raises(SchemaError, match="no bloc of the certifications"):
        call("blocs", SAMPLES / NAMES[0], "-o", tmp_path / "x.csv", "--branch", "chimie")
    with pytest.raises(ScopeError, match="did you mean `chimie`"):
        call("blocs", SAMPLES / NAMES[0], "-o", tmp_path / "x.csv", "--branch", "chimei")
    owned = chain.portfolio(inputs, "metallurgie")
    codes = inputs["certifications"].set_index("certifinfo_code")["rncp_code"]
    fiches = {"RNCP" + code for code in codes[owned["certifinfo_code"]] if code}
    register = pd.DataFrame({"fiche_code": [*sorted(fiches), "RNCP509"]})
    assert set(chain.branch_blocs(inputs, "metallurgie", register)["fiche_code"]) == fiches


@pytest.fixture
def project(project_copy, monkeypatch):
    """Return a copy of the project whose chimie names a live export and a sheet to fill."""
    (project_copy / "data").mkdir()
    renewed(project_copy / "data")
    file = project_copy / "parameters/branches/chimie.yml"
    named = f'tables:\n  rncp_export: "data/{NAMES[0]}"\n  bloc_readings: "data/lectures.csv"\n'
    file.write_text(file.read_text("utf-8").replace("tables:\n", named, 1), encoding="utf-8")
    monkeypatch.chdir(project_copy)
    return project_copy


def test_a_completed_sheet_reaches_the_page_of_its_branch(project, skills):
    sheet((BLOC, skills[1], "yes")).to_csv("data/lectures.csv", index=False)
    assert any("lectures.csv" in line for line in validate(project))
    found = skill_results(study.load_inputs(["chimie"]), "chimie", study.edition())
    html = page.blocs_table(found, study.rome_labels()).html
    cells = re.findall(r'data-cell="(\w+):(\d+):(\w+)">([^<]+)<', html)
    assert {name for name, *_ in cells} == {"bloc_coverage", "competences"}
    for name, row, column, text in cells:
        value = float(found[name].at[int(row), column])
        shown = text.replace("\u202f", "").replace("\u00a0%", "").replace(",", ".")
        share = 100 if column == "coverage_ratio" else 1
        assert float(shown) == pytest.approx(share * value, abs=0.5)
    assert html.count("<tr>") == 1 + found["bloc_coverage"]["rome_code"].nunique()
    assert "24\u00a0novembre\u00a02028" in html
    assert "la couverture est un minimum" in html


def test_an_export_that_is_not_there_is_told_without_any_sheet(project):
    file = project / "parameters/branches/chimie.yml"
    file.write_text(
        file.read_text("utf-8").replace('  bloc_readings: "data/lectures.csv"\n', ""), "utf-8"
    )
    assert any("9 fiches, 6 blocs" in line for line in validate(project))
    (project / "data" / NAMES[0]).unlink()
    with pytest.raises(DataError, match="no such file"):
        validate(project)


def test_an_unknown_bloc_skill_and_answer_are_told_in_one_error(project, skills):
    wrong = sheet(("RNCP509BC99", skills[0], "yes"), (BLOC, "999", "no"), (BLOC, skills[0], "oui"))
    wrong.to_csv("data/lectures.csv", index=False)
    for read in (
        lambda: validate(project),
        lambda: study.load_inputs(["chimie"])["own_bloc_readings"],
    ):
        with pytest.raises(DataError) as caught:
            read()
        assert len(caught.value.defects) == 3
        for what in ("a bloc that the export does not hold", "unknown skill", "yes, no"):
            assert what in str(caught.value)
