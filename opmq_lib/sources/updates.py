"""Load producers' files into a project: what would change, then all of it at once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from json import dumps
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, SchemaError, did_you_mean, refuse
from opmq_lib.show import french
from opmq_lib.sources import embedded, official, parameters, project, soundness
from opmq_lib.sources.loading import Loaded, Producer, Provenance, span
from opmq_lib.sources.producers import (
    basins,
    bmo,
    certifinfo,
    conventions,
    dares_2030,
    dares_branches,
    dares_portraits,
    esco,
    fap2021,
    france_competences,
    hires,
    rome,
    tension_2021,
    urssaf,
)

LOADERS: Final[Mapping[str, ModuleType]] = {
    each.PRODUCER.name: each
    for each in (
        *(bmo, dares_portraits, dares_branches, dares_2030, tension_2021, fap2021, conventions),
        *(hires, basins, rome, certifinfo, france_competences, esco, urssaf),
    )
}
"""Loaders by name; a new one is one word here."""
_BY_YEAR: Final = ("recruitment_intentions",)
"""Tables of several editions: a load replaces its years and leaves the others."""
_BY_KEY: Final = ("metiers", "regions", "naf", "romes")
"""Tables of labels: a load replaces its codes and leaves the others."""
_SOURCES: Final = "sources"
_NAMED: Final = 20


class Change(NamedTuple):
    """What a load would do to one table.

    Attributes:
        table: Its name.
        frame: As it would be.
        before: Rows that it has now; `None` if the project has no such table.
        added: Rows whose key is new.
        removed: Rows whose key would be gone.
        changed: Rows that would say something else.
        years: First and last year, `""` where it has none.
        provenance: What was read.
    """

    table: str
    frame: pd.DataFrame
    before: int | None
    added: int
    removed: int
    changed: int
    years: str
    provenance: Provenance


def loader(name: str) -> ModuleType:
    """Return a loader by its name.

    Raises:
        SchemaError: If there is none; says which was probably meant.
    """
    if name not in LOADERS:
        fix = did_you_mean(name, LOADERS) or "see `opmq sources list`"
        expected = f"one of {', '.join(LOADERS)}"
        raise SchemaError.of("sources", "no such loader", expected, fix, name)
    return LOADERS[name]


def named(producer: Producer, given: Iterable[Path]) -> dict[str, Path]:
    """Return files by what they are to their loader, known by their names.

    Args:
        producer: Of the loader.
        given: Files, or folders that hold them.

    Raises:
        SchemaError: With every file that is none of the loader's, or that is there twice.
    """
    paths = [
        path
        for each in given
        for path in (sorted(each.rglob("*")) if each.is_dir() else [each])
        if not each.is_dir() or _name(producer, path)
    ]
    found: dict[str, Path] = {}
    errors = []
    usual = ", ".join(Path(place).name for place in producer.files.values())
    for path in paths:
        name = _name(producer, path) or (
            next(iter(producer.files)) if len(paths) == 1 and len(producer.files) == 1 else ""
        )
        if not name or name in found:
            what = f"a second file like {found[name].name}" if name else "not a file of this loader"
            fix = "leave one out" if name else "rename the file as its producer does"
            if not name and path.suffix.casefold() == ".zip":
                fix = "unpack it and give the file within"
            errors.append(SchemaError.of(path.name, what, usual, fix))
        found.setdefault(name, path)
    refuse(errors)
    if not found:
        raise SchemaError.of(producer.name, "no file given", usual, "name the files, or a folder")
    return found


def _name(producer: Producer, path: Path) -> str:
    """Return which file of a loader a path is, by its name; `""` if none."""
    matching = (
        name
        for name, place in producer.files.items()
        if fnmatch(path.name.casefold(), Path(place).name.casefold())
    )
    return next(matching, "")


def changes(loaded: Loaded, root: Path) -> list[Change]:
    """Return what a load would do to the tables of a project, each checked against its contract.

    Raises:
        DataError: With every defect of every table.
    """
    found, errors = [], []
    for table, (frame, record) in loaded.items():
        try:
            found.append(_change(table, frame, record, root))
        except DataError as error:
            errors.append(error)
    refuse(errors)
    return found


def notices(found: Sequence[Change], root: Path) -> list[str]:
    """Return what to mind before a load: codes that no other table knows, a base year left behind.

    Args:
        found: From `changes`.
        root: The project.
    """
    frames = {change.table: change.frame for change in found}
    feeds = {table: name for name, each in LOADERS.items() for table in each.PRODUCER.tables}

    names = {*embedded.tables(), *frames}

    def load(table: str) -> pd.DataFrame:
        return frames[table] if table in frames else embedded.load(table, root)

    told = [
        f"codes of {table} that {other} does not know ({len(codes)}): "
        f"{', '.join(codes[:_NAMED])}{', …' if len(codes) > _NAMED else ''}; "
        f"load the edition of {other} that goes with it ({feeds.get(other, 'parameters')})"
        for table, other, codes in soundness.unknown_codes(load, names, frames)
    ]
    told += [
        f"{change.table} would go back from {until} to {change.years[-4:]}: an older edition"
        for change in found
        if change.before and (until := _years(embedded.load(change.table, root))[-4:])
        if change.years[-4:] < until
    ]
    base_year = parameters.read_edition(root).get("base_year")
    if base_year is not None and "employment_national" in frames:
        last = int(frames["employment_national"]["year"].max())
        if last != base_year:
            told.append(
                f"employment now goes to {last}: the study stays in {base_year} until"
                f" `base_year` of parameters/edition.yml is {last}"
            )
    return told


def _change(table: str, frame: pd.DataFrame, record: Provenance, root: Path) -> Change:
    columns = [name for name in tables.DESCRIPTIONS[table] if name in frame]
    after, now = frame[columns], None
    where = ", ".join(record.files)
    key = tables.KEYS[table]
    if embedded.FOLDER.joinpath(f"{table}.csv").is_file() or table in official.index(root):
        now = embedded.load(table, root)
        after = _placed(table, after, now)
    if after.empty:
        what = f"no row for {table}: " + ", ".join(name for name, n in record.dropped.items() if n)
        raise SchemaError.of(where, what, "rows of the study's field", "give another edition")
    after = tables.check(table, after, where)
    years = _years(after)
    if now is None:
        return Change(table, after, None, len(after), 0, 0, years, record)
    old, new = (_lines(each, key, columns) for each in (now, after))
    both = old.index.intersection(new.index)
    changed = int((old.loc[both] != new.loc[both]).sum())
    added, removed = len(new) - len(both), len(old) - len(both)
    return Change(table, after, len(now), added, removed, changed, years, record)


def _placed(table: str, frame: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a load among those that it leaves."""
    if table in _BY_YEAR:
        left = now[~now["year"].isin(frame["year"])]
    elif table in _BY_KEY:
        key = tables.KEYS[table]
        known = pd.MultiIndex.from_frame(frame[key])
        left = now[~pd.MultiIndex.from_frame(now[key]).isin(known)]
    else:
        return frame
    order = ["nomenclature", "metier_code"] if table == "metiers" else tables.KEYS[table]
    return pd.concat([left, frame]).sort_values(order, kind="stable", ignore_index=True)


