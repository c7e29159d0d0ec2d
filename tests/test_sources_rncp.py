"""The real samples of the register's CSV export."""

import zipfile
from pathlib import Path

import pytest

from opmq_lib.errors import DataError, SchemaError
from opmq_lib.sources import rncp

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "skills" / "rncp"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the producers' files are absent")


@needs_samples
@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.zip")))
def test_a_real_export_is_read_whatever_the_accents_of_its_members(name):
    found = rncp.read_export(SAMPLES / name)
    assert len(found["fiches"]) == 9
    assert found["fiches"]["ends_on"].str.fullmatch(r"\d{4}-\d\d-\d\d|").all()
    assert found["certifiers"]["siret_code"].str.fullmatch(r"\d{14}|").all()
    assert not found["romes"]["rome_code"].str.contains("'").any()
    assert not found["fiches"]["title"].str.contains("''").any()
    assert found["blocs"]["bloc_code"].str.startswith(("RNCP", "RS")).all()


@needs_samples
def test_a_date_that_is_none_is_told_with_its_fiche(tmp_path):
    source = next(iter(sorted(SAMPLES.glob("*.zip"))))
    broken = tmp_path / "export.zip"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"31/08/2023", b"31/31/2023"))
    with pytest.raises(DataError, match="RNCP509"):
        rncp.read_export(broken)


def altered(folder, member, *changes):
    """Write a real export, some bytes of one member changed."""
    path = folder / "altered.zip"
    source = next(iter(sorted(SAMPLES.glob("*.zip"))))
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for before, after in changes if member in name else ():
                assert before in content
                content = content.replace(before, after)
            new.writestr(name, content)
    return path


@needs_samples
@pytest.mark.parametrize(
    ("member", "column"),
    [
        ("Standard", b"Date_Effet"),
        ("Standard", b"Nomenclature_Europe_Niveau"),
        ("Blocs_De_Comp", b"Bloc_Competences_Libelle"),
        ("Certificateurs", b"Nom_Certificateur"),
    ],
)
def test_a_column_that_is_missing_is_named(tmp_path, member, column):
    with pytest.raises(SchemaError, match=f"no column for .*\n.*{column.decode()}"):
        rncp.read_export(altered(tmp_path, member, (column, b"X")))


@needs_samples
def test_bytes_and_cells_that_are_no_such_csv_are_told_with_their_member(tmp_path):
    with pytest.raises(SchemaError, match=r"Standard.*accents were encoded twice"):
        rncp.read_export(altered(tmp_path, "Standard", ("é".encode(), b"\xe9")))
    with pytest.raises(SchemaError, match=r"Blocs_De_Comp….*: 4 cells where the header has 3"):
        rncp.read_export(altered(tmp_path, "Blocs", (b'"RNCP509BC05"', b'"RNCP509BC05";"x"')))


@needs_samples
def test_a_member_with_a_header_alone_holds_no_row(tmp_path):
    source = next(iter(sorted(SAMPLES.glob("*.zip"))))
    with zipfile.ZipFile(source) as old:
        name = next(each for each in old.namelist() if "Blocs" in each)
        rows = old.read(name).partition(b"\n")[2]
    found = rncp.read_export(altered(tmp_path, "Blocs", (rows, b"")))
    assert (len(found["fiches"]), len(found["blocs"])) == (9, 0)


@needs_samples
def test_a_fiche_told_twice_alike_stands_once_and_one_that_contradicts_itself_is_refused(tmp_path):
    with zipfile.ZipFile(next(iter(sorted(SAMPLES.glob("*.zip"))))) as old:
        name = next(each for each in old.namelist() if "Standard" in each)
        row = old.read(name).splitlines(keepends=True)[1]
    found = rncp.read_export(altered(tmp_path, "Standard", (row, row + row)))
    assert len(found["fiches"]) == 9
    other = row.replace(b"31/08/2023", b"31/08/2030").replace(b"INACTIVE", b"ACTIVE")
    with pytest.raises(DataError, match="same key"):
        rncp.read_export(altered(tmp_path, "Standard", (row, other + row)))


@needs_samples
def test_of_two_exports_the_last_tells_a_fiche_and_its_blocs(tmp_path):
    first = next(iter(sorted(SAMPLES.glob("*.zip"))))
    renewed = altered(
        tmp_path, "Standard", (b"31/08/2023", b"31/08/2030"), (b'"RNCP1197"', b'"RNCP99999"')
    )
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(renewed) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"RNCP509BC05", b"RNCP509BC09"))
    for paths, day, bloc in (
        ([first, changed], "2030-08-31", "RNCP509BC09"),
        ([changed, first], "2023-08-31", "RNCP509BC05"),
    ):
        found = rncp.read_exports(paths)
        ends = found["fiches"].set_index("fiche_code")["ends_on"]
        assert (len(ends), ends["RNCP509"]) == (10, day)
        assert len(found["blocs"]) == 6
        assert bloc in set(found["blocs"]["bloc_code"])


def test_what_is_no_export_is_refused(tmp_path):
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(SchemaError, match=r"x.zip: damaged"):
        rncp.read_export(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as empty:
        empty.writestr("readme.txt", "")
    with pytest.raises(SchemaError, match="no such member"):
        rncp.read_export(tmp_path / "y.zip")


def test_no_export_gives_no_fiche_and_no_bloc():
    found = rncp.read_exports([])
    assert [len(found[name]) for name in ("fiches", "blocs")] == [0, 0]
