"""The life of collective agreements, told by the Dares and the DGT: which one follows which.

The branch of a convention is that of the first convention of its chain that one branch alone had
in 2019, else of the branch that has the last one now (table `branches`).
"""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from opmq_lib.sources import embedded
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept, ordered
from opmq_lib.sources.reading import Layout, read

_COLUMNS: Final = {
    "idcc_code": ("IDCC", "CODE"),
    "short_label": ("LibelléCourt",),
    "field": ("Champ d'application",),
    "active": ("IDCCactif", "CODEactif"),
    "successor_idcc_code": ("NouvIDCC", "NouvCODE"),
    "cris_code": ("CRIS",),
    "signed_on": ("DateSignature",),
    "effective_on": ("DateEffet",),
    "ended_on": ("DateFin",),
}
_OTHERS: Final = ("Libellé", "Régime")
BRANCHES: Final = Layout(_COLUMNS, _OTHERS, sheet="Conventions de branche")
STATUTES: Final = Layout(_COLUMNS, _OTHERS, sheet="Accords et statuts")
PRODUCER: Final = Producer(
    "conventions",
    "Dares et Direction générale du travail",
    "Suivi historique des conventions collectives",
    UNSTATED,
    "https://travail-emploi.gouv.fr/conventions-collectives-nomenclatures",
    {"history": "**/*[Hh]istorique*onvention*.xlsx"},
    ("idcc_history",),
)


def load(paths: Paths) -> Loaded:
    """Return table `idcc_history`: the conventions whose chain leads to a branch of the study.

    Args:
        paths: `history`, the workbook.
    """
    reads = [read(paths["history"], layout) for layout in (BRANCHES, STATUTES)]
    rows = pd.concat([each.rows for each in reads], ignore_index=True)
    branches = embedded.load("branches")
    former = _owners(branches, "idcc_2019_codes")
    present = _owners(branches, "idcc_2026_codes")
    conventions = reads[0].rows
    codes, successors = conventions["idcc_code"], conventions["successor_idcc_code"]
    followers = dict(zip(codes, successors, strict=True))
    chains = {code: _chain(code, followers) for code in rows["idcc_code"]}
    owners = {
        code: next((former[each] for each in chain if each in former), present.get(chain[-1], ""))
        for code, chain in chains.items()
    }
    last = {code: chain[-1] if len(chain) > 1 else "" for code, chain in chains.items()}
    days = ("signed_on", "effective_on", "ended_on")
    rows = rows.assign(
        **{day: rows[day].str[:10] for day in days},
        active=rows["active"].map({"1": "yes", "0": "no"}),
        final_idcc_code=rows["idcc_code"].map(last),
        branch_code=rows["idcc_code"].map(owners),
    )
    drop = {"hors des branches étudiées": rows["branch_code"] == ""}
    table, record = kept(rows, reads[0], PRODUCER, drop)
    return {"idcc_history": (ordered(table, "idcc_code"), record)}


def _owners(branches: pd.DataFrame, column: str) -> dict[str, str]:
    """Return the branch of each convention that one branch alone has."""
    pairs = [
        (code, branch)
        for branch, codes in zip(branches["branch_code"], branches[column], strict=True)
        for code in codes.split()
    ]
    owners = pd.Series(dict(reversed(pairs)), dtype="str")
    return dict(owners)


def _chain(code: str, followers: Mapping[str, str]) -> list[str]:
    chain = [code]
    while (following := followers.get(chain[-1], "")) and following not in chain:
        chain.append(following)
    return chain
