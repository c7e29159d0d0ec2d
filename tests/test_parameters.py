import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from opmq_lib.errors import DataError, RangeError, SchemaError, ScopeError
from opmq_lib.params import NOT_VOTED
from opmq_lib.sources import embedded, parameters
from opmq_lib.sources.branch_file import new_branch

ROOT = Path(__file__).parent.parent
CHIMIE = "parameters/branches/chimie.yml"


@pytest.fixture
def root(tmp_path):
    for folder in ("notebooks", "parameters"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in (tmp_path / "parameters/branches").glob("*.yml"):
        file.unlink()
    for branch_code in ("chimie", "textile"):
        new_branch(tmp_path, branch_code)
    return tmp_path


def edit(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(load, root, kind=SchemaError):
    with pytest.raises(DataError) as caught:
        load(root)
    assert type(caught.value) is kind
    return str(caught.value)


def test_every_branch_of_the_table_has_a_parameter_file():
    branches = parameters.load_branches(ROOT)
    assert sorted(branches) == sorted(embedded.load("branches")["branch_code"])


def test_nothing_that_ships_claims_to_be_voted():
    branches = parameters.load_branches(ROOT).values()
    choices = [question for branch in branches for question in branch.questions]
    choices += parameters.load_scenarios(ROOT).values()
    assert len(choices) > 60
    assert {(choice.vote, choice.basis) for choice in choices} == {(None, NOT_VOTED)}


def test_each_convention_in_force_is_in_one_shipped_branch():
    history = embedded.load("idcc_history").set_index("idcc_code")
    branches = parameters.load_branches(ROOT)
    owners = {code: name for name, branch in branches.items() for code in branch.idcc_codes}
    assert len(owners) == sum(len(branch.idcc_codes) for branch in branches.values())
    assert {code: history.loc[code, "branch_code"] for code in owners} == owners
    assert set(history.loc[list(owners), "active"]) == {"yes"}


def test_a_misspelt_parameter_is_refused_with_the_right_one(root):
    edit(root, "parameters/edition.yml", "horizon_years:", "horizon_yeras:")
    assert refusal(parameters.load_edition, root) == (
        "1 defect\n"
        "  parameters/edition.yml, line 9, key `horizon_yeras`: unknown key\n"
        "    expected: one of: edition_id, title, edition_date, base_year, horizon_years, "
        "scenario_codes, quantile_levels, previous_edition_id, registers, disclosure\n"
        "    what to do: did you mean `horizon_years`?"
    )


def test_a_missing_key_is_refused_with_its_meaning(root):
    edit(root, "parameters/edition.yml", "horizon_years: 12", "")
    assert refusal(parameters.load_edition, root) == (
        "1 defect\n  parameters/edition.yml: key `horizon_years` is missing\n"
        "    expected: years projected beyond base_year\n"
        "    what to do: add a line `horizon_years: …`"
    )


def test_an_unknown_key_deep_inside_names_the_keys_of_its_place(root):
    edit(root, CHIMIE, "        weight: 0.5", "        weigth: 0.5")
    text = refusal(parameters.load_branches, root)
    key = r"questions\[0\].criteria\[0\].weigth"
    assert re.search(rf"chimie.yml, line \d+, key `{key}`: unknown key", text)
    assert (
        "expected: one of: criterion_code, label, unit, low, high, scale, direction, weight" in text
    )
    assert "what to do: did you mean `weight`?" in text


@pytest.mark.parametrize("raw", ["0016", "44", "1E05", "NO", "2026-01-31", "true"])
def test_an_unquoted_code_is_refused_with_its_raw_text(root, raw):
    edit(root, CHIMIE, 'idcc_codes: ["00044"]', f"idcc_codes: [{raw}]")
    assert refusal(parameters.load_branches, root) == (
        f"1 defect\n  {CHIMIE}, line 6, key `idcc_codes[0]`: not in quotes: YAML readers take it "
        f"for a number, a date or a yes/no (found: {raw})\n"
        f'    expected: a text in quotes\n    what to do: write "{raw}"'
    )


def test_a_convention_of_four_digits_is_refused_with_five(root):
    edit(root, CHIMIE, '"00044"', '"0044"')
    text = refusal(parameters.load_branches, root, DataError)
    assert "key `idcc_codes[0]`: `0044` is not well formed" in text
    assert 'expected: conventions in force, five quoted digits: "00044"' in text
    assert 'what to do: write "00044"' in text


def test_a_number_that_readers_disagree_on_is_refused(root):
    edit(root, "parameters/edition.yml", "horizon_years: 12", "horizon_years: 010")
    assert refusal(parameters.load_edition, root) == (
        "1 defect\n  parameters/edition.yml, line 9, key `horizon_years`: `010` is not a valid "
        "integer\n    expected: years projected beyond base_year\n"
        "    what to do: correct the value"
    )


def test_a_number_outside_its_range_is_refused(root):
    edit(root, "parameters/edition.yml", "horizon_years: 12", "horizon_years: 0")
    assert refusal(parameters.load_edition, root, RangeError) == (
        "1 defect\n  parameters/edition.yml, line 9, key `horizon_years`: `0` is not greater "
        "than or equal to 1\n    expected: years projected beyond base_year\n"
        "    what to do: correct the value"
    )


def test_a_duplicate_key_is_refused_with_both_lines(root):
    edit(root, "parameters/edition.yml", "base_year: 2018", "base_year: 2018\nbase_year: 2019")
    assert refusal(parameters.load_edition, root) == (
        "1 defect\n  parameters/edition.yml, line 9: key `base_year` is given twice (first on "
        "line 8)\n    expected: each key once\n    what to do: delete one of the two"
    )


def test_an_unknown_branch_is_refused_with_the_nearest(root):
    (root / CHIMIE).rename(root / "parameters/branches/chimi.yml")
    edit(root, "parameters/branches/chimi.yml", '"chimie"', '"chimi"')
    text = refusal(parameters.load_branches, root, ScopeError)
    assert "chimi.yml, line 4, key `branch_code`: unknown branch (found: chimi)" in text
    assert "what to do: did you mean `chimie`?" in text


def test_an_unknown_notebook_is_refused_with_the_nearest(root):
    edit(root, CHIMIE, '"01_emplois"', '"01_emploi"')
    text = refusal(parameters.load_branches, root, ScopeError)
    assert "key `notebooks[1]`: unknown notebook (found: 01_emploi)" in text
    assert "expected: one of: 00_rapport, 01_emplois, 02_besoins, 03_tensions" in text
    assert "what to do: did you mean `01_emplois`?" in text


def test_an_unknown_convention_is_refused(root):
    edit(root, CHIMIE, '"00044"', '"99999"')
    text = refusal(parameters.load_branches, root, ScopeError)
    assert "key `idcc_codes[0]`: unknown IDCC (found: 99999)" in text
    assert "expected: one of the 327 known codes" in text


def test_one_convention_in_two_branches_is_refused(root):
    edit(root, "parameters/branches/textile.yml", '["00018"]', '["00018", "00044"]')
    assert refusal(parameters.load_branches, root, ScopeError) == (
        "1 defect\n  parameters/branches/textile.yml, line 6, key `idcc_codes[1]`: this IDCC is "
        f"already in {CHIMIE} (found: 00044)\n    expected: each convention in one branch\n"
        "    what to do: leave it in the branch that holds it today"
    )


def test_an_unknown_scenario_is_refused(root):
    edit(root, "parameters/edition.yml", '"bas_carbone"', '"bas_carbonne"')
    text = refusal(parameters.load_edition, root, ScopeError)
    assert "key `scenario_codes[1]`: unknown scenario (found: bas_carbonne)" in text
    assert "what to do: did you mean `bas_carbone`?" in text


def test_a_scenario_that_starts_before_the_edition_is_refused_line_by_line(root):
    file = "parameters/scenarios/bas_carbone.yml"
    for _ in range(2):
        edit(root, file, "start_year: 2026", "start_year: 2020")
    text = refusal(parameters.load_scenarios, root)
    assert text.count("a scenario that starts in the past (found: 2020)") == 2
    assert f"{file}, line 14, key `lines[0].start_year`" in text
    assert "2026, the year of the edition, or later" in text


def test_shipped_scenarios_lie_after_the_edition_and_inside_its_horizon():
    edition = parameters.load_edition(ROOT)
    end = edition.base_year + edition.horizon_years
    lines = [line for each in parameters.load_scenarios(ROOT).values() for line in each.lines]
    assert len(lines) > 5
    for line in lines:
        assert edition.edition_date.year <= line.start_year < line.end_year <= end


def test_the_first_scenario_is_the_reference(root):
    edit(
        root, "parameters/edition.yml", '["reference", "bas_carbone"', '["bas_carbone", "reference"'
    )
    text = refusal(parameters.load_edition, root, SchemaError)
    assert "the first scenario is `bas_carbone`" in text
    assert "what to do: put reference first" in text


def test_the_reference_changes_nothing(root):
    shipped = (root / "parameters/scenarios/bas_carbone.yml").read_text("utf-8")
    lines = shipped[shipped.index("lines:") :]
    edit(
        root,
        "parameters/scenarios/reference.yml",
        "lines: [] # nothing differs from past trends\n",
        lines,
    )
    text = refusal(parameters.load_scenarios, root, SchemaError)
    assert "the reference changes something" in text
    assert "parameters/scenarios/reference.yml" in text


def test_a_file_named_otherwise_than_its_code_is_refused(root):
    (root / CHIMIE).rename(root / "parameters/branches/chimie_2.yml")
    assert "branch_code: chimie_2" in refusal(parameters.load_branches, root)


def test_a_file_with_another_ending_is_refused_rather_than_ignored(root):
    (root / CHIMIE).rename(root / "parameters/branches/chimie.yaml")
    assert "chimie.yaml: ends in .yaml" in refusal(parameters.load_branches, root)


@pytest.mark.parametrize(("text", "found"), [("- chimie\n", "a list"), ("chimie\n", "one value")])
def test_a_file_that_is_not_a_mapping_is_refused_in_plain_words(root, text, found):
    (root / CHIMIE).write_text(text, encoding="utf-8")
    assert refusal(parameters.load_branches, root) == (
        f"1 defect\n  {CHIMIE}: {found} where a mapping of keys is meant\n"
        "    expected: a mapping of keys: one `key: value` a line\n"
        "    what to do: write the keys one under the other, without `-` before them"
    )


OWN_TABLES = (
    "tables:\n  employment: null\n  branch_totals: null # its employees, year by year\n"
    "  branch_ages: null # ages by métier\n"
    "  branch_entries: null # young beginners and net mobility by métier\n"
)


def test_a_list_inside_a_file_where_keys_are_meant_is_refused_in_plain_words(root):
    edit(root, CHIMIE, OWN_TABLES, "tables: []\n")
    text = refusal(parameters.load_branches, root)
    assert "key `tables`: a list where a mapping of keys is meant" in text
    assert "dictionary" not in text


@pytest.mark.parametrize(("raw", "advice"), [(".25", "0.25"), ("0,25", "0.25"), ("-.5", "-0.5")])
def test_a_decimal_number_that_readers_disagree_on_is_refused_with_how_to_write_it(
    root, raw, advice
):
    edit(root, CHIMIE, "weight: 0.5", f"weight: {raw}")
    text = refusal(parameters.load_branches, root)
    key = "questions[0].criteria[0].weight"
    assert f"key `{key}`: `{raw}` is not a valid number" in text
    assert f"what to do: write {advice}" in text


@pytest.mark.parametrize("table", ["../outside/own.csv", "data/../../own.csv"])
def test_a_table_above_the_project_is_refused(root, table):
    edit(root, CHIMIE, "employment: null", f'employment: "{table}"')
    text = refusal(parameters.load_branches, root)
    assert f"key `tables.employment`: `{table}` is not a path from the project's root" in text


@pytest.mark.parametrize("linked", ["data", "data/own.csv"])
def test_a_table_behind_a_link_that_leaves_the_project_is_refused(root, tmp_path_factory, linked):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "own.csv").write_text("secret", encoding="utf-8")
    link = root / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside / "own.csv" if link.suffix else outside)
    edit(root, CHIMIE, "employment: null", 'employment: "data/own.csv"')
    text = refusal(parameters.load_branches, root)
    assert "key `tables.employment`: `data/own.csv` is a link that leads out of the project" in text


