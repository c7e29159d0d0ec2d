"""The PDF of a report: the published page alone, printed once, linked only if it is there."""

import re
import struct
import zlib
from pathlib import Path

import pytest

from opmq_lib.runs import fingerprint
from opmq_lib.site import content, pdf

needs_chromium = pytest.mark.skipif(pdf.program() is None, reason="Chromium is not installed")
PAGE = (
    '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Rapport</title></head><body>'
    f"<h1>Rapport</h1>{content.PDF_PLACE}"
    '<p><a class="b" href="../autre.html">Une autre page</a> <a href="#fin">la fin</a></p>'
    '{}<p id="fin">Fin</p></body></html>'
)


def site(folder: Path, body: str = "") -> Path:
    page = folder / "branches/chimie/00_rapport.html"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE.format(body), encoding="utf-8")
    return page


def assert_objects_are_where_the_file_says(written: bytes) -> None:
    at = int(written.split()[-2])
    table = written[at:].partition(b"stream\n")[2].partition(b"\nendstream")[0]
    rows = [*struct.iter_unpack(">BIH", zlib.decompress(table))]
    plain = [(number, row[1]) for number, row in enumerate(rows) if row[0] == 1]
    assert len(plain) < len(rows) / 2
    assert all(written[place:].startswith(b"%d 0 obj\n" % number) for number, place in plain)


@needs_chromium
def test_a_report_is_printed_once_with_no_link_to_the_site_and_linked_first(tmp_path: Path) -> None:
    page = site(tmp_path / "built")
    first = pdf.print_reports(tmp_path / "built", tmp_path / "none", {})
    file = page.with_suffix(".pdf")
    written = file.read_bytes()
    assert first.warnings == []
    assert b"/StructTreeRoot" in written  # tagged
    assert b"file://" not in written
    assert str(tmp_path).encode() not in written
    assert_objects_are_where_the_file_says(written)
    html = page.read_text(encoding="utf-8")
    assert '<a href="00_rapport.pdf">PDF, 1\u00a0page' in html
    assert sorted(path.name for path in page.parent.iterdir()) == [page.name, file.name]

    again = site(tmp_path / "again")
    marked = tmp_path / "built/branches/chimie/00_rapport.pdf"
    marked.write_bytes(written + b"% kept")
    second = pdf.print_reports(tmp_path / "again", tmp_path / "built", first.inputs)
    assert second.inputs == first.inputs
    assert again.with_suffix(".pdf").read_bytes().endswith(b"% kept")
    changed = site(tmp_path / "changed", "<p>Autre</p>")
    third = pdf.print_reports(tmp_path / "changed", tmp_path / "built", first.inputs)
    assert third.inputs != first.inputs
    assert fingerprint.file_sha256(changed.with_suffix(".pdf")) != fingerprint.file_sha256(marked)


def test_without_chromium_there_is_no_link_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "PROGRAMS", ())
    page = site(tmp_path)
    done = pdf.print_reports(tmp_path, tmp_path / "none", {})
    assert done == pdf.Printed({}, ["no Chromium on the path: reports have no PDF"])
    assert not re.search("PDF|hidden", page.read_text(encoding="utf-8"))


def test_a_browser_that_fails_leaves_no_link_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "PROGRAMS", ("false",))
    page = site(tmp_path)
    done = pdf.print_reports(tmp_path, tmp_path / "none", {})
    assert done.warnings == ["branches/chimie/00_rapport.pdf: could not be printed"]
    assert [path.name for path in page.parent.iterdir()] == [page.name]
