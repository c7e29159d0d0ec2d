"""The branches' own tables as they may be published: the one door to what everybody may see.

    data/chimie.csv ── protect ──▶ outputs/released/2026/chimie/employment.csv ──▶ notebooks

The batch gives notebooks the released table alone, and keeps the other out of their reach: what
they compute, draw and say of it can then be published. A table that cannot be released is given
whole, and what rests on it is withheld. Beside the tables stands what was done, `release.json`;
what was secret in one edition stays so in the next.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opmq_lib.errors import ConfidentialityError, DataError, Defect
from opmq_lib.params import BranchParams, EditionParams
from opmq_lib.runs import fingerprint, folders
from opmq_lib.runs.library import Library
from opmq_lib.sources import ledger, project

if TYPE_CHECKING:
    import pandas as pd

    from opmq_lib.methods.disclosure.employment import Released

RELEASED: Final = "outputs/released"
RECORD: Final = "release.json"
TABLES: Final[tuple[str, ...]] = ("employment", "branch_totals")
"""Tables whose rules of publication are known; any other is the branch's own."""
MADE_WITH: Final = frozenset({"opmq_lib.runs.release", "opmq_lib.methods.disclosure"})


class Outcome(NamedTuple):
    """What became of one table of one branch: what is secret, or why nothing is released.

    `reveals` names what gives something away to who has seen what this edition told before.
    """

    branch_code: str
    table: str
    secret: tuple[tuple[str, str], ...] = ()
    refused: DataError | None = None
    reveals: tuple[str, ...] = ()


def folder(edition_folder: Path) -> str:
    """Return where the released tables of an edition are, from the project's root."""
    return f"{RELEASED}/{edition_folder.name}"


def in_place(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], library: Library
) -> dict[str, dict[str, list[str]]]:
    """Return the released tables that are up to date: branch → table → its files, from the root."""
    found: dict[str, dict[str, list[str]]] = {}
    for code, table, made_of in _asked(root, edition, branches, library):
        here = f"{RELEASED}/{edition.edition_id}/{code}"
        done = records(root / here).get(table, {})
        path = root / here / f"{table}.csv"
        is_same = done.get("made_of") == made_of and path.is_file()
        if is_same and fingerprint.file_sha256(path) == done["sha256"]:
            found.setdefault(code, {})[table] = [f"{here}/{name}" for name in _files(table)]
    return found


def write(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], library: Library
) -> list[Outcome]:
    """Release what has changed; return what was done.

    A table that cannot be read is left to the notebooks that read it: they say what is wrong. What
    was released of one that is refused stays, for later editions to be compared with; nothing reads
    it, as it is not up to date.
    """
    fresh = in_place(root, edition, branches, library)
    outcomes = []
    for code, table, made_of in _asked(root, edition, branches, library):
        if table in fresh.get(code, {}):
            continue
        here = root / RELEASED / edition.edition_id / code
        done = records(here)
        try:
            released = released_table(root, edition, branches[code], table)
        except DataError as error:
            outcomes.append(Outcome(code, table, refused=error))
            continue
        secret = tuple(released.secret.itertuples(index=False, name=None))
        reveals = _reveals(root, edition, branches[code], table, released)
        content = released.table.to_csv(index=False, lineterminator="\n").encode()
        sha256 = fingerprint.bytes_sha256(content)
        done[table] = {"made_of": made_of, "sha256": sha256, "secret": dict(secret)}
        done[table]["own_years"] = list(released.own_years)
        _record(here, done)
        folders.write(here / f"{table}.csv", content)
        if table == "employment":
            lines = ["branch_code,metier_code", *(f"{code},{metier}" for metier, _ in secret)]
            folders.write(here / project.SECRET, "\n".join([*lines, ""]).encode())
        outcomes.append(Outcome(code, table, secret, reveals=reveals))
    return outcomes


def _reveals(
    root: Path, edition: EditionParams, branch: BranchParams, table: str, released: "Released"
) -> tuple[str, ...]:
    """Name what a reader learns who has also seen what this very edition told before.

    It may be a draft that nobody saw: this is for its owner to say.
    """
    from opmq_lib.methods.disclosure import employment as disclosure
    from opmq_lib.methods.disclosure.rules import given
    from opmq_lib.sources.table_files import read_supplied

    here = root / RELEASED / edition.edition_id / branch.branch_code
    was = records(here).get(table, {}).get("secret", {})
    no_longer = sorted({*was} - {*released.secret.iloc[:, 0]})
    own = read_supplied(root / branch.tables.paths()[table], table, branch.branch_code)
    try:
        told = _told(root, [edition.edition_id], branch.branch_code, table)
        own = own[own["origin"].ne("public")]
        disclosure.refuse_revisions(own, released.table, told, given(edition.disclosure))
    except DataError as error:
        return (*no_longer, *(each.where for each in error.defects))
    return tuple(no_longer)


def adopt(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], library: Library
) -> None:
    """Take the released tables of an archive as they are: the tables that they come from are not.

    Files stand for those, empty, so that runs can be planned; no notebook can read them.
    """
    for branch in branches.values():
        for path in branch.tables.paths().values():
            if not (root / path).is_file():
                folders.write(root / path, b"")
    for code, table, made_of in _asked(root, edition, branches, library):
        here = root / RELEASED / edition.edition_id / code
        if (file := here / f"{table}.csv").is_file():
            told = {"made_of": made_of, "sha256": fingerprint.file_sha256(file), "secret": {}}
            _record(here, records(here) | {table: told})


