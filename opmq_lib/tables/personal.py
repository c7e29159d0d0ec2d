"""Personal data in texts: e-mail addresses, phone numbers, names, company numbers."""

import html
import re
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import Defect

COMPANY_NUMBER: Final = "a company number (SIREN or SIRET)"

_TITLES: Final = (
    "[Mm]mes?|MME|[Mm]lles?|MLLE|[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|MM|M[Rr]|mr|[Dd]r|"
    "[Mm]a[iî]tre|[Dd]octeur|[Pp]rofesseure?"
)
_PARTICLES: Final = r"(?:(?:[Dd](?:es?|u|[’'])|[Ll](?:a|es?|[’'])|[Vv][ao]n|den) *){0,3}"
_FIRST_NAMES: Final = (
    "Abdel|Adrien|Agnès|Ahmed|Aïcha|Alain|Alexandre|Alexis|Ali|Alice|Amélie|Anaïs|André|Angélique|"
    "Anne|Annick|Annie|Anthony|Antoine|Arnaud|Audrey|Aurélie|Aurélien|Baptiste|Bastien|Béatrice|"
    "Benjamin|Benoît|Bernadette|Bernard|Bertrand|Brigitte|Bruno|Camille|Caroline|Catherine|Cécile|"
    "Cédric|Céline|Chantal|Charlotte|Chloé|Christian|Christine|Christophe|Claire|Claude|Clément|"
    "Corinne|Cyril|Damien|Daniel|Danielle|David|Delphine|Denis|Denise|Didier|Dominique|Elodie|"
    "Élodie|Emilie|Émilie|Emma|Emmanuel|Emmanuelle|Éric|Eric|Estelle|Evelyne|Fabien|Fabrice|Fanny|"
    "Farid|Fatima|Florence|Florian|Franck|François|Françoise|Frédéric|Gabriel|Geneviève|Georges|"
    "Gérard|Ghislaine|Gilles|Grégory|Guillaume|Hassan|Hélène|Henri|Hervé|Hugo|Ibrahim|Inès|"
    "Isabelle|Jacqueline|Jacques|Jean|Jeanne|Jennifer|Jérôme|Jessica|Joël|Jonathan|Josiane|Julie|"
    "Julien|Juliette|Justine|Karim|Karine|Kevin|Kévin|Khadija|Laetitia|Laura|Laure|Laurence|"
    "Laurent|Léa|Leïla|Loïc|Louis|Louise|Luc|Lucas|Lucie|Ludovic|Magali|Mamadou|Manon|Marc|Marie|"
    "Marion|Martine|Mathieu|Mathilde|Matthieu|Maxime|Mehdi|Mélanie|Michel|Michèle|Mickaël|Mohamed|"
    "Monique|Morgane|Moussa|Muriel|Mustapha|Nadia|Nadine|Nathalie|Nicolas|Odile|Olivier|Omar|"
    "Pascal|Patricia|Patrick|Paul|Pauline|Philippe|Pierre|Quentin|Rachid|Raphaël|Raymond|Régis|"
    "Rémi|René|Robert|Roger|Roland|Romain|Sabrina|Samir|Samira|Samuel|Sandrine|Sarah|Sébastien|"
    "Serge|Simon|Simone|Sofiane|Solène|Sophie|Stéphane|Stéphanie|Sylvain|Sylvie|Théo|Thierry|"
    "Thomas|Valentin|Valérie|Véronique|Victor|Vincent|Virginie|William|Xavier|Yann|Yannick|"
    "Yasmine|Yoann|Yohan|Youssef|Yves|Yvette|Zoé"
)
_PAIRS: Final = r"(?:(?: ?[./\\,;:|*=+~'’\"·•→_-]{1,3} ?| )[(\[]?\d{2}[)\]]?){4}"
_DIGITS: Final = r"z[ée]ro|un|deux|trois|quatre|cinq|six|sept|huit|neuf"
_NUMBERS: Final = (
    rf"{_DIGITS}|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente|quarante|cinquante|"
    "soixante|et"
)
_AT: Final = (
    r"(?: ?[\[({<«⟨] ?(?:at|arr?obas[es]?|chez|@) ?[\])}>»⟩] ?"
    r"| ?([*/_|~#=-]) ?(?:at|arr?obas[es]?) ?\1 ?| (?:arr?obas[es]?|chez) |%40)"
)
_DOT: Final = r"(?: ?[\[({</_-] ?(?:dot|point|\.) ?[\])}>/_-] ?| ?\. ?| (?:dot|point) )"
_PATTERNS: Final = {
    kind: re.compile("|".join(forms))
    for kind, forms in {
        "an e-mail address": (
            r"[\w.+'\"»-]@+[\w«'\"-]+|[\w-]@ [\w-]+\.\w",
            rf"(?<![\w.+-])[\w.+-]+ @ ?[\w-]+{_DOT}\w",
            rf"(?<![\w.+-])[\w.+-]+(?i:{_AT})[\w-]{{1,64}}(?i:{_DOT})\w",
            r"(?<![\w.+-])[\w.+-]+ (?i:at) [\w-]+(?: (?i:dot|point) \w|\.[a-z]{2,4}\b)",
            r"[\w.+-] ?[\[(][aA][\])] ?[\w-]+\.[a-z]{2,3}\b",
        ),
        "a phone number": (
            rf"(?<!\d)\(?[0Oo][1-9]\)?(?: ?\d{{8}}|{_PAIRS})(?!\d)",
            r"(?<!\d)0[1-9](?:\d{2}([ .-])\d{3}\1\d{3}|([ .-])\d{3}\2\d{3}\2\d{2}|"
            r"([ .-])\d{4}[ .-]?\d{4}|\d{2}([ .-])\d{2}\4\d{2}\4\d{2}|(?: \d{2}){2} \d{4}|"
            r" \d{2} \d{3} \d{3}|\d([ .-])\d{3}\5(?:\d{4}|\d{2}\5\d{2}))(?!\d)",
            r"(?<![\d.,])0(?:(?P<between>[ .-])\d)(?:(?P=between)\d){8}(?![\d.,])",
            r"(?<!\d)0[1-9](?: \d){8}(?!\d)|(?<!\d)0 8\d\d(?: \d{3} \d{3}|(?: \d{2}){3})(?!\d)",
            rf"(?<!\d)(?:00 ?)?\(?33\)? ?(?:\(0\) ?)?[1-9](?:\d{{8}}|{_PAIRS})(?!\d)",
            r"(?:\+|(?<!\d)00 ?)[1-9](?:[ ./()-]{0,3}\d){9,13}(?!\d)",
            r"(?<![\d,.])[67](?:[ .-]\d{2}){4}(?!\d)",
            rf"(?i:\bz[ée]ro[ -](?:{_DIGITS})(?:[ ,-]+(?:{_NUMBERS})){{4,}})",
        ),
        "a person's name": (
            rf"\b(?:(?:{_TITLES})\.? +[A-Za-zÀ-ÿ]|M(?:\. *|e +|r +| +){_PARTICLES}[A-ZÀ-Þ]|"
            r"[Pp]r\.? +[A-ZÀ-Þ])[\w’'-]+",
            rf"\b(?:{_FIRST_NAMES})(?:-(?:{_FIRST_NAMES}))?[ -]+{_PARTICLES}[A-ZÀ-Þ]",
            rf"(?<![\w’'-])[A-ZÀ-Þ][A-ZÀ-Þ’'-]+,? +(?:{_FIRST_NAMES})\b",
            rf"(?<![\w’'-])[A-ZÀ-Þ][a-zà-ÿ’'-]+, +(?:{_FIRST_NAMES})\b",
            rf"\b(?i:{_FIRST_NAMES}) +[A-ZÀ-Þ]{{3,}}\b",
            r"(?<![\w.])(?!M\.)[A-ZÀ-Þ]\.(?:-?[A-ZÀ-Þ]\.)? ?[A-ZÀ-Þ][a-zà-ÿ]+\b",
            r"(?<![\w.])(?!M\.)[A-ZÀ-Þ]\.(?:-?[A-ZÀ-Þ]\.)? ?[A-ZÀ-Þ]{3,}\b",
        ),
    }.items()
}
"""What shows each kind in a text that `_plain` has written."""
_DASHES: Final = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
_NO_WIDTH: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_NUMBER: Final = re.compile(r"(?<!\d)\d{3}[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{5})?(?!\d)")
_LA_POSTE: Final = [3, 5, 6, 0, 0, 0, 0, 0, 0]


