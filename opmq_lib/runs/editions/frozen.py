"""Freeze an edition: all that it published, and all that it takes to make it again.

    manifest.json, ledger.jsonl            what it is, what every run was made of
    results/<branch_code>/<notebook>/      tables, notebooks and workbooks as published
    site/                                  the pages
    project/                               parameters, templates, lock file, released tables
    library/opmq_lib/                      the code and its embedded tables

What is the user's own never enters, nor its sha256: a small table could be guessed from it, with
all its secret figures. Those sums are for its owner: `NAME.private.json`, beside the archive.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from opmq_lib.errors import ConfidentialityError, DataError, Defect
from opmq_lib.params import EditionParams
from opmq_lib.runs import fingerprint, hashes, library, release
from opmq_lib.runs.editions import archive, crate
from opmq_lib.runs.plan import READ_BY_ALL, RunId, shown
from opmq_lib.runs.templates import VOLATILE
from opmq_lib.sources import ledger, official, project, states

_TIMES: Final = ("started_at", "duration_seconds", "key")
"""What differs between two runs that gave the same; and the key, as it holds all sums."""
_TOP: Final = ("_quarto.yml", "pyproject.toml", "requirements.lock", "environment.yml", "LICENSE")
_TEMPLATES: Final = "notebooks"
_FOLDERS: Final = ("parameters", official.FOLDER)
_SHARED: Final = (".yml", ".csv", ".json", ".jsonl")
"""What a project has there: a form filled in or a lock left beside it is nobody else's business."""
_OTHER_EDITIONS: Final = (
    '<!DOCTYPE html>\n<html lang="fr"><head><meta charset="utf-8"><title>Autres éditions</title>'
    "</head><body><h1>Autres éditions</h1><p>Cette page appartient à une édition archivée. "
    'La liste des éditions est <a href="../../index.html">sur le site qui l’héberge</a>.</p>'
    "</body></html>\n"
)
"""In an archived site, the page of all editions only leads to the one of the site it lies in."""


def freeze(  # noqa: PLR0913 - what an edition is made of
    root: Path,
    name: str,
    edition: EditionParams,
    published: Collection[RunId],
    site: Path,
    standings: Mapping[str, states.Standing],
    is_release: bool,
) -> tuple[Path, str]:
    """Write the archive of an edition, and its sum beside it.

    Args:
        root: The project.
        name: Of the archive.
        edition: Its parameters.
        published: Runs that the site shows; all of them up to date (`ready`).
        site: The site, just built.
        standings: Where branches stand that have a record.
        is_release: Whether the site is the released one.

    Returns:
        The archive and its sha256.

    Raises:
        DataError: If nothing is published, or another edition has this name.
        ConfidentialityError: If a result is no longer the one that was recorded.
    """
    folder = root / "outputs" / edition.edition_id
    last = ledger.latest(folder / ledger.LEDGER)
    records = [last[id_] for id_ in sorted(published)]
    if not records:
        raise DataError.of(name, "nothing is published", "results", "run the study: opmq study")
    inside, private = _inputs(root, folder, records)
    members = {
        **_results(folder, records),
        **{f"{archive.PROJECT}/{each}": content for each, content in inside.items()},
        **_project(root),
        **_library(),
        **_pages(site),
        archive.LEDGER: b"".join(ledger.as_line(_lasting(each, private)) for each in records),
    }
    others = (f"results of {shown(id_)}" for id_ in last if id_ not in published)
    about = {
        "format": 1,
        "name": name,
        "edition_id": edition.edition_id,
        "title": edition.title,
        "edition_date": edition.edition_date.isoformat(),
        "is_release": is_release,
        "states": {code: _stands(each) for code, each in sorted(standings.items())},
        "library_sha256": fingerprint.json_sha256(library.read(hashes.Hashes()).sha256),
        "versions": dict(fingerprint.versions()),
        "seeds": {shown(id_): last[id_].get("seed") for id_ in published},
        "not_included": sorted([*private, *others]),
    }
    path = archive.path_of(root, name)
    sha256 = archive.write(path, _described(about, members))
    if private:
        sums = path.with_name(f"{name}.private.json")
        project.write(sums, crate.as_json(private), private=True)
    return path, sha256


def _described(about: dict[str, Any], members: dict[str, bytes]) -> dict[str, bytes]:
    """Return the members of an archive with those that describe them."""
    cited = members | {crate.CITATION: crate.citation(about)}
    sums = {name: fingerprint.bytes_sha256(content) for name, content in cited.items()}
    many = (f"{archive.SITE}/", f"{archive.LIBRARY}/")
    sizes = {name: len(each) for name, each in cited.items() if not name.startswith(many)}
    described = cited | {crate.NAME: crate.metadata(about, sizes, sums)}
    sums[crate.NAME] = fingerprint.bytes_sha256(described[crate.NAME])
    return described | {archive.MANIFEST: crate.as_json(about | {"files": sums})}


