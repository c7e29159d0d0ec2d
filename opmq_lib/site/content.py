"""What generated pages show: cards, key figures, downloads, sources.

Everything here is read from the manifest and from result tables that the ledger recorded; the
prose around it is in `pages/*.qmd`.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from opmq_lib import tables
from opmq_lib.runs.plan import COMMON, IN_A_BATCH
from opmq_lib.runs.templates import REGISTER
from opmq_lib.show import french
from opmq_lib.site import trace
from opmq_lib.site.manifest import Branch, Manifest, Run
from opmq_lib.sources import states, study

DOWNLOADS = "telechargements"
JOBS = "01_emplois"
SHORTLIST_NOTEBOOK = "07_que_faire"
REPORT, CONSOLIDATION = "00_rapport", "10_consolidation"
SUMMED_UP = {
    "01_emplois": ("indicator", "emplois"),
    "02_besoins": ("indicator", "besoins", "besoins_projections"),
    "07_que_faire": ("is_shown", "shortlist"),
    CONSOLIDATION: ("indicator", "consolidation"),
}
"""Notebooks behind what the home page and that of a branch say: a column that the first of their
tables must have, the tables that are read. Of projections, their years.

A notebook of one's own may bear the same name and write other tables.
"""
PDF_PLACE = Markup('<p class="opmq-pdf" hidden></p>')
"""Where the link to the PDF of a report stands once it is printed."""
FORMATS = {
    ".xlsx": "XLSX",
    "_csv.zip": "archive ZIP de fichiers CSV",
    "_notebooks.zip": "archive ZIP des notebooks du calcul",
}
PARAMETER_LABELS = {
    "edition_id": "Édition",
    "horizon_years": "Horizon de la projection, en années",
    "previous_edition_id": "Édition précédente",
}
UNAVAILABLE = {
    "failed": "calcul en échec",
    "missing": "pas encore calculé",
    "withheld": "données propres, non publiées",
    "nv": "non validé (nv)",
    "ok": "non publié par le calcul",
}
PORTRAIT_NOTES = {
    "yes": "effectif publié (portrait de branche de la Dares)",
    "partial": "effectif publié en partie (portrait de branche de la Dares)",
    "no": "nd : aucun portrait de branche de la Dares",
}


class Download(NamedTuple):
    """One file offered to readers, as its page shows it; `href` is relative to the site's root."""

    name: str
    href: str
    format: str
    size: str


def summary(branch: Branch, labels: Mapping[str, str]) -> Any:
    """Return what the home page and its own page say of a branch, as released tables have it.

    `headcount` is missing where none is published; then there is nothing else to say.
    """
    from opmq_lib.questions.que_faire.page import first  # not loaded where a site is up to date
    from opmq_lib.questions.rapport import figures, page

    answers = {name: _results(branch.runs.get(name)) for name in SUMMED_UP}
    drawn = figures.metiers(answers, labels).html
    files = [f"../../{each}" for each in table_files(branch.code)]
    is_told = REPORT in branch.runs and branch.runs[REPORT].status == "ok"
    return SimpleNamespace(
        headline=Markup(page.headline(answers).html),
        figure=Markup(trace.linked(drawn, files, f"{REPORT}.html") if is_told else drawn),
        metiers=first(listed, labels) if (listed := answers["07_que_faire"]) else [],
        **page.whole(answers),
    )


def summaries(manifest: Manifest) -> list[tuple[Branch, Any]]:
    """Return each branch with its summary, in the order of the manifest."""
    labels = study.metier_labels()
    return [(branch, summary(branch, labels)) for branch in manifest.branches]


def without_headcount(summaries: Iterable[tuple[Branch, Any]]) -> dict[str, list[Branch]]:
    """Return the branches of which nothing can be counted, by the reason why."""
    found: dict[str, list[Branch]] = {}
    for branch, said in summaries:
        if not said.headcount:
            found.setdefault(missing_reason(branch), []).append(branch)
    return found


