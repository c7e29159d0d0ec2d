"""Tell how much each cause of a change weighs: run again, with one cause replaced at a time.

From the earlier archive to the later one, in the order of `compare.STEPS`: versions of libraries,
revised data, new data and the years that follow them, parameters; the method has what is left. The
parts add up to the change. Another order would share otherwise what two causes do together. What
cannot be run half replaced is told with the step after it.

The code of both archives is executed: take those whose origin you trust.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pandas as pd
import yaml

from opmq_lib.errors import DataError, Defect
from opmq_lib.methods import revisions
from opmq_lib.runs import fingerprint, release
from opmq_lib.runs.editions import archive, compare, rebuild
from opmq_lib.runs.editions.compare import STEPS, Edition, Kind, Read
from opmq_lib.runs.plan import RunId
from opmq_lib.sources import ledger, official

_DATA: Final = (fingerprint.EMBEDDED, f"{release.RELEASED}/")
_FOLLOW: Final = ("base_year", "horizon_years")


def told_apart(before: Edition, after: Edition, workers: int) -> pd.DataFrame:
    """Return what `compare.changes` does, with the part of each cause where there are several.

    Args:
        before: The earlier edition, from its archive.
        after: The later one, from its archive.
        workers: Notebooks executed at a time.

    Raises:
        DataError: If one is no archive, or the later one was made with other versions than these.
    """
    here, defects = dict(fingerprint.versions()), list[Defect]()
    for each in (before, after):
        if each.path is None:
            fix = f"freeze it: opmq edition freeze {each.name}"
            defects.append(Defect(each.name, "is no archive", "an archive to run again", fix))
    made = {name for record in after.records.values() for name in record["versions"].items()}
    if other := sorted(name for name, version in made if here.get(name) != version):
        fix = "install the packages of its requirements.lock, then compare again"
        what = f"was made with other versions of {', '.join(other)} than these"
        defects.append(Defect(after.name, what, "the same versions", fix))
    DataError.refuse(defects)
    kinds = {id_: {each.kind for each in found}
             for id_, found in compare.causes(before, after).items()}  # fmt: skip
    asked = {id_: found for id_, found in kinds.items() if len(found) > 1}
    with TemporaryDirectory(prefix="opmq-") as name:
        steps = dict[Kind, Read]()
        for kind in (each for each in STEPS[:-1] if any(each in found for found in asked.values())):
            steps[kind] = _step(kind, before, after, asked, Path(name) / kind, workers)
        return compare.changes(before, after, steps)


def _step(  # noqa: PLR0913 - what is run, half of one edition and half of another
    kind: Kind,
    before: Edition,
    after: Edition,
    asked: Iterable[RunId],
    folder: Path,
    workers: int,
) -> Read:
    """Run an edition with the causes up to one replaced; return what reads its results."""
    assert before.path
    assert after.path
    archive.extract(before.path, folder)
    root, place = folder / archive.PROJECT, STEPS.index(kind)
    if kind == "parameter":
        shutil.rmtree(root / "parameters")
        archive.extract(after.path, root / "parameters", f"{archive.PROJECT}/parameters/")
    elif kind == "new_data":
        _follow(root / compare.EDITION, after)
    if kind != "version":
        _replace(folder, before, after, is_whole=place > STEPS.index("revised_data"))
    rebuild.by_its_code(folder, asked, workers)
    name = yaml.safe_load((root / compare.EDITION).read_bytes())["edition_id"]
    return _reader(root / "outputs" / name)


def _replace(stage: Path, before: Edition, after: Edition, is_whole: bool) -> None:
    """Give an extracted edition the data of another: revised rows alone, or all."""
    records = (*before.records.values(), *after.records.values())
    read = {name.partition("#")[0] for each in records for name in each["inputs"]}
    names = {name for name in read if name.startswith(_DATA)}
    for name in sorted(names):
        was, now = before.read(name), after.read(name)
        content = now if is_whole or not (was and now) else _revised(was, now)
        part = archive.LIBRARY if name.startswith(fingerprint.EMBEDDED) else archive.PROJECT
        if content:
            path = stage / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    shutil.rmtree(stage / archive.PROJECT / official.FOLDER, ignore_errors=True)


def _revised(was: bytes, now: bytes) -> bytes:
    """Return a table of data as it is now, without the rows that are new."""
    rows = revisions.known_rows(revisions.read(was), revisions.read(now))
    return was if rows.empty else rows.to_csv(index=False, lineterminator="\n").encode()


def _follow(path: Path, after: Edition) -> None:
    """Move the years that follow the data."""
    text, new = path.read_text(encoding="utf-8"), yaml.safe_load(after.read(compare.EDITION) or b"")
    for name in _FOLLOW if yaml.safe_load(text)["base_year"] != new["base_year"] else ():
        text = re.sub(rf"(?m)^({name}): .*$", rf"\1: {new[name]}", text)
    path.write_text(text, encoding="utf-8")


def _reader(folder: Path) -> Read:
    done = ledger.latest(folder / ledger.LEDGER, "ok")

    def read(name: str) -> bytes | None:
        branch_code, notebook, _ = name.split("/", 2)
        path = folder / name
        return path.read_bytes() if (branch_code, notebook) in done and path.is_file() else None

    return read
