"""What an edition has to publish: its branches, the last run of each notebook, their files.

Only what the parameters still ask for is looked at. A run that rests on a user's own data is
withheld: its page says so, and the rest of the site is published. Reading refuses what is not known
to be publishable: a run or a table that does not say where its data come from, a file that is not
the one the ledger recorded.
"""

import hashlib
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.params import BranchParams, EditionParams
from opmq_lib.runs import fingerprint, hashes, library, origin, release
from opmq_lib.runs.editions import validated
from opmq_lib.runs.plan import COMMON
from opmq_lib.show import french
from opmq_lib.site import outputs, prepare
from opmq_lib.sources import embedded, ledger, parameters, states, study
from opmq_lib.sources.states import Standing

CONSOLIDATION = "10_consolidation"
_RELEASED = f"{release.RELEASED}/"

Status = Literal["ok", "failed", "missing", "withheld", "nv"]


@dataclass(frozen=True)
class Question:
    """What a template answers, as its own words and its metadata `opmq` say.

    Attributes:
        notebook: Name of the template, without its ending.
        scope: `branch` or `common`.
        title: Its name in menus, in French: `menu`, else its first heading.
        text: The question: `question`, else what stands under that heading.
        tables: Embedded tables behind it: `tables`, else those of the notebooks that it reads.
    """

    notebook: str
    scope: str
    title: str
    text: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One notebook of one branch, as it can be published.

    Attributes:
        branch_code: The branch, or `COMMON`.
        question: What it answers.
        status: `ok`, `failed` (the last run failed), `missing` (never run), `withheld` (it rests
            on the user's own data, whatever became of it) or `nv` (in a release, not validated).
        folder: Where its files are.
        files: Names of its files, the notebook first; empty unless `ok`.
        record: Its line of the ledger; empty when `missing`.
    """

    branch_code: str
    question: Question
    status: Status
    folder: Path
    files: tuple[str, ...]
    record: dict[str, Any]

    @property
    def notebook(self) -> str:
        """Name of the template, without its ending."""
        return self.question.notebook

    @property
    def name(self) -> str:
        """Branch and template, as messages show them."""
        return f"{self.branch_code}/{self.notebook}"

    @cached_property
    def tables(self) -> dict[str, dict[str, Any]]:
        """Columns of its result tables as the run wrote them, see `study.text_columns`."""
        names = [name for name in self.files if name.endswith(".csv")]
        return {Path(name).stem: study.text_columns(read_file(self, name)) for name in names}

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
    standing: Standing = states.NEW


@dataclass(frozen=True)
class Manifest:
    """Everything the site of an edition is made of; alone, it says nothing of other editions.

    Branches of which nothing was ever run have no page: `left_out` has their labels, unless nothing
    was run at all, or a release tells that they are not validated.
    """

    edition: EditionParams
    scenarios: tuple[str, ...]
    questions: dict[str, Question]
    branches: tuple[Branch, ...]
    common: dict[str, Run]
    sources: pd.DataFrame
    is_fictitious: bool = False
    is_release: bool = False
    is_alone: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def publishable(self) -> list[str]:
        """Codes of the branches that a release takes."""
        return [branch.code for branch in self.branches if branch.standing.is_publishable]

    @property
    def withheld(self) -> list[str]:
        """Labels of the branches of which some page is withheld."""
        held = [{run.status for run in branch.runs.values()} for branch in self.branches]
        pairs = zip(self.branches, held, strict=True)
        return [branch.label for branch, states in pairs if "withheld" in states]

    @cached_property
    def shown_sources(self) -> list[dict[Hashable, str]]:
        """Sources as pages show them: French typography and dates, no blank."""
        days = [french.day(day) if day else "sans date" for day in self.sources["data_date"]]
        shown = self.sources.map(french.label)
        return shown.assign(table=self.sources["table"], data_date=days).to_dict("records")

    @property
    def site_name(self) -> str:
        """Name of the folder of its site, in `outputs/`."""
        return "demo-site" if self.is_fictitious else ".archived-site" if self.is_alone else "site"

    @property
    def runs(self) -> Iterator[tuple[Branch | None, Run]]:
        """Every run, with its branch if it has one."""
        for branch in self.branches:
            yield from ((branch, run) for run in branch.runs.values())
        yield from ((None, run) for run in self.common.values())


def read(root: Path, demo: EditionParams | None = None, is_release: bool = False) -> Manifest:
    """Return what the edition under `root` has to publish.

    Args:
        root: The project.
        demo: The edition of a demonstration, in place of the true one: it alone may rest on
            fictitious registers.
        is_release: Whether only publishable branches are published; what is common to all, once
            they all are.

    Raises:
        ConfidentialityError: Listing every run and file that is not known to be publishable;
            nothing of them is shown, only their names. On a release, if no branch is publishable.
        DataError: If the parameters of the edition or of a branch are wrong.
    """
    edition = demo or parameters.load_edition(root)
    questions = _questions(root)
    folder = root / "outputs" / edition.edition_id
    records = ledger.latest(folder / ledger.LEDGER)
    branches = parameters.load_branches(root)
    for id_ in _on_former_releases(root, edition, branches, records):
        records[id_] = records[id_] | {"origin": "own"}

    def runs(code: str, scope: str, names: Iterable[str]) -> dict[str, Run]:
        asked = [each for name in sorted(names) if (each := questions.get(name))]
        return {
            each.notebook: _run(folder, code, each, records.get((code, each.notebook), {}))
            for each in asked
            if each.scope == scope
        }

    standings = {} if demo else validated.standings(root, edition.edition_id, branches)
    portraits = embedded.load("branches").set_index("branch_code")["portrait_2020"]
    in_order = sorted(branches.items(), key=lambda item: french.order(item[1].label))
    manifest = Manifest(
        edition=edition,
        scenarios=_scenarios(root, edition.scenario_codes),
        questions=questions,
        branches=tuple(
            Branch(
                code=code,
                label=french.label(branch.label),
                conventions=branch.idcc_codes,
                has_portrait=str(portraits[code]),
                runs=runs(code, "branch", branch.notebooks),
                standing=standings.get(code, states.NEW),
            )
            for code, branch in in_order
        ),
        common=runs(COMMON, "common", questions),
        sources=embedded.load("sources"),
        is_fictitious=demo is not None,
    )
    allowed = (origin.PUBLIC,) if demo is None else (origin.PUBLIC, origin.FICTITIOUS)
    ConfidentialityError.refuse(
        defect for _, run in manifest.runs for defect in _refusals(run, allowed)
    )
    return _for_release(manifest) if is_release else _without_never_run(manifest)


def read_file(run: Run, name: str) -> bytes:
    """Return a file of a run as it was recorded.

    Raises:
        ConfidentialityError: If it is no longer that file: a run may have ended since the manifest
            was read.
    """
    path = run.folder / name
    content = path.read_bytes() if path.is_file() else None
    if content is None or hashlib.sha256(content).hexdigest() != run.record["outputs"][name]:
        raise ConfidentialityError.of(
            where=f"{run.name}/{name}",
            what="is missing" if content is None else "is not the file that the run wrote",
            expected=f"the file recorded in {ledger.LEDGER}",
            fix=_again(run),
        )
    return content


def _scenarios(root: Path, asked: Collection[str]) -> tuple[str, ...]:
    """Return the names of scenarios, and what each rests on."""
    return tuple(
        f"{french.label(scenario.label)} ({scenario.basis})"
        for code, scenario in parameters.load_scenarios(root).items()
        if code in asked
    )


def _for_release(manifest: Manifest) -> Manifest:
    """Return what a release shows: nothing of what no CPNEFP has made publishable."""
    publishable = manifest.publishable
    if not publishable:
        raise ConfidentialityError.of(
            where=f"edition {manifest.edition.edition_id}",
            what="no branch is publishable",
            expected="a branch whose CPNEFP has said so",
            fix="record it (`opmq edition state`), or build the preview, without --release",
        )

    def hidden(runs: dict[str, Run]) -> dict[str, Run]:
        return {name: replace(run, status="nv", files=()) for name, run in runs.items()}

    branches = tuple(
        each if each.code in publishable else replace(each, runs=hidden(each.runs))
        for each in manifest.branches
    )
    is_whole = len(publishable) == len(branches)
    common = manifest.common if is_whole else hidden(manifest.common)
    return replace(manifest, branches=branches, common=common, is_release=True)


def _without_never_run(manifest: Manifest) -> Manifest:
    kept = tuple(
        each for each in manifest.branches if any(run.record for run in each.runs.values())
    )
    others = [each.label for each in manifest.branches if each not in kept]
    return replace(manifest, branches=kept, left_out=tuple(others)) if kept else manifest


def _questions(root: Path) -> dict[str, Question]:
    """Return what every template answers; the navigation leads to a consolidation in any case."""
    texts = {
        path.stem: outputs.read(path.read_text(encoding="utf-8"))
        for path in (root / "notebooks").glob("[0-9][0-9]_*.ipynb")
    }
    said = {name: each.metadata["opmq"] for name, each in texts.items() if "opmq" in each.metadata}
    questions = {CONSOLIDATION: Question(CONSOLIDATION, "common", "Consolidation")}
    for name, one in said.items():
        title, text = prepare.opening(texts[name])
        behind = [said.get(each, {}).get("tables", ()) for each in one.get("reads", ())]
        tables = one.get("tables", chain.from_iterable(behind))
        title, text = one.get("menu", title or name), one.get("question", text)
        questions[name] = Question(name, one["scope"], title, text, tuple(tables))
    return dict(sorted(questions.items()))


def _on_former_releases(
    root: Path,
    edition: EditionParams,
    branches: Mapping[str, BranchParams],
    records: Mapping[tuple[str, str], ledger.Record],
) -> set[tuple[str, str]]:
    """Return the runs that rest on a table released by other rules, from another table or no more.

    What rests on their results does so too.
    """
    found: set[tuple[str, str]] = set()
    inputs = {id_: record.get("inputs", {}) for id_, record in records.items()}
    if not any(name.startswith(_RELEASED) for read in inputs.values() for name in read):
        return found
    modules = library.read(hashes.Hashes(root / "outputs" / edition.edition_id / hashes.CACHE))
    tables = release.in_place(root, edition, branches, modules).values()
    now = {name for each in tables for names in each.values() for name in names}

    def is_former(name: str, sha256: str) -> bool:
        if not name.startswith(_RELEASED):
            return tuple(name.split("/")[:2]) in found
        return name not in now or fingerprint.file_sha256(root / name) != sha256

    while more := {
        id_
        for id_, read in inputs.items()
        if id_ not in found and any(is_former(*each) for each in read.items())
    }:
        found |= more
    return found


def _run(folder: Path, branch_code: str, question: Question, record: dict[str, Any]) -> Run:
    state = _state(record)
    own_name = f"{question.notebook}.ipynb"
    written = record["outputs"] if state == "ok" else ()
    return Run(
        branch_code,
        question,
        state,
        folder / branch_code / question.notebook,
        tuple(sorted(written, key=lambda name: (name != own_name, name))),
        record,
    )


def _state(record: dict[str, Any]) -> Status:
    if record.get("origin") == "own":
        return "withheld"
    return "ok" if record.get("status") == "ok" else "failed" if record else "missing"


def _refusals(run: Run, allowed: Collection[str]) -> Iterator[Defect]:
    """Yield why a run cannot be published: its origin, its files, the origin of their rows."""
    known = run.record.get("origin")
    if run.record and run.status != "withheld" and known not in allowed:
        is_fictitious = known == origin.FICTITIOUS
        yield Defect(
            where=run.name,
            what="rests on fictitious data"
            if is_fictitious
            else "does not say where its data come from",
            expected='a run recorded with origin "public"',
            fix=f"name no fictitious register in the edition, and run {_again(run)}",
        )
        return
    if damaged := [each for name in run.files for each in _damages(run, name)]:
        yield from damaged
        return
    for name in run.files:
        if name.endswith(".csv") and not _is_public(run, Path(name).stem, allowed):
            yield Defect(
                where=f"{run.name}/{name}",
                what="a row, or the whole table, does not say that it is public",
                expected=f"a column `{origin.COLUMN}` with `{origin.PUBLIC}` in every row",
                fix="keep it in JupyterLab; to publish it, let it rest on public data only, "
                f"with that column, and run {_again(run)}",
            )


def _damages(run: Run, name: str) -> Sequence[Defect]:
    try:
        read_file(run, name)
    except ConfidentialityError as error:
        return error.defects
    return ()


def _is_public(run: Run, table: str, allowed: Collection[str]) -> bool:
    """Return whether every row of a table says so; none does where a table cannot be read."""
    try:
        said = run.tables[table].get(origin.COLUMN)
    except ValueError:
        return False
    return said is not None and {*said.dictionary.to_pylist()} <= {*allowed}


def _again(run: Run) -> str:
    return f"opmq run --branch {run.branch_code} --notebook {run.notebook} --force"