def period(manifest: Manifest, table: str) -> str:
    """Return the period that the source of a table covers."""
    sources = manifest.sources.set_index("table")
    return str(sources.at[table, "period"])


def last_year(manifest: Manifest, table: str) -> str:
    """Return the last year that the source of a table covers."""
    return period(manifest, table)[-4:]


def most_listed(manifest: Manifest) -> Markup:
    """Return the métiers to look at first in most branches; nothing before the consolidation."""
    from opmq_lib.questions.rapport import figures

    results = _results(manifest.common.get(CONSOLIDATION))
    html = figures.most_listed(results, study.metier_labels()).html if results else ""
    html = trace.linked(html, table_files(COMMON), f"commun/{CONSOLIDATION}.html")
    return Markup(html.replace("h3>", "h2>"))  # no section stands above it


def company_book(branch: Branch) -> Download | None:
    """Return the workbook of the branch's companies, if its run has written one."""
    run = branch.runs.get(SHORTLIST_NOTEBOOK)
    name = f"gpec_{branch.code}.xlsx"
    if run is None or name not in run.files:
        return None
    return _download(href(run, name), (run.folder / name).stat().st_size)


def _results(run: Run | None) -> dict[str, pd.DataFrame]:
    """Return the result tables of a run, by name; none unless they are those of the study."""
    if run is None:
        return {}
    column, *names = SUMMED_UP[run.notebook]
    read = {"besoins_projections": ("start_year", "year")}
    found = {
        name: _frame({each: run.tables[name][each] for each in read.get(name, run.tables[name])})
        for name in names
        if name in run.tables
    }
    return found if column in found.get(names[0], ()) else {}


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return columns as `study.read_result` does, texts in one block: rows are taken at once."""
    texts, numbers = dict[str, Any](), dict[str, Any]()
    for name, column in columns.items():
        is_number = name in tables.COLUMNS and tables.COLUMNS[name].kind in {"whole", "number"}
        every = [text or None for text in column.dictionary.to_pylist()]
        cells = np.array(every, "float64" if is_number else "object")
        (numbers if is_number else texts)[name] = cells[column.indices.to_numpy()]
    return pd.concat([pd.DataFrame(texts, dtype="object"), pd.DataFrame(numbers)], axis=1)


def missing_reason(branch: Branch) -> str:
    """Return why a branch has no number to show, in French."""
    run = branch.runs.get(JOBS)
    if is_unvalidated(branch):
        return "non validé par la CPNEFP"
    if run is None or run.status == "missing":
        return "pas encore calculé"
    if run.status == "withheld":
        return "données propres à la branche, non publiées"
    if run.status == "failed":
        return "le dernier calcul a échoué"
    if branch.has_portrait == "no":
        return "effectif non publié (pas de portrait de la Dares)"
    return "chiffre non publié par le calcul"


def is_unvalidated(branch: Branch) -> bool:
    """Return whether a release shows nothing of a branch."""
    return any(run.status == "nv" for run in branch.runs.values())


def state(branch: Branch) -> str:
    """Return where a branch stands, in French, with what its CPNEFP decided last.

    Examples:
        >>> state(Branch("chimie", "Chimie", (), "no", {}))
        'brouillon, non validé par la CPNEFP'
    """
    now, step = branch.standing, branch.standing.step
    if step is None:
        return f"{states.LABELS[now.state]}, non validé par la CPNEFP"
    said = f"{step.body}, {french.day(step.date.isoformat())}, {step.minutes_reference}"
    if now.state == "draft":
        before = f"version {step.version} : {states.LABELS[step.state]}"
        return f"{states.LABELS[now.state]}, version {now.version} ({before}, {said})"
    return f"{states.LABELS[now.state]}, version {now.version} ({said})"


def tag(branch: Branch) -> str:
    """Return the state of a branch as its card shows it.

    Examples:
        >>> tag(Branch("chimie", "Chimie", (), "no", {}))
        'Brouillon'
    """
    return "nv" if is_unvalidated(branch) else states.LABELS[branch.standing.state].capitalize()


def parameters(run: Run) -> list[tuple[str, str]]:
    """Return the parameters of a run as French names and values, machinery left out."""
    return [
        (PARAMETER_LABELS.get(name, name), "aucune" if value is None else str(value))
        for name, value in sorted(run.record["parameters"].items())
        if name not in {*IN_A_BATCH, "branch_code"} and not name.endswith(REGISTER)
    ]


def downloads(runs: Sequence[Run], sizes: Mapping[str, int]) -> list[Download]:
    """Return what readers of some runs of a branch may download: tables, notebooks, forms.

    Args:
        runs: Runs that have results.
        sizes: Size of every file to download, in bytes, by address.
    """
    own = [href(run, name) for run in runs for name in forms(run)]
    return [_download(each, sizes[each]) for each in [*table_files(runs[0].branch_code), *own]]


def forms(run: Run) -> list[str]:
    """Return the workbooks of a run that are no copy of its tables: forms, templates."""
    copy = f"{run.notebook}.xlsx"
    return [name for name in run.files if name.endswith(".xlsx") and name != copy]


def href(run: Run, name: str) -> str:
    """Return the address of a file of a run, from the root of the site."""
    return f"{DOWNLOADS}/{run.branch_code}/{name}"


def table_files(scope: str) -> list[str]:
    """Return the addresses of a branch's files: workbook, archive of tables, of notebooks."""
    return [f"{DOWNLOADS}/{scope}/{scope}{end}" for end in FORMATS]


