"""What is measured on every pair of a query and a code, before it becomes a confidence."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from opmq_lib.matching.candidates import WEIGHTS, candidates
from opmq_lib.matching.index import Index, Ints, wholes
from opmq_lib.matching.knowledge import Floats
from opmq_lib.matching.queries import Queries

Measures = dict[str, NDArray[Any]]


class Pairs(NamedTuple):
    """Pairs of a query and a code, best label of the code for it, and measures."""

    query: Ints
    code: Ints
    label: Ints
    measures: pd.DataFrame


def pairs(index: Index, queries: Queries) -> Pairs:
    """Return the codes worth a look for each text, with what is measured on each pair.

    Args:
        index: Labels.
        queries: Some hundred texts: all pairs are measured at once.

    Returns:
        Some dozens of codes a text at most, the best rough score first, texts in order; none for a
        text that shares nothing with any label.
    """
    query, label = candidates(index, queries)
    measures = _of_labels(index, queries, query, label)
    order = np.lexsort((label, -measures["rough"], query))
    query, label = query[order], label[order]
    code = index.code_of[label]
    measures = {name: values[order] for name, values in measures.items()}
    measures |= _of_codes(index, queries, query, code)
    measures |= _of_list(measures["rough"], query)
    measures |= _of_texts(index, queries, query, label)
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


def _of_texts(index: Index, queries: Queries, query: Ints, label: Ints) -> Measures:
    """Return what both texts have in common as wholes: first word, all words, lengths."""
    heads, whole, length = (values[label] for values in index.wholes)
    query_heads, query_whole, query_length = (values[query] for values in wholes(queries.stems))
    return {
        "same_head": query_heads == heads,
        "same_stems": query_whole == whole,
        "query_length": query_length,
        "label_length": length,
    }


def _overlap(left: Any, right: Any, rows: Ints, others: Ints) -> Floats:
    """Return, for each pair, what the weights of one row and the values of the other share."""
    found, (count, width) = right[others], left.shape
    before = np.repeat((rows * width).astype("int32"), np.diff(found.indptr))
    cells = (found.data, found.indices + before, found.indptr)
    flat = sparse.csr_matrix(cells, shape=(len(rows), count * width))
    return np.asarray(flat @ left.toarray().ravel())


def _products(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", left, right))