def kinds(texts: pd.Series) -> list[str]:
    r"""Return every kind of personal data that some texts hold.

    No-break spaces, marks without width, full-width letters and the entities of web pages hide
    nothing.

    Examples:
        >>> kinds(pd.Series(["DUPONT Marie, 06/12/34/56/78"]))
        ['a phone number', "a person's name"]
        >>> kinds(pd.Series(["D-1", "voir Mme\u00a0Durand"]))
        ["a person's name"]
        >>> kinds(pd.Series(["machine 3 à Paris", "atelier de 12 personnes"]))
        []
    """
    plain = [_plain(text) for text in pd.unique(texts.astype("str"))]
    held = [kind for kind, form in _PATTERNS.items() if any(map(form.search, plain))]
    if any(is_company_number(number) for text in plain for number in _NUMBER.findall(text)):
        held.append(COMPANY_NUMBER)
    return held


def defects(where: str, text: str, expected: str, fix: str) -> list[Defect]:
    """Say what a text that everybody will read holds of persons, or that it is empty."""
    held = kinds(pd.Series([text]))
    what = f"holds {' and '.join(held)} (not shown here)" if held else "is empty"
    return [Defect(where, what, expected, fix)] if held or not text.strip() else []


def rows(texts: pd.Series) -> npt.NDArray[np.bool_]:
    """Return which texts hold personal data; a company number is not looked for."""
    held = [any(form.search(_plain(text)) for form in _PATTERNS.values()) for text in texts]
    return np.array(held, dtype=bool)


def _plain(text: object) -> str:
    """Return a text with ordinary letters, blanks and dashes."""
    whole = html.unescape(str(text))
    if not whole.isascii():
        whole = unicodedata.normalize("NFKC", _NO_WIDTH.sub("", whole)).translate(_DASHES)
    return " ".join(whole.split())


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
