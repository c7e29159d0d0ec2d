"""Urssaf's yearly employees by activity (NAF), shared between branches by table `naf_branch`.

The layout is the documented one: no real file was at hand when it was written.
"""

import re
from typing import Final

from opmq_lib.methods.conversion import convert
from opmq_lib.sources import table_files
from opmq_lib.sources.loading import Loaded, Paths, Producer, kept, numbers, ordered
from opmq_lib.sources.project import find_root
from opmq_lib.sources.reading import Layout, read

_YEARS: Final = r"(?i)effectifs[ _]salari[ée]s[ _](\d{4})"
PRODUCER: Final = Producer(
    "urssaf",
    "Urssaf",
    "Nombre d’établissements employeurs et effectifs salariés du secteur privé, par commune et APE",
    "ODbL, selon l’Urssaf",
    "https://open.urssaf.fr/explore/dataset/"
    "etablissements-et-effectifs-salaries-au-niveau-commune-x-ape-last/",
    {"employees": "**/*etablissements*effectifs*.csv"},
    ("branch_totals",),
    verified=False,
)
LAYOUT: Final = Layout(
    {"naf_code": ("code_ape", "Code APE", "APE")},
    (
        *("intitule_commune", "code_commune", "code_departement", "secteur_na88", "intitule_ape"),
        *("nombre_d_etablissements_{yyyy}", "nombre d'établissements {yyyy}", "département"),
        *("commune", "région", "ancienne_region", "zone_d_emploi", "epci"),
    ),
    wide=_YEARS,
)


def load(paths: Paths) -> Loaded:
    """Return `branch_totals`: private employees of the activities of each branch, by year.

    They are a table apart: levels by activity are not those of conventions, and no branch follows
    them unless its file names a table of totals. Activities that several branches share are split
    by the weights of `naf_branch`. A year that is missing in a cell is missing, not zero: a branch
    has no total in a year in which one of its activities has no cell at all.

    Args:
        paths: `employees`, by municipality and activity, one column a year.
    """
    found = read(paths["employees"], LAYOUT)
    rows = found.rows.assign(naf_code=found.rows["naf_code"].str.replace(".", ""))
    long = rows.melt("naf_code", var_name="year", value_name="employees_headcount")
    long["employees_headcount"] = numbers(long["employees_headcount"], found.file)
    long["year"] = long["year"].map(lambda title: int(re.findall(r"\d{4}", title)[0]))
    weights = table_files.read_convention("naf_branch", find_root())
    drop = {
        "activité d’aucune branche": ~long["naf_code"].isin(weights["naf_code"]),
        "non publié": long["employees_headcount"].isna(),
    }
    years = f"{long['year'].min()}–{long['year'].max()}"
    inside, record = kept(long, found, PRODUCER, drop, years)
    sums = inside.groupby(["naf_code", "year"])["employees_headcount"].sum()
    weights = weights[weights["naf_code"].isin(rows["naf_code"])]
    table = convert(sums.reset_index(), weights, "naf_code", "branch_code", "employees_headcount")
    wanted = weights.groupby("branch_code")["naf_code"].nunique()
    pairs = sums.reset_index().merge(weights, on="naf_code")
    found_codes = pairs.groupby(["branch_code", "year"])["naf_code"].nunique().reset_index()
    is_whole = found_codes["naf_code"] == found_codes["branch_code"].map(wanted)
    table = table.merge(found_codes.loc[is_whole, ["branch_code", "year"]])
    table = ordered(table.assign(origin="public", source_code="urssaf"), "branch_code", "year")
    empty = table_files.no_rows("branch_totals")
    table = table.reindex(columns=empty.columns).astype(empty.dtypes.to_dict())
    return {"branch_totals": (table, record)}
