"""The labels worth a look for each query: those that share rare words."""

from itertools import pairwise
from typing import Final

import numpy as np
from scipy import sparse

from opmq_lib.matching.index import Index, Ints
from opmq_lib.matching.knowledge import Floats
from opmq_lib.matching.queries import Queries

LABELS_READ: Final = 300
CODES_KEPT: Final = 60
WEIGHTS: Final = {"stem": 0.35, "root": 0.35, "piece": 0.3, "related": 0.5, "meaning": 0.25}
"""Of each view of a pair in the first, rough score."""


def candidates(index: Index, queries: Queries) -> tuple[Ints, Ints]:
    """Return pairs of a query and a label that are worth a look, as positions.

    The best label of each of `CODES_KEPT` codes a query at most, queries in order; none for a text
    that shares nothing with any label.
    """
    parts = {
        name: sparse.diags(WEIGHTS[name] / np.sqrt(mass)) @ features
        for name, (features, mass) in queries.views.items()
    }
    asked = [parts["stem"], parts["piece"], parts["related"] + parts["root"]]
    scores = (sparse.hstack(asked, format="csr") @ index.search).tocsr()
    labels = [
        _best_labels(index, scores.indices[first:last], scores.data[first:last])
        for first, last in pairwise(scores.indptr)
    ]
    query = np.repeat(np.arange(len(labels)), [len(each) for each in labels])
    return query, np.concatenate([[], *labels]).astype("int64")


def _best_labels(index: Index, labels: Ints, scores: Floats) -> Ints:
    """Return the best label of each of the best codes."""
    if len(labels) > LABELS_READ:
        best = np.argpartition(scores, len(scores) - LABELS_READ)[-LABELS_READ:]
        labels, scores = labels[best], scores[best]
    codes = index.code_of[labels]
    order = np.lexsort((-scores, codes))
    labels, scores, codes = labels[order], scores[order], codes[order]
    first = np.flatnonzero(codes != np.concatenate(([-1], codes[:-1])))
    return labels[first[np.argsort(-scores[first], kind="stable")[:CODES_KEPT]]]
