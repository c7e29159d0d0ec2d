"""The twelve kinds of bad input, through the one door that users take, and what is checked."""

import hashlib
import shutil
from pathlib import Path

import pytest

from opmq_lib.errors import DataError
from opmq_lib.sources.branch_file import new_branch
from opmq_lib.sources.validate import best_match, validate

ROOT = Path(__file__).parent.parent
CHIMIE = "parameters/branches/chimie.yml"
OWN = "data/chimie_emplois.csv"
TABLE = """\
branch_code,metier_code,year,employment_headcount,nature,origin,units_count,largest_share_pct,source_code
chimie,D1Z40,2018,1200,observed,own,12,40.5,enquete
chimie,D1Z41,2018,80,observed,own,9,60,enquete
"""


def state(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def root(tmp_path):
    """Return a project with one branch, its own table, and results that nothing may touch."""
    for folder in ("notebooks", "parameters"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in (tmp_path / "parameters/branches").glob("*.yml"):
        file.unlink()
    new_branch(tmp_path, "chimie")
    edit(tmp_path, CHIMIE, "employment: null", f'employment: "{OWN}"')
    for name, text in {OWN: TABLE, "outputs/2026/runs.jsonl": "{}\n", "_quarto.yml": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = state(tmp_path / "outputs")
    yield tmp_path
    assert state(tmp_path / "outputs") == before


def edit(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(root, files=()):
    with pytest.raises(DataError) as caught:
        validate(root, files)
    return str(caught.value)


def one_defect(where, what, expected, fix):
    return f"1 defect\n  {where}: {what}\n    expected: {expected}\n    what to do: {fix}"


def test_an_unknown_key_is_refused(root):
    edit(root, CHIMIE, "tables:\n", "contacts: null\ntables:\n")
    assert refusal(root) == one_defect(
        f"{CHIMIE}, line 12, key `contacts`",
        "unknown key",
        "one of: branch_code, label, idcc_codes, perimeter_note, notebooks, tables, questions",
        "remove it",
    )


def test_a_misspelt_parameter_is_refused(root):
    edit(root, "parameters/edition.yml", "horizon_years", "horizon_year")
    assert refusal(root) == one_defect(
        "parameters/edition.yml, line 9, key `horizon_year`",
        "unknown key",
        "one of: edition_id, title, edition_date, base_year, horizon_years, scenario_codes, "
        "quantile_levels, previous_edition_id, registers, disclosure",
        "did you mean `horizon_years`?",
    )


def test_an_unquoted_code_is_refused(root):
    edit(root, CHIMIE, '"00044"', "0016")
    assert refusal(root) == one_defect(
        f"{CHIMIE}, line 6, key `idcc_codes[0]`",
        "not in quotes: YAML readers take it for a number, a date or a yes/no (found: 0016)",
        "a text in quotes",
        'write "0016"',
    )


def test_a_missing_column_is_refused(root):
    edit(root, OWN, "metier_code", "metier_cod")
    assert refusal(root) == one_defect(
        f"{OWN}, column `metier_cod`",
        "unknown column, and `metier_code` is missing",
        "the columns of table `employment`: `branch_code`, `metier_code`, `year`, "
        "`employment_headcount`, `employment_headcount_lower`, `employment_headcount_upper`, "
        "`headcount_fit_ratio`, `nature`, `origin`, `units_count`, `largest_share_pct`, "
        "`changed_units_count`, `source_code`",
        "rename it to `metier_code`",
    )


def test_a_wrong_type_is_refused(root):
    edit(root, OWN, "1200", "beaucoup")
    assert refusal(root) == one_defect(
        f"{OWN}, row 2, column `employment_headcount` (chimie, D1Z40, 2018)",
        "not a number",
        "a number ≥ 0",
        "write digits only, such as 1234 or 1234,5, with one decimal mark in the whole file",
    )


def test_a_duplicate_key_is_refused(root):
    edit(root, OWN, "D1Z41", "D1Z40")
    assert refusal(root) == one_defect(
        f"{OWN}, row 3 (chimie, D1Z40, 2018)",
        "the same key as row 2",
        "one row for each `branch_code`, `metier_code`, `year`",
        "delete one of the two rows",
    )


def test_a_negative_headcount_is_refused_without_showing_it(root):
    edit(root, OWN, "1200", "-1200")
    assert refusal(root) == one_defect(
        f"{OWN}, row 2, column `employment_headcount` (chimie, D1Z40, 2018)",
        "negative number",
        "a number ≥ 0",
        "correct the number",
    )


def test_an_unknown_branch_is_refused(root):
    edit(root, OWN, "chimie,D1Z40", "chimi,D1Z40")
    assert refusal(root) == one_defect(
        f"{OWN}, row 2, column `branch_code` (D1Z40, 2018)",
        "unknown branch (found: chimi)",
        "a code of table `branches`",
        "did you mean `chimie`?",
    )


def test_an_unknown_metier_is_refused(root):
    edit(root, OWN, "D1Z40", "D1Z400")
    assert refusal(root) == one_defect(
        f"{OWN}, row 2, column `metier_code` (chimie, 2018)",
        "unknown métier (found: D1Z400)",
        "a code of table `metiers`",
        "did you mean `D1Z40`?",
    )


def test_bad_encoding_is_refused(root):
    text = TABLE.replace("80,observed,own,9,60,enquete", "80,observed,own,9,60,enquête")
    (root / OWN).write_bytes(text.encode("mac_roman"))
    assert refusal(root) == one_defect(
        f"{OWN}, line 3",
        "byte 0x90 is not UTF-8",
        "a text file in UTF-8",
        "save it again as “CSV UTF-8”, or as XLSX",
    )


def test_semicolons_with_decimal_commas_are_accepted(root):
    text = TABLE.replace(",", ";").replace("40.5", "40,5").replace("1200", "1 200")
    (root / OWN).write_text(text, encoding="utf-8-sig")
    assert validate(root)[-1] == f"{OWN} (table `employment`): 2 rows"


def test_a_total_far_from_the_published_headcount_is_said_without_its_value(root):
    edit(root, OWN, "1200,", "912000,")
    with pytest.warns(UserWarning, match=r"its total of 2018 is more than 1.5 times") as said:
        validate(root)
    assert "912" not in str(said[0].message)
    edit(root, OWN, "912000,", "1200,")
    edit(root, OWN, "chimie,D1Z41", "chimie,autres_metiers")
    with pytest.warns(UserWarning, match=r"is less than 1/1.5 of its published headcount \(2020\)"):
        validate(root)


@pytest.mark.parametrize("text", ["", TABLE.partition("\n")[0]])
def test_an_empty_file_is_refused(root, text):
    (root / OWN).write_text(text, encoding="utf-8")
    assert refusal(root) == one_defect(
        OWN, "the table is empty", "a header and at least one row", "fill it in"
    )


def test_defects_of_all_files_are_raised_once(root):
    edit(root, "parameters/edition.yml", "base_year: 2018", "base_year: 18")
    edit(root, "parameters/scenarios/bas_carbone.yml", "label:", "lable:")
    edit(root, CHIMIE, '"00044"', "00044")
    edit(root, OWN, "1200", "-1200")
    edit(root, "parameters/tables/naf_branch.csv", ",1,", ",0.5,")
    text = refusal(root)
    places = [line for line in text.splitlines() if not line.startswith("    ")]
    assert places[0] == "5 defects"
    assert [place.split(",")[0].strip() for place in places[1:]] == [
        "parameters/edition.yml",
        "parameters/scenarios/bas_carbone.yml",
        CHIMIE,
        "parameters/tables/naf_branch.csv",
        OWN,
    ]


def test_an_own_table_of_another_branch_is_refused(root):
    (root / OWN).write_text(TABLE.replace("chimie", "textile"), encoding="utf-8")
    assert "a row of another branch (found: textile)\n    expected: chimie" in refusal(root)


def test_an_own_table_behind_a_link_that_leaves_the_project_is_not_even_read(
    root, tmp_path_factory
):
    outside = tmp_path_factory.mktemp("outside") / "own.csv"
    outside.write_text(TABLE.replace("1200", "-1200"), encoding="utf-8")
    (root / OWN).unlink()
    (root / OWN).symlink_to(outside)
    text = refusal(root)
    assert text.startswith("1 defect\n")
    assert f"`{OWN}` is a link that leads out of the project" in text


def test_an_absent_own_table_is_refused(root):
    (root / OWN).unlink()
    assert refusal(root) == one_defect(OWN, "no such file", "a table", "correct the path")


def test_everything_that_is_checked_is_said(root):
    assert validate(root) == [
        "parameters/edition.yml",
        "parameters/scenarios/bas_carbone.yml",
        "parameters/scenarios/choc_activite.yml",
        "parameters/scenarios/reference.yml",
        "parameters/scenarios/reindustrialisation.yml",
        CHIMIE,
        "parameters/requests.yml",
        "parameters/tables/certifying_bodies.csv (table `certifying_bodies`): 34 rows",
        "parameters/tables/metiers_left_out.csv (table `metiers_left_out`): 13 rows",
        "parameters/tables/metiers_outside_branches.csv (table `metiers_outside_branches`): "
        "11 rows",
        "parameters/tables/naf_branch.csv (table `naf_branch`): 250 rows",
        "parameters/tables/request_topics.csv (table `request_topics`): 20 rows",
        "parameters/tables/rome_fap_split.csv (table `rome_fap_split`): 419 rows",
        "parameters/tables/study_themes.csv (table `study_themes`): 9 rows",
        "parameters/tables/tension_profiles.csv (table `tension_profiles`): 6 rows",
        f"{OWN} (table `employment`): 2 rows",
    ]


def test_the_shipped_parameters_have_no_defect():
    checked = validate(ROOT)
    assert sum(line.startswith("parameters/branches/") for line in checked) == 34


def test_given_files_are_recognised_by_place_and_by_columns(root):
    files = [root / OWN, root / CHIMIE, root / "parameters/scenarios/reference.yml"]
    files.append(root / "parameters/edition.yml")
    assert validate(root, files) == [
        f"{OWN} (table `employment`): 2 rows",
        CHIMIE,
        "parameters/scenarios/reference.yml",
        "parameters/edition.yml",
    ]


def test_a_given_table_may_miss_a_column_and_still_be_recognised(root):
    edit(root, OWN, "units_count", "unites")
    assert "the columns of table `employment`" in refusal(root, [root / OWN])


def test_a_given_file_that_looks_like_no_table_is_refused(root):
    (root / "data/x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert "data/x.csv: its columns look like those of no table" in refusal(
        root, [root / "data/x.csv"]
    )


def test_a_result_table_is_recognised_too():
    names = ["branch_code", "metier_code", "year", "quantile_level", "quantity", "value", "unit"]
    names += ["status", "nature", "origin", "model", "scenario_code"]
    assert best_match(names) == "projection"


def test_the_year_on_which_estimates_close_must_have_figures(root):
    edit(root, "parameters/edition.yml", "base_year: 2018", "base_year: 2050")
    assert refusal(root) == one_defect(
        "parameters/edition.yml, base_year",
        "no national employment by FAP-225 (found: 2050)",
        "a year from 2004 to 2018",
        "change `base_year` in the parameters of the edition",
    )


def test_the_edition_to_compare_with_must_be_there(root):
    edit(root, "parameters/edition.yml", "previous_edition_id: null", 'previous_edition_id: "2026"')
    validate(root)
    edit(root, "parameters/edition.yml", 'previous_edition_id: "2026"', 'previous_edition_id: "24"')
    assert refusal(root) == one_defect(
        "parameters/edition.yml, previous_edition_id",
        "no such edition (found: 24)",
        "the name of a folder of outputs/, or null",
        "put its results back in outputs/24, or write null",
    )
