"""Compare two editions: which published figures changed, and why, as their ledgers tell.

An edition is an archive (by its name or path) or the folder of results of `outputs/`. A run's
causes are what its two lines were not made of alike; of results that it reads, theirs. Where there
are several, `apart` tells how much each weighs.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import pandas as pd
import yaml

from opmq_lib.errors import ScopeError
from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint, library
from opmq_lib.runs.editions import archive
from opmq_lib.runs.plan import RunId
from opmq_lib.show import french
from opmq_lib.sources import ledger, official
from opmq_lib.sources.study import read_result

Kind = Literal["new_data", "revised_data", "parameter", "method", "version", "unknown"]
KINDS: Final[dict[Kind, str]] = {
    "new_data": "nouvelles données",
    "revised_data": "données révisées",
    "parameter": "paramètre",
    "method": "méthode",
    "version": "version d’une bibliothèque",
    "unknown": "cause non retrouvée",
}
STEPS: Final[tuple[Kind, ...]] = ("version", "revised_data", "new_data", "parameter", "method")
"""In which order causes are replaced to tell them apart."""
COLUMNS: Final = ("notebook", "table", *revisions.COLUMNS, "cause_kinds", "causes")
PARTS: Final = tuple(f"{kind}_part" for kind in KINDS)
"""How much of a change is due to each cause: empty where several are not told apart."""
_NAMES_ONLY: Final = ("edition_id", "previous_edition_id")
EDITION: Final = "parameters/edition.yml"
_BASE: Final = f"{EDITION}, base_year"
_JOBS: Final = "01_emplois"


Read = Callable[[str], bytes | None]


class Edition(NamedTuple):
    """An edition as it can be compared.

    Attributes:
        name: Its name.
        records: Its published runs.
        read: Gives the content of a result, by `branch/notebook/file`, or of an input, by its name
            in the ledger; `None` where it is not there.
        path: Its archive; a folder of results has none.
    """

    name: str
    records: Mapping[RunId, ledger.Record]
    read: Read
    path: Path | None = None


class Cause(NamedTuple):
    """One thing that two runs were not made of alike."""

    kind: Kind
    what: str


def opened(root: Path, name: str) -> Edition:
    """Return an edition by the name or path of its archive, or by its folder of `outputs/`.

    Raises:
        ScopeError: If there is neither.
    """
    for path in (archive.path_of(root, name), Path(name)):
        if path.suffix == ".zip" and path.is_file():
            return _archived(path)
    folder = root / "outputs" / name
    if not (folder / ledger.LEDGER).is_file():
        names = [path.stem for path in archive.frozen(root)]
        known = ", ".join(
            [*names, *(each.parent.name for each in folder.parent.glob("*/runs.jsonl"))]
        )
        fix = "freeze it, or run the study"
        expected = f"one of: {known}" if known else "one that was frozen or run: none was yet"
        raise ScopeError.of("EDITION", "no such edition", expected, fix, name)
    package = Path(library.__file__).parents[1]
    last = ledger.latest(folder / ledger.LEDGER, "ok")
    public = {id_: each for id_, each in last.items() if each.get("origin") == "public"}

    loaded = official.names(official.index(root))

    def read(asked: str) -> bytes | None:
        asked = loaded.get(asked, asked)
        inside = package.parent if asked.startswith(f"{library.LIBRARY}/") else root
        places = (folder / asked, inside / asked)
        return next((path.read_bytes() for path in places if path.is_file()), None)

    return Edition(name, public, read)


def changes(
    before: Edition, after: Edition, steps: Mapping[Kind, Read] = MappingProxyType({})
) -> pd.DataFrame:
    """Return every published figure that changed between two editions, and why.

    Args:
        before: The earlier edition.
        after: The later one.
        steps: Cause → what reads the results once it is replaced (`apart`).

    Returns:
        A row a figure: `notebook`, `table`, what `revisions.changes` has, `cause_kinds` (keys of
        `KINDS`, comma between), `causes` (what changed, by name) and the `PARTS` of the change.
    """
    parts = [pd.DataFrame(columns=[*COLUMNS, *PARTS], dtype="str")]
    for id_, found in causes(before, after).items():
        old, new = before.records[id_]["outputs"], after.records[id_]["outputs"]
        for name in sorted(old.keys() & new.keys()):
            if not name.endswith(".csv") or old[name] == new[name]:
                continue
            path = "/".join([*id_, name])
            was, now = (each.read(path) for each in (before, after))
            if was is None or now is None:
                continue
            first = revisions.read(was)
            cells = revisions.changes(first, revisions.read(now))
            kinds = [kind for kind in KINDS if kind in {each.kind for each in found}]
            order = [kind for kind in (*STEPS, "unknown") if kind in kinds]
            read = {kind: steps[kind](path) for kind in order if kind in steps}
            made = {str(kind): revisions.read(each) for kind, each in read.items() if each}
            cells = cells.join(revisions.apart(first, cells, order, made).add_suffix("_part"))
            cells["branch_code"] = cells["branch_code"].where(cells["branch_code"].ne(""), id_[0])
            parts.append(
                cells.assign(
                    notebook=id_[1],
                    table=Path(name).stem,
                    cause_kinds=",".join(kinds),
                    causes=" ; ".join(dict.fromkeys(each.what for each in found)),
                )
            )
    table = pd.concat(parts, ignore_index=True)[[*COLUMNS, *PARTS]]
    table["year"] = pd.to_numeric(table["year"]).astype("Int64")
    return table.astype(dict.fromkeys(PARTS, "float64"))


def causes(before: Edition, after: Edition) -> dict[RunId, list[Cause]]:
    """Return the runs whose tables are other ones, with what changed."""
    found = {}
    for id_ in sorted(before.records.keys() & after.records.keys()):
        old, new = before.records[id_]["outputs"], after.records[id_]["outputs"]
        if any(
            name.endswith(".csv") and old[name] != new[name] for name in old.keys() & new.keys()
        ):
            nothing = [Cause("unknown", "rien, dans les registres")]
            found[id_] = _known(id_, before, after) or nothing
    return found


def versions(before: Edition, after: Edition) -> list[str]:
    """Return the libraries whose version is another one, whatever it changed."""
    all_runs = [each.records.values() for each in (before, after)]
    old, new = ({k: v for run in runs for k, v in run["versions"].items()} for runs in all_runs)
    return [f"{name} {_both(was, now)}" for name, was, now in fingerprint.changed(old, new)]


def accuracy(before: Edition, after: Edition) -> pd.DataFrame:
    """Return the forecasts of an edition beside what the next one has (`revisions.scored`)."""
    names = ("emplois_projections", "emplois")
    asked = [id_ for id_ in before.records.keys() & after.records.keys() if id_[1] == _JOBS]
    parts = []
    for id_ in sorted(asked):
        path = "/".join(id_)
        files = [each.read(f"{path}/{name}.csv") for each in (before, after) for name in names]
        tables = [read_result(BytesIO(each)) for each in files if each]
        if len(tables) == len(files):
            parts.append(revisions.scored(*tables))
    none = pd.DataFrame(columns=[*revisions.SCORED])
    return pd.concat(parts, ignore_index=True) if parts else none


def _known(id_: RunId, before: Edition, after: Edition) -> list[Cause]:
    """Return the causes of a run, each once.

    The base year follows the data, and the horizon the base year: where new data came and the last
    projected year is the same, they are no decision of their own.
    """
    found = dict.fromkeys(_causes(id_, before, after))
    if not {"new_data", "parameter"} <= {each.kind for each in found}:
        return [*found]
    runs = [each.records[id_]["parameters"].get("horizon_years", 0) for each in (before, after)]
    bases = [base_year(each) for each in (before, after)]
    is_same_end = bases[0] + runs[0] == bases[1] + runs[1]
    moved = (_BASE, "horizon_years (") if is_same_end else (_BASE,)
    return [
        Cause("new_data" if each.what.startswith(moved) else each.kind, each.what) for each in found
    ]


def base_year(edition: Edition) -> int:
    """Return the base year of an edition; 0 where its parameters are not there."""
    return int(yaml.safe_load(edition.read(EDITION) or b"base_year: 0")["base_year"])


def _causes(id_: RunId, before: Edition, after: Edition) -> Iterator[Cause]:
    """Yield what two runs were not made of alike, results that they read followed to their own."""
    old, new = before.records[id_], after.records[id_]
    if old["template_sha256"] != new["template_sha256"]:
        yield Cause("method", f"notebook {id_[1]}")
    for part, kind in _PARTS.items():
        for name, was, now in fingerprint.changed(old.get(part, {}), new.get(part, {})):
            if name not in _NAMES_ONLY:
                yield Cause(kind, f"{name} ({_both(was, now)})" if part != "library" else name)
    for name, _, _ in fingerprint.changed(old["inputs"], new["inputs"]):
        upstream = (name.split("/")[0], name.split("/")[1]) if name.count("/") > 1 else ("", "")
        if upstream in before.records and upstream in after.records:
            yield from _causes(upstream, before, after)
        elif name.startswith("parameters/"):
            yield Cause("parameter", name.replace("#", ", "))
        elif name.startswith("opmq_lib/") and not name.startswith(fingerprint.EMBEDDED):
            yield Cause("method", name)
        else:
            file = name.partition("#")[0]
            yield from _of_data(file, before.read(file), after.read(file))


def _of_data(name: str, was: bytes | None, now: bytes | None) -> Iterator[Cause]:
    """Yield whether a table of data has new rows, revised ones, or both.

    A table whose rows are all of a later year has new data; what it had is not revised by them.
    """
    if not (was and now and name.endswith(".csv")):
        yield Cause("new_data" if now and not was else "revised_data", name)
        return
    cells = revisions.changes(revisions.read(was), revisions.read(now))
    added, removed, revised = (
        cells[cells["change"].eq(each)] for each in ("added", "removed", "revised")
    )
    is_next = max(removed["year"], default="~") < min(added["year"], default="")
    if len(added):
        yield Cause("new_data", f"{name} ({french.plural(len(added), 'ligne')})")
    if len(removed) and not is_next:
        gone = french.plural(len(removed), "ligne")
        yield Cause("revised_data", f"{name} (sans {gone})")
    if len(revised):
        yield Cause("revised_data", f"{name} ({french.plural(len(revised), 'cellule')})")


def _both(was: object, now: object) -> str:
    return f"{'rien' if was is None else was} → {'rien' if now is None else now}"


_PARTS: Final[dict[str, Kind]] = {
    "parameters": "parameter",
    "library": "method",
    "versions": "version",
}


def _archived(path: Path) -> Edition:
    about = archive.manifest(path)
    lines = archive.read(path, archive.LEDGER)
    records = {
        (each["branch_code"], each["notebook"]): each
        for each in map(ledger.parsed, lines.splitlines())
        if each
    }

    index = f"{archive.PROJECT}/{official.FOLDER}/{official.INDEX}"
    loaded = official.names(
        json.loads(archive.read(path, index)) if index in about["files"] else {}
    )

    def read(asked: str) -> bytes | None:
        asked = loaded.get(asked, asked)
        places = (archive.RESULTS, archive.LIBRARY, archive.PROJECT)
        names = [f"{place}/{asked}" for place in places]
        return next((archive.read(path, name) for name in names if name in about["files"]), None)

    return Edition(about["name"], records, read, path)
