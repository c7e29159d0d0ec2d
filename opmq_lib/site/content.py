"""What generated pages show: cards, key figures, questions, downloads, sources, dictionary.

Everything here is read from the manifest and from result tables that the ledger recorded; the
prose around it is in `pages/*.qmd`.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from markupsafe import Markup, escape

from opmq_lib import tables
from opmq_lib.show import french, pieces
from opmq_lib.site.manifest import CONSOLIDATION, Branch, Manifest, Run, read_file
from opmq_lib.sources import study

DOWNLOADS = "telechargements"
KEY_FIGURES_NOTEBOOK = "01_emplois"
KEY_FIGURES = "chiffres_cles"
NUMBER_COLUMNS = ("value", "lower", "upper", "interval_level", "year")
FORMATS = {
    ".ipynb": "notebook exécuté",
    ".csv": "CSV",
    ".xlsx": "XLSX",
}
PARAMETER_LABELS = {
    "branch_code": "Code de la branche",
    "edition_id": "Édition",
    "horizon_years": "Horizon de la projection, en années",
    "previous_edition_id": "Édition précédente",
}
MACHINERY = (
    "output_folder",
    "sliders",
    "requests_register",
    "recommendations_register",
    "company_counts_register",
    "studies_register",
)
INDICATORS = {
    "branch_headcount": ("Salariés de la branche", ""),
    "employment_headcount": ("Premier métier : {metier}", "emplois"),
}
VARIANTS = "étendue selon les variantes"
NATURES = {
    "observed": "observé",
    "estimate": "estimation",
    "projection": "projection",
    "official_projection": "projection officielle",
}
PORTRAIT_NOTES = {
    "yes": "effectif publié (portrait de branche de la Dares, 2020)",
    "partial": "effectif publié en partie (portrait de branche de la Dares, 2020)",
    "no": "nd : aucun portrait de branche de la Dares",
}


@dataclass(frozen=True)
class Question:
    """What a notebook answers, in French, and the embedded tables behind it."""

    title: str
    text: str
    tables: tuple[str, ...] = ()


_EMPLOYMENT = ("employment_national", "branch_headcount", "rome_naf_hires", "fap_rome")
_TENSION = ("tension", "recruitment_intentions")
_WHERE = ("tension_regions", "tension_basins")
_CRITERIA = ("age_structure", "rome_transitions", "certifications", "certification_metiers")
_SKILLS = ("certifications", "certification_metiers", "metier_skills", "skills")
_ALL = (*_EMPLOYMENT, *_TENSION, *_WHERE, *_CRITERIA, *_SKILLS, "emerging_skills")
QUESTIONS = {
    "00_rapport": Question(
        "Rapport à la CPNEFP",
        "L’essentiel des questions ci-dessous, en quelques pages.",
        _ALL,
    ),
    "01_emplois": Question(
        "Emplois",
        "Comment l’emploi par métier a-t-il évolué, où va-t-il, avec quelle incertitude ?",
        _EMPLOYMENT,
    ),
    "02_besoins": Question(
        "Besoins",
        "Combien de postes à pourvoir, pourquoi (croissance, départs), pour quels métiers ?",
        (*_EMPLOYMENT, "age_structure", *_TENSION, *_SKILLS),
    ),
    "03_tensions": Question(
        "Tensions", "Quels métiers sont en tension, pourquoi, où ?", (*_TENSION, *_WHERE)
    ),
    "04_coeurs_strategiques": Question(
        "Cœurs de métiers et métiers stratégiques",
        "Quels métiers sont au cœur de la branche, lesquels sont stratégiques, et avec quelle "
        "certitude ?",
        (*_EMPLOYMENT, *_TENSION, *_CRITERIA),
    ),
    "05_competences": Question(
        "Compétences",
        "Quelles compétences manquent, émergent, sont couvertes par des certifications ?",
        (*_SKILLS, "emerging_skills", *_EMPLOYMENT, "age_structure"),
    ),
    "06_demandes": Question(
        "Demandes des entreprises",
        "Que demandent les entreprises que l’offre ne couvre pas, en particulier celles de moins "
        "de 50 salariés ?",
        ("branch_headcount",),
    ),
}
COMMON_QUESTIONS = {
    CONSOLIDATION: Question(
        "Consolidation",
        "Toutes les branches ensemble : ce qui est commun, ce qui diffère.",
        _ALL,
    ),
    "11_evaluation": Question(
        "Évaluation",
        "Que valent les projections : de combien se seraient-elles trompées dans le passé ?",
        ("employment_national", "age_structure", "exit_rates", "exit_reasons"),
    ),
    "12_etudes": Question("Études", "Qui a demandé quelle étude, où en est-elle ?"),
    "13_demandes_ensemble": Question(
        "Demandes, toutes branches",
        "Ce que demandent les entreprises et que l’offre ne couvre pas, branche par branche.",
        ("branch_headcount",),
    ),
}


@dataclass(frozen=True)
class KeyFigure:
    """One number of a branch: label, HTML of the number, HTML of what qualifies it."""

    label: str
    value: Markup
    note: Markup
    has_value: bool
    has_interval: bool


@dataclass(frozen=True)
class Answer:
    """One question of a branch, and where its answer stands.

    Attributes:
        status: `ok`, `failed`, `missing` (never run) or `planned` (no notebook yet).
        href: Name of its page in the branch's folder; empty while planned.
    """

    notebook: str
    question: Question
    status: str
    href: str


@dataclass(frozen=True)
class Download:
    """One file offered to readers, as its page shows it; `href` is relative to the site's root."""

    name: str
    href: str
    format: str
    size: str
    day: str


