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


def test_what_is_no_export_is_refused(tmp_path):
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(SchemaError, match="not a readable zip"):
        rncp.read_export(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as empty:
        empty.writestr("readme.txt", "")
    with pytest.raises(SchemaError, match="no such member"):
        rncp.read_export(tmp_path / "y.zip")


def test_no_export_gives_no_fiche_and_no_bloc():
    found = rncp.read_exports([])
    assert [len(found[name]) for name in ("fiches", "blocs")] == [0, 0]