def _download(address: str, bytes_count: int) -> Download:
    name = Path(address).name
    kind = next(kind for end, kind in FORMATS.items() if address.endswith(end))
    return Download(name, address, kind, file_size(bytes_count))


def pdf_link(name: str, pages_count: int, bytes_count: int) -> str:
    """Return the link to the PDF of a report, in HTML."""
    said = f"PDF, {french.plural(pages_count, 'page')} ({file_size(bytes_count)})"
    return f'<p class="opmq-pdf"><a href="{name}">{said}</a></p>'


def file_size(bytes_count: int) -> str:
    """Return the size of a file as French readers write it.

    Examples:
        >>> file_size(12_345) == f"12{french.NBSP}ko", file_size(3_400_000) == f"3,4{french.NBSP}Mo"
        (True, True)
    """
    if bytes_count < 1_000_000:
        return f"{french.number(max(1, round(bytes_count / 1000)))}{french.NBSP}ko"
    return f"{french.number(bytes_count / 1_000_000, 1)}{french.NBSP}Mo"


def oldest_source(sources: pd.DataFrame, edition_date: date) -> dict[str, str]:
    """Return the source whose data are the oldest, and their age at the edition, in French.

    Args:
        sources: `title` and `data_date` (ISO, empty when undated), one row per source.
        edition_date: Day of the edition.

    Examples:
        >>> table = pd.DataFrame({"title": ["A", "B"], "data_date": ["2018-12-31", "2017-03-31"]})
        >>> oldest = oldest_source(table, date(2026, 1, 31))
        >>> oldest["title"], oldest["age"].replace(french.NBSP, " ")
        ('B', '8 ans et 10 mois')
    """
    row = sources[sources["data_date"] != ""].sort_values(["data_date", "title"]).iloc[0]
    day = date.fromisoformat(row["data_date"])
    years, months = divmod((edition_date.year - day.year) * 12 + edition_date.month - day.month, 12)
    parts = [french.plural(years, "an")] if years else []
    parts += [f"{months}{french.NBSP}mois"] if months else []
    return {
        "title": french.label(row["title"]),
        "day": french.day(row["data_date"]),
        "age": french.enumeration(parts),
    }


def sources_of(manifest: Manifest, tables: Iterable[str]) -> list[dict[Hashable, str]]:
    """Return the sources of some embedded tables, one per producer's title, in order."""
    asked = {*tables}
    rows = [row for row in manifest.shown_sources if row["table"] in asked]
    return [*{(row["producer"], row["title"]): row for row in reversed(rows)}.values()][::-1]
