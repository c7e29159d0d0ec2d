"""The embedded tables that loaders make: `python tests/embedded_tables.py` writes them again."""

from functools import cache
from pathlib import Path

import pandas as pd

from opmq_lib.sources import (
    dares_2030,
    dares_branches,
    dares_portraits,
    embedded,
    fap2021,
    loading,
    rome,
)
from opmq_lib.tables import DESCRIPTIONS

LABOUR = Path(__file__).parent.parent.parent / "shared" / "data" / "labour"
FOLDERS = {
    dares_portraits: LABOUR / "dares-portraits-metiers" / "inputs",
    dares_branches: LABOUR / "dares-portraits-branches",
    dares_2030: LABOUR / "dares-metiers-2030",
    fap2021: LABOUR,
    rome: LABOUR.parent / "skills",
}


@cache
def loaders() -> list[loading.Loaded]:
    """What every loader gives."""
    return [loader.load(loading.files(loader.FILES, folder)) for loader, folder in FOLDERS.items()]


def loaded() -> dict[str, pd.DataFrame]:
    """Every table of every loader, in the columns of its contract."""
    tables = {name: table for each in loaders() for name, table in each.tables.items()}
    history = embedded.load("idcc_history")[["idcc_code", "branch_code"]]
    tables["branch_headcount"] = tables["branch_headcount"].merge(history, on="idcc_code")
    tables["metiers"] = with_scope(tables["metiers"])
    return {
        name: table[[column for column in DESCRIPTIONS[name] if column in table]]
        for name, table in tables.items()
    }


def with_scope(metiers: pd.DataFrame) -> pd.DataFrame:
    """Labels of FAP-2009 as loaded, among the other rows of the embedded table."""
    ours = embedded.load("metiers")
    key = ["nomenclature", "metier_code"]
    scoped = metiers.merge(ours[[*key, "scope"]], "left", key).fillna({"scope": "other"})
    others = ours[(ours["nomenclature"] != "FAP-2009") | (ours["level"] == "total")]
    rows = pd.concat([scoped, others]).sort_values(key, kind="stable", ignore_index=True)
    return rows[list(ours.columns)]


def as_csv(table: pd.DataFrame) -> str:
    """The text of an embedded table: numbers in their shortest form."""

    def written(value: object) -> str:
        if pd.isna(value):
            return ""
        return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

    return table.map(written).to_csv(index=False, lineterminator="\n")


if __name__ == "__main__":
    for name, table in loaded().items():
        embedded.path(name).write_text(as_csv(table), encoding="utf-8")