def _record(here: Path, done: Mapping[str, Any]) -> None:
    """Record what was released, for its owner: which companies are few, and the own table's sum."""
    folders.write(here / RECORD, json.dumps(done, indent=1).encode(), private=True)


def records(here: Path) -> dict[str, Any]:
    """Return what was released of a branch, by table; nothing if the record cannot be read."""
    try:
        found = json.loads((here / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def secret_before(root: Path, edition_id: str, branch_code: str, table: str) -> set[str]:
    """Return what was secret in a table of a branch in other editions."""
    return {
        name
        for here in (root / RELEASED).glob(f"*/{branch_code}")
        if here.parent.name != edition_id
        for name in records(here).get(table, {}).get("secret", {})
    }


def told_before(root: Path, edition_id: str, branch_code: str, table: str) -> dict[str, Path]:
    """Return a table of a branch as it was released in other editions, by edition."""
    paths = sorted((root / RELEASED).glob(f"*/{branch_code}/{table}.csv"))
    return {path.parts[-3]: path for path in paths if path.parts[-3] != edition_id}


def _told(
    root: Path, edition_ids: Iterable[str], branch_code: str, table: str
) -> dict[str, "pd.DataFrame"]:
    """Return what editions told of a branch in a table, and of its own in the other one."""
    from opmq_lib.sources.table_files import read_released

    found = {}
    for edition_id, each in product(edition_ids, TABLES):
        here = root / RELEASED / edition_id / branch_code
        if (path := here / f"{each}.csv").is_file():
            rows = read_released(path, each, branch_code)
            own_years = records(here).get(each, {}).get("own_years", rows["year"])  # or all of them
            is_told = rows["year"].isin(own_years) | (each == table)
            found[edition_id if each == table else f"{edition_id} ({each})"] = rows[is_told]
    return found


def _used_before(root: Path, edition_id: str, branch_code: str, table: str) -> set[str]:
    """Return the other editions of which some run has read such a released table."""
    return {
        path.parent.name
        for path in (root / "outputs").glob(f"*/{ledger.LEDGER}")
        if path.parent.name != edition_id
        and f'"{RELEASED}/{path.parent.name}/{branch_code}/{table}.csv"'.encode()
        in path.read_bytes()
    }


def _files(table: str) -> list[str]:
    """Return the names of the files that a released table is written in."""
    return [f"{table}.csv", *([project.SECRET] if table == "employment" else [])]


def _asked(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], library: Library
) -> Iterator[tuple[str, str, str]]:
    """Yield branch, table and hash of all that its release is made of."""
    made_with = None
    for code, branch in branches.items():
        for table, path in branch.tables.paths().items():
            if table not in TABLES or not (root / path).is_file():
                continue
            made_with = made_with or fingerprint.json_sha256(library.reached(MADE_WITH))
            rules = edition.disclosure and edition.disclosure.model_dump(mode="json")
            before = sorted(secret_before(root, edition.edition_id, code, table))
            told = [
                path
                for each in TABLES
                for path in told_before(root, edition.edition_id, code, each).values()
            ]
            named = [root / each for name, each in branch.tables.paths().items() if name in TABLES]
            files = [fingerprint.file_sha256(each) for each in (*named, *told) if each.is_file()]
            parts = [made_with, rules, before, *files]
            yield code, table, fingerprint.json_sha256(parts)


def released_table(
    root: Path, edition: EditionParams, branch: BranchParams, table: str
) -> "Released":
    """Return a table of a branch as it may be published, what is secret in it, and its audit.

    Raises:
        DataError: If the table is not as it should be, or nothing of it may be published.
    """
    from opmq_lib.methods.disclosure import employment as disclosure
    from opmq_lib.methods.disclosure.rules import given
    from opmq_lib.sources.table_files import read_supplied

    rules = given(edition.disclosure)
    code, paths = branch.branch_code, branch.tables.paths()
    own = {each: read_supplied(root / paths[each], each, code) for each in TABLES if each in paths}
    if len(own) == len(TABLES):
        disclosure.refuse_disagreement(own["employment"], own["branch_totals"], rules)
    told = told_before(root, edition.edition_id, code, table)
    ConfidentialityError.refuse(
        Defect(
            f"{RELEASED}/{edition_id}/{code}",
            f"no longer says what was published of {table}, or what was secret in it",
            f"{table}.csv and {RECORD}, as that edition wrote them",
            "put the folder of that edition back as it was",
        )
        for edition_id in sorted({*told, *_used_before(root, edition.edition_id, code, table)})
        if edition_id not in told or table not in records(told[edition_id].parent)
    )
    before = secret_before(root, edition.edition_id, code, table)
    others = {path.parent.name for path in (root / RELEASED).glob(f"*/{code}")}
    earlier = _told(root, sorted(others - {edition.edition_id}), code, table)
    method = disclosure.release if table == "employment" else disclosure.release_totals
    return method(own[table], rules, before, earlier)
