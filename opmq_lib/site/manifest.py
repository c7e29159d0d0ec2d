"""What an edition has to publish: its branches, the last run of each notebook, their files.

Only what the parameters still ask for is looked at. Reading refuses what is not known to be
publishable: a run on a user's own data, a run or a table that does not say where its data come
from, a file that is not the one the ledger recorded.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.params import BranchParams, EditionParams
from opmq_lib.runs import origin
from opmq_lib.show import french
from opmq_lib.sources import embedded, ledger, parameters

COMMON = "commun"
CONSOLIDATION = "10_consolidation"
DRAFT = "brouillon"


@dataclass(frozen=True)
class Run:
    """One notebook of one branch, as it can be published.

    Attributes:
        branch_code: The branch, or `COMMON`.
        notebook: Name of the template, without its ending.
        status: `ok`, `failed` (the last run failed) or `missing` (never run).
        folder: Where its files are.
        files: Names of its files, the notebook first; empty unless `ok`.
        record: Its line of the ledger; empty when `missing`.
    """

    branch_code: str
    notebook: str
    status: Literal["ok", "failed", "missing"]
    folder: Path
    files: tuple[str, ...]
    record: dict[str, Any]

    @property
    def date(self) -> str:
        """Day of the run, ISO."""
        return str(self.record.get("started_at", ""))[:10]


@dataclass(frozen=True)
class Branch:
    """One branch and the last run of each of its notebooks, by notebook."""

    code: str
    label: str
    conventions: tuple[str, ...]
    has_portrait: str
    runs: dict[str, Run]


@dataclass(frozen=True)
class Manifest:
    """Everything the site of an edition is made of."""

    edition_id: str
    title: str
    edition_date: date
    base_year: int
    horizon_years: int
    scenarios: tuple[str, ...]
    branches: tuple[Branch, ...]
    common: dict[str, Run]
    sources: pd.DataFrame
    is_fictitious: bool = False


def read(root: Path, demo: EditionParams | None = None) -> Manifest:
    """Return what the edition under `root` has to publish.

    Args:
        root: The project.
        demo: The edition of a demonstration, in place of the true one: it alone may rest on
            fictitious registers.

    Raises:
        ConfidentialityError: Listing every run that is not known to be publishable.
        DataError: If the parameters of the edition or of a branch are wrong.
    """
    edition = demo or parameters.load_edition(root)
    allowed = (origin.PUBLIC,) if demo is None else (origin.PUBLIC, origin.FICTITIOUS)
    branches = parameters.load_branches(root)
    folder = root / "outputs" / edition.edition_id
    planned = _planned(branches, _templates(root))
    records = {
        (code, name): record
        for (code, name), record in ledger.latest(folder / ledger.LEDGER).items()
        if name in planned.get(code, ())
    }
    refuse_own(records.values(), allowed)
    runs = {key: _run(folder, *key, record) for key, record in records.items()}
    done = [run for run in runs.values() if run.status == "ok"]
    refuse_changed(done)
    refuse_own_tables(done, allowed)

    def of(branch_code: str, always: Iterable[str] = ()) -> dict[str, Run]:
        return {
            name: runs.get((branch_code, name)) or _missing(folder, branch_code, name)
            for name in sorted({*planned[branch_code], *always})
        }

    portraits = embedded.load("branches").set_index("branch_code")["portrait_2020"]
    return Manifest(
        edition_id=edition.edition_id,
        title=edition.title,
        edition_date=edition.edition_date,
        base_year=edition.base_year,
        horizon_years=edition.horizon_years,
        scenarios=tuple(
            f"{french.label(scenario.label)} ({scenario.basis})"
            for code, scenario in parameters.load_scenarios(root).items()
            if code in edition.scenario_codes
        ),
        branches=tuple(
            Branch(
                code=code,
                label=french.label(branch.label),
                conventions=branch.idcc_codes,
                has_portrait=str(portraits[code]),
                runs=of(code),
            )
            for code, branch in branches.items()
        ),
        common=of(COMMON, always=[CONSOLIDATION]),
        sources=embedded.load("sources"),
        is_fictitious=demo is not None,
    )


def refuse_own(
    records: Iterable[dict[str, Any]], allowed: Collection[str] = (origin.PUBLIC,)
) -> None:
    """Refuse runs that are not known to rest on public data only.

    Raises:
        ConfidentialityError: Listing every such run; nothing of it is shown, only its names.

    Examples:
        >>> refuse_own([{"branch_code": "chimie", "notebook": "01_emplois", "origin": "public"}])
    """
    defects = [
        Defect(
            where=f"{record['branch_code']}/{record['notebook']}",
            what=(
                "rests on your own data"
                if record.get("origin") == "own"
                else "rests on fictitious data"
                if record.get("origin") == origin.FICTITIOUS
                else "does not say where its data come from"
            ),
            expected='a run recorded with origin "public"',
            fix=f"keep it in JupyterLab; to publish it, {_way_out(record['branch_code'])}",
        )
        for record in records
        if record.get("origin") not in allowed
    ]
    if defects:
        raise ConfidentialityError(defects)


def refuse_changed(runs: Iterable[Run]) -> None:
    """Refuse files that are not those the ledger recorded.

    Raises:
        ConfidentialityError: Listing every file missing or changed since its run.
    """
    defects = [defect for run in runs for defect in _changed(run)]
    if defects:
        raise ConfidentialityError(defects)


def refuse_own_tables(runs: Iterable[Run], allowed: Collection[str] = (origin.PUBLIC,)) -> None:
    """Refuse tables with a row that is not public, whatever the ledger says of their run.

    Raises:
        ConfidentialityError: Listing every such table; nothing of it is shown, only its name.
    """
    defects = [
        Defect(
            where=f"{run.branch_code}/{run.notebook}/{name}",
            what="a row, or the whole table, does not say that it is public",
            expected=f"a column `{origin.COLUMN}` with `{origin.PUBLIC}` in every row",
            fix="keep it in JupyterLab; to publish it, let it rest on public data only, with that "
            f"column, and run opmq run --branch {run.branch_code} --notebook {run.notebook} "
            "--force",
        )
        for run in runs
        for name in run.files
        if name.endswith(".csv") and not origin.is_public(run.folder / name, allowed)
    ]
    if defects:
        raise ConfidentialityError(defects)


def read_file(run: Run, name: str) -> bytes:
    """Return a file of a run as it was recorded.

    Raises:
        ConfidentialityError: If it is no longer that file: a run may have ended since the manifest
            was read.
    """
    content = _content(run, name)
    if content is None or _sha256(content) != run.record["outputs"][name]:
        raise ConfidentialityError(_changed(run))
    return content


def refuse_drafts(manifest: Manifest) -> None:
    """Refuse to release branches that no CPNEFP has validated: today, every one.

    Raises:
        ConfidentialityError: Listing the branches.
    """
    raise ConfidentialityError(
        Defect(
            where=f"branch {branch.code}",
            what="cannot be released",
            expected="the state publiable, reached by a dated vote of its CPNEFP",
            fix="build the draft preview instead, without --release",
            value=DRAFT,
        )
        for branch in manifest.branches
    )


def _changed(run: Run) -> Iterator[Defect]:
    for name, expected in run.record["outputs"].items():
        content = _content(run, name)
        if content is None or _sha256(content) != expected:
            yield Defect(
                where=f"{run.branch_code}/{run.notebook}/{name}",
                what="is missing" if content is None else "is not the file that the run wrote",
                expected="the file recorded in runs.jsonl",
                fix=f"opmq run --branch {run.branch_code} --notebook {run.notebook} --force",
            )


def _way_out(branch_code: str) -> str:
    if branch_code == COMMON:
        return "publish no branch that rests on your own data, and run `opmq run` again"
    return (
        f"set each of `tables:` to null in parameters/branches/{branch_code}.yml and run "
        "`opmq run` again"
    )


def _content(run: Run, name: str) -> bytes | None:
    path = run.folder / name
    return path.read_bytes() if path.is_file() else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _planned(
    branches: Mapping[str, BranchParams], scopes: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the notebooks that the parameters ask for, by branch and for all of them together."""
    common = tuple(name for name, scope in scopes.items() if scope == "common")
    return {COMMON: common} | {
        code: tuple(name for name in branch.notebooks if scopes.get(name) == "branch")
        for code, branch in branches.items()
    }


def _run(folder: Path, branch_code: str, notebook: str, record: dict[str, Any]) -> Run:
    done = record["status"] == "ok"
    own_name = f"{notebook}.ipynb"
    files = sorted(record["outputs"], key=lambda name: (name != own_name, name)) if done else []
    return Run(
        branch_code,
        notebook,
        "ok" if done else "failed",
        folder / branch_code / notebook,
        tuple(files),
        record,
    )


def _missing(folder: Path, branch_code: str, notebook: str) -> Run:
    return Run(branch_code, notebook, "missing", folder / branch_code / notebook, (), {})


def _templates(root: Path) -> dict[str, str]:
    """Return the scope of every template, `branch` or `common`, by name."""
    metadata = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["metadata"]
        for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    }
    return {name: found["opmq"]["scope"] for name, found in metadata.items() if "opmq" in found}
