"""What the codes of registers are called in French: in templates, in filled files, on pages."""

from collections.abc import Mapping
from typing import Final

WORDINGS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "works": {
        "kind": {
            "study": "étude",
            "certification_written": "certification écrite",
            "certification_renewed": "certification renouvelée",
            "agreement": "accord",
            "action": "action",
        },
        "status": {
            "requested": "demandé",
            "decided": "décidé par la CPNEFP",
            "under_way": "en cours",
            "delivered": "fait",
            "validated": "validé",
            "abandoned": "abandonné",
        },
        "cost_band": {
            "under_10k": "moins de 10 k€",
            "10k_50k": "10 à 50 k€",
            "50k_150k": "50 à 150 k€",
            "over_150k": "plus de 150 k€",
        },
        "disclosure": {"public": "public", "confidential": "confidentiel"},
    },
    "notes": {
        "theme": {
            "technologies": "technologies",
            "organisation": "organisation",
            "rules": "règles",
            "ecology": "écologie",
            "skills": "compétences",
            "conditions": "conditions",
            "recruitment": "recrutement",
        },
        "basis_kind": {
            "study": "étude du registre",
            "source": "source publiée",
            "hearing": "audition",
        },
        "status": {"draft": "projet", "signed": "signée", "withdrawn": "retirée"},
    },
}
"""Register → column → code → word."""


def choices(table: str, column: str) -> tuple[str, ...]:
    """Return the codes of a column of a register.

    Examples:
        >>> choices("notes", "status")
        ('draft', 'signed', 'withdrawn')
    """
    return tuple(WORDINGS[table][column])
