"""Fetch a producer's file from its address: resumed where it was cut, whole or not there."""

import hashlib
import http
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
import urllib.response
from pathlib import Path
from typing import Final, NamedTuple

from opmq_lib.errors import SchemaError
from opmq_lib.sources.grids import PRODUCER

FOLDER: Final = "data/downloads"
_PIECE: Final = 1 << 16
_WAIT_SECONDS: Final = 30


class Fetched(NamedTuple):
    """A file that was fetched.

    Attributes:
        path: Where it is.
        sha256: Hash of its bytes.
        resumed_at: Bytes that an earlier try had left.
    """

    path: Path
    sha256: str
    resumed_at: int


def fetch(address: str, folder: Path) -> Fetched:
    """Return the file of an address, once it is in a folder under the name its server gives it.

    What came before a cut stays beside, as `.part`, and the next try goes on from there, unless
    the file has changed meanwhile.

    Args:
        address: `https://…` or `http://…`, and after `#` its sha256, where it is known.
        folder: Created if absent.

    Raises:
        SchemaError: If there is no network, no such file, too large a one, or another than
            its sha256 says.
    """
    address, _, sha256 = address.partition("#")
    parts = urllib.parse.urlsplit(address)
    key = Path(urllib.parse.unquote(parts.path)).name
    if parts.scheme not in {"http", "https"} or not key:
        fix = "give the address of one file"
        raise SchemaError.of(address, "not an address of a file", "https://…/file.csv", fix)
    folder.mkdir(parents=True, exist_ok=True)
    part, mark = folder / f".{key}.part", folder / f".{key}.etag"
    start = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "opmq"})
    if start and mark.is_file() and (known := mark.read_text(encoding="utf-8")):
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", known)
    try:
        with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:
            start = start if answer.status == 206 else 0
            tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
            mark.write_text(tag, encoding="utf-8")
            name = Path(
                answer.headers.get_filename() or urllib.parse.urlsplit(answer.url).path
            ).name
            _receive(answer, part, start, address)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            part.unlink()  # all of it was there already, or it is another file now
            return fetch(f"{address}#{sha256}", folder)
        what = f"the server says {error.code} {error.reason}"
        fix = "look where it is published now: `opmq sources list`"
        raise SchemaError.of(address, what, "the file", fix) from error
    except (OSError, ValueError, http.client.HTTPException) as error:  # no network, cut, too slow
        what = f"not reached ({getattr(error, 'reason', None) or error})"
        fix = "connect, and run the same command: it goes on where it stopped"
        raise SchemaError.of(address, what, "a network that reaches it", fix) from error
    mark.unlink(missing_ok=True)
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if sha256 and found != sha256.lower():
        part.unlink()
        what, fix = (
            f"another file than the one known (sha256 {found})",
            "look whether it has changed",
        )
        raise SchemaError.of(address, what, f"sha256 {sha256}", fix)
    return Fetched(part.replace(folder / (urllib.parse.unquote(name) or key)), found, start)


def _receive(answer: urllib.response.addinfourl, part: Path, start: int, address: str) -> None:
    """Write an answer after what there is, and check that all of it came."""
    announced = answer.headers.get("Content-Length")
    size = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > PRODUCER.most_mb << 20:
                expected = f"at most {PRODUCER.most_mb} MB"
                raise SchemaError.of(address, "too large", expected, "check the address")
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if announced is not None and size < start + int(announced):
        raise OSError(f"cut after {size} bytes of {start + int(announced)}")