def question(notebook: str) -> Question:
    """Return what a notebook answers; one that the site does not know has its own name.

    Examples:
        >>> question("99_essai").title
        'Essai'
    """
    known = QUESTIONS | COMMON_QUESTIONS
    return known.get(notebook) or Question(notebook.partition("_")[2].capitalize(), "")


def answers(branch: Branch) -> list[Answer]:
    """Return every question of a branch in order, those not yet available included."""
    names = sorted({*QUESTIONS, *branch.runs})
    return [
        Answer(
            name,
            question(name),
            branch.runs[name].status if name in branch.runs else "planned",
            f"{name}.html" if name in branch.runs else "",
        )
        for name in names
    ]


def key_figures(branch: Branch) -> list[KeyFigure]:
    """Return the key figures that a branch's run published, in the order of its table."""
    run = branch.runs.get(KEY_FIGURES_NOTEBOOK)
    name = f"{KEY_FIGURES}.csv"
    if run is None or name not in run.files:
        return []
    blanks = {column: [""] for column in NUMBER_COLUMNS}
    content = io.BytesIO(read_file(run, name))
    table = pd.read_csv(content, keep_default_na=False, na_values=blanks)
    labels = study.metier_labels()
    return [key_figure(table, row, labels) for row in range(len(table))]


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
    cells = table.to_dict("records")[row]
    label, unit = INDICATORS.get(str(cells["indicator"]), (str(cells["indicator"]), ""))
    metier = metiers.get(str(cells["metier_code"]), str(cells["metier_code"]))
    qualities = [unit, NATURES.get(str(cells["nature"]), ""), f"{cells['year']:.0f}"]
    note = escape(", ".join(filter(None, qualities)))
    has_value = cells["status"] == "value"
    has_interval = has_value and not pd.isna(cells["lower"])
    if has_interval:
        level = cells["interval_level"]
        kind = VARIANTS if pd.isna(level) else f"intervalle à {french.percent(100 * level)}"
        ends = Markup(pieces.interval(KEY_FIGURES, table, row))
        note += Markup("{} : {}").format(f" ; {kind}", ends)
    number = _number(table, row)
    return KeyFigure(label.format(metier=metier), number, note, has_value, has_interval)


