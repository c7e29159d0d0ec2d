"""Where each branch of an edition stands, and which of its figures changed since it was decided.

The tables of a step are copied to `outputs/validated/<edition_id>/<branch_code>/<version>/`: the
record has their hashes alone. A copy that is missing or is not what was decided is not compared.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opmq_lib.params import BranchParams
from opmq_lib.runs import fingerprint, folders
from opmq_lib.sources import ledger, states
from opmq_lib.sources.states import Standing, Step

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "outputs/validated"


def standings(
    root: Path, edition_id: str, branches: Mapping[str, BranchParams]
) -> dict[str, Standing]:
    """Return where every branch stands that has a record; the others are drafts.

    Raises:
        SchemaError: If the record is damaged.
    """
    steps = states.read(root, edition_id)
    last = ledger.latest(root / "outputs" / edition_id / ledger.LEDGER) if steps else {}
    return {
        code: states.standing(steps[code], states.published(last, code, branch.notebooks))
        for code, branch in branches.items()
        if code in steps
    }


def keep(root: Path, edition_id: str, step: Step) -> None:
    """Copy the tables of a step, for comparison with what they become."""
    results = root / "outputs" / edition_id / step.branch_code
    copies = _copies(root, edition_id, step)
    for name in step.tables:
        folders.write(copies / name, (results / name).read_bytes())


def changes(
    root: Path, edition_id: str, now: Standing
) -> Iterator[tuple[str, "pd.DataFrame | None"]]:
    """Yield each table that is no longer what was decided, with its cells that changed.

    Yields:
        Its name, and `methods.revisions.changes`; `None` where the copy is not there.
    """
    from opmq_lib.methods import revisions

    if now.step is None:
        return
    results = root / "outputs" / edition_id / now.step.branch_code
    copies = _copies(root, edition_id, now.step)
    for name in now.changed:
        copy, here = copies / name, results / name
        is_known = copy.is_file() and fingerprint.file_sha256(copy) == now.step.tables.get(name)
        if is_known and here.is_file():
            before, after = (revisions.read(path.read_bytes()) for path in (copy, here))
            yield name, revisions.changes(before, after)
        else:
            yield name, None


def _copies(root: Path, edition_id: str, step: Step) -> Path:
    return root / FOLDER / edition_id / step.branch_code / str(step.version)
