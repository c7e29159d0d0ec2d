"""The register of requests: what is refused, what an import keeps, what a template offers."""

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from opmq_lib.errors import ConfidentialityError, DataError
from opmq_lib.show import downloads
from opmq_lib.sources import importing, registers
from opmq_lib.tables import register as contract

ROOT = Path(__file__).parent.parent
LAST_DAY = date(2026, 11, 24)
KEY = b"a secret that is not in the repository"
KNOWN = registers.known(ROOT, LAST_DAY)._replace(free_texts=("request_note",))
GOOD = {
    "request_code": "D1",
    "company_code": "0f3a9c5e7b21d468",
    "size_band": "1_9",
    "company_headcount": 7.0,
    "branch_code": "chimie",
    "region_code": "84",
    "requested_on": "2026-03-02",
    "channel": "phone",
    "topic_code": "recrutement",
    "subtopic_code": "recrutement_trouver",
    "coverage": "not_covered",
    "reason": "delay",
    "outcome": "answered",
    "answer_delay_days": 4.0,
    "request_note": "machine arrêtée",
    "origin": "own",
}


def register(*changes: dict[str, object]) -> pd.DataFrame:
    rows = [GOOD | {"request_code": f"D{at}"} | change for at, change in enumerate(changes, 1)]
    return pd.DataFrame(rows)


def refusal(frame: pd.DataFrame) -> DataError:
    with pytest.raises(DataError) as caught:
        contract.check(frame, "requests.csv", KNOWN)
    return caught.value


def test_a_good_register_passes_unchanged() -> None:
    frame = register({}, {"coverage": "covered", "reason": ""})
    assert contract.check(frame, "requests.csv", KNOWN) is frame


def test_every_defect_is_listed_at_once_by_key_and_no_value_is_shown() -> None:
    frame = register(
        {},
        {"request_code": "D1"},
        {"requested_on": "2026-02-30"},
        {"requested_on": "2027-01-01"},
        {"topic_code": "salaires", "subtopic_code": ""},
        {"size_band": "11_50"},
        {"branch_code": "verre_mecanique"},
        {"size_band": "250_plus", "company_headcount": 12.0},
        {"reason": ""},
        {"branch_code": "chimi", "company_code": "1" * 16},
        {"subtopic_code": "alternance_tutorat"},
        {"origin": "fictitious"},
    )
    error = refusal(frame)
    told = [(each.where.partition(", ")[2], each.what) for each in error.defects]
    assert told == [
        ("row 3, column `request_code`", "the same key as row 2"),
        ("row 4, column `requested_on` (D3)", "not a date"),
        ("row 5, column `requested_on` (D4)", "an impossible date"),
        ("row 6, column `topic_code` (D5)", "unknown topic in this branch"),
        ("row 7, column `size_band` (D6)", "not a known value"),
        ("row 8, column `branch_code` (D7)", "a company of another branch in row 2"),
        ("row 9, column `size_band` (D8)", "the band and the headcount contradict each other"),
        (
            "row 10, column `reason` (D9)",
            "an unmet request without reason, or a covered one with a reason",
        ),
        ("row 11, column `branch_code` (D10)", "unknown branch"),
        ("row 12, column `subtopic_code` (D11)", "not a sub-topic of the topic of its row"),
        ("row 13, column `origin` (D12)", "real and fictitious requests must never meet"),
    ]
    for value in (
        "salaires",
        "11_50",
        "2026-02-30",
        "chimi)",
        "verre_mecanique",
        GOOD["company_code"],
    ):
        assert str(value) not in str(error)


@pytest.mark.parametrize(
    ("column", "content", "kind"),
    [
        ("request_note", "rappeler jeanne.martin@exemple.fr", "an e-mail address"),
        ("request_note", "voir avec Mme Durand", "a person's name"),
        (
            "request_note",
            "Mme Durand, 06 12 34 56 78, SIREN 732829320",
            "a phone number, a person's name, a company number (SIREN or SIRET)",
        ),
        ("request_note", "SIREN 732 829 320", "a company number (SIREN or SIRET)"),
        ("request_code", "jeanne.martin@exemple.fr", "an e-mail address"),
        ("company_code", "732829320", "a company number (SIREN or SIRET)"),
        ("company_code", "M. Durand", "a person's name"),
        ("courriel_du_contact", "x", "a person's data, by its title"),
    ],
)
def test_personal_data_is_refused_with_its_column_and_never_echoed(
    column: str, content: str, kind: str
) -> None:
    frame = register({}, {"requested_on": "2026-13-01"})
    frame[column] = [content, content]
    error = refusal(frame)
    defects = [each for each in error.defects if each.what == f"the column holds {kind}"]
    assert [each.where for each in defects] == [f"requests.csv, column `{column}`"]
    if len(content) > 1:
        for word in content.split():
            assert word not in str(error) or word in ("avec", "voir", "SIREN", "M", "est")