def headline(figures: Sequence[KeyFigure]) -> KeyFigure | None:
    """Return the figure of a branch's card: the first with an interval, else the first known."""
    known = [figure for figure in figures if figure.has_value]
    return next((figure for figure in known if figure.has_interval), next(iter(known), None))


def missing_reason(branch: Branch) -> str:
    """Return why a branch has no number to show, in French."""
    run = branch.runs.get(KEY_FIGURES_NOTEBOOK)
    if run is None or run.status == "missing":
        return "pas encore calculé"
    if run.status == "failed":
        return "le dernier calcul a échoué"
    if branch.has_portrait == "no":
        return "aucun effectif de branche n’est publié (pas de portrait de la Dares)"
    return "chiffre non publié par le calcul"


def perimeter(branch: Branch) -> str:
    """Return whether the headcount of a branch is published, in French."""
    return PORTRAIT_NOTES[branch.has_portrait]


def parameters(run: Run) -> list[tuple[str, str]]:
    """Return the parameters of a run as French names and values, machinery left out."""
    return [
        (PARAMETER_LABELS.get(name, name), "aucune" if value is None else str(value))
        for name, value in sorted(run.record["parameters"].items())
        if name not in MACHINERY
    ]


def downloads(run: Run) -> list[Download]:
    """Return the files of a run that readers may download, the notebook last."""
    return [
        Download(
            name,
            f"{DOWNLOADS}/{run.branch_code}/{run.notebook}/{name}",
            FORMATS[ending],
            file_size((run.folder / name).stat().st_size),
            french.day(run.date),
        )
        for ending in FORMATS
        for name in run.files
        if name.endswith(ending)
    ]


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
        >>> found = oldest_source(table, date(2026, 1, 31))
        >>> found["title"], found["age"].replace(french.NBSP, " ")
        ('B', '8 ans et 10 mois')
    """
    dated = sources[sources["data_date"] != ""].sort_values(["data_date", "title"])
    row = dated.iloc[0]
    day = date.fromisoformat(row["data_date"])
    years, months = divmod((edition_date.year - day.year) * 12 + edition_date.month - day.month, 12)
    parts = [french.plural(years, "an")] if years else []
    parts += [f"{months}{french.NBSP}mois"] if months else []
    return {
        "title": french.label(row["title"]),
        "day": french.day(row["data_date"]),
        "age": french.enumeration(parts),
    }


def sources_of(manifest: Manifest, tables: Iterable[str]) -> list[dict[str, str]]:
    """Return the sources of some embedded tables, one per producer's title, in order."""
    rows = manifest.sources[manifest.sources["table"].isin(list(tables))]
    return sources_table(rows.drop_duplicates(["producer", "title"]))


def sources_table(sources: pd.DataFrame) -> list[dict[str, str]]:
    """Return sources as pages show them: French typography and dates, no blank."""
    rows = sources.to_dict("records")
    return [{str(key): _shown(str(key), str(value)) for key, value in row.items()} for row in rows]


def dictionary() -> dict[str, list[dict[str, str]]]:
    """Return the columns of every table: name, French label, unit, whether it is in the key."""
    return {
        table: [
            {
                "name": name,
                "label": column.label,
                "unit": column.unit,
                "key": "oui" if name in tables.KEYS[table] else "",
            }
            for name, column in columns.items()
        ]
        for table, columns in tables.DESCRIPTIONS.items()
    }


def _number(table: pd.DataFrame, row: int) -> Markup:
    if table.at[row, "unit"] == "%":
        return Markup(pieces.percent(KEY_FIGURES, table, row, 1))
    return Markup(pieces.headcount(KEY_FIGURES, table, row))


def _shown(key: str, text: str) -> str:
    if key == "data_date":
        return french.day(text) if text else "sans date"
    return french.typography(french.label(text)) if key not in ("source_code", "table") else text
