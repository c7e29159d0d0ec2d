from pathlib import Path

import pytest

from opmq_lib.edition import fingerprint

MADE_OF = {
    "template_sha256": "t",
    "parameters": {"horizon_years": 10},
    "inputs": {"opmq_lib": "l", "data/chimie.csv": "c"},
    "versions": {"pandas": "3.0"},
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("tension.py", "cli.py", "site/page.py", "sources/idcc.py", "data/metiers.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"template_sha256": "u"}, "template changed"),
        ({"parameters": {"horizon_years": 12}}, "parameter horizon_years 10 → 12"),
        ({"parameters": {}}, "parameter horizon_years 10 → none"),
        ({"inputs": {"opmq_lib": "m", "data/chimie.csv": "c"}}, "library changed"),
        ({"inputs": {"opmq_lib": "l", "data/chimie.csv": "d"}}, "input data/chimie.csv changed"),
        ({"inputs": {"opmq_lib": "l"}}, "input data/chimie.csv removed"),
        ({"versions": {"pandas": "3.1"}}, "version of pandas 3.0 → 3.1"),
    ],
)
def test_each_difference_has_its_reason_and_changes_the_key(
    change: dict[str, object], reason: str
) -> None:
    now = MADE_OF | change
    assert list(fingerprint.differences(MADE_OF, now)) == [reason]
    assert fingerprint.key(now) != fingerprint.key(MADE_OF)


def test_new_input_has_its_reason() -> None:
    before = MADE_OF | {"inputs": {"opmq_lib": "l"}}
    assert list(fingerprint.differences(before, MADE_OF)) == ["input data/chimie.csv added"]


def test_nothing_but_the_fingerprint_is_in_the_key() -> None:
    assert fingerprint.key(MADE_OF | {"started_at": "now"}) == fingerprint.key(MADE_OF)


@pytest.mark.parametrize("name", ["tension.py", "sources/idcc.py"])
def test_source_that_notebooks_can_import_changes_the_library(package: Path, name: str) -> None:
    before = fingerprint.library(package)
    (package / name).write_text("2")
    assert list(fingerprint.differences(made_with(before), made_with_library(package))) == [
        "library changed"
    ]


@pytest.mark.parametrize("name", ["cli.py", "site/page.py"])
def test_source_that_no_notebook_may_import_does_not(package: Path, name: str) -> None:
    before = fingerprint.library(package)
    (package / name).write_text("2")
    assert fingerprint.library(package) == before


def test_embedded_table_is_an_input_of_its_own(package: Path) -> None:
    before = fingerprint.library(package)
    (package / "data" / "metiers.csv").write_text("2")
    (package / "data" / "README.md").write_text("no table")
    assert list(fingerprint.differences(made_with(before), made_with_library(package))) == [
        "input opmq_lib/data/metiers.csv changed"
    ]


def test_output_is_judged_by_content_not_by_date_or_size(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv", "nested/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    recorded = fingerprint.outputs(tmp_path)
    assert list(recorded) == ["a.csv", "b.csv", "c.csv", "nested/d.csv"]
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").write_text("2")
    (tmp_path / "c.csv").unlink()
    (tmp_path / "e.csv").write_text("left by somebody")
    assert list(fingerprint.damages(recorded, tmp_path)) == [
        "output b.csv changed",
        "output c.csv missing",
    ]


def test_versions_name_python_and_what_computes() -> None:
    versions = fingerprint.versions()
    assert {"python", "numpy", "pandas", "statsmodels"} <= versions.keys()
    assert "not installed" not in versions.values()


def made_with(inputs: dict[str, str]) -> fingerprint.Fingerprint:
    return MADE_OF | {"inputs": inputs}


def made_with_library(package: Path) -> fingerprint.Fingerprint:
    return made_with(fingerprint.library(package))
