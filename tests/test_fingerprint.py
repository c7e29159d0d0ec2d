from pathlib import Path

import pytest

from opmq_lib.runs import fingerprint
from opmq_lib.runs.hashes import Hashes

MADE_OF = {
    "template_sha256": "t",
    "parameters": {"horizon_years": 10},
    "library": {"opmq_lib": "l", "opmq_lib.errors": "r"},
    "inputs": {"data/chimie.csv": "c", "opmq_lib/data/tension.csv": "t"},
    "versions": {"pandas": "3.0"},
}
TENSION = {"opmq_lib/data/tension.csv": "t"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"template_sha256": "u"}, "template changed"),
        ({"parameters": {"horizon_years": 12}}, "parameter horizon_years 10 → 12"),
        ({"parameters": {}}, "parameter horizon_years 10 → none"),
        ({"library": {"opmq_lib": "l"}}, "library opmq_lib.errors removed"),
        (
            {"library": {"opmq_lib": "l", "opmq_lib.errors": "s"}},
            "library opmq_lib.errors changed",
        ),
        ({"inputs": TENSION | {"data/chimie.csv": "d"}}, "input data/chimie.csv changed"),
        ({"inputs": TENSION}, "input data/chimie.csv removed"),
        (
            {"inputs": {"data/chimie.csv": "c", "opmq_lib/data/tension.csv": "u"}},
            "input tension changed",
        ),
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
    before = MADE_OF | {"inputs": TENSION}
    assert list(fingerprint.differences(before, MADE_OF)) == ["input data/chimie.csv added"]


def test_line_without_library_has_its_reason() -> None:
    before = {name: part for name, part in MADE_OF.items() if name != "library"}
    assert list(fingerprint.differences(before, MADE_OF)) == ["library not recorded"]


def test_nothing_but_the_fingerprint_is_in_the_key() -> None:
    assert fingerprint.key(MADE_OF | {"started_at": "now"}) == fingerprint.key(MADE_OF)


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
    assert list(fingerprint.damages(recorded, tmp_path, Hashes().sha256)) == [
        "output b.csv changed",
        "output c.csv missing",
    ]


def test_versions_name_python_and_what_computes() -> None:
    versions = fingerprint.versions()
    assert {"python", "jinja2", "markupsafe", "openpyxl", "pandas"} <= versions.keys()
