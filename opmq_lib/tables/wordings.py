"""What the codes of registers are called in French: in templates, in filled files, on pages."""

from collections.abc import Mapping
from typing import Final

WORDINGS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
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
