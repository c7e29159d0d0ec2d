"""`match_labels`: free texts in, ranked codes with a confidence out."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.errors import Defect, RangeError, SchemaError
from opmq_lib.matching.candidates import pairs
from opmq_lib.matching.fusion import confidence
from opmq_lib.matching.index import Index, cached_index
from opmq_lib.matching.learned import knowledge

RESULT_COLUMNS: Final = ("query", "rank", "code", "label", "confidence", "unsure")
UNSURE_BELOW: Final = 0.5
EMPTY: Final = ""
"""Code and label of a query for which no label has anything in common."""


def match_labels(
    queries: Iterable[str], corpus: pd.DataFrame | Index, top_k: int = 10
) -> pd.DataFrame:
    """Return, for each free text, the codes whose labels it most probably means.

    Works on any list of French labels; several labels per code are welcome. Case, accents, gender,
    number, inclusive forms, usual abbreviations and typing errors do not matter much. Nothing is
    downloaded, and the same input gives the same output.

    Args:
        queries: Free texts: job titles, skills.
        corpus: `code`, `label`, one row per label; or the index that `build_index` made of it.
        top_k: Codes returned per text, at most.

    Returns:
        `query` (as given, in order; a text given twice is answered twice), `rank` (from 1), `code`,
        `label` (the code's nearest label), `confidence` (probability, from 0 to 1, that the code is
        right, decreasing with rank), `unsure` (true where the text's best confidence is below 0.5:
        a person should look). A text that shares nothing with any label has one row, of empty code
        and null confidence.

    Raises:
        SchemaError: If the corpus lacks a column, a code or a label, or a query is not a text.
        RangeError: If `top_k` is below 1.

    Source:
        Word families and rarity (TF-IDF), pieces of words, associations learned from the official
        ROME–ESCO and Belgian competence–ESCO mappings, word vectors from ROME texts; weights of
        the fusion learned on the same mappings: `learned/README.md`.

    Examples:
        >>> corpus = pd.DataFrame({
        ...     "code": ["H2913", "H2913", "D1211"],
        ...     "label": ["Soudeur / Soudeuse", "Soudeur / Soudeuse TIG", "Vendeur / Vendeuse"],
        ... })
        >>> found = match_labels(["soudeuse tig", "xyzzy"], corpus, top_k=1)
        >>> found[["query", "code", "label"]].values.tolist()
        [['soudeuse tig', 'H2913', 'Soudeur / Soudeuse TIG'], ['xyzzy', '', '']]
    """
    texts = list(queries)
    _check(texts, top_k)
    index = corpus if isinstance(corpus, Index) else cached_index(corpus)
    known = knowledge()
    found = pairs(index, texts, known)
    table = pd.DataFrame(
        {
            "position": found.query,
            "code": index.codes[found.code],
            "label": index.texts[found.label],
            "confidence": confidence(found.measures, known),
        }
    )
    table = table.sort_values(["position", "confidence", "code"], ascending=[True, False, True])
    table["rank"] = table.groupby("position").cumcount() + 1
    table = table[table["rank"] <= top_k]
    alone = np.setdiff1d(np.arange(len(texts)), table["position"])
    nothing = {"position": alone, "code": EMPTY, "label": EMPTY, "confidence": 0.0, "rank": 1}
    table = pd.concat([table, pd.DataFrame(nothing)], ignore_index=True) if len(alone) else table
    table = table.sort_values(["position", "rank"])
    table["query"] = np.array([*texts, None], dtype="object")[:-1][table["position"]]
    best = table.groupby("position")["confidence"].transform("max")
    table["unsure"] = best < UNSURE_BELOW
    return table[list(RESULT_COLUMNS)].reset_index(drop=True)


def _check(texts: Sequence[object], top_k: int) -> None:
    if top_k < 1:
        expected = "at least 1"
        raise RangeError([Defect("top_k", "no answer asked for", expected, "raise it", str(top_k))])
    defects = [
        Defect(f"queries, row {row}", "not a text", "a text", "complete or remove it")
        for row, text in enumerate(texts)
        if not isinstance(text, str)
    ]
    if defects:
        raise SchemaError(defects)
