"""What is measured on every pair of a query and a code, before it becomes a confidence."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.matching.candidates import WEIGHTS, candidates
from opmq_lib.matching.index import Index, Ints, Stems
from opmq_lib.matching.knowledge import Floats, Knowledge
from opmq_lib.matching.queries import Queries, read_queries
from opmq_lib.matching.text import root

Measures = dict[str, NDArray[Any]]


class Pairs(NamedTuple):
    """Pairs of a query and a code, best label of the code for it, and measures."""

    query: Ints
    code: Ints
    label: Ints
    measures: pd.DataFrame


def pairs(index: Index, texts: Iterable[str], known: Knowledge) -> Pairs:
    """Return the codes worth a look for each text, with what is measured on each pair.

    Args:
        index: Labels.
        texts: Free texts.
        known: What was learned of words.

    Returns:
        Some hundred codes a text at most, the best rough score first, texts in order; none for a
        text that shares nothing with any label.
    """
    queries = read_queries(index, texts, known)
    query, label = candidates(index, queries)
    measures = _of_labels(index, queries, query, label)
    order = np.lexsort((label, -measures["rough"], query))
    _, first = np.unique(
        (query * len(index.codes) + index.code_of[label])[order], return_index=True
    )
    order = order[np.sort(first)]
    query, label = query[order], label[order]
    code = index.code_of[label]
    measures = {name: values[order] for name, values in measures.items()}
    measures |= _of_codes(index, queries, query, code)
    measures |= _of_list(measures["rough"], query)
    measures |= _of_texts(index.stems, queries.stems, query, label)
    measures["labels_of_code"] = np.log(np.bincount(index.code_of))[code]
    measures["list_size"] = np.full(len(code), np.log(len(index.texts)))
    measures["by_chance"] = np.full(len(code), index.likeness_by_chance)
    return Pairs(query, code, label, pd.DataFrame(measures, dtype="float32"))


def _of_labels(index: Index, queries: Queries, query: Ints, label: Ints) -> Measures:
    """Return what a query and a label share in each view, and their first, rough score."""
    measures: Measures = {}
    rough = np.zeros(len(query), dtype="float32")
    for name, (features, mass) in queries.views.items():
        view = index.views["root" if name == "related" else name]
        shared = _overlap(features, view.labels, query, label)
        of_query, of_label = mass[query], view.mass[label]
        measures[f"{name}_of_query"] = shared / of_query
        measures[f"{name}_of_label"] = shared / of_label
        measures[f"{name}_likeness"] = shared / np.sqrt(of_query * of_label)
        rough += WEIGHTS[name] * measures[f"{name}_likeness"]
    measures["meaning"] = _products(queries.vectors[query], index.vectors[label])
    measures["rough"] = rough + WEIGHTS["meaning"] * np.maximum(measures["meaning"], 0)
    return measures


def _of_codes(index: Index, queries: Queries, query: Ints, code: Ints) -> Measures:
    """Return what all labels of a code have of a query."""
    families, mass = queries.views["root"]
    shares, of_query = index.share_of_labels, mass[query]
    return {
        "any_label": _overlap(families, shares.sign(), query, code) / of_query,
        "share_of_labels": _overlap(families, shares, query, code) / of_query,
        "meaning_of_code": _products(queries.vectors[query], index.code_vectors[code]),
        "query_mass": np.log(of_query),
    }


def _of_list(rough: Floats, query: Ints) -> Measures:
    """Return where a pair stands among those of its query; best rough score first."""
    _, starts, place, sizes = np.unique(
        query, return_index=True, return_inverse=True, return_counts=True
    )
    best, second, tenth = (
        np.where(sizes > rank, rough[np.minimum(starts + rank, len(rough) - 1)], 0)[place]
        for rank in (0, 1, 9)
    )
    return {
        "best_rough": best,
        "behind_best": rough - best,
        "best_before_second": best - second,
        "before_tenth": rough - tenth,
        "rank": (1 / (1.0 + np.arange(len(query)) - starts[place])).astype("float32"),
    }


def _of_texts(labels: Stems, queries: Stems, query: Ints, label: Ints) -> Measures:
    """Return what both texts have in common as wholes: first word, all words, lengths."""
    heads, whole, length = _wholes(labels)
    query_heads, query_whole, query_length = _wholes(queries)
    return {
        "same_head": (query_heads[query] == heads[label]).astype("float32"),
        "same_stems": (query_whole[query] == whole[label]).astype("float32"),
        "query_length": query_length[query],
        "label_length": length[label],
    }


def _wholes(stems: Stems) -> tuple[Ints, Ints, Floats]:
    """Return a number per text for its first family, another for all its stems, and its length."""
    heads = [hash(root(each[0])) if each else 0 for each in stems]
    length = np.log1p([len(each) for each in stems]).astype("float32")
    return np.array(heads), np.array([hash(each) for each in stems]), length


def _overlap(left: Any, right: Any, rows: Ints, others: Ints) -> Floats:
    """Return, for each pair, what the weights of one row and the values of the other share."""
    shared = np.zeros(len(rows), dtype="float32")
    for start in range(0, len(rows), 100_000):
        part = slice(start, start + 100_000)
        product = left[rows[part]].multiply(right[others[part]])
        shared[part] = np.asarray(product.sum(axis=1)).ravel()
    return shared


def _products(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", left, right))
