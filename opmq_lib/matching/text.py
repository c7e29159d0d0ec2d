"""French labels as lists of stems: accents, genders, plurals, abbreviations, inclusive forms."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_STOP_WORDS = """
    a afin au aux avec c ce ces cette chez d dans de des dont du en est et etre j l la le les leur
    leurs m n ne of ou par pas pour qu que qui s sa se ses son sont sous sur t the un une vers via y
    and entre
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())

ABBREVIATIONS: Final[dict[str, str]] = {
    "admin": "administratif", "agt": "agent", "assist": "assistant", "asst": "assistant",
    "auto": "automobile", "btp": "batiment travaux publics", "cde": "commande",
    "cdes": "commandes", "cdt": "conducteur", "chg": "charge", "commerc": "commercial",
    "compta": "comptable", "cond": "conducteur", "ctrl": "controle",
    "daf": "directeur administratif financier", "dev": "developpeur", "dir": "directeur",
    "drh": "directeur ressources humaines", "educ": "educateur", "elec": "electrique",
    "empl": "employe", "env": "environnement", "gest": "gestion", "ide": "infirmier",
    "indus": "industriel", "info": "informatique", "ing": "ingenieur",
    "kine": "kinesitherapeute", "labo": "laboratoire", "log": "logistique",
    "maint": "maintenance", "manut": "manutentionnaire", "meca": "mecanique",
    "mkt": "marketing", "oper": "operateur", "pl": "poids lourd", "prep": "preparateur",
    "prod": "production", "psy": "psychologue", "qual": "qualite",
    "r&d": "recherche developpement", "raf": "responsable administratif financier",
    "resp": "responsable", "rh": "ressources humaines", "sav": "service apres vente",
    "secu": "securite", "tech": "technicien", "techn": "technicien", "tp": "travaux publics",
    "vl": "vehicule leger", "vte": "vente",
}  # fmt: skip
"""Usual short forms of titles and skills, without accents; a convention of the package."""

_INCLUSIVE = re.compile(
    r"(?<=[a-z]{3})[(./·\-](?:ne|e|le|te|trice|rice|euse|se|ere|iere|ve|ienne|enne|elle|es|nes|esse"
    r"|teuse|tte)s?\)?(?:[./·\-]s)?(?![a-z])"
)
_WORD = re.compile(r"r&d|[a-z0-9+#]+")
_GENDER = (
    ("trices", "teur"), ("trice", "teur"), ("euses", "eur"), ("euse", "eur"), ("iennes", "ien"),
    ("ienne", "ien"), ("ieres", "ier"), ("iere", "ier"), ("ennes", "en"), ("enne", "en"),
    ("onne", "on"), ("elles", "el"), ("elle", "el"), ("ives", "if"), ("ive", "if"),
    ("eaux", "eau"), ("aux", "al"),
)  # fmt: skip
_DERIVATIONS = """
    able ag age air al anc ance ant at ateur atif ation atoir ee el ell ement enc ence ent er eri
    erie eur eux i ial ibl ic iel ien ier if iqu ique ir isateur isation iser ism issant issement
    ist it itair ite ition itud iv is ment oir sion tion ur
"""
_ENDINGS = [
    *((ending, 4) for ending in sorted(_DERIVATIONS.split(), key=lambda each: (-len(each), each))),
    *((ending, 3) for ending in ("eur", "ag", "age", "er", "ir", "ur", "ier", "ien")),
]
"""Derivations, tried in order, and the letters that must be left before them."""


def fold(text: str) -> str:
    """Return a text in lower case and plain letters.

    Examples:
        >>> fold("Chef d’ŒUVRE (élève)")
        "chef d'oeuvre (eleve)"
    """
    plain = text.lower().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()


def words(text: str) -> list[str]:
    """Return the words that say something, short forms written out, one gender kept.

    Examples:
        >>> words("Tech. de maintenance R&D")
        ['technicien', 'maintenance', 'recherche', 'developpement']
        >>> words("technicien(ne) ou vendeur.euse")
        ['technicien', 'vendeur']
    """
    found: list[str] = []
    for word in _WORD.findall(_INCLUSIVE.sub("", fold(text))):
        if word in ABBREVIATIONS:
            found += ABBREVIATIONS[word].split()
        elif word not in STOP_WORDS and (len(word) > 1 or word.isdigit()):
            found.append(word)
    return found


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Return a word without gender and number.

    Examples:
        >>> [stem(word) for word in ("conductrices", "technicienne", "animaux", "soudure")]
        ['conducteur', 'technicien', 'animal', 'soudur']
    """
    if len(word) < 4 or word[0].isdigit():
        return word
    for feminine, masculine in _GENDER:
        if word.endswith(feminine) and len(word) - len(feminine) >= 2:
            return word[: -len(feminine)] + masculine
    if word[-1] in "sx" and len(word) > 4 and not word.endswith("ss"):
        word = word[:-1]
    for _ in range(2):
        if word[-1] == "e" and len(word) > 4:
            word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2]:
        word = word[:-1]
    return word


@lru_cache(maxsize=200_000)
def root(stemmed: str) -> str:
    """Return what words of one family share: the stem without its derivation.

    Examples:
        >>> {root(stem(word)) for word in ("soudeur", "souder", "soudure", "soudage")}
        {'soud'}
    """
    if len(stemmed) < 5 or stemmed[0].isdigit():
        return stemmed
    for ending, least in _ENDINGS:
        if stemmed.endswith(ending) and len(stemmed) - len(ending) >= least:
            stemmed = stemmed[: -len(ending)]
            break
    if len(stemmed) > 4 and stemmed[-1] == stemmed[-2]:
        stemmed = stemmed[:-1]
    return stemmed


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text, each once, in order.

    Examples:
        >>> stems("Abatteur / Abatteuse de carrière")
        ('abatteur', 'carrier')
    """
    return tuple(dict.fromkeys(map(stem, words(text))))