def test_a_day_that_is_not_given_is_empty() -> None:
    assert importing._text(pd.NaT) == ""


def test_free_words_are_refused_unless_the_operator_declares_them(project_copy: Path) -> None:
    frame = register({}, {"request_note": ""})
    with pytest.raises(ConfidentialityError) as caught:
        contract.check(frame, "requests.csv", KNOWN._replace(free_texts=()))
    (defect,) = caught.value.defects
    assert (defect.where, defect.what) == (
        "requests.csv, column `request_note`", "free words, which may name a person",
    )  # fmt: skip
    assert "parameters/requests.yml" in defect.fix
    assert "machine" not in str(caught.value)
    empty = frame.assign(request_note="")
    assert contract.check(empty, "x.csv", KNOWN._replace(free_texts=())) is empty
    assert "request_note" not in registers.known(project_copy, LAST_DAY).free_texts
    file = project_copy / "parameters/requests.yml"
    text = file.read_text(encoding="utf-8")
    named = text.replace("request_note: null", 'request_note: "Note interne"')
    file.write_text(named, encoding="utf-8")
    assert "request_note" in registers.known(project_copy, LAST_DAY).free_texts


def test_a_number_with_a_wrong_control_digit_is_no_company() -> None:
    assert importing.pseudonym("732829320", KEY)
    for wrong in ("732829321", "73282932000075", "000", "35600000000002"):
        assert importing.pseudonym(wrong, KEY) == "", wrong
    assert importing.pseudonym("35600000049837", KEY) == importing.pseudonym("356000000", KEY)


def test_an_empty_or_foreign_column_is_told() -> None:
    frame = register({}).drop(columns="coverage").assign(couleur="bleu")
    told = str(refusal(frame))
    assert "column `coverage`: column missing" in told
    assert "column `couleur`: unknown column" in told


def test_a_fictitious_register_is_not_a_real_one_and_the_other_way_round() -> None:
    with pytest.raises(ConfidentialityError):
        contract.check(register({"origin": "fictitious"}), "x.csv", KNOWN)
    with pytest.raises(ConfidentialityError):
        contract.check(register({}), "x.csv", KNOWN._replace(origin="fictitious"))


def test_a_branch_may_have_a_topic_of_its_own() -> None:
    own = pd.DataFrame(
        {"topic_code": ["four"], "label": ["Fours"], "parent_topic_code": [""],
         "branch_code": ["ceramique"], "basis": ["-"]}
    )  # fmt: skip
    known = KNOWN._replace(topics=pd.concat([KNOWN.topics, own]))
    asked = {"topic_code": "four", "subtopic_code": ""}
    contract.check(register(asked | {"branch_code": "ceramique"}), "x.csv", known)
    with pytest.raises(DataError, match="unknown topic in this branch"):
        contract.check(register(asked), "x.csv", known)


