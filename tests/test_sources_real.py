"""Loaders on the producers' real files: the embedded tables, byte for byte, and known totals."""

import os
import time

import pytest
from embedded_tables import FILES, LABOUR, SKILLS, files, loaded, loaders, of_embedded

from opmq_lib import tables
from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded
from opmq_lib.sources.producers import (
    basins,
    bmo,
    certifinfo,
    esco,
    france_competences,
    rome,
)
from opmq_lib.sources.reading import read
from opmq_lib.sources.updates import as_csv

pytestmark = pytest.mark.skipif(
    not LABOUR.is_dir(), reason="the producers' files are not beside this checkout"
)
FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
full = pytest.mark.skipif(not FULL, reason="OPMQ_TEST_FULL=1")

READ = {
    "recruitment_intentions": (50_437 + 53_443 + 50_076, 42_157) if FULL else (50_076, 13_806),
    "tension_basins": (27_135, 4_801),
    "certifications": (10_067, 906),
    "idcc_history": (1_665 + 181, 327),
    "official_projections": (1_049, 1_049),
    "branch_headcount": (259, 96),
    "employment_national": (36 * 340, 6_570),
    "employees_national": (340, 319),
    "metier_sectors": (1_212, 862),
    "metier_pcs": (486, 486),
    "age_structure": (30_780, 30_630),
    "age_structure_fap87": (9_720, 9_552),
    "tension": (2_367, 2_367),
    "tension_regions": (31_034, 952),
    "fap_rome": (765, 749),
    "exit_rates": (2_136, 208),
    "exit_reasons": (623, 182),
    "job_seekers": (14_256, 14_208),
    "metier_wages": (654, 651),
    "metiers_2021": (341, 341),
    "rome_fap2021": (5_320, 5_320),
    "rome_naf_hires": (11_210, 11_210),
    "naf": (732, 732),
    "metier_skills": (104_219, 7_377),
    "appellations": (13_120, 13_120),
    "skills": (18_317 + 15_354, 3_661),
    "rome_transitions": (1_584, 432),
    "rome_moves": (14_912, 14_912),
    "tension_2021": (58, 58),
}
"""Rows of the files, as they are described beside them, and those that tables are made of."""


def test_tables_are_what_their_loaders_give() -> None:
    made = loaded()
    assert set(embedded.tables()) - set(made) == {"branches", "sources"}
    for table, frame in made.items():
        text = embedded.path(table).read_text(encoding="utf-8")
        whole = as_csv(of_embedded(table)) if table == "recruitment_intentions" else text
        assert as_csv(frame) == whole, table


def test_loaders_account_for_every_row_and_every_column() -> None:
    for each in loaders():
        for name, (_, record) in each.items():
            assert record.rows_read == record.rows_kept + sum(record.dropped.values()), name
            assert all(len(sha256) == 64 for sha256 in record.files.values())
            assert not record.unknown, name


@pytest.mark.parametrize("table", READ)
def test_rows_are_those_described_with_the_files(table: str) -> None:
    records = [each[table][1] for each in loaders() if table in each]
    assert (records[0].rows_read, records[0].rows_kept) == READ[table]


def test_secret_missing_and_zero_stay_apart() -> None:
    intentions = loaders()[0]["recruitment_intentions"][0]
    secret = intentions["status"] == "secret"
    assert intentions.loc[secret, "projects_count"].isna().all()
    assert (intentions["projects_count"].dropna() >= 5).all()
    made = {name: table for each in loaders() for name, (table, _) in each.items()}
    seekers = made["job_seekers"]
    assert "ENS" not in set(seekers["metier_code"])  # its 48 cells are empty, not zero
    employees = made["employees_national"].set_index("metier_code")["employees_headcount"]
    assert employees["A0Z00"] == 0
    assert "M2Z91" not in employees.index


def test_wages_and_job_seekers_are_those_of_the_files() -> None:
    made = {name: table for each in loaders() for name, (table, _) in each.items()}
    for name in ("metier_wages", "job_seekers"):
        tables.check(name, made[name], name)
    wages = made["metier_wages"].set_index(["metier_code", "period"])
    assert wages.loc[("A0Z", "2003-2005"), "wage_median_eur_per_month"] == 1083
    seekers = made["job_seekers"].set_index(["metier_code", "year", "seeker_category"])
    assert seekers.loc[("A0Z", 1997, "Catégorie A"), "job_seekers_headcount"] == 23_050
    assert made["job_seekers"]["year"].agg(["min", "max"]).tolist() == [1997, 2020]


@pytest.mark.parametrize(("year", "rows", "kept"), [("2019", 2_088, 0), ("2020", 27_053, 4_920)])
def test_other_editions_of_the_basins_are_read(year: str, rows: int, kept: int) -> None:
    (path,) = (LABOUR / "mobiville-tension" / year).iterdir()
    record = basins.load({"basins": path})["tension_basins"][1]
    assert (record.rows_read, record.rows_kept, record.unknown) == (rows, kept, ())


def test_certifications_of_2025_are_read_in_spite_of_their_bytes() -> None:
    path = SKILLS / "certifinfo" / "opendata-certifinfo-01012025.csv"
    record = certifinfo.load({"certifications": path})["certifications"][1]
    assert (record.rows_read, record.edition, record.unknown) == (10_178, "2024-12-24", ())


@pytest.mark.parametrize("name", ["", "_continuity"])
def test_the_register_of_certifications_is_read(name: str) -> None:
    path = SKILLS / "rncp" / f"export-fiches-csv-2024-02-22{name}.zip"
    given = france_competences.load({"export": path})
    assert len(given["rncp_fiches"][0]) == 9


def test_labels_of_esco_and_its_passage_to_job_titles_are_read() -> None:
    given = esco.load(files(esco.PRODUCER, SKILLS / "esco"))
    labels = given["esco_labels"][0].groupby(["concept_kind", "language_code"]).size()
    counts = {("occupation", "fr"): 3_043 - 4, ("occupation", "en"): 3_039}
    counts |= {("skill", "fr"): 13_095, ("skill", "en"): 13_485}
    assert labels.to_dict() == counts
    assert given["esco_labels"][1].dropped == {"sans libellé": 0, "concept répété": 4}
    for name, (table, _) in given.items():
        tables.check(name, table, name)
    relations = given["esco_romes"][0]["mapping_relation"].value_counts().to_dict()
    assert relations == {
        "broadMatch": 5_086, "closeMatch": 4_597, "exactMatch": 553, "narrowMatch": 144
    }  # fmt: skip


def test_a_rome_that_lacks_a_file_says_which() -> None:
    with pytest.raises(SchemaError, match="unix_referentiel_savoir"):
        rome.load({name: path for name, path in FILES[rome].items() if name != "knowledge"})


@full
@pytest.mark.parametrize(
    ("year", "secret"),
    [
        ("2023", [9_196, 17_304, 36_388]),
        ("2024", [10_891, 20_507, 39_359]),
        ("2025", [11_452, 21_720, 36_972]),
    ],
)
def test_secret_cells_of_the_survey_are_those_counted_beside_it(
    year: str, secret: list[int]
) -> None:
    started = time.process_time()
    rows = read(FILES[bmo][year], bmo.LAYOUT).rows
    assert time.process_time() - started < 3
    measures = rows[["projects", "hard_to_fill", "seasonal"]]
    assert (measures == bmo.SECRET).sum().tolist() == secret
    assert not measures.isin(["", "0"]).any(axis=None)


@full
def test_the_rome_is_read_whole_in_two_seconds() -> None:
    started = time.process_time()
    rome.load(FILES[rome])
    assert time.process_time() - started < 2
