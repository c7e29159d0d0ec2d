"""What a notebook of the study starts from: input tables, labels, and other notebooks' results."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final

import pandas as pd
from openpyxl import Workbook

from opmq_lib import tables
from opmq_lib.errors import gather
from opmq_lib.params import DEMO, BranchParams, EditionParams, Question, ScenarioParams
from opmq_lib.show import french
from opmq_lib.sources import embedded, ledger, parameters, project, registers, rncp, table_files

EMBEDDED = (
    "age_structure",
    "branch_headcount",
    "branches",
    "certification_metiers",
    "certifications",
    "emerging_skills",
    "employment_national",
    "exit_rates",
    "exit_reasons",
    "fap_rome",
    "metier_skills",
    "metiers",
    "naf",
    "recruitment_intentions",
    "rome_naf_hires",
    "rome_transitions",
    "romes",
    "skills",
    "sources",
    "tension",
    "tension_basins",
    "tension_regions",
)

READINGS: Final = "bloc_readings"
"""The own table that is checked against the export of the register, so read with it."""


class InputTables(Mapping[str, pd.DataFrame]):
    """Tables by name, each read when first asked for.

    The batch keys a run by the files that it opens: what a notebook does not use it must not open,
    else a change there would run it again.
    """

    def __init__(self, readers: Mapping[str, Callable[[], pd.DataFrame]]) -> None:
        self._readers, self._tables = readers, dict[str, pd.DataFrame]()

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table."""
        if name not in self._tables:
            self._tables[name] = self._readers[name]()
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self._readers)

    def __len__(self) -> int:
        """Return how many tables there are."""
        return len(self._readers)

    def __or__(self, others: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Return all tables, with others in addition or instead."""
        return {**self, **others}


def load_inputs(branch_codes: Sequence[str] = ()) -> InputTables:
    """Return the input tables of the study, by name.

    Args:
        branch_codes: Branches whose own tables are read, where their parameter file names some;
            they are then the tables `own_<name>`, such as `own_employment`, one block per branch.

    Returns:
        The embedded tables, the convention tables of `parameters/tables/`, each read when first
        asked for, the tables of `tables.SUPPLIED` as `own_<name>` (no row when no branch supplies
        one), `rncp_fiches` and `rncp_blocs` (no row without an export of the register).

    Raises:
        ScopeError: If a branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters and of own tables; a convention table, the
            export of the register and what was read in it tell theirs when they are asked for.
    """
    root = project.find_root()
    branches = _branches(branch_codes)
    readers: dict[str, Callable[[], pd.DataFrame]] = {
        name: partial(embedded.load, name) for name in EMBEDDED
    }
    for name in table_files.CONVENTIONS:
        convention = root / "parameters" / "tables" / f"{name}.csv"
        readers[name] = partial(table_files.read_table, convention, name, origin="public")
    chosen = [branches[code] for code in branch_codes]
    for name in table_files.SUPPLIED:
        if name != READINGS:
            readers[f"own_{name}"] = _supplied(root, name, chosen).copy
    exports = sorted({path for branch in chosen if (path := branch.tables.rncp_export) is not None})
    register = cache(partial(rncp.read_exports, [root / path for path in exports]))
    readers["rncp_fiches"] = lambda: register()["fiches"]
    readers["rncp_blocs"] = lambda: register()["blocs"]
    readers[f"own_{READINGS}"] = lambda: _supplied(
        root, READINGS, chosen, set(register()["blocs"]["bloc_code"]) if exports else None
    )
    return InputTables(readers)


def load_registers(
    requests: str, recommendations: str, company_counts: str
) -> dict[str, pd.DataFrame]:
    """Return the registers of the review of requests, checked.

    Args:
        requests: Path from the project's root; empty: no register.
        recommendations: Likewise.
        company_counts: Likewise.

    Returns:
        `requests`, `recommendations`, `company_counts`; without row where there is no register. A
        register in `outputs/demo` must be fictitious, any other must not.

    Raises:
        DataError: With every defect of a register; no value is shown.
    """
    root = project.find_root()
    found = {
        name: pd.DataFrame(columns=list(tables.DESCRIPTIONS[name]))
        for name in ("requests", "recommendations", "company_counts")
    }
    origin = "fictitious" if requests.startswith(f"outputs/{DEMO}/") else "own"
    if requests:
        known = registers.known(root, edition().edition_date, origin)
        found["requests"] = registers.read_requests(root / requests, known)
    if recommendations:
        found["recommendations"] = registers.read_recommendations(root / recommendations, origin)
    if company_counts:
        counts = table_files.read_table(root / company_counts, "company_counts", origin="own")
        found["company_counts"] = counts
    return found


def requests_template() -> Workbook:
    """Return the workbook in which requests are written down, with its drop-down lists."""
    return registers.template("requests", project.find_root())


def load_studies(studies: str) -> pd.DataFrame:
    """Return the register of studies, checked; no row without a path."""
    root = project.find_root()
    path = root / studies if studies else None
    return registers.read_studies(path, root, edition().edition_date)


def theme_labels() -> dict[str, str]:
    """Return the French label of each theme of studies, in the order of the table."""
    path = project.find_root() / "parameters/tables/study_themes.csv"
    themes = table_files.read_table(path, "study_themes", origin="public")
    return dict(zip(themes["theme_code"], themes["label"].map(french.label), strict=True))


def topic_labels() -> dict[str, str]:
    """Return the French label of each topic of requests, sub-topics included."""
    topics = registers.topics(project.find_root())
    return dict(zip(topics["topic_code"], topics["label"].map(french.label), strict=True))


def edition() -> EditionParams:
    """Return the parameters of the edition: base year, horizon, quantile levels, scenarios.

    Raises:
        DataError: With every defect of `parameters/edition.yml`.
    """
    return parameters.load_edition(project.find_root())


def scenarios() -> tuple[ScenarioParams, ...]:
    """Return the scenarios of the edition, in its order.

    Raises:
        DataError: With every defect of the edition's and the scenarios' files.
    """
    root = project.find_root()
    known = parameters.load_scenarios(root)
    return tuple(known[code] for code in parameters.load_edition(root).scenario_codes)


def metier_labels(nomenclature: str = "FAP-2009") -> dict[str, str]:
    """Return the French label of each métier code of one nomenclature.

    Examples:
        >>> metier_labels()["G1Z70"]
        'Techniciens et agents de maîtrise de la maintenance et de l’environnement'
    """
    metiers = embedded.load("metiers")
    chosen = metiers[metiers["nomenclature"] == nomenclature]
    return dict(zip(chosen["metier_code"], chosen["label"].map(french.label), strict=True))


def region_labels() -> dict[str, str]:
    """Return the French name of each region.

    Examples:
        >>> region_labels()["84"]
        'Auvergne-Rhône-Alpes'
    """
    regions = embedded.load("regions")
    return dict(zip(regions["region_code"], regions["label"].map(french.label), strict=True))


def rome_labels() -> dict[str, str]:
    """Return the French label of each fiche of the ROME 4.0.

    Examples:
        >>> rome_labels()["H2913"]
        'Soudeur / Soudeuse'
    """
    romes = embedded.load("romes")
    chosen = romes[romes["rome_version"] == "4.0"]
    return dict(zip(chosen["rome_code"], chosen["label"].map(french.label), strict=True))


def skill_labels() -> dict[str, str]:
    """Return the French label of each skill of the ROME.

    Examples:
        >>> skill_labels()["100007"]
        'Techniques de soudage'
    """
    skills = embedded.load("skills")
    return dict(zip(skills["skill_code"], skills["label"].map(french.label), strict=True))


def branch_labels() -> dict[str, str]:
    """Return the French name of each branch.

    Examples:
        >>> branch_labels()["chimie"]
        'Industries chimiques'
    """
    branches = embedded.load("branches")
    return dict(zip(branches["branch_code"], branches["label"].map(french.label), strict=True))


def group_labels() -> dict[str, str]:
    """Return the French names of the branches of each industry group.

    Examples:
        >>> group_labels()["A"]
        'Métallurgie'
    """
    branches = embedded.load("branches")
    names = branches["label"].map(french.label).groupby(branches["industry_group_code"])
    return {str(code): ", ".join(each) for code, each in names}


def read_results(edition_id: str, branch_code: str, notebook: str) -> dict[str, pd.DataFrame]:
    """Return the result tables that another notebook has left, by name.

    What counts is the last run of the notebook, as the edition's ledger tells it; files that no
    run has written are not looked at.

    Args:
        edition_id: Name of the edition's folder in `outputs/`.
        branch_code: A branch, or `commun`.
        notebook: A template's name, such as `01_emplois`.

    Returns:
        Each table with its row number as index, codes as text; none if the notebook has not run,
        if its last run failed, or if its tables are not all there.
    """
    folder = project.find_root() / "outputs" / edition_id
    record = ledger.latest(folder / ledger.LEDGER).get((branch_code, notebook))
    return {path.stem: _read(path) for path in _tables(folder, record)}


def read_all_results(edition_id: str, notebook: str, table: str) -> pd.DataFrame:
    """Return one result table of a notebook for all branches, one under the other.

    Args:
        edition_id: Name of the edition's folder in `outputs/`.
        notebook: A template's name, such as `01_emplois`.
        table: Name of the result table.

    Returns:
        The rows of every branch whose parameter file asks for the notebook and whose last run of
        it succeeded, in the order of the branches' codes; what other branches have left in
        `outputs/` is not looked at.
    """
    root = project.find_root()
    folder = root / "outputs" / edition_id
    records = ledger.latest(folder / ledger.LEDGER)
    branches = sorted(parameters.load_branches(root).items())
    asked = [records.get((code, notebook)) for code, each in branches if notebook in each.notebooks]
    paths = [path for record in asked for path in _tables(folder, record) if path.stem == table]
    return pd.concat(map(_read, paths), ignore_index=True) if paths else pd.DataFrame()


def criteria(branch_code: str) -> tuple[Question, ...]:
    """Return the questions of a branch on core and strategic métiers, with their criteria.

    Raises:
        ScopeError: If the branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters.
    """
    return _branches([branch_code])[branch_code].questions


def _supplied(
    root: Path,
    table: str,
    branches: Iterable[BranchParams],
    bloc_codes: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return what some branches supply of one table, one under the other."""
    origin = table_files.SUPPLIED[table]
    keyed = "branch_code" in tables.DESCRIPTIONS[table]
    blocks = [
        table_files.read_table(
            root / path, table, origin, branch.branch_code if keyed else None, bloc_codes
        )
        for branch in branches
        if (path := branch.tables.paths().get(table)) is not None
    ]
    no_row = pd.DataFrame(columns=list(tables.DESCRIPTIONS[table]))
    return pd.concat(blocks, ignore_index=True) if blocks else no_row


def _branches(wanted: Iterable[str]) -> Mapping[str, BranchParams]:
    """Return the parameters of some branches; the files of others are not even opened."""
    folder = project.find_root() / "parameters" / "branches"
    paths = {code: folder / f"{code}.yml" for code in wanted}
    if strangers := [code for code, path in paths.items() if not path.is_file()]:
        known = [path.stem for path in folder.glob("*.yml")]
        raise gather(parameters.unknown("branch_code", "branch", code, known) for code in strangers)
    return parameters.load_some_branches(paths.values())


def _tables(folder: Path, record: ledger.Record | None) -> list[Path]:
    """Return the result tables that a run has left under an edition's folder, in order of name."""
    if record is None or record["status"] != "ok":
        return []
    run_folder = folder / record["branch_code"] / record["notebook"]
    paths = [run_folder / name for name in sorted(record["outputs"]) if name.endswith(".csv")]
    return paths if all(path.is_file() for path in paths) else []


def _read(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""])
    numbers = [
        name
        for name in table.columns
        if name in tables.COLUMNS and tables.COLUMNS[name].kind in {"whole", "number"}
    ]
    return table.astype(dict.fromkeys(numbers, "float64"))
