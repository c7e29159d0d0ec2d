"""Numbers, units and words as French readers expect them."""

import math
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
_SPACED = re.compile(r" [;!?:%»]|« ")
STATUS_LABELS = {
    "s": "secret statistique",
    "nd": "non disponible",
    "np": "sans objet",
    "nv": "non validé",
}
GRADES = {
    "A": "le haut de l’intervalle vaut au plus deux fois le bas",
    "B": "au plus quatre fois",
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


def step(lower: float, upper: float) -> int:
    """Return the rounding step in heads that an interval supports, a power of ten.

    The step is the power of ten just below a quarter of the width of the interval: the last digit
    shown is never finer than the uncertainty, and rounding moves no end by much. An estimate is
    never shown finer than 10.

    Examples:
        >>> step(10_500, 14_100), step(23_167, 44_339), step(980, 1_020), step(5, 5)
        (100, 1000, 10, 10)
    """
    quarter = (upper - lower) / 4
    return 10 if quarter < 10 else 10 ** math.floor(math.log10(quarter))


def first_digit(value: float, size: int) -> int:
    """Return a rounding step no coarser than the first digit of a number of heads; 10 at least.

    Examples:
        >>> first_digit(940, 1000), first_digit(2_400, 1000), first_digit(4, 1000)
        (100, 1000, 10)
    """
    return size if value <= 0 else min(size, 10 ** max(1, math.floor(math.log10(value))))


def end_steps(lower: float, upper: float, size: int) -> tuple[int, int]:
    """Return the rounding steps of the two ends of an interval of heads.

    The upper end takes the step given, the lower one keeps its first digit; both have one more
    digit where the ends shown would else pass a limit of the grades: 2, 4 or 6 times.

    Examples:
        >>> end_steps(2_100, 8_700, 1000), end_steps(2_620, 10_900, 1000)
        ((1000, 1000), (100, 100))
    """

    def fold(low: float, high: float) -> int:
        return sum(high > limit * low for limit in (2, 4, 6))

    steps = first_digit(lower, size), size
    shown = [round(end / each) * each for end, each in zip((lower, upper), steps, strict=True)]
    if fold(*shown) == fold(lower, upper):
        return steps
    return max(10, steps[0] // 10), max(10, size // 10)


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


def estimate(value: float, lower: float, upper: float) -> str:
    r"""Return an estimated head count, no finer than its interval allows.

    Examples:
        >>> estimate(12_345, 10_500, 14_100) == "12\u202f300"
        True
    """
    return rounded(value, step(lower, upper))


def bounds(lower: float, upper: float) -> str:
    r"""Return the two ends of an interval of heads, at the precision it supports.

    Examples:
        >>> bounds(10_510, 14_120) == "10\u202f500 à 14\u202f100"
        True
    """
    size = step(lower, upper)
    return f"{rounded(lower, size)} à {rounded(upper, size)}"


def two_digits(value: float) -> str:
    r"""Return an estimated head count at two significant digits, never finer than 10.

    Examples:
        >>> two_digits(2_894.98) == "2\u202f900", two_digits(-314.4), two_digits(38.2)
        (True, '−310', '38')
    """
    return rounded(value, 10) if abs(value) < 10 else number(float(f"{value:.2g}"))


def signed(value: float) -> str:
    """Return a change in whole numbers, with its sign.

    Examples:
        >>> signed(8.2), signed(-5.6)
        ('+8', '−6')
    """
    return f"{'+' if round(value) > 0 else ''}{number(value)}"


def percent(value: float, decimals: int = 0) -> str:
    r"""Return a percentage.

    Examples:
        >>> percent(12.34, 1) == "12,3\u00a0%"
        True
    """
    return f"{number(value, decimals)}{NBSP}%"


def typography(prose: str) -> str:
    r"""Return French prose with the no-break spaces that its punctuation asks for.

    Only spaces that stand already are changed: narrow before `; ! ?`, plain before `: %` and
    inside « ». Prose, not code.

    Examples:
        >>> typography("« Chimie » : 12 % ; oui ?")
        '«\xa0Chimie\xa0»\xa0: 12\xa0%\u202f; oui\u202f?'
    """
    if not _SPACED.search(prose):
        return prose
    prose = re.sub(r" (?=[;!?])", NNBSP, prose)
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
    """Return a producer's label with typographic apostrophes, single spaces and known typos mended.

    Examples:
        >>> label("Ouvriers  de l'électricité")
        'Ouvriers de l’électricité'
    """
    for typo, mended in PRODUCERS_TYPOS.items():
        text = text.replace(typo, mended)
    return " ".join(text.split()).replace("'", "’")


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
