"""The zip of CSV files in which France compétences publishes its registers (RNCP, RS)."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect, SchemaError, gather

MEMBERS: Final = {
    "fiches": (
        "Standard",
        ("Numero_Fiche", "Intitule", "Nomenclature_Europe_Niveau", "Actif", "Date_Effet",
         "Date_Fin_Enregistrement"),
    ),
    "blocs": (
        "Blocs_De_Comp",
        ("Numero_Fiche", "Bloc_Competences_Code", "Bloc_Competences_Libelle"),
    ),
    "romes": ("Rome", ("Numero_Fiche", "Codes_Rome_Code")),
    "certifiers": ("Certificateurs", ("Numero_Fiche", "Siret_Certificateur", "Nom_Certificateur")),
}  # fmt: skip
"""Start of each member's subject, cut before its accents: zips spell them in several ways."""


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
    try:
        with zipfile.ZipFile(path) as archive:
            raw = {name: _member(archive, name, path.name) for name in MEMBERS}
    except FileNotFoundError as error:
        told = ("no such file", "the CSV export of the RNCP", "correct the path")
        raise SchemaError([Defect(path.name, *told)]) from error
    except (zipfile.BadZipFile, OSError) as error:
        told = ("not a readable zip", "the CSV export of the RNCP", "download it again")
        raise SchemaError([Defect(path.name, *told)]) from error
    fiches = raw["fiches"].drop_duplicates(list(MEMBERS["fiches"][1]))
    level = fiches["Nomenclature_Europe_Niveau"].str.extract(r"([3-8])$")[0]
    errors: list[DataError] = []
    dates = {
        name: _dates(fiches, column, path.name, errors)
        for name, column in (("starts_on", "Date_Effet"), ("ends_on", "Date_Fin_Enregistrement"))
    }
    if errors:
        raise gather(errors)
    found = pd.DataFrame(
        {
            "fiche_code": fiches["Numero_Fiche"],
            "title": fiches["Intitule"],
            "framework_level": pd.to_numeric(level).astype("Int64"),
            "active": fiches["Actif"].map({"ACTIVE": "yes", "INACTIVE": "no"}).fillna(""),
            **dates,
            "origin": "public",
        }
    ).reset_index(drop=True)
    blocs = raw["blocs"].drop_duplicates(["Numero_Fiche", "Bloc_Competences_Code"])
    return {
        "fiches": tables.check("rncp_fiches", found, path.name),
        "blocs": tables.check(
            "rncp_blocs",
            pd.DataFrame(
                {
                    "fiche_code": blocs["Numero_Fiche"],
                    "bloc_code": blocs["Bloc_Competences_Code"],
                    "title": blocs["Bloc_Competences_Libelle"],
                    "origin": "public",
                }
            ).reset_index(drop=True),
            path.name,
        ),
        "romes": _named(raw["romes"], fiche_code="Numero_Fiche", rome_code="Codes_Rome_Code"),
        "certifiers": _named(
            raw["certifiers"],
            fiche_code="Numero_Fiche",
            siret_code="Siret_Certificateur",
            name="Nom_Certificateur",
        ),
    }


def read_exports(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return the `fiches` and `blocs` of several exports, as `read_export`.

    A fiche that two exports have is the last one's, and so are its blocs; no row without a path.
    """
    found = {
        name: pd.DataFrame(columns=list(tables.DESCRIPTIONS[f"rncp_{name}"]))
        for name in ("fiches", "blocs")
    }
    for path in paths:
        read = read_export(path)
        for name, earlier in found.items():
            replaced = earlier["fiche_code"].isin(read["fiches"]["fiche_code"])
            parts = [each for each in (earlier[~replaced], read[name]) if len(each)]
            found[name] = pd.concat(parts, ignore_index=True) if parts else earlier
    return found


def _member(archive: zipfile.ZipFile, name: str, where: str) -> pd.DataFrame:
    start, columns = MEMBERS[name]
    wanted = f"export_fiches_CSV_{start}"
    found = [each for each in archive.namelist() if Path(each).name.startswith(wanted)]
    if len(found) != 1:
        what = "no such member" if not found else "more than one such member"
        raise SchemaError([Defect(f"{where}, {wanted}…", what, "one CSV", "use a whole export")])
    try:
        text = archive.read(found[0]).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = ("not UTF-8", "a CSV file in UTF-8", "download the export again")
        raise SchemaError([Defect(f"{where}, {wanted}…", *told)]) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    rows = list(reader)
    if wide := [row for row, cells in enumerate(rows, start=2) if None in cells]:
        told = ("more cells than the header", "cells, quoted in pairs", "download the export again")
        raise SchemaError([Defect(f"{where}, {wanted}…, row {row}", *told) for row in wide])
    frame = pd.DataFrame(rows, columns=list(reader.fieldnames or ()), dtype="str")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise SchemaError(
            [
                Defect(f"{where}, {wanted}…", f"no column `{column}`", ", ".join(columns), "use a "
                       "CSV export of France compétences")
                for column in missing
            ]
        )  # fmt: skip
    clean = {name: cells.str.strip().str.replace("''", "'") for name, cells in frame.items()}
    return pd.DataFrame(clean).fillna("")


def _dates(fiches: pd.DataFrame, column: str, where: str, errors: list[DataError]) -> list[str]:
    found = []
    for fiche, text in zip(fiches["Numero_Fiche"], fiches[column], strict=True):
        try:
            day = datetime.strptime(text, "%d/%m/%Y").date().isoformat() if text else ""  # noqa: DTZ007 - a day
        except ValueError:
            defect = Defect(
                f"{where}, {fiche}, {column}", "not a date", "DD/MM/YYYY", "correct it", text
            )
            errors.append(SchemaError([defect]))
            day = ""
        found.append(day)
    return found


def _named(frame: pd.DataFrame, **columns: str) -> pd.DataFrame:
    picked = {new: frame[old] for new, old in columns.items()}
    return pd.DataFrame(picked).drop_duplicates(ignore_index=True)