def _lines(frame: pd.DataFrame, key: Sequence[str], columns: Sequence[str]) -> pd.Series:
    """Return each row as one text, by its key."""
    shared = frame[[name for name in columns if name in frame]]
    hashes = pd.util.hash_pandas_object(shared.astype("str"), index=False)
    return pd.Series(hashes.to_numpy(), pd.MultiIndex.from_frame(frame[list(key)].astype("str")))


def apply(name: str, found: Sequence[Change], root: Path) -> None:
    """Write the tables of a load into a project: all of them, or none.

    Each file is named by its content; the index that names them is replaced last, at once.

    Args:
        name: Of the loader.
        found: From `changes`.
        root: The project.

    Raises:
        OSError: If something cannot be written; the project is then as it was.
    """
    folder = root / official.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    index = dict(official.index(root))
    found = [_joined(change, index.get(change.table, {})) for change in found]
    for change in found:
        written = _write(folder, change.table, change.frame)
        index[change.table] = {"file": written, "loader": name} | _told(change.provenance)
    index[_SOURCES] = {"file": _write(folder, _SOURCES, _sources(name, found, root)), "loader": ""}
    project.write(folder / official.INDEX, dumps(index, ensure_ascii=False, indent=1) + "\n")
    kept = {entry["file"] for entry in index.values()}
    for path in folder.glob("*.csv"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _joined(change: Change, entry: official.Entry) -> Change:
    """Return a change with the files of earlier loads, where the table keeps rows of them."""
    if change.table not in (*_BY_YEAR, *_BY_KEY):
        return change
    record = change.provenance
    files = {**entry.get("files", {}), **record.files}
    edition = change.years or record.edition
    return change._replace(provenance=record._replace(files=files, edition=edition))


def _write(folder: Path, table: str, frame: pd.DataFrame) -> str:
    text = as_csv(frame)
    name = f"{table}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.csv"
    project.write(folder / name, text)
    return name


def as_csv(table: pd.DataFrame) -> str:
    """Return the text of an official table: numbers in their shortest form."""
    texts = {
        str(name): ["" if cell != cell else repr(cell).removesuffix(".0") for cell in column]
        for name, column in table.select_dtypes("float64").items()
    }
    return table.assign(**texts).to_csv(index=False, lineterminator="\n")


def _told(record: Provenance) -> dict[str, Any]:
    return record._asdict() | {"read_on": record.read_on.isoformat()}


def _sources(name: str, found: Sequence[Change], root: Path) -> pd.DataFrame:
    """Return the table of sources with what was loaded: period, files.

    The day is in the index alone: what reads this table is not stale for a load that changes none.
    """
    rows = embedded.load(_SOURCES, root)
    known = {row["table"]: row for row in rows.to_dict("records")}
    producer: Producer = LOADERS[name].PRODUCER
    told: dict[str, dict[str, str]] = {}
    for change in found:
        if change.before is not None and not (change.added or change.removed or change.changed):
            continue
        record, table = change.provenance, change.table
        last = change.years[-4:]
        row = known.get(table, {})
        _, mark, part = row.get("title", "").partition(f"{french.NBSP}: ")
        note = f"Chargé : {', '.join(record.files)}."
        told[table] = {
            "source_code": row.get("source_code", f"{name}_{table}"),
            "table": table,
            "producer": producer.producer,
            "title": producer.title + (mark + part) * (mark not in producer.title),
            "period": change.years or record.edition,
            "data_date": f"{last}-12-31" if last else "",
            "licence": producer.licence,
            "current_version": row.get("current_version", producer.page),
            "note": note if producer.verified else f"{note} Non vérifié sur fichier réel.",
        }
    new = pd.DataFrame(told.values(), columns=rows.columns)
    others = rows[~rows["table"].isin(new["table"])]
    return pd.concat([others, new], ignore_index=True)


def _years(frame: pd.DataFrame) -> str:
    """Return the years that a table is about, `2023–2025`; `""` if it says none.

    Examples:
        >>> _years(pd.DataFrame({"year": [2025, 2023]})), _years(pd.DataFrame({"x": [1]}))
        ('2023–2025', '')
    """
    if "period" in frame:
        middles = frame["period"].str[:4].astype("int64") + 1
    elif "year" in frame or "base_year" in frame:
        middles = frame["year" if "year" in frame else "base_year"]
    else:
        return ""
    return span(middles)
