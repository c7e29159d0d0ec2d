"""Numbers, units and words as French readers expect them."""

import re
import unicodedata
from collections.abc import Sequence

NBSP = "\u00a0"
NNBSP = "\u202f"
MINUS = "−"

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
PRODUCERS_TYPOS = {"Ouviers": "Ouvriers"}
_ACUTE = re.compile(
    r"\bE(?=l(?:abor|ectr|ev|imin)|va[lc]|t(?:abl|ud)|quip|prouv|co(?:\b|lo|nom)|du[cq])"
)
"""Capitals whose accent the ROME leaves out."""
_SPACED = re.compile(r" [;!?:%»]|« |\d{4}-\d{4}")
_YEARS = re.compile(r"(?<!\d)((?:19|20)\d\d)-(?=(?:19|20)\d\d(?!\d|-))")
STATUS_LABELS = {
    "s": "secret statistique",
    "nd": "non disponible",
    "np": "sans objet",
    "nv": "non validé",
}
GRADES = {
    "A": "le haut de l’intervalle vaut au plus deux fois le bas",
    "B": "au plus quatre fois, ou deux fois dans une branche difficile à estimer",
    "C": "au plus six fois",
    "D": "davantage, ou le bas n’est pas au-dessus de zéro : seul l’intervalle est montré",
}
"""What a grade of reliability means, from the 80 % interval of the quantity shown."""


def number(value: float, decimals: int = 0) -> str:
    r"""Return a number with French digit grouping and decimal comma.

    Examples:
        >>> number(1234.5, 1) == "1\u202f234,5"
        True
        >>> number(-12), number(-0.4)
        ('−12', '0')
    """
    text = f"{abs(value):,.{decimals}f}".replace(",", NNBSP).replace(".", ",")
    is_zero = not any(digit in text for digit in "123456789")
    return text if value >= 0 or is_zero else MINUS + text


def rounded(value: float, size: int) -> str:
    r"""Return a head count rounded to a multiple of `size`.

    Examples:
        >>> rounded(12_345, 1000) == "12\u202f000"
        True
        >>> rounded(4, 10) == "moins de\u00a010"
        True
    """
    if 0 < abs(value) < size:
        return f"moins de{NBSP}{number(size)}"
    return number(round(value / size) * size)


def two_digits(value: float) -> str:
    r"""Return an estimated head count at two significant digits, never finer than 10.

    Examples:
        >>> two_digits(2_894.98) == "2\u202f900", two_digits(-314.4), two_digits(-8.53)
        (True, '−310', '−9')
    """
    if 0 <= value < 10:
        return rounded(value, 10)
    return number(value if abs(value) < 10 else float(f"{value:.2g}"))


def three_digits(value: float) -> str:
    r"""Return an official head count of the country.

    Examples:
        >>> three_digits(400_472) == "400\u202f000"
        True
    """
    return number(float(f"{value:.3g}"))


def bounds(lower: float, upper: float) -> str:
    r"""Return the two ends of an interval of heads.

    Examples:
        >>> bounds(10_510, 14_120) == "11\u202f000 à 14\u202f000"
        True
    """
    return f"{two_digits(lower)} à {two_digits(upper)}"


def signed(value: float, decimals: int = 0) -> str:
    """Return a change with its sign.

    Examples:
        >>> signed(8.2), signed(-5.64, 1), signed(0.04, 1)
        ('+8', '−5,6', '0,0')
    """
    return f"{'+' if round(value, decimals) > 0 else ''}{number(value, decimals)}"


def one_decimal(value: float) -> str:
    """Return a rate.

    Examples:
        >>> one_decimal(2.58)
        '2,6'
    """
    return number(value, 1)


def ordinal(rank: float) -> str:
    """Return a rank in a drawing.

    Examples:
        >>> ordinal(1), ordinal(12)
        ('1er', '12e')
    """
    return f"{number(rank)}{'er' if rank == 1 else 'e'}"


def percent(value: float, decimals: int = 0) -> str:
    r"""Return a percentage.

    Examples:
        >>> percent(12.34, 1) == "12,3\u00a0%"
        True
    """
    return f"{number(value, decimals)}{NBSP}%"


def share(value: float) -> str:
    r"""Return a share in whole percent, never 0 where there is some.

    Examples:
        >>> share(3.4) == "3\u00a0%", share(0.6) == "moins de\u00a01\u00a0%"
        (True, True)
    """
    return f"{rounded(value, 1)}{NBSP}%"


def typography(prose: str) -> str:
    r"""Return French prose with the no-break spaces that its punctuation asks for.

    Only spaces that stand already are changed: narrow before `; ! ?`, plain before `: %` and
    inside « ». Years are joined by a dash that never breaks. Prose, not code.

    Examples:
        >>> typography("« Chimie » : 12 % ; oui ?")
        '«\xa0Chimie\xa0»\xa0: 12\xa0%\u202f; oui\u202f?'
    """
    if not _SPACED.search(prose):
        return prose
    prose = re.sub(r" (?=[;!?])", NNBSP, prose)
    prose = _YEARS.sub("\\1\u2060–\u2060", prose)
    return re.sub(r" (?=[:%»])|(?<=«) ", NBSP, prose)


def enumeration(items: Sequence[str]) -> str:
    """Return items as a French list.

    Examples:
        >>> enumeration(["chimie", "verre", "ciments"])
        'chimie, verre et ciments'
    """
    return " et ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plural(count: int, singular: str, several: str | None = None) -> str:
    r"""Return a count with its noun; in French 0 and 1 take the singular.

    Examples:
        >>> plural(1, "métier") == "1\u00a0métier", plural(34, "branche") == "34\u00a0branches"
        (True, True)
    """
    word = singular if abs(count) < 2 else several or f"{singular}s"
    return f"{number(count)}{NBSP}{word}"


def label(text: str) -> str:
    """Return a producer's label: apostrophes, spaces, accents and known typos mended.

    Examples:
        >>> label("Ouvriers  de l'électricité")
        'Ouvriers de l’électricité'
        >>> label("Elaborer un devis")
        'Élaborer un devis'
    """
    for typo, mended in PRODUCERS_TYPOS.items():
        text = text.replace(typo, mended)
    return " ".join(_ACUTE.sub("É", text).split()).replace("'", "’")


def uncapitalised(text: str) -> str:
    """Return a label within a sentence; an acronym keeps its capitals.

    Examples:
        >>> uncapitalised("Assurer un suivi"), uncapitalised("CAO en 3D")
        ('assurer un suivi', 'CAO en 3D')
    """
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def day(iso_date: str) -> str:
    r"""Return an ISO date as French readers write it.

    Examples:
        >>> day("2026-11-01") == "1er\u00a0novembre\u00a02026"
        True
    """
    year, month, number_in_month = iso_date.split("-")
    first = "1er" if int(number_in_month) == 1 else str(int(number_in_month))
    return NBSP.join([first, MONTHS[int(month) - 1], year])


def order(name: str) -> str:
    """Return what French names are sorted by: accents, ligatures and case do not count.

    Examples:
        >>> sorted(["Zinc", "Œuvre", "Île", "bois", "Étain"], key=order)
        ['bois', 'Étain', 'Île', 'Œuvre', 'Zinc']
    """
    plain = name.casefold().replace("œ", "oe").replace("æ", "ae")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
