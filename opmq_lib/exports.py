"""Writes the tables that readers download."""

import os
from pathlib import Path

import pandas as pd


def write_results(results: dict[str, pd.DataFrame], output_folder: str, workbook: str) -> None:
    """Write each result table as CSV, and all of them as the sheets of one workbook.

    CSV files are UTF-8, comma, decimal point, codes as text; an absent value is an empty field and
    its reason stands in the column `status`. Each file appears whole or not at all.

    Args:
        results: Table name → table; the name becomes the file's and the sheet's.
        output_folder: Folder, made when missing, relative to the notebook.
        workbook: Name of the XLSX file, without its ending.
    """
    folder = Path(output_folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in results.items():
        _replace(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
    partial = folder / f".{workbook}.xlsx"
    with pd.ExcelWriter(partial, engine="openpyxl") as writer:
        for name, table in results.items():
            table.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
    partial.replace(folder / f"{workbook}.xlsx")


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
