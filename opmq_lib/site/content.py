"""What generated pages show: cards, key figures, downloads, sources.

Everything here is read from the manifest and from result tables that the ledger recorded; the
prose around it is in `pages/*.qmd`.
"""

import io
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup, escape

from opmq_lib.runs.plan import IN_A_BATCH
from opmq_lib.runs.templates import REGISTER
from opmq_lib.show import french, pieces
from opmq_lib.site.manifest import Branch, Manifest, Run, read_file
from opmq_lib.sources import study

DOWNLOADS = "telechargements"
KEY_FIGURES_NOTEBOOK = "01_emplois"
KEY_FIGURES = "chiffres_cles"
SHORTLIST_NOTEBOOK = "07_que_faire"
NUMBER_COLUMNS = ("value", "lower", "upper", "interval_level", "year")
FORMATS = {
    ".xlsx": "XLSX",
    "_csv.zip": "archive ZIP de fichiers CSV",
    "_notebooks.zip": "archive ZIP des notebooks du calcul",
}
PARAMETER_LABELS = {
    "branch_code": "Code de la branche",
    "edition_id": "Édition",
    "horizon_years": "Horizon de la projection, en années",
    "previous_edition_id": "Édition précédente",
}
HEADCOUNT = "branch_headcount"
INDICATORS = {
    HEADCOUNT: ("Salariés de la branche", ""),
    "employment_headcount": ("Premier métier : {metier}", "emplois"),
}
NATURES = {"observed": "observé", "estimate": "estimation"}
UNAVAILABLE = {
    "failed": "calcul en échec",
    "missing": "pas encore calculé",
    "withheld": "données propres, non publiées",
    "ok": "non publié par le calcul",
}
PORTRAIT_NOTES = {
    "yes": "effectif publié (portrait de branche de la Dares)",
    "partial": "effectif publié en partie (portrait de branche de la Dares)",
    "no": "nd : aucun portrait de branche de la Dares",
}


class KeyFigure(NamedTuple):
    """One number of a branch: label, HTML of the number, HTML of what qualifies it."""

    label: str
    value: Markup
    note: Markup
    has_value: bool
    has_interval: bool


class Download(NamedTuple):
    """One file offered to readers, as its page shows it; `href` is relative to the site's root."""

    name: str
    href: str
    format: str
    size: str
    day: str


def key_figures(branch: Branch) -> list[KeyFigure]:
    """Return the key figures that a branch's run published, in the order of its table."""
    table = _key_table(branch)
    labels = study.metier_labels()
    return [key_figure(table, row, labels) for row in range(len(table))]


def headcount(branch: Branch) -> int:
    """Return the employees of a branch, 0 where they are not published."""
    table = _key_table(branch)
    rows = table[table["indicator"] == HEADCOUNT] if len(table) else table
    return int(rows["value"].fillna(0).sum()) if len(rows) else 0


def key_figure(table: pd.DataFrame, row: int, metiers: dict[str, str]) -> KeyFigure:
    """Return one key figure from a row of `chiffres_cles.csv`.

    Args:
        table: Indicators in the long shape of result tables.
        row: Row number.
        metiers: French label of each métier.

    Examples:
        >>> row = {"indicator": "branch_headcount", "metier_code": "ENS", "value": 225_800.0,
        ...        "status": "value", "unit": "headcount", "nature": "observed", "year": 2020}
        >>> columns = [*row, "lower", "upper", "interval_level"]
        >>> table = pd.DataFrame([row], columns=columns, dtype=object)
        >>> figure = key_figure(table, 0, {})
        >>> figure.label, str(figure.note)
        ('Salariés de la branche', 'observé, 2020')
    """
    cells, numbers = table.to_dict("records")[row], pieces.Cells(KEY_FIGURES, table)
    label, unit = INDICATORS[cells["indicator"]]
    label = label.format(metier=metiers.get(cells["metier_code"], cells["metier_code"]))
    qualities = [unit, NATURES.get(cells["nature"], ""), f"{cells['year']:.0f}"]
    note = escape(", ".join(filter(None, qualities)))
    has_value = cells["status"] == "value"
    has_interval = has_value and not pd.isna(cells["lower"])
    if has_interval:
        kind = f"intervalle à {french.percent(100 * cells['interval_level'])}"
        note += Markup("{} : {}").format(f" ; {kind}", numbers.interval(row))
    return KeyFigure(label, numbers.headcount(row), note, has_value, has_interval)


