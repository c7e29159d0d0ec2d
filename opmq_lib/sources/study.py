"""What a notebook of the study starts from: input tables, labels, and other notebooks' results.

Whatever reads files of the project takes its root last; without it, the project is the one that
holds the working folder.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow

from opmq_lib import tables
from opmq_lib.arguments import checked
from opmq_lib.errors import gather
from opmq_lib.params import DEMO, RESERVED_CODES, EditionParams, Question, ScenarioParams
from opmq_lib.show import french
from opmq_lib.sources import (
    embedded,
    ledger,
    official,
    parameters,
    project,
    registers,
    rncp,
    table_files,
)


class InputTables(Mapping[str, pd.DataFrame]):
    """Tables by name, each read when first asked for: the embedded ones, and those of the project.

    The batch keys a run by the files that it opens: what a notebook does not use it must not open,
    else a change there would run it again.
    """

    def __init__(
        self, readers: Mapping[str, Callable[[], pd.DataFrame]], root: Path | None = None
    ) -> None:
        self._root = root
        self._readers = {name: cache(reader) for name, reader in readers.items()}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table."""
        if name in self._readers:
            return self._readers[name]()
        return embedded.load(name, self._root)

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return chain(self._readers, embedded.tables())

    def __len__(self) -> int:
        """Return how many tables there are."""
        return sum(1 for _ in self)

    def __or__(self, others: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Return all tables, with others in addition or instead."""
        return {**self, **others}


@checked
def load_inputs(branch_codes: Sequence[str] = (), root: Path | None = None) -> InputTables:
    """Return the input tables of the study, by name, each read when first asked for.

    Args:
        branch_codes: Branches whose own tables are read, where their parameter file names some;
            they are then the tables `own_<name>`, such as `own_employment`, one block per branch;
            in a batch, as they may be published (`runs.release`), where they may.
        root: The project.

    Returns:
        The embedded tables, the convention tables of `parameters/tables/`, the tables of
        `table_files.SUPPLIED` as `own_<name>` (no row when no branch supplies one), `rncp_fiches`
        and `rncp_blocs` (of the branches' exports, else of the project's; no row without).

    Raises:
        ScopeError: If a branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters; a table tells its own when it is asked for.
    """
    root = root or project.find_root()
    branches = parameters.load_some_branches(branch_files(branch_codes, root))
    chosen = [branches[code].tables for code in branch_codes]
    exports = sorted({own.rncp_export for own in chosen if own.rncp_export is not None})
    released = os.environ.get("OPMQ_RELEASED", "")
    register = cache(partial(_register, [root / path for path in exports], root))

    def own(table: str) -> pd.DataFrame:
        has_register = table == "bloc_readings" and exports
        blocs = register()["blocs"]["bloc_code"].unique() if has_register else None
        blocks = []
        for code, named in zip(branch_codes, chosen, strict=True):
            shown = root / released / code / f"{table}.csv"
            if released and table in named.paths() and shown.is_file():
                blocks.append(table_files.read_released(shown, table, code))
            elif (path := named.paths().get(table)) is not None:
                blocks.append(table_files.read_supplied(root / path, table, code, blocs))
        return pd.concat(blocks, ignore_index=True) if blocks else table_files.no_rows(table)

    readers: dict[str, Callable[[], pd.DataFrame]] = {
        "rncp_fiches": lambda: register()["fiches"],
        "rncp_blocs": lambda: register()["blocs"],
    }
    readers["secret_metiers"] = partial(table_files.secret_metiers, root / released, branch_codes)
    for name in table_files.CONVENTIONS:
        readers[name] = partial(table_files.read_convention, name, root)
    for name in table_files.SUPPLIED:
        readers[f"own_{name}"] = partial(own, name)
    return InputTables(readers, root)


def load_registers(
    requests: str, recommendations: str, company_counts: str, root: Path | None = None
) -> dict[str, pd.DataFrame]:
    """Return the registers of the review of requests, checked.

    Args:
        requests: Path from the project's root; empty: no register.
        recommendations: Likewise.
        company_counts: Likewise.
        root: The project.

    Returns:
        `requests`, `recommendations`, `company_counts`; without row where there is no register. A
        register in `outputs/demo` must be fictitious, any other must not.

    Raises:
        DataError: With every defect of a register; no value is shown.
    """
    root = root or project.find_root()
    given = {
        name: table_files.no_rows(name)
        for name in ("requests", "recommendations", "company_counts")
    }
    origin = _origin_of(requests)
    if requests:
        known = registers.known(root, edition(root).edition_date, origin)
        given["requests"] = registers.read_requests(root / requests, known)
    if recommendations:
        given["recommendations"] = registers.read_recommendations(root / recommendations, origin)
    if company_counts:
        given["company_counts"] = table_files.read_table(root / company_counts, "company_counts")
    return given


def requests_template(root: Path | None = None) -> Any:
    """Return the workbook in which requests are written down, with its drop-down lists."""
    return registers.template("requests", root or project.find_root())


def load_works(
    works: str, decisions: pd.DataFrame | None = None, root: Path | None = None
) -> pd.DataFrame:
    """Return the register of works, checked; no row without a path.

    Args:
        works: Path from the project's root; in `outputs/demo` it must be fictitious.
        decisions: From `load_decisions`: works may only name these.
        root: The project.
    """
    root = root or project.find_root()
    path = root / works if works else None
    on = edition(root).edition_date
    return registers.read_works(path, root, on, decisions, _origin_of(works))


def load_notes(notes: str, works: pd.DataFrame, root: Path | None = None) -> pd.DataFrame:
    """Return the register of notes, checked; no row without a path.

    Args:
        notes: Path from the project's root; in `outputs/demo` it must be fictitious.
        works: From `load_works`.
        root: The project.
    """
    root = root or project.find_root()
    path = root / notes if notes else None
    return registers.read_notes(path, works, edition(root).edition_date, _origin_of(notes))


def _origin_of(register: str) -> str:
    return "fictitious" if register.startswith(f"outputs/{DEMO}/") else "own"


def load_decisions(decisions: str, root: Path | None = None) -> pd.DataFrame:
    """Return the register of decisions on the shortlists, checked; no row without a path."""
    path = (root or project.find_root()) / decisions if decisions else None
    return registers.read_decisions(path)


def edition(root: Path | None = None) -> EditionParams:
    """Return the parameters of the edition: base year, horizon, quantile levels, scenarios.

    Raises:
        DataError: With every defect of `parameters/edition.yml`.
    """
    return parameters.load_edition(root or project.find_root())


def scenarios(root: Path | None = None) -> tuple[ScenarioParams, ...]:
    """Return the scenarios of the edition, in its order.

    Raises:
        DataError: With every defect of the edition's and the scenarios' files.
    """
    root = root or project.find_root()
    known = parameters.load_scenarios(root)
    return tuple(known[code] for code in edition(root).scenario_codes)


def criteria(branch_code: str, root: Path | None = None) -> tuple[Question, ...]:
    """Return the questions of a branch on core and strategic métiers, with their criteria.

    Raises:
        ScopeError: If the branch has no parameter file; it says which one was probably meant.
        DataError: With every defect of the parameters.
    """
    (branch,) = parameters.load_some_branches(branch_files([branch_code], root)).values()
    return branch.questions


def theme_labels(root: Path | None = None) -> dict[str, str]:
    """Return the French label of each theme of studies, in the order of the table."""
    return _labels(table_files.read_convention("study_themes", root or project.find_root()))


def topic_labels(root: Path | None = None) -> dict[str, str]:
    """Return the French label of each topic of requests, sub-topics included."""
    return _labels(table_files.read_convention("request_topics", root or project.find_root()))


@checked
def metier_labels(nomenclature: Literal["FAP-2009", "FAP-2021"] = "FAP-2009") -> dict[str, str]:
    """Return the French label of each métier code of one nomenclature.

    Examples:
        >>> metier_labels()["G1Z70"]
        'Techniciens et agents de maîtrise de la maintenance et de l’environnement'
    """
    metiers = embedded.load("metiers")
    labels = _labels(metiers[metiers["nomenclature"] == nomenclature])
    return labels | (_labels(embedded.load("metiers_2021")) if nomenclature == "FAP-2021" else {})


def region_labels() -> dict[str, str]:
    """Return the French name of each region.

    Examples:
        >>> region_labels()["84"]
        'Auvergne-Rhône-Alpes'
    """
    return _labels(embedded.load("regions"))


def rome_labels() -> dict[str, str]:
    """Return the French label of each fiche of the ROME 4.0.

    Examples:
        >>> rome_labels()["H2913"]
        'Soudeur / Soudeuse'
    """
    romes = embedded.load("romes")
    return _labels(romes[romes["rome_version"] == "4.0"])


def skill_labels() -> dict[str, str]:
    """Return the French label of each skill of the ROME.

    Examples:
        >>> skill_labels()["100007"]
        'Techniques de soudage'
    """
    return _labels(embedded.load("skills"))


def branch_labels() -> dict[str, str]:
    """Return the French name of each branch.

    Examples:
        >>> branch_labels()["chimie"]
        'Industries chimiques'
    """
    return _labels(embedded.load("branches"))


def all_labels(root: Path | None = None) -> dict[str, str]:
    """Return the French label of every code of métier (FAP-2009, ROME), branch, topic and theme."""
    labels = metier_labels() | rome_labels() | branch_labels()
    return (
        labels
        | topic_labels(root)
        | theme_labels(root)
        | {"autres_metiers": "Autres métiers", "ENS": "Ensemble"}
    )


def group_labels() -> dict[str, str]:
    """Return the French names of the branches of each industry group.

    Examples:
        >>> group_labels()["A"]
        'Métallurgie'
    """
    branches = embedded.load("branches")
    names = branches["label"].map(french.label).groupby(branches["industry_group_code"])
    return {str(code): ", ".join(each) for code, each in names}


def read_results(
    edition_id: str, branch_code: str, notebook: str, root: Path | None = None
) -> dict[str, pd.DataFrame]:
    """Return the result tables that another notebook has left, by name.

    What counts is the last run of the notebook, as the edition's ledger tells it; files that no
    run has written are not looked at.

    Args:
        edition_id: Name of the edition's folder in `outputs/`.
        branch_code: A branch, or `commun`.
        notebook: A template's name, such as `01_emplois`.
        root: The project.

    Returns:
        Each table with its row number as index, codes as text; none if the notebook has not run,
        if its last run failed, or if its tables are not all there.
    """
    root = root or project.find_root()
    if branch_code not in RESERVED_CODES:
        branch_files([branch_code], root)
    folder = root / "outputs" / str(edition_id)
    record = ledger.latest(folder / ledger.LEDGER).get((branch_code, notebook))
    return {path.stem: read_result(path) for path in _tables(folder, record)}


def read_all_results(
    edition_id: str, notebook: str, table: str, root: Path | None = None
) -> pd.DataFrame:
    """Return one result table of a notebook for all branches, one under the other.

    Args:
        edition_id: Name of the edition's folder in `outputs/`.
        notebook: A template's name, such as `01_emplois`.
        table: Name of the result table.
        root: The project.

    Returns:
        The rows of every branch whose parameter file asks for the notebook and whose last run of
        it succeeded, in the order of the branches' codes; what other branches have left in
        `outputs/` is not looked at, nor are results that rest on a user's own data.
    """
    root = root or project.find_root()
    folder = root / "outputs" / str(edition_id)
    records = ledger.latest(folder / ledger.LEDGER)
    branches = parameters.branches_with(root, notebook)
    asked = [records.get((code, notebook), {}) for code in branches]
    known = [record for record in asked if record.get("origin", "own") != "own"]
    paths = [path for record in known for path in _tables(folder, record) if path.stem == table]
    return pd.concat(map(read_result, paths), ignore_index=True) if paths else pd.DataFrame()


def _register(exports: Sequence[Path], root: Path) -> dict[str, pd.DataFrame]:
    """Return the register of certifications: of exports, else the one that the project loaded."""
    if not exports and "rncp_fiches" in official.index(root):
        return {name: embedded.load(f"rncp_{name}", root) for name in ("fiches", "blocs")}
    return rncp.read_exports(exports)


def _labels(table: pd.DataFrame) -> dict[str, str]:
    """Return the French labels of a table of codes, by the code in its first column."""
    return dict(zip(table.iloc[:, 0], table["label"].map(french.label), strict=True))


def branch_files(wanted: Iterable[str], root: Path | None = None) -> list[Path]:
    """Return the parameter files of some branches; the files of others are not even opened.

    Raises:
        ScopeError: With every code that no branch has.
    """
    folder = (root or project.find_root()) / "parameters" / "branches"
    paths = {str(code): folder / f"{code}.yml" for code in wanted}
    if strangers := [code for code, path in paths.items() if not path.is_file()]:
        known = [path.stem for path in folder.glob("*.yml")]
        raise gather(parameters.unknown("branch_code", "branch", code, known) for code in strangers)
    return list(paths.values())


def _tables(folder: Path, record: ledger.Record | None) -> list[Path]:
    """Return the result tables that a run has left under an edition's folder, in order of name."""
    if record is None or record["status"] != "ok":
        return []
    run_folder = folder / record["branch_code"] / record["notebook"]
    paths = [run_folder / name for name in sorted(record["outputs"]) if name.endswith(".csv")]
    return paths if all(path.is_file() for path in paths) else []


def read_result(source: Path | BytesIO, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a result table as a run has written it: codes as text, `nan` where empty.

    Args:
        source: Its file.
        columns: Those to read; all of them if not given.
    """
    content = source.read_bytes() if isinstance(source, Path) else source.read()
    table: pd.DataFrame = arrow_table(content, _kind, [""], columns).to_pandas()
    return table


def typed(texts: pa.Table) -> pd.DataFrame:
    """Return columns of texts, as `text_columns` gives them, as `read_result` reads them."""
    columns = {}
    for name, column in zip(texts.column_names, texts.columns, strict=True):
        text = column.cast("string")
        columns[name] = pc.if_else(pc.equal(text, ""), None, text).cast(_kind(name))
    table: pd.DataFrame = pa.table(columns).to_pandas()
    return table


def _kind(name: str) -> pa.DataType:
    is_number = name in tables.COLUMNS and tables.COLUMNS[name].kind in {"whole", "number"}
    return pa.float64() if is_number else pa.string()


def text_columns(content: bytes, delimiter: str = ",") -> dict[str, pa.DictionaryArray]:
    r"""Return the columns of a result table by name: each text once, and which stands where.

    Args:
        content: Its file.
        delimiter: What stands between cells.

    Examples:
        >>> text_columns(b"year,value\n2018,3\n2019,3\n")["value"].dictionary.to_pylist()
        ['3']
    """
    table = arrow_table(
        content, lambda _: pa.dictionary(pa.int32(), pa.string()), (), None, delimiter
    )
    columns = (each.unify_dictionaries().combine_chunks() for each in table.columns)
    return dict(zip(table.column_names, columns, strict=True))


def arrow_table(
    content: bytes,
    kind: Callable[[str], pa.DataType],
    absent: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    delimiter: str = ",",
) -> pa.Table:
    """Return a result table as Arrow reads it, three times as fast as pandas.

    Args:
        content: Its file.
        kind: Type of a column, by its name.
        absent: Texts that stand for no value.
        columns: Those to read; all of them if not given.
        delimiter: What stands between cells.
    """
    first = content.partition(b"\n")[0].decode()
    header = next(csv.reader(StringIO(first), delimiter=delimiter), [])
    if len({*header}) < len(header):
        raise pa.ArrowInvalid(f"two columns of the same name: {first}")
    return arrow.read_csv(
        pa.BufferReader(content),
        arrow.ReadOptions(use_threads=False, block_size=len(content) + 1),
        arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        arrow.ConvertOptions(
            column_types={name: kind(name) for name in header},
            null_values=[*absent],
            strings_can_be_null=bool(absent),
            include_columns=columns,
        ),
    )
