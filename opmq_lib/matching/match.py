"""`match_labels`: free texts in, ranked codes with a confidence out."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.arguments import checked
from opmq_lib.errors import RangeError
from opmq_lib.matching.index import Index, build_index
from opmq_lib.matching.knowledge import SURE_FROM, Knowledge, knowledge
from opmq_lib.matching.pairs import pairs
from opmq_lib.matching.queries import Queries, read_queries

BATCH: Final = 250
"""Texts answered at once: what the processor's cache holds."""


@checked
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
        SchemaError: If a query is not a text, or the corpus lacks a column, a code or a label;
            tells every one.
        RangeError: If `top_k` is below 1.

    Source:
        Word families and rarity (TF-IDF), pieces of words, associations and word vectors learned
        from alternative labels and ROME texts; weights of the fusion learned on the official
        ROME–ESCO and Belgian competence–ESCO mappings: `learned/README.md`.

    Examples:
        >>> corpus = pd.DataFrame({
        ...     "code": ["H2913", "H2913", "D1211"],
        ...     "label": ["Soudeur / Soudeuse", "Soudeur / Soudeuse TIG", "Vendeur / Vendeuse"],
        ... })
        >>> found = match_labels(["soudeuse tig", "xyzzy"], corpus, top_k=1)
        >>> found[["query", "code", "label"]].values.tolist()
        [['soudeuse tig', 'H2913', 'Soudeur / Soudeuse TIG'], ['xyzzy', '', '']]
    """
    if top_k < 1:
        raise RangeError.of("top_k", "out of range", "1 or more", "correct it", f"{top_k}")
    texts = list(queries)
    index = corpus if isinstance(corpus, Index) else build_index(corpus)
    known = knowledge()
    read = read_queries(index, texts, known)
    starts = range(0, max(len(texts), 1), BATCH)
    best = pd.concat([_best(index, read, known, start, top_k) for start in starts])
    table = pd.DataFrame({"query": pd.Series(texts, dtype="str")}).join(best)
    table = table.fillna({"code": "", "label": "", "confidence": 0.0})
    by_text = table.groupby(level=0)
    table.insert(1, "rank", by_text.cumcount() + 1)
    table["unsure"] = by_text["confidence"].transform("max") < SURE_FROM
    return table.reset_index(drop=True)


def _best(index: Index, read: Queries, known: Knowledge, start: int, top_k: int) -> pd.DataFrame:
    """Return the best codes of a batch of texts, by position of the text."""
    found = pairs(index, read.part(slice(start, start + BATCH)))
    confidence = known.confidence(found.measures)
    order = np.lexsort((found.code, -confidence, found.query))
    order = order[np.arange(len(order)) - np.searchsorted(found.query, found.query) < top_k]
    code, label = index.codes[found.code[order]], index.texts[found.label[order]]
    answers = {"code": code, "label": label, "confidence": confidence[order]}
    return pd.DataFrame(answers, index=found.query[order] + start)
