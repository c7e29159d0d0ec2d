"""What a table that somebody supplies may speak of: known codes, its branch, what was counted."""

from collections.abc import Callable, Collection
from typing import Final

import pandas as pd

from opmq_lib.errors import ScopeError
from opmq_lib.tables.schemas import DESCRIPTIONS, Rule

DEFINED_IN: Final = {
    "branch_code": ("branches", "branch"),
    "idcc_code": ("idcc_history", "IDCC"),
    "metier_code": ("metiers", "métier"),
    "naf_code": ("naf", "NAF"),
    "region_code": ("regions", "region"),
    "rome_code": ("romes", "ROME"),
    "skill_code": ("skills", "skill"),
}
"""The embedded table that knows all the codes of a column, and what to call one in messages."""

REST: Final = "autres_metiers"
"""What stands for the other métiers: an own table may close its total with it."""
NOMENCLATURE: Final = "FAP-2009"
OWN_TABLES: Final = {
    "employment": "Emploi par métier",
    "branch_totals": "Salariés de la branche",
    "criterion_values": "Valeurs de critères",
    "tension_components": "Composantes de la tension",
    "tension_reference": "Référence de la tension",
    "fap_crosswalk": "Passage FAP-2009 à FAP-2021",
    "skill_needs": "Compétences nécessaires",
    "skill_supply": "Compétences disponibles",
    "bloc_readings": "Lecture des blocs",
    "branch_ages": "Âges par métier",
    "branch_entries": "Jeunes débutants et mobilité",
}
"""Tables that a branch may supply, and the French name of their sheet."""
LEVEL: Final = "fap225"
"""The métiers of an own employment table: those of the estimate that it replaces."""


def code_rules(table: str, known: Callable[[str, str], Collection[str]]) -> list[Rule]:
    """Return the rules that codes must be known where another table defines them.

    Args:
        table: The table that is checked.
        known: Defining table, column → all codes.
    """
    return [
        Rule(
            columns=(name,),
            holds=_among(name, codes := {"", REST, *known(defining, name)}),
            what=f"unknown {kind}",
            expected=f"a code of table `{defining}`",
            fix="correct the code",
            error=ScopeError,
            choices=codes,
        )
        for name, (defining, kind) in DEFINED_IN.items()
        if name in DESCRIPTIONS[table] and defining != table
    ]


def branch_rule(branch_code: str, known: Collection[str]) -> Rule:
    """Return the rule that a table speaks of one of the known branches."""
    return Rule(
        columns=("branch_code",),
        holds=_among("branch_code", {REST, *known} - {branch_code}, invert=True),
        what="a row of another branch",
        expected=branch_code,
        fix="put each branch in its own file",
        error=ScopeError,
    )


def bloc_rule(bloc_codes: Collection[str]) -> Rule:
    """Return the rule that a table speaks of the blocs of its export alone."""
    return Rule(
        columns=("bloc_code",),
        holds=_among("bloc_code", {"", *bloc_codes}),
        what="a bloc that the export does not hold",
        expected="a bloc of the file that `rncp_export` names",
        fix="correct the code, remove the row, or name the export that holds it",
        error=ScopeError,
    )


OWN: Final = Rule(
    columns=("origin",),
    holds=lambda frame: frame["origin"].ne("public"),
    what="your own table calls this row public",
    expected="own",
    fix="write own: what you supply is shown to nobody before it is checked",
    error=ScopeError,
)
"""The rule of every own table."""


_SPLIT: Final = f"give one row to each métier, and {REST} for the rest"
_RECODE: Final = f"write the code of {NOMENCLATURE}, or count these jobs in {REST}"


def metier_rules(table: str, metiers: pd.DataFrame) -> list[Rule]:
    """Return what the métiers of an own table must be, and that its jobs were counted.

    Its codes are of `NOMENCLATURE`; those of employment are métiers, not families.

    Args:
        table: The table.
        metiers: Table `metiers`: every code of every nomenclature and level.
    """
    if not {"branch_code", "metier_code"} <= DESCRIPTIONS[table].keys():
        return []
    is_usual = metiers["nomenclature"].eq(NOMENCLATURE)
    is_employment = table == "employment"
    usable = metiers[is_usual & metiers["level"].eq(LEVEL)] if is_employment else metiers[is_usual]
    level = metiers["level"].map({"total": "all occupations together"})
    why = level.fillna("a family of métiers").where(
        is_usual, "a code of " + metiers["nomenclature"]
    )
    others = (
        metiers.assign(why=why)
        .sort_values("nomenclature", kind="stable")
        .drop_duplicates("metier_code")
    )
    others = others[~others["metier_code"].isin(usable["metier_code"])]
    of_level = f"level {LEVEL} of " if is_employment else ""
    rules = [
        Rule(
            columns=("metier_code",),
            holds=_among("metier_code", codes, invert=True),
            what=f"{reason}, not a métier of {NOMENCLATURE}",
            expected=f"a code of {of_level}{NOMENCLATURE} in table `metiers`, such as D1Z40, or "
            f"{REST}",
            fix=_RECODE if str(reason).startswith("a code of") else _SPLIT,
            error=ScopeError,
        )
        for reason, codes in others.groupby("why")["metier_code"].unique().items()
    ]
    return [*rules, *([_OBSERVED] if is_employment else [])]


def _among(
    name: str, codes: Collection[str], *, invert: bool = False
) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[name].isin(codes) != invert


_OBSERVED: Final = Rule(
    columns=("nature",),
    holds=_among("nature", {"estimate", "official_projection"}, invert=True),
    what="your own table holds what was not observed",
    expected="observed",
    fix="keep what was counted and leave the other rows out: estimates and projections are "
    "made by the project",
    error=ScopeError,
)
