"""What a notebook of the study starts from: input tables, labels, and other notebooks' results."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from opmq_lib import contracts, french
from opmq_lib.errors import gather
from opmq_lib.params import DEMO, BranchParams, Criterion, EditionParams
from opmq_lib.sources import embedded, parameters, project, registers, runs, tables

EMBEDDED = (
    "branch_headcount",
    "branches",
    "employment_national",
    "fap_rome",
    "metiers",
    "naf",
    "recruitment_intentions",
    "rome_naf_hires",
    "sources",
    "tension",
)


def load_inputs(branch_codes: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """Return the input tables of the study, by name.

    Args:
        branch_codes: Branches whose own observed employment is read, where their parameter file
            names one; it is then the table `own_employment`, one block per branch.

    Returns:
        The embedded tables, the convention tables of `parameters/tables/`, and
        `own_employment` (no row when no branch supplies one).

    Raises:
        ScopeError: If a branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters and of the tables read.
    """
    root = project.find_root()
    branches = _branches(branch_codes)
    inputs = {name: embedded.load(name) for name in EMBEDDED}
    for name in tables.CONVENTIONS:
        convention = root / "parameters" / "tables" / f"{name}.csv"
        inputs[name] = tables.read_table(convention, name, origin="public")
    own = [
        tables.read_table(root / supplied, "employment", branch_code=code)
        for code in branch_codes
        if (supplied := branches[code].tables.employment) is not None
    ]
    no_row = pd.DataFrame(columns=list(contracts.DESCRIPTIONS["employment"]))
    inputs["own_employment"] = pd.concat(own, ignore_index=True) if own else no_row
    return inputs


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
        name: pd.DataFrame(columns=list(contracts.DESCRIPTIONS[name]))
        for name in ("requests", "recommendations", "company_counts")
    }
    origin = "fictitious" if requests.startswith(f"outputs/{DEMO}/") else "own"
    if requests:
        known = registers.known(root, edition().edition_date, origin)
        found["requests"] = registers.read_requests(root / requests, known)
    if recommendations:
        found["recommendations"] = registers.read_recommendations(root / recommendations, origin)
    if company_counts:
        counts = tables.read_table(root / company_counts, "company_counts", origin="own")
        found["company_counts"] = counts
    return found


def load_studies(studies: str) -> pd.DataFrame:
    """Return the register of studies, checked; no row without a path."""
    root = project.find_root()
    path = root / studies if studies else None
    return registers.read_studies(path, root, edition().edition_date)


def theme_labels() -> dict[str, str]:
    """Return the French label of each theme of studies, in the order of the table."""
    path = project.find_root() / "parameters/tables/study_themes.csv"
    themes = tables.read_table(path, "study_themes", origin="public")
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


def metier_labels(nomenclature: str = "FAP-2009") -> dict[str, str]:
    """Return the French label of each métier code of one nomenclature.

    Examples:
        >>> metier_labels()["G1Z70"]
        'Techniciens et agents de maîtrise de la maintenance et de l’environnement'
    """
    metiers = embedded.load("metiers")
    chosen = metiers[metiers["nomenclature"] == nomenclature]
    return dict(zip(chosen["metier_code"], chosen["label"].map(french.label), strict=True))


def branch_labels() -> dict[str, str]:
    """Return the French name of each branch.

    Examples:
        >>> branch_labels()["chimie"]
        'Industries chimiques'
    """
    branches = embedded.load("branches")
    return dict(zip(branches["branch_code"], branches["label"].map(french.label), strict=True))


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
    record = runs.latest(folder / runs.LEDGER).get((branch_code, notebook))
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
    records = runs.latest(folder / runs.LEDGER)
    branches = sorted(parameters.load_branches(root).items())
    asked = [records.get((code, notebook)) for code, each in branches if notebook in each.notebooks]
    paths = [path for record in asked for path in _tables(folder, record) if path.stem == table]
    return pd.concat(map(_read, paths), ignore_index=True) if paths else pd.DataFrame()


def criteria(branch_code: str) -> tuple[Criterion, ...]:
    """Return the criteria of a branch for core and strategic métiers.

    Raises:
        ScopeError: If the branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters.
    """
    return _branches([branch_code])[branch_code].criteria


def _branches(wanted: Iterable[str]) -> Mapping[str, BranchParams]:
    """Return the parameters of every branch; those wanted must be among them."""
    branches = parameters.load_branches(project.find_root())
    strangers = [code for code in wanted if code not in branches]
    if strangers:
        raise gather(
            parameters.unknown("branch_code", "branch", code, branches) for code in strangers
        )
    return branches


def _tables(folder: Path, record: runs.Record | None) -> list[Path]:
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
        if name in contracts.COLUMNS and contracts.COLUMNS[name].kind in {"whole", "number"}
    ]
    return table.astype(dict.fromkeys(numbers, "float64"))
