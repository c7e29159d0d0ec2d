"""The PDF of each report, printed from its finished page by Chromium where that is present.

A PDF holds what the published page holds, and nothing else. It is printed again only if its page,
the styles or the program changed: an unchanged one is taken from the site that stands.
"""

import os
import re
import shutil
import struct
import subprocess
import zlib
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from opmq_lib.runs import fingerprint
from opmq_lib.site import content

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
MOST_PAGES = 4
_SECONDS = 60
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
_PAGE = re.compile(rb"/Type\s*/Page\b")
_LINKS = re.compile(r'<a((?:\s[\w-]+="[^"]*")*?)\shref="(?!https:|#)[^"]*"')
_OBJECT = re.compile(rb"^(\d+) 0 obj\n(.*?)\nendobj$", re.DOTALL | re.MULTILINE)
_PLAIN = re.compile(rb">>\s*stream\r?\n|/Type\s*/(?:Page|Catalog)\b")
_TRAILER = re.compile(rb"trailer\n<</Size (\d+)\n(.*)>>\nstartxref\n\d+\n%%EOF\s*\Z", re.DOTALL)
_DATES = re.compile(rb"\((D:)\d{14}")


class Printed(NamedTuple):
    """What was printed: hash of what each PDF was made from, by its path, and warnings."""

    inputs: dict[str, str]
    warnings: list[str]


def program() -> str | None:
    """Return the browser that prints, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def print_reports(
    built: Path, standing: Path, known: dict[str, str], *, asked: bool = True
) -> Printed:
    """Print each report of a finished site beside its page, and link it first there.

    Args:
        built: Folder of the finished site.
        standing: The site it will replace; its PDFs of unchanged pages are taken over.
        known: Hash of what each of these was made from, by path.
        asked: Else pages are left without: a printer's bytes are not the same everywhere.
    """
    pages = sorted(built.glob(f"branches/*/{content.REPORT}.html"))
    browser = program() if asked else None
    if browser is None:
        missing = "no Chromium on the path: reports have no PDF"
        for page in pages:
            _link(page, "")
        return Printed({}, [missing] if pages else [])
    styles = [fingerprint.file_sha256(path) for path in sorted((built / "theme").glob("*.css"))]
    printed, warnings = dict[str, str](), list[str]()
    for page in pages:
        path = page.with_suffix(".pdf")
        name = path.relative_to(built).as_posix()
        inputs = fingerprint.json_sha256([fingerprint.file_sha256(page), styles, browser])
        if known.get(name) == inputs and (standing / name).is_file():
            shutil.copyfile(standing / name, path)
        else:
            _print(browser, page, path)
        if not path.is_file():
            warnings.append(f"{name}: could not be printed")
            _link(page, "")
            continue
        count = len(_PAGE.findall(path.read_bytes()))
        if count > MOST_PAGES:
            warnings.append(f"{name}: {count} pages, more than {MOST_PAGES}")
        printed[name] = inputs
        _link(page, content.pdf_link(path.name, count, path.stat().st_size))
    return Printed(printed, warnings)


def _print(browser: str, page: Path, path: Path) -> None:
    """Print a page, links to other pages left out: a PDF that was sent has no site around it.

    Nor has it the time at which it was printed: the same page gives the same file.
    """
    alone = page.with_name(f".{page.name}")
    html = _LINKS.sub(r"<a\1", page.read_text(encoding="utf-8"))
    alone.write_text(html, encoding="utf-8")
    with TemporaryDirectory() as profile:
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={path}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses its sandbox to root
        try:
            subprocess.run(
                [*command, alone.as_uri()], capture_output=True, timeout=_SECONDS, check=True
            )
        except (subprocess.SubprocessError, OSError):
            path.unlink(missing_ok=True)
        finally:
            alone.unlink()
    if path.is_file():
        path.write_bytes(packed(_DATES.sub(rb"(D:20000101000000", path.read_bytes())))


def packed(pdf: bytes) -> bytes:
    """Return a PDF of Chromium in half the bytes: its small objects, of tags most, compressed.

    Pages and catalogue stay as they are; a file of another form is given back unchanged.

    Source:
        ISO 32000-1, 7.5.7 (object streams) and 7.5.8 (cross-reference streams).
    """
    trailer = _TRAILER.search(pdf)
    if trailer is None:
        return pdf
    objects = {int(each[1]): each for each in _OBJECT.finditer(pdf)}
    plain = {n: each for n, each in objects.items() if _PLAIN.search(each[2])}
    small = {n: each[2].strip() for n, each in objects.items() if n not in plain}
    last = int(trailer[1])
    written, places = bytearray(b"%PDF-1.5\n%\xd3\xeb\xe9\xe1\n"), dict[int, tuple[int, int, int]]()
    for n, each in plain.items():
        places[n] = (1, len(written), 0)
        written += each[0] + b"\n"
    starts = accumulate((len(body) + 1 for body in small.values()), initial=0)
    index = b" ".join(b"%d %d" % pair for pair in zip(small, starts, strict=False)) + b"\n"
    places |= {n: (2, last, place) for place, n in enumerate(small)}
    places[last] = (1, len(written), 0)
    about = b"/Type/ObjStm/N %d/First %d" % (len(small), len(index))
    written += _stream(last, about, index + b"\n".join(small.values()))
    places[last + 1] = (1, len(written), 0)
    at = len(written)
    rows = (places.get(n, (0, 0, 65535)) for n in range(last + 2))
    table = b"".join(struct.pack(">BIH", *row) for row in rows)
    about = b"/Type/XRef/Size %d/W[1 4 2]%s" % (last + 2, trailer[2].strip())
    written += _stream(last + 1, about, table)
    return bytes(written + b"startxref\n%d\n%%%%EOF\n" % at)


def _stream(number: int, about: bytes, content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    head = b"%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>\nstream\n" % (number, about, len(packed))
    return head + packed + b"\nendstream\nendobj\n"


def _link(page: Path, link: str) -> None:
    html = page.read_text(encoding="utf-8").replace(str(content.PDF_PLACE), link)
    page.write_text(html, encoding="utf-8", newline="\n")