def test_a_table_behind_a_link_that_stays_in_the_project_is_accepted(root):
    (root / "real").mkdir()
    (root / "data").symlink_to(root / "real")
    edit(root, CHIMIE, "employment: null", 'employment: "data/own.csv"')
    assert parameters.load_branches(root)["chimie"].tables.employment == "data/own.csv"


def test_bad_encoding_is_refused_with_its_line(root):
    content = (root / "parameters/scenarios/reference.yml").read_bytes()
    bad = content.replace("é".encode(), "é".encode("cp1252"))
    (root / "parameters/scenarios/reference.yml").write_bytes(bad)
    assert refusal(parameters.load_scenarios, root) == (
        "1 defect\n  parameters/scenarios/reference.yml, line 5: byte 0xe9 is not UTF-8\n"
        "    expected: a text file in UTF-8\n"
        "    what to do: save the file again with encoding UTF-8"
    )


@pytest.mark.parametrize("folder", ["branches", "scenarios"])
def test_an_empty_folder_is_refused(root, folder):
    shutil.rmtree(root / "parameters" / folder)
    load = {"branches": parameters.load_branches, "scenarios": parameters.load_scenarios}[folder]
    assert f"parameters/{folder}: no file" in refusal(load, root)


def test_an_absent_edition_is_refused(root):
    (root / "parameters/edition.yml").unlink()
    assert "parameters/edition.yml: no such file" in refusal(parameters.load_edition, root)


