"""Which métiers and activities of the whole economy the study looks at: rules on codes."""

import re
from typing import Final

import pandas as pd

INDUSTRY: Final = tuple("CDEFGH")
"""Domains of the FAP that are industry: the same letters in FAP-2009 and FAP-2021."""
_FAMILIES: Final = {  # handling, storage, craft, studies and research
    "FAP-2009": ("J0Z", "J1Z", "K0Z", "N0Z"),
    "FAP-2021": ("J0X", "J1X", "K0X", "N0X", "N1X"),
}
_CODE: Final = re.compile(r"[A-Z](\d[A-Z](\d\d)?)?")


def scope(code: str, nomenclature: str) -> str:
    """Return what a code is to the study: `industry`, `transverse`, or `other`.

    Examples:
        >>> scope("D1Z40", "FAP-2009"), scope("J1X80", "FAP-2021"), scope("A0Z00", "FAP-2009")
        ('industry', 'transverse', 'other')
    """
    families = _FAMILIES[nomenclature]
    if not _CODE.fullmatch(code):
        return "other"
    if code.startswith(INDUSTRY):
        return "industry"
    if code[:3] in families or code in {family[0] for family in families}:
        return "transverse"
    return "other"


def scopes(codes: pd.Series, nomenclature: str) -> pd.Series:
    """Return the scope of each code."""
    known = {code: scope(code, nomenclature) for code in codes.unique()}
    return codes.map(known)
