"""The labels worth a look for each query: those that share rare words, those that mean the same."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from scipy import sparse

from opmq_lib.matching.index import Index, Ints
from opmq_lib.matching.knowledge import Floats
from opmq_lib.matching.queries import Queries

LABELS_READ: Final = 300
CODES_KEPT: Final = 100
FAR_BELOW: Final = 0.25
"""Of the best rough score of a query: labels below are not read."""
NEAREST: Final = 10
LEAST_MEANING: Final = 0.4
GROUP: Final = 16
BATCH: Final = 1_000
WEIGHTS: Final = {"stem": 0.35, "root": 0.35, "piece": 0.3, "related": 0.5, "meaning": 0.25}
"""Of each view of a pair in the first, rough score."""


def candidates(index: Index, queries: Queries) -> tuple[Ints, Ints]:
    """Return pairs of a query and a label that are worth a look, as positions.

    At most `CODES_KEPT` codes a query by shared words, and some by meaning; a pair may stand twice;
    none for a text that shares nothing with any label.
    """
    count = len(queries.stems)
    batches = [slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    found = [find(index, queries, batch) for find in (_by_words, _by_meaning) for batch in batches]
    none: Sequence[tuple[Ints, Ints]] = [(np.zeros(0, "int64"), np.zeros(0, "int64"))]
    query, label = (np.concatenate(side) for side in zip(*(found or none), strict=True))
    return query, label


def _by_words(index: Index, queries: Queries, batch: slice) -> tuple[Ints, Ints]:
    """Return the queries and labels of the best rough scores."""
    parts = {
        name: sparse.diags(WEIGHTS[name] / np.sqrt(mass[batch])) @ features[batch]
        for name, (features, mass) in queries.views.items()
    }
    asked = [parts["stem"], parts["piece"], parts["related"] + parts["root"]]
    scores = (sparse.hstack(asked, format="csr") @ index.search).tocsr()
    labels = [
        _best_labels(index, scores.indices[first:last], scores.data[first:last])
        for first, last in pairwise(scores.indptr)
    ]
    rows = np.repeat(np.arange(batch.start, batch.stop), [len(each) for each in labels])
    return rows, np.concatenate(labels).astype("int64")


def _best_labels(index: Index, labels: Ints, scores: Floats) -> Ints:
    """Return the best label of each of the best codes."""
    if len(labels) > LABELS_READ:
        near = scores > FAR_BELOW * scores.max()
        labels, scores = labels[near], scores[near]
    if len(labels) > LABELS_READ:
        best = np.argpartition(scores, len(scores) - LABELS_READ)[-LABELS_READ:]
        labels, scores = labels[best], scores[best]
    labels = labels[np.lexsort((labels, -scores))]
    _, first = np.unique(index.code_of[labels], return_index=True)
    first.sort()
    return labels[first[:CODES_KEPT]]


def _by_meaning(index: Index, queries: Queries, batch: slice) -> tuple[Ints, Ints]:
    """Return the queries and labels whose vectors are nearest.

    The least likeness kept is the tenth largest among the best of groups of labels: as many labels
    or a few more reach it, and no complete sort is needed.
    """
    groups = -(-len(index.vectors) // GROUP)
    padded = np.zeros((groups * GROUP, index.vectors.shape[1]), dtype="float32")
    padded[: len(index.vectors)] = index.vectors
    likeness = (queries.vectors[batch] @ padded.T).reshape(-1, GROUP, groups)
    best = likeness.max(axis=1)
    kth = max(groups - NEAREST, 0)
    least = np.maximum(np.partition(best, kth, axis=1)[:, kth], LEAST_MEANING)
    rows, columns = np.nonzero(best >= least[:, None])
    cells, members = np.nonzero(likeness[rows, :, columns] >= least[rows, None])
    return rows[cells] + batch.start, members * groups + columns[cells]
