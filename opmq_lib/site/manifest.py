"""What an edition has to publish: its branches, the last run of each notebook, their files.

Reading refuses what is not known to be publishable: a run on a user's own data, a run that does
not say where its data come from, a file that is not the one the ledger recorded.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from opmq_lib import french
from opmq_lib.edition import ledger
from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.sources import embedded, parameters

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


def read(root: Path) -> Manifest:
    """Return what the edition under `root` has to publish.

    Raises:
        ConfidentialityError: Listing every run that is not known to be publishable.
        DataError: If the edition's parameters are wrong.
    """
    edition = parameters.load_edition(root)
    folder = root / "outputs" / edition.edition_id
    records = ledger.latest(folder / "runs.jsonl")
    refuse_own(records.values())
    scopes = _templates(root)
    runs = {key: _run(folder, *key, record) for key, record in records.items()}
    refuse_changed(run for run in runs.values() if run.status == "ok")

    def of(branch_code: str, scope: str, always: Iterable[str] = ()) -> dict[str, Run]:
        names = {*always, *(name for name, its_scope in scopes.items() if its_scope == scope)}
        names |= {name for code, name in runs if code == branch_code}
        return {
            name: runs.get((branch_code, name)) or _missing(folder, branch_code, name)
            for name in sorted(names)
        }

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
                code=row["branch_code"],
                label=french.label(row["label"]),
                conventions=tuple(row["idcc_2026_codes"].split()),
                has_portrait=row["portrait_2020"],
                runs=of(row["branch_code"], "branch"),
            )
            for row in embedded.load("branches").to_dict("records")
        ),
        common=of(COMMON, "common", always=[CONSOLIDATION]),
        sources=embedded.load("sources"),
    )


def refuse_own(records: Iterable[dict[str, Any]]) -> None:
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
                else "does not say where its data come from"
            ),
            expected='a run recorded with origin "public"',
            fix=(
                "keep it in JupyterLab; to publish the branch, set `tables: {employment: null}` "
                f"in parameters/branches/{record['branch_code']}.yml and run `opmq run` again"
            ),
        )
        for record in records
        if record.get("origin") != "public"
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
        path = run.folder / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if found != expected:
            yield Defect(
                where=f"{run.branch_code}/{run.notebook}/{name}",
                what="is not the file that the run wrote" if found else "is missing",
                expected="the file recorded in runs.jsonl",
                fix=f"opmq run --branch {run.branch_code} --notebook {run.notebook} --force",
            )


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
