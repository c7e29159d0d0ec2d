"""The zip of CSV files in which France compétences publishes its registers (RNCP, RS)."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources import grids, reading, table_files
from opmq_lib.sources.grids import PRODUCER

MEMBERS: Final = {
    "fiches": (
        "Standard",
        {
            "fiche_code": "Numero_Fiche",
            "title": "Intitule",
            "framework_level": "Nomenclature_Europe_Niveau",
            "active": "Actif",
            "starts_on": "Date_Effet",
            "ends_on": "Date_Fin_Enregistrement",
        },
    ),
    "blocs": (
        "Blocs_De_Comp",
        {
            "fiche_code": "Numero_Fiche",
            "bloc_code": "Bloc_Competences_Code",
            "title": "Bloc_Competences_Libelle",
        },
    ),
    "romes": ("Rome", {"fiche_code": "Numero_Fiche", "rome_code": "Codes_Rome_Code"}),
    "certifiers": (
        "Certificateurs",
        {
            "fiche_code": "Numero_Fiche",
            "siret_code": "Siret_Certificateur",
            "name": "Nom_Certificateur",
        },
    ),
}
"""Start of each member's subject, cut before its accents (zips spell them in several ways), and
the titles of the columns that are kept."""


def read_export(path: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of an export: `fiches`, `blocs`, `romes`, `certifiers`.

    Texts lose the TAB before a SIRET, blanks around, and doubled apostrophes; dates become ISO.

    Args:
        path: The zip.

    Returns:
        `fiches`: contract `rncp_fiches`, each fiche once; `blocs`: contract `rncp_blocs`;
        `romes`: `fiche_code`, `rome_code`; `certifiers`: `fiche_code`, `siret_code`, `name`.

    Raises:
        SchemaError: If the file is no such zip, or a member or column is missing.
        DataError: With every defect of the rows.
    """
    where = path.name
    grids.check_zip(path, where, PRODUCER)
    with zipfile.ZipFile(path) as archive:
        raw = {name: _member(archive, name, where) for name in MEMBERS}
    fiches = raw["fiches"]
    _, titles = MEMBERS["fiches"]
    days = {name: _iso_days(fiches[name]) for name in ("starts_on", "ends_on")}
    SchemaError.refuse(
        Defect(f"{where}, {fiche}, {titles[name]}", "not a date", "DD/MM/YYYY", "correct it", text)
        for name, iso in days.items()
        for fiche, text in fiches.loc[iso.isna(), ["fiche_code", name]].itertuples(index=False)
    )
    level = fiches["framework_level"].str.extract(r"([3-8])$")[0]
    active = fiches["active"].map({"ACTIVE": "yes", "INACTIVE": "no"}).fillna("")
    checked = {
        "fiches": fiches.assign(
            framework_level=pd.to_numeric(level).astype("Int64"), active=active, **days
        ),
        "blocs": raw["blocs"].drop_duplicates(["fiche_code", "bloc_code"]),
    }
    return raw | {
        name: tables.check(
            f"rncp_{name}", table.assign(origin="public").reset_index(drop=True), where
        )
        for name, table in checked.items()
    }


def read_exports(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return the `fiches` and `blocs` of several exports, as `read_export`.

    A fiche that two exports have is the last one's, and so are its blocs; no row without a path.
    """
    together = {name: table_files.no_rows(f"rncp_{name}") for name in ("fiches", "blocs")}
    for path in paths:
        read = read_export(path)
        for name, earlier in together.items():
            replaced = earlier["fiche_code"].isin(read["fiches"]["fiche_code"])
            parts = [each for each in (earlier[~replaced], read[name]) if len(each)]
            together[name] = pd.concat(parts, ignore_index=True) if parts else earlier
    return together


def _member(archive: zipfile.ZipFile, name: str, where: str) -> pd.DataFrame:
    start, titles = MEMBERS[name]
    wanted = f"export_fiches_CSV_{start}"
    place = f"{where}, {wanted}…"
    members = [each for each in archive.namelist() if Path(each).name.startswith(wanted)]
    if len(members) != 1:
        what = "no such member" if not members else "more than one such member"
        raise SchemaError.of(place, what, "one CSV", "use a whole export")
    layout = reading.Layout({each: (title,) for each, title in titles.items()}, verbatim=True)
    rows = reading.rows(archive.read(members[0]), place, layout).rows
    return rows.replace("''", "'", regex=True)


def _iso_days(texts: pd.Series) -> pd.Series:
    """Return days such as 31/12/2026 in ISO, empty ones empty; `NaN` where a text is no day."""
    days = pd.to_datetime(texts, format="%d/%m/%Y", errors="coerce").dt.strftime("%Y-%m-%d")
    return days.mask(texts == "", "")