def test_every_defect_of_every_file_is_raised_once(root):
    edit(root, CHIMIE, '"00044"', "0044")
    edit(root, CHIMIE, "        high: 8", "        high: 1")
    edit(root, "parameters/branches/textile.yml", '"01_emplois"', '"01_emploi"')
    text = refusal(parameters.load_branches, root, DataError)
    assert text.startswith("3 defects\n")
    assert "chimie.yml, line 6" in text
    assert "goalposts `low: 1` and `high: 1` are not in order" in text
    assert "textile.yml, line 9" in text


def test_a_question_may_be_voted(root):
    edit(root, CHIMIE, "vote: null", 'vote: {date: 2026-03-12, body: "B", minutes_reference: "3"}')
    edit(root, CHIMIE, 'basis: "exemple, non voté"', 'basis: "accord de branche"')
    question = parameters.load_branches(root)["chimie"].questions[0]
    assert question.vote.date == date(2026, 3, 12)


def test_a_criterion_that_no_table_gives_a_value_of_is_refused(root):
    edit(root, CHIMIE, 'criterion_code: "departure_rank"\n', 'criterion_code: "departure_rang"\n')
    edit(root, CHIMIE, 'criterion_code: "tension_class"', 'criterion_code: "tension"')
    text = refusal(parameters.load_branches, root, ScopeError)
    assert (
        "questions[1].criteria[1].criterion_code`: no table gives a value of this criterion" in text
    )
    assert "questions[1].gates[3].criterion_code`: no table gives" in text
    assert "did you mean `departure_rank`?" in text


def test_a_voted_metier_that_is_not_known_is_refused(root):
    edit(root, CHIMIE, "voted_metiers: []", 'voted_metiers: ["G1Z71", "G1Z79"]')
    edit(root, CHIMIE, "vote: null", 'vote: {date: 2026-03-12, body: "B", minutes_reference: "3"}')
    edit(root, CHIMIE, 'basis: "exemple, non voté"', 'basis: "accord de branche"')
    text = refusal(parameters.load_branches, root, ScopeError)
    assert text.startswith("1 defect\n")
    assert "voted_metiers[1]`: unknown métier (found: G1Z79)" in text


def test_looking_at_parameters_imports_neither_pandas_nor_what_runs_notebooks():
    program = (
        "import sys; from pathlib import Path; from opmq_lib.sources import parameters\n"
        f"parameters.load_edition(Path({str(ROOT)!r}))\n"
        f"parameters.load_scenarios(Path({str(ROOT)!r}))\n"
        f"parameters.load_branches(Path({str(ROOT)!r}))\n"
        "heavy = {'pandas', 'papermill', 'matplotlib', 'statsmodels', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"
