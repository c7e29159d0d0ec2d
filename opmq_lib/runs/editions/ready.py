"""Whether results may leave the project: up to date, whole, their own tables audited."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from opmq_lib.errors import ConfidentialityError, DataError, Defect
from opmq_lib.params import BranchParams, EditionParams
from opmq_lib.runs import freshness, hashes, library, release
from opmq_lib.runs.plan import COMMON
from opmq_lib.sources import ledger


def refuse_unready(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], codes: Collection[str]
) -> None:
    """Refuse to publish branches whose results are stale or failed, or whose tables are unaudited.

    Args:
        root: The project.
        edition: Its edition.
        branches: Every branch.
        codes: Those to publish; with all of them, what is common to all branches as well.

    Raises:
        ConfidentialityError: With every such run and table.
    """
    late = freshness.late(root, edition, branches)
    asked = {*codes, *([COMMON] if len(codes) == len(branches) else [])}
    stale = [defect for (code, _), defect in late.items() if code in asked]
    ConfidentialityError.refuse([*stale, *_unaudited(root, edition, branches, codes)])


def stale(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams]
) -> tuple[str, ...]:
    """Name the runs that have a result which is not up to date, and say why.

    Where nothing can be planned, whatever is shown may be stale: that is said instead.
    """
    known = ledger.latest(root / "outputs" / edition.edition_id / ledger.LEDGER, "ok")
    try:
        late = freshness.late(root, edition, branches)
    except DataError as error:
        return (f"all of them, perhaps: {error.defects[0]}",)
    return tuple(f"{each.where}: {each.what}" for id_, each in late.items() if id_ in known)


def _unaudited(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams], codes: Collection[str]
) -> Iterator[Defect]:
    """Say which own tables have rules of publication and are not released by them."""
    cache = root / "outputs" / edition.edition_id / hashes.CACHE
    modules = library.read(hashes.Hashes(cache))
    released = release.in_place(root, edition, branches, modules)
    for code in codes:
        for table in branches[code].tables.paths():
            if table in release.TABLES and table not in released.get(code, {}):
                fix = "see `opmq audit`, then `opmq run`"
                expected = "a released table that passed its audit"
                yield Defect(f"{code}, {table}", "own table that is not released", expected, fix)
