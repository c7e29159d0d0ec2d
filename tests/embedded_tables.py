"""The embedded tables as loaders make them: `python tests/embedded_tables.py` writes them again."""

import os
from functools import cache
from pathlib import Path

import pandas as pd

from opmq_lib.sources import embedded, loading
from opmq_lib.sources.producers import (
    basins,
    bmo,
    certifinfo,
    conventions,
    dares_2030,
    dares_branches,
    dares_portraits,
    fap2021,
    hires,
    rome,
    tension_2021,
)
from opmq_lib.sources.updates import as_csv
from opmq_lib.tables import DESCRIPTIONS

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
LABOUR, SKILLS = DATA / "labour", DATA / "skills"


def files(producer: loading.Producer, folder: Path) -> dict[str, Path]:
    """Return the files of a loader that lie in a folder, or anywhere under it, by name."""
    found = {
        name: sorted(folder.glob(place)) or sorted(folder.rglob(Path(place).name))
        for name, place in producer.files.items()
    }
    return {name: paths[-1] for name, paths in found.items() if paths}


FILES = {
    each: files(each.PRODUCER, folder)
    for each, folder in {
        bmo: LABOUR / "france-travail-bmo",
        basins: LABOUR / "mobiville-tension",
        certifinfo: SKILLS / "certifinfo",
        conventions: LABOUR / "dares-idcc-history",
        dares_2030: LABOUR / "dares-metiers-2030",
        dares_branches: LABOUR / "dares-portraits-branches",
        dares_portraits: LABOUR / "dares-portraits-metiers",
        fap2021: LABOUR / "dares-fap2021",
        hires: LABOUR / "labonneboite-rome-naf",
        rome: SKILLS,
        tension_2021: LABOUR / "dares-tension-fap2021",
    }.items()
}


@cache
def loaders() -> list[loading.Loaded]:
    """What every loader gives; of the survey its last year, all of them in a full run."""
    chosen = dict(FILES)
    if not os.environ.get("OPMQ_TEST_FULL"):
        chosen[bmo] = {"2025": FILES[bmo]["2025"]}
    chosen[certifinfo] = {"certifications": SKILLS / "certifinfo" / "certif_info.csv"}
    return [loader.load(paths) for loader, paths in chosen.items()]


def loaded() -> dict[str, pd.DataFrame]:
    """Every embedded table that loaders give, in the columns of its contract."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for each in loaders():
        for name, (table, _) in each.items():
            if name in embedded.tables():
                parts.setdefault(name, []).append(table[list(DESCRIPTIONS[name])])
    return {
        name: tables[0]
        if len(tables) == 1
        else pd.concat(tables).sort_values(KEYS[name], kind="stable", ignore_index=True)
        for name, tables in parts.items()
    }


KEYS = {"metiers": ["nomenclature", "metier_code"], "romes": ["rome_code", "rome_version"]}
"""Order of the tables that two loaders make."""


def of_embedded(table: str) -> pd.DataFrame:
    """The rows of an embedded table of several years that the loaders of this run can give."""
    frame = embedded.load(table)
    return frame[frame["year"].isin(loaded()[table]["year"])]


if __name__ == "__main__":
    os.environ["OPMQ_TEST_FULL"] = "1"
    for name, table in loaded().items():
        embedded.path(name).write_text(as_csv(table), encoding="utf-8")