def _results(folder: Path, records: Collection[ledger.Record]) -> dict[str, bytes]:
    """Return the files of published runs, each the one that was recorded."""
    found, defects = dict[str, bytes](), list[Defect]()
    for record in records:
        here = f"{record['branch_code']}/{record['notebook']}"
        for name, sha256 in record["outputs"].items():
            path = folder / here / name
            content = path.read_bytes() if path.is_file() else b""
            if fingerprint.bytes_sha256(content) != sha256:
                what, expected = "is not the file that the run wrote", "the file of the ledger"
                defects.append(Defect(f"{here}/{name}", what, expected, "run it again: opmq run"))
            found[f"{archive.RESULTS}/{here}/{name}"] = content
    ConfidentialityError.refuse(defects)
    return found


def _project(root: Path) -> dict[str, bytes]:
    """Return what of the project anybody may read: no file of a notebook's own, nothing it showed.

    Whoever runs a template on own tables and saves it leaves their figures in it.
    """
    templates = {
        path: json.loads(path.read_bytes()) for path in (root / _TEMPLATES).glob("*.ipynb")
    }
    own = {f"{name}" for each in templates.values()
           for name in each["metadata"].get("opmq", {}).pop("files", ())}  # fmt: skip
    files = [root / name for name in _TOP if (root / name).is_file()]
    files += [path for folder in _FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    names = {path.relative_to(root).as_posix(): path for path in files}
    found = {
        f"{archive.PROJECT}/{name}": path.read_bytes()
        for name, path in names.items()
        if "/." not in name and name not in own and (path.suffix in _SHARED or "/" not in name)
    }
    for path, template in templates.items():
        template["metadata"].pop("widgets", None)
        for cell in template["cells"]:
            cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k not in VOLATILE}
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        found[f"{archive.PROJECT}/{_TEMPLATES}/{path.name}"] = crate.as_json(template)
    return found


def _library() -> dict[str, bytes]:
    package = Path(library.__file__).parents[1]
    paths = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {
        f"{archive.LIBRARY}/{path.relative_to(package.parent).as_posix()}": path.read_bytes()
        for path in paths
    }


def _inputs(
    root: Path, folder: Path, records: Collection[ledger.Record]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return other files that the runs have read: those to include, and the sums of the others.

    Released tables, what every notebook may read and public results of the edition before are
    included; registers, own tables and whatever else are not.
    """
    kept, private = dict[str, bytes](), dict[str, str]()
    read = {name: sum_ for record in records for name, sum_ in record["inputs"].items()}
    for name, sha256 in read.items():
        path, parts = root / name, name.split("/")
        if name.startswith("opmq_lib/") or not path.is_file():
            continue
        is_open = name.startswith(tuple(f"{each}/" for each in (release.RELEASED, *READ_BY_ALL)))
        is_before = parts[0] == "outputs" and parts[1] != folder.name and len(parts) > 2
        lines = root / "/".join([*parts[:2], ledger.LEDGER])
        before = ledger.latest(lines, "ok") if is_before else {}  # what is there is of these
        public = {id_: each for id_, each in before.items() if each.get("origin") == "public"}
        if parts[2:] == [ledger.LEDGER]:
            kept[name] = b"".join(map(ledger.as_line, public.values()))
        elif is_open or tuple(parts[2:4]) in public:
            kept[name] = path.read_bytes()
        else:
            private[name] = sha256
    return kept, private


def _pages(site: Path) -> dict[str, bytes]:
    """Return the files of a site, without past editions and the builder's own note."""
    names = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    pages = {
        name: path.read_bytes()
        for name, path in names.items()
        if not name.startswith((".", "editions/"))
    }
    pages["editions/index.html"] = _OTHER_EDITIONS.encode()
    return {f"{archive.SITE}/{name}": content for name, content in pages.items()}


def _lasting(record: ledger.Record, private: Collection[str]) -> ledger.Record:
    """Return a line of the ledger that is the same each time, without sums of private files."""
    inputs = {name: each for name, each in record["inputs"].items() if name not in private}
    return {name: each for name, each in record.items() if name not in _TIMES} | {"inputs": inputs}


def _stands(now: states.Standing) -> dict[str, Any]:
    step = now.step.model_dump(mode="json", exclude={"tables", "branch_code"}) if now.step else {}
    return {"state": now.state, "version": now.version, "last_step": step}
