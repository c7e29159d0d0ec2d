"""Commands on official data: sources list, load, check, fetch."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opmq_lib.cli.app import Json, app, print_json

if TYPE_CHECKING:
    from opmq_lib.sources.updates import Change

sources_app = typer.Typer(
    help="Official files: what is loaded, newer ones to load.", no_args_is_help=True
)
app.add_typer(sources_app, name="sources")

Name = Annotated[str, typer.Argument(help="A loader, such as bmo: see `opmq sources list`.")]


@sources_app.command("list")
def sources_list(json: Json = False) -> None:
    """List the files that can be loaded, where they are published, and what is loaded.

    Example: opmq sources list
    """
    from opmq_lib.sources import official, project, updates

    root = project.find_root()
    loaded = official.index(root)
    today, rows = datetime.now(tz=UTC).date(), []
    for name, module in updates.LOADERS.items():
        about = module.PRODUCER
        rows.append(
            {
                "loader": name,
                "title": about.title,
                "producer": about.producer,
                "verified": about.verified,
                "published": about.page,
                "licence": about.licence,
                "files": [Path(place).name for place in about.files.values()],
                "tables": list(about.tables),
                "loaded": [
                    f"{table} {each['edition']} ({_age(each['read_on'], today)})"
                    for table, each in loaded.items()
                    if each["loader"] == name
                ],
            }
        )
    if json:
        print_json(rows)
        return
    for row in rows:
        unsure = "" if row["verified"] else " (non vérifié sur fichier réel)"
        print(f"{row['loader']}: {row['title']} – {row['producer']}{unsure}")
        print(f"  published  {row['published']}; {row['licence']}")
        for key in ("files", "tables", "loaded"):
            print(f"  {key:<10} {', '.join(row[key]) or 'as the library has it'}")


def _age(read_on: str, today: date) -> str:
    """Return how long ago something was read.

    Examples:
        >>> _age("2026-03-01", date(2026, 3, 4))
        'read 3 days ago'
    """
    return f"read {(today - date.fromisoformat(read_on)).days} days ago"


@sources_app.command("load")
def sources_load(
    name: Name,
    files: Annotated[list[Path], typer.Argument(help="The producer's files, or their folder.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write; else only say.")] = False,
) -> None:
    """Read files of a producer and say what they would change; with --apply, change it.

    Example: opmq sources load bmo Base_open_data_BMO_2026.xlsx --apply
    """
    from opmq_lib.sources import project, updates

    root = project.find_root()
    module = updates.loader(name)
    loaded = module.load(updates.named(module.PRODUCER, files))
    found = updates.changes(loaded, root)
    for change in found:
        _print_change(change)
    unsure = (
        [] if module.PRODUCER.verified else ["non vérifié sur fichier réel (documented layout)"]
    )
    for notice in [*unsure, *updates.notices(found, root)]:
        print(f"Note: {notice}", file=sys.stderr)
    if not found:
        print("Nothing to load: give more of its files (`opmq sources list`).", file=sys.stderr)
        raise typer.Exit(2)
    if apply:
        updates.apply(name, found, root)
        print(f"Loaded    {len(found)} tables; `opmq status` says what is to run again.")
    else:
        print("Nothing was written; add --apply to load them.")


@sources_app.command("check")
def sources_check(json: Json = False) -> None:
    """Check every official table against its contract, other tables and published totals.

    Example: opmq sources check
    """
    from dataclasses import asdict

    from opmq_lib.sources import project, soundness

    defects = soundness.defects(project.find_root())
    if json:
        print_json([asdict(defect) for defect in defects])
    else:
        print(*defects, sep="\n", end="\n" * bool(defects))
        print(f"{len(soundness.CHECKS)} kinds of checks; defects: {len(defects) or 'none'}.")
    raise typer.Exit(int(bool(defects)))


@sources_app.command("fetch")
def sources_fetch(
    name: Name,
    address: Annotated[
        str | None,
        typer.Option("--from", help="Address of the file; after # its sha256, if known."),
    ] = None,
) -> None:
    """Fetch the files of a producer into data/downloads/, going on where a try was cut.

    Example: opmq sources fetch portraits_metiers
    """
    from opmq_lib.errors import SchemaError
    from opmq_lib.sources import fetching, project, updates

    root = project.find_root()
    about = updates.loader(name).PRODUCER
    addresses = [address] if address else list(about.addresses.values())
    if not addresses:
        names = " or ".join(dict.fromkeys(Path(place).name for place in about.files.values()))
        what, expected = "its producer gives it a new address each time", f"{names}, by hand"
        fix = (
            f"open {about.page} and download it, then: opmq sources load {name} FILE; "
            f"or copy the address of its link: opmq sources fetch {name} --from ADDRESS"
        )
        raise SchemaError.of(name, what, expected, fix)
    folder = root / fetching.FOLDER / name
    for each in addresses:
        got = fetching.fetch(each, folder)
        resumed = f", resumed at byte {got.resumed_at}" if got.resumed_at else ""
        print(f"Fetched   {got.path.relative_to(root)} (sha256 {got.sha256}{resumed})")
    print(f"Next      opmq sources load {name} {folder.relative_to(root)}")


def _print_change(change: "Change") -> None:
    record = change.provenance
    before = "new" if change.before is None else f"{change.before} rows now"
    years = f" {change.years}" if change.years else ""
    print(
        f"{change.table}{years}: {len(change.frame)} rows ({before}): {change.added} added, "
        f"{change.removed} removed, {change.changed} changed"
    )
    dropped = ", ".join(f"{count} {reason}" for reason, count in record.dropped.items() if count)
    print(
        f"  read {record.rows_read} of {', '.join(record.files)}; kept {record.rows_kept}"
        + (f"; left out: {dropped}" if dropped else "")
    )
    if record.unknown:
        print(f"  columns that no layout declares: {', '.join(record.unknown)}", file=sys.stderr)
