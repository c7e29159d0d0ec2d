"""Personal data in texts: e-mail addresses, phone numbers, names, company numbers."""

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

COMPANY_NUMBER: Final = "a company number (SIREN or SIRET)"

_TITLES: Final = "[Mm]mes?|MME|[Mm]lles?|MLLE|[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|MM|M[Rr]|[Dd]r"
_FIRST_NAMES: Final = (
    "Ahmed|Alain|Alexandre|Alice|André|Anne|Antoine|Aurélie|Benoît|Bernard|Bruno|Camille|"
    "Caroline|Catherine|Cécile|Cédric|Céline|Charlotte|Chloé|Christian|Christine|Christophe|"
    "Claire|Claude|Daniel|David|Denis|Didier|Dominique|Elodie|Élodie|Emilie|Émilie|Emma|Emmanuel|"
    "Éric|Eric|Fabien|Fabrice|Fatima|Florence|Franck|François|Françoise|Frédéric|Gérard|Gilles|"
    "Guillaume|Hélène|Henri|Hervé|Hugo|Isabelle|Jacques|Jean|Jeanne|Jérôme|Joël|Julie|Julien|"
    "Karim|Karine|Kevin|Kévin|Laure|Laurence|Laurent|Léa|Louis|Luc|Lucas|Ludovic|Manon|Marc|"
    "Marie|Marion|Martine|Mathieu|Mathilde|Maxime|Mélanie|Michel|Mickaël|Mohamed|Monique|Muriel|"
    "Nadia|Nadine|Nathalie|Nicolas|Olivier|Pascal|Patricia|Patrick|Paul|Pauline|Philippe|Pierre|"
    "Quentin|Rachid|René|Romain|Sandrine|Sarah|Sébastien|Serge|Sophie|Stéphane|Stéphanie|Sylvain|"
    "Sylvie|Thierry|Thomas|Valérie|Véronique|Vincent|Virginie|Xavier|Yann|Yannick|Yves"
)
_PATTERNS: Final = {
    "an e-mail address": r"[\w.+-]+\s?(?:@|[\[(]\s?(?:at|arobase|@)\s?[\])])\s?[\w-]+\s?"
    r"(?:\.|[\[(]\s?(?:dot|point)\s?[\])])\s?\w+",
    "a phone number": r"(?<!\d)(?:(?:\+|00)33[ ./-]?(?:\(0\)[ ./-]?)?|0)[1-9](?:[ ./-]?\d{2}){4}"
    r"(?!\d)",
    "a person's name": rf"\b(?:(?:{_TITLES})\.?\s+[A-Za-zÀ-ÿ]|M\.\s+[A-ZÀ-Þ]|M\s+[A-ZÀ-Þ])[\w’'-]+|"
    rf"\b(?:{_FIRST_NAMES})(?:-(?:{_FIRST_NAMES}))?\s+(?:de\s+|du\s+|d[’'])?[A-ZÀ-Þ]|"
    rf"\b[A-ZÀ-Þ][A-ZÀ-Þ’'-]+\s+(?:{_FIRST_NAMES})\b",
}
_NUMBER: Final = re.compile(r"(?<!\d)\d{3}[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{5})?(?!\d)")
_LA_POSTE: Final = [3, 5, 6, 0, 0, 0, 0, 0, 0]


def kinds(texts: pd.Series) -> list[str]:
    """Return every kind of personal data that some texts hold.

    Examples:
        >>> kinds(pd.Series(["DUPONT Marie, 06/12/34/56/78"]))
        ['a phone number', "a person's name"]
        >>> kinds(pd.Series(["D-1", "voir Mme Durand"]))
        ["a person's name"]
        >>> kinds(pd.Series(["machine 3 à Paris", "atelier de 12 personnes"]))
        []
    """
    joined = "\n".join(pd.unique(texts.astype("str")))
    held = [kind for kind, pattern in _PATTERNS.items() if re.search(pattern, joined)]
    if any(map(is_company_number, _NUMBER.findall(joined))):
        held.append(COMPANY_NUMBER)
    return held


def rows(texts: pd.Series) -> npt.NDArray[np.bool_]:
    """Return which texts hold personal data; a company number is not looked for."""
    held = texts.astype("str").str.contains("|".join(_PATTERNS.values()), regex=True)
    return held.to_numpy(dtype=bool)


def is_company_number(text: str) -> bool:
    """Return whether digits are a SIREN or a SIRET: their control sum says so.

    A SIRET of La Poste adds its digits up to a multiple of 5 instead.

    Examples:
        >>> is_company_number("732 829 320"), is_company_number("732 829 321")
        (True, False)
    """
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [2 * d if place % 2 else d for place, d in enumerate(reversed(digits))]
    if sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0:
        return True
    return len(digits) == 14 and digits[:9] == _LA_POSTE and sum(digits) % 5 == 0
