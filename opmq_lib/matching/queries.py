"""Queries as sparse matrices over an index, unknown words read as their nearest known one."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from opmq_lib.matching.index import Index, Ints, Stems, View, by_piece, directions, incidence
from opmq_lib.matching.knowledge import Floats, Knowledge
from opmq_lib.matching.text import root, stems

REPAIRED_FROM: Final = 0.65
"""Least likeness (Dice, two-letter pieces) between an unknown word and the one it is read as."""
SURELY_REPAIRED_FROM: Final = 0.85
"""The same for a word whose family is known."""


class Queries(NamedTuple):
    """Queries over an index.

    Attributes:
        stems: Their stems, as written.
        views: `stem`, `root`, `piece`: queries × features, weighted by rarity, and the mass of
            each query: rarities added up, in part those of features that no label has; `related`:
            families that go with those of the query.
        vectors: Direction of each query's meaning.
    """

    stems: Stems
    views: dict[str, tuple[Any, Floats]]
    vectors: Floats

    def part(self, chosen: slice) -> "Queries":
        """Return some of the queries."""
        views = {name: (rows[chosen], mass[chosen]) for name, (rows, mass) in self.views.items()}
        return Queries(self.stems[chosen], views, self.vectors[chosen])


def read_queries(index: Index, texts: Iterable[str], known: Knowledge) -> Queries:
    """Return texts as queries over an index."""
    raw = [stems(text) for text in texts]
    words = _repaired(index, raw)
    families = [list(map(root, each)) for each in words]
    views = {
        "stem": _weighted(index.views["stem"], *_by_word(words, index.stem_ids), 0.7),
        "root": _weighted(index.views["root"], *_by_word(families, index.root_ids), 0.7),
        "piece": _weighted(index.views["piece"], *by_piece(raw, index.pieces), 0.5),
    }
    by_root, mass = views["root"]
    views["related"] = ((by_root @ index.related).tocsr(), mass)
    return Queries(raw, views, _meanings(index, families, known))


def _by_word(texts: Sequence[Sequence[str]], ids: dict[str, int]) -> tuple[Any, Ints]:
    """Return texts × known words, and how many words of each text are not known."""
    distinct = [list(dict.fromkeys(each)) for each in texts]
    known = [[ids[word] for word in each if word in ids] for each in distinct]
    unseen = [len(all_) - len(own) for all_, own in zip(distinct, known, strict=True)]
    return incidence(known, len(ids)), np.array(unseen, dtype="int64")


def _weighted(view: View, matrix: Any, unseen: Ints, part: float) -> tuple[Any, Floats]:
    """Return queries × features weighted by rarity, and their mass, unseen features in part."""
    matrix.data = view.rarity[matrix.indices]
    mass = np.asarray(matrix.sum(axis=1)).ravel() + part * view.unseen * unseen + 0.1
    return matrix, mass.astype("float32")


def _meanings(index: Index, families: Sequence[Sequence[str]], known: Knowledge) -> Floats:
    """Return the direction of each query: vectors of its families, weighted by rarity."""
    words = known.words
    places = [[words[word] for word in each if word in words] for each in families]
    matrix = incidence(places, len(words))
    view, ids = index.views["root"], index.root_ids
    rarity = [view.rarity[ids[word]] if word in ids else view.unseen for word in words]
    matrix.data *= np.array(rarity, dtype="float32")[matrix.indices]
    return directions(np.asarray(matrix @ known.vectors))


def _repaired(index: Index, texts: Stems) -> Stems:
    """Return stems with unknown ones read as the nearest stem of the index, where one is near."""
    unknown = sorted(
        {word for each in texts for word in each if len(word) > 3 and word not in index.stem_ids}
    )
    if not unknown:
        return texts
    vocabulary = [word for word in index.stem_ids if len(word) > 2]
    spelt, sought = [[_pairs(word) for word in words] for words in (vocabulary, unknown)]
    ids = {pair: place for place, pair in enumerate(sorted(set().union(*spelt)))}
    asked, known = (
        incidence([[ids[pair] for pair in pairs if pair in ids] for pairs in words], len(ids))
        for words in (sought, spelt)
    )
    shared = (asked @ known.T).tocsr()
    sizes = np.array([len(pairs) for pairs in spelt])
    read_as: dict[str, str] = {}
    for word, pairs, (first, last) in zip(unknown, sought, pairwise(shared.indptr), strict=True):
        near = shared.indices[first:last]
        if not len(near):
            continue
        likeness = 2 * shared.data[first:last] / (sizes[near] + len(pairs))
        best = int(np.lexsort((near, -likeness))[0])
        family_known = root(word) in index.root_ids
        if likeness[best] >= (SURELY_REPAIRED_FROM if family_known else REPAIRED_FROM):
            read_as[word] = vocabulary[near[best]]
    return [tuple(dict.fromkeys(read_as.get(word, word) for word in each)) for each in texts]


def _pairs(word: str) -> set[str]:
    """Return the two-letter pieces of a word, edges included."""
    return {one + other for one, other in pairwise(f"<{word}>")}
