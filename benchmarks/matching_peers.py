"""Peers of the matching: plain BM25, TF-IDF of words and of characters, edit distance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from opmq_lib.matching.text import fold

TOP, LABELS = 10, 300
K1, B = 1.5, 0.75


def all_ranked(
    corpus: pd.DataFrame, queries: Sequence[str], chosen: np.ndarray
) -> dict[str, list[list[str]]]:
    """Return the ranked codes of every query by each peer; edit distance on those chosen."""
    labels = [fold(label) for label in corpus["label"]]
    texts = [fold(query) for query in queries]
    codes = corpus["code"].to_numpy()
    words = TfidfVectorizer(token_pattern=r"\w+")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    found = {"bm25": ranked(*bm25(labels, texts), codes)}
    for name, vectorizer in (("word tf-idf", words), ("char tf-idf", characters)):
        right = vectorizer.fit_transform(labels)
        found[name] = ranked(vectorizer.transform(texts), right, codes)
    return found | {"edit": edit_distance(labels, [texts[place] for place in chosen], codes)}


def bm25(labels: Sequence[str], texts: Sequence[str]) -> tuple[sparse.csr_matrix, ...]:
    """Return queries and labels whose product is BM25 (Robertson), each label a document."""
    counter = CountVectorizer(token_pattern=r"\w+")
    counts = counter.fit_transform(labels).astype(float)
    held_by = np.asarray((counts > 0).sum(axis=0)).ravel()
    rarity = np.log(1 + (len(labels) - held_by + 0.5) / (held_by + 0.5))
    length = np.asarray(counts.sum(axis=1)).ravel()
    cells = counts.tocoo()
    damped = K1 * (1 - B + B * length[cells.row] / length.mean())
    cells.data = cells.data * (K1 + 1) / (cells.data + damped) * rarity[cells.col]
    return counter.transform(texts).astype(float).tocsr(), cells.tocsr()


def ranked(left: sparse.csr_matrix, right: sparse.csr_matrix, codes: np.ndarray) -> list[list[str]]:
    """Return the codes of the best labels of each query, each code once."""
    found, transposed = [], right.T.tocsr()
    for start in range(0, left.shape[0], 500):
        scores = (left[start : start + 500] @ transposed).tocsr()
        for first, last in zip(scores.indptr[:-1], scores.indptr[1:], strict=True):
            columns, values = scores.indices[first:last], scores.data[first:last]
            best = np.argsort(-values, kind="stable")[:LABELS]
            found.append(list(dict.fromkeys(codes[columns[best]]))[:TOP])
    return found


def edit_distance(
    labels: Sequence[str], texts: Sequence[str], codes: np.ndarray
) -> list[list[str]]:
    """Return the codes of the labels nearest by Levenshtein distance over the longer length."""
    letters, lengths = _letters(labels)
    found = []
    for text in texts:
        distance = _levenshtein(text, letters, lengths) / np.maximum(lengths, max(len(text), 1))
        best = np.argsort(distance, kind="stable")[:LABELS]
        found.append(list(dict.fromkeys(codes[best]))[:TOP])
    return found


def _letters(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(label) for label in labels])
    letters = np.zeros((lengths.max(), len(labels)), dtype="uint8")
    for place, label in enumerate(labels):
        letters[: len(label), place] = np.frombuffer(label.encode("ascii"), dtype="uint8")
    return letters, lengths


def _levenshtein(text: str, letters: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the distance between a text and every label, column by column of the classic table."""
    count = len(text)
    steps = np.arange(count + 1, dtype="int16")[:, None]
    column = np.repeat(steps, letters.shape[1], axis=1)
    found = np.where(lengths == 0, count, 0)
    sought = np.frombuffer(text.encode("ascii"), dtype="uint8")
    for rank, row in enumerate(letters, start=1):
        live = column
        changed = live[:-1] + (sought[:, None] != row[None])
        fresh = np.empty_like(live)
        fresh[0] = rank
        np.minimum(changed, live[1:] + 1, out=fresh[1:])
        fresh = np.minimum.accumulate(fresh - steps, axis=0) + steps
        column = fresh
        ended = lengths == rank
        found[ended] = column[-1, ended]
    return found
