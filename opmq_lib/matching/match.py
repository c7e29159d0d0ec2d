"""`match_labels`: free texts in, ranked codes with a confidence out."""

from collections.abc import Iterable

import pandas as pd

from opmq_lib.matching.index import Index, cached_index
from opmq_lib.matching.knowledge import SURE_FROM, knowledge
from opmq_lib.matching.pairs import pairs


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
        ValueError: If the corpus lacks a column, a code or a label, a query is not a text, or
            `top_k` is below 1; tells every one.

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
    given: list[object] = list(queries)
    texts = [text for text in given if isinstance(text, str)]
    defects = [
        f"row {row}: not a text" for row, text in enumerate(given) if not isinstance(text, str)
    ]
    if top_k < 1:
        defects.append(f"top_k: {top_k}, not at least 1")
    if defects:
        raise ValueError(f"queries: {'; '.join(defects)}")
    index = corpus if isinstance(corpus, Index) else cached_index(corpus)
    known = knowledge()
    found = pairs(index, texts, known)
    table = pd.DataFrame(
        {
            "position": found.query,
            "code": index.codes[found.code],
            "label": index.texts[found.label],
            "confidence": known.confidence(found.measures),
        }
    )
    asked = pd.DataFrame({"position": range(len(texts)), "query": pd.Series(texts, dtype="str")})
    table = asked.merge(table, on="position", how="left")
    table = table.fillna({"code": "", "label": "", "confidence": 0.0})
    table = table.sort_values(["position", "confidence", "code"], ascending=[True, False, True])
    by_text = table.groupby("position")
    table["rank"] = by_text.cumcount() + 1
    table["unsure"] = by_text["confidence"].transform("max") < SURE_FROM
    columns = ["query", "rank", "code", "label", "confidence", "unsure"]
    return table.loc[table["rank"] <= top_k, columns].reset_index(drop=True)