EXPORT = [
    ["N° de demande", "SIREN ou SIRET", "Effectif", "Branche", "Date de la demande", "Thème",
     "Couverture par l’offre", "Motif de non-couverture", "Conseiller"],
    ["A-1", "732 829 320", 12, "chimie", "02/03/2026", "recrutement", "non couverte", "délai", "x"],
    ["A-2", "73282932000074", 12, "chimie", date(2026, 3, 4), "numerique", "couverte", None, "y"],
]  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return an export as a spreadsheet writes it; its mapping lacks the absent columns."""
    book = openpyxl.Workbook()
    for row in EXPORT:
        book.active.append(row)
    path = tmp_path / "export.xlsx"
    book.save(path)
    return path


@pytest.fixture
def project(project_copy: Path) -> Path:
    """Return a project whose mapping names only the columns of the export."""
    file = project_copy / "parameters/requests.yml"
    lines = file.read_text(encoding="utf-8").split("\n")
    absent = (
        "size_band:",
        "region_code:",
        "channel:",
        "subtopic_code:",
        "outcome:",
        "answer_delay",
    )
    kept = [
        line.partition(":")[0] + ": null"
        if line.startswith("  ") and line.strip().startswith(absent) and '"' in line
        else line
        for line in lines
    ]
    file.write_text("\n".join(kept), encoding="utf-8")
    return project_copy


def test_an_import_keeps_pseudonyms_codes_and_bands_and_tells_what_it_leaves_out(
    export: Path, project: Path
) -> None:
    found, left_out = registers.import_requests([export], KEY, project, LAST_DAY)
    assert left_out == ["export.xlsx: 1 (column I)"]
    assert len(set(found["company_code"])) == 1
    assert found["company_code"][0] == importing.pseudonym("732829320", KEY)
    assert found["size_band"].tolist() == ["10_49", "10_49"]
    assert found["requested_on"].tolist() == ["2026-03-02", "2026-03-04"]
    assert found[["coverage", "reason"]].to_numpy().tolist() == [
        ["not_covered", "delay"], ["covered", ""],
    ]  # fmt: skip
    assert "732" not in found.to_csv()


def test_an_import_lists_every_defect_under_the_titles_of_the_export(
    tmp_path: Path, project: Path
) -> None:
    rows = [*EXPORT, ["A-1", "Dupont SA", "douze", "chimie", "31/02/2026", "?", "oui", "", ""]]
    path = tmp_path / "export.csv"
    pd.DataFrame(rows[1:], columns=rows[0]).to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.import_requests([path], KEY, project, LAST_DAY)
    told = str(caught.value)
    for title in ("SIREN ou SIRET", "Effectif", "Date de la demande", "Thème", "N° de demande",
                  "Couverture par l’offre"):  # fmt: skip
        assert f"row 4, column `{title}`" in told, title
    assert "Dupont" not in told
    assert "expected: one of: couverte, en partie, non couverte" in told
    assert "not_covered" not in told.replace("partly or not_covered", "")


def test_the_key_must_be_a_secret_outside_the_project(project: Path, tmp_path: Path) -> None:
    inside, short = project / "opmq.key", tmp_path / "short.key"
    inside.write_bytes(KEY)
    short.write_bytes(b"1234")
    for path, what in (
        (inside, "inside the project"),
        (short, "too short"),
        (tmp_path / "no", "no such"),
    ):
        with pytest.raises(ConfidentialityError, match=what):
            registers.read_key(path, project)
    good = tmp_path / "opmq.key"
    good.write_bytes(KEY)
    assert registers.read_key(good, project) == KEY


def test_the_template_has_lists_and_comes_back_through_the_import(tmp_path: Path) -> None:
    path = tmp_path / "demandes.xlsx"
    downloads.write_workbook(registers.template("requests", ROOT), path)
    first = path.read_bytes()
    downloads.write_workbook(registers.template("requests", ROOT), path)
    assert path.read_bytes() == first
    book = openpyxl.load_workbook(path)
    sheet = book["requests"]
    titles = [cell.value for cell in sheet[1]]
    lists = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert len(lists) == 8
    assert all(rule.formula1.startswith("listes!") for rule in lists)
    filled = {
        "N° de demande": "A-1", "SIREN ou SIRET": "732829320", "Tranche d’effectif": "10 à 49",
        "Branche": "chimie", "Date de la demande": "02/03/2026", "Thème": "recrutement",
        "Couverture par l’offre": "en partie", "Motif de non-couverture": "zone",
    }  # fmt: skip
    sheet.append([filled.get(title) for title in titles])
    book.save(path)
    found, left_out = registers.import_requests([path], KEY, ROOT, LAST_DAY)
    assert left_out == []
    assert found[["size_band", "coverage", "reason"]].to_numpy().tolist() == [
        ["10_49", "partly", "area"]
    ]


def test_a_written_register_is_read_back(tmp_path: Path, export: Path, project: Path) -> None:
    found, _ = registers.import_requests([export], KEY, project, LAST_DAY)
    for ending in ("parquet", "csv"):
        path = tmp_path / f"requests.{ending}"
        downloads.write_table(found, path)
        back = registers.read_requests(path, KNOWN)
        assert back["company_headcount"].tolist() == [12.0, 12.0]
        assert back.astype({"region_code": "str"})["company_code"].equals(
            found["company_code"].astype("str")
        )


def test_only_the_cells_that_are_no_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    frame = register({}, {}).astype({"company_headcount": "object"})
    frame.loc[1, "company_headcount"] = "douze"
    frame.to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        registers.read_requests(path, KNOWN)
    (defect,) = caught.value.defects
    assert defect.where == "requests.csv, row 3, column `company_headcount` (D2)"
    assert defect.what == "not a whole number"