def que_faire(branch: Branch) -> Markup | None:
    """Return the list of métiers to look at first, as its own page shows it; none has not run."""
    from opmq_lib.questions.que_faire import page  # not loaded where a site is up to date

    results = _shortlist(branch)
    if not results:
        return None
    labels = study.metier_labels()
    shown = [
        page.banner(results),
        page.findings(results, labels),
        page.cards(results, labels),
        page.left_out(results, labels),
        page.follow_up_table(results, labels),
    ]
    return Markup("").join(Markup(piece.html) for piece in shown)


def first_metiers(branch: Branch) -> list[tuple[str, Markup]]:
    """Return the first names of that list, each with its departures per 100 jobs and a year."""
    from opmq_lib.questions.que_faire import page

    results = _shortlist(branch)
    return page.names(results, study.metier_labels()) if results else []


def company_book(branch: Branch) -> Download | None:
    """Return the workbook of the branch's companies, if its run has written one."""
    run = branch.runs.get(SHORTLIST_NOTEBOOK)
    name = f"gpec_{branch.code}.xlsx"
    if run is None or name not in run.files:
        return None
    return _download(href(run, name), (run.folder / name).stat().st_size, run.date)


def _key_table(branch: Branch) -> pd.DataFrame:
    run = branch.runs.get(KEY_FIGURES_NOTEBOOK)
    name = f"{KEY_FIGURES}.csv"
    if run is None or name not in run.files:
        return pd.DataFrame()
    blanks = {column: [""] for column in NUMBER_COLUMNS}
    content = io.BytesIO(read_file(run, name))
    return pd.read_csv(content, keep_default_na=False, na_values=blanks)


def _shortlist(branch: Branch) -> dict[str, pd.DataFrame]:
    run = branch.runs.get(SHORTLIST_NOTEBOOK)
    names = [name for name in run.files if name.endswith(".csv")] if run else []
    files = {name: io.BytesIO(read_file(run, name)) for name in names} if run else {}
    return {Path(name).stem: study.read_result(file) for name, file in files.items()}


def missing_reason(branch: Branch) -> str:
    """Return why a branch has no number to show, in French."""
    run = branch.runs.get(KEY_FIGURES_NOTEBOOK)
    if run is None or run.status == "missing":
        return "pas encore calculé"
    if run.status == "withheld":
        return "données propres à la branche, non publiées"
    if run.status == "failed":
        return "le dernier calcul a échoué"
    if branch.has_portrait == "no":
        return "aucun effectif de branche n’est publié (pas de portrait de la Dares)"
    return "chiffre non publié par le calcul"


def parameters(run: Run) -> list[tuple[str, str]]:
    """Return the parameters of a run as French names and values, machinery left out."""
    return [
        (PARAMETER_LABELS.get(name, name), "aucune" if value is None else str(value))
        for name, value in sorted(run.record["parameters"].items())
        if name not in IN_A_BATCH and not name.endswith(REGISTER)
    ]


def downloads(runs: Sequence[Run], sizes: Mapping[str, int]) -> list[Download]:
    """Return what readers of some runs of a branch may download: tables, notebooks, forms.

    Args:
        runs: Runs that have results.
        sizes: Size of every file to download, in bytes, by address.
    """
    books = [(href, max(run.date for run in runs)) for href in table_files(runs[0].branch_code)]
    own = [(href(run, name), run.date) for run in runs for name in forms(run)]
    return [_download(address, sizes[address], day) for address, day in books + own]


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


def _download(address: str, bytes_count: int, day: str) -> Download:
    name = Path(address).name
    kind = next(kind for end, kind in FORMATS.items() if address.endswith(end))
    return Download(name, address, kind, file_size(bytes_count), french.day(day))


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
