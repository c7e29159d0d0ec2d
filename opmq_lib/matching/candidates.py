"""The codes worth a look for each query, and what is measured on every pair."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from opmq_lib.matching.index import Block, Floats, Index, Ints, Stems, directions, piece_ids
from opmq_lib.matching.learned import Knowledge
from opmq_lib.matching.text import all_stems, root

LABELS_LOOKED_AT: Final = 150
CODES_KEPT: Final = 40
FAR_BELOW: Final = 0.25
"""Of the best rough score of a query: labels below are not looked at."""
NEAREST: Final = 10
LEAST_MEANING: Final = 0.4
GROUP: Final = 16
BATCH: Final = 1_000
WEIGHTS: Final = {"stem": 0.35, "root": 0.35, "piece": 0.3, "related": 0.5, "meaning": 0.25}
"""Of each view of a pair in the first, rough score."""
REPAIRED_FROM: Final = 0.45
"""Least likeness (Dice, two-letter pieces) between an unknown word and the one it is read as."""
SURELY_REPAIRED_FROM: Final = 0.75
"""The same for a word whose family is known."""


class Queries(NamedTuple):
    """Queries as sparse matrices over an index; masses count what no label has."""

    stems: Stems
    by_stem: Any
    by_root: Any
    by_piece: Any
    related: Any
    stem_mass: Floats
    root_mass: Floats
    piece_mass: Floats
    vectors: Floats


class Pairs(NamedTuple):
    """Pairs of a query and a code, best label of the code for it, and measures."""

    query: Ints
    code: Ints
    label: Ints
    measures: pd.DataFrame


def read_queries(index: Index, texts: Sequence[str], known: Knowledge) -> Queries:
    """Return queries as matrices over an index, unknown words read as their nearest known one."""
    raw = all_stems(texts)
    stems = _repaired(index, raw)
    by_stem, stem_mass = _weighted(index.by_stem, _positions(stems, index.stem_ids, str))
    families = _positions(stems, index.root_ids, root)
    by_root, root_mass = _weighted(index.by_root, families)
    rows, identifiers = piece_ids(raw)
    places = np.minimum(np.searchsorted(index.pieces, identifiers), len(index.pieces) - 1)
    seen = index.pieces[places] == identifiers
    by_piece = sparse.csr_matrix(
        (np.ones(seen.sum(), dtype="float32"), (rows[seen], places[seen])),
        shape=(len(texts), len(index.pieces)),
    )
    by_piece.data = index.by_piece.rarity[by_piece.indices]
    unseen = np.bincount(rows[~seen], minlength=len(texts)) * index.by_piece.unseen
    piece_mass = np.asarray(by_piece.sum(axis=1)).ravel() + 0.5 * unseen + 0.1
    meanings = _meanings(index, stems, known)
    return Queries(
        raw, by_stem, by_root, by_piece, (by_root @ index.related).tocsr(), stem_mass, root_mass,
        piece_mass.astype("float32"), meanings,
    )  # fmt: skip


def pairs(index: Index, texts: Sequence[str], known: Knowledge) -> Pairs:
    """Return the codes worth a look for each text, with what is measured on each pair.

    Args:
        index: Labels.
        texts: Free texts.
        known: What was learned of words.

    Returns:
        At most `CODES_KEPT` codes a text, texts in order; none for a text that shares nothing with
        any label.
    """
    queries = read_queries(index, texts, known)
    found = [
        _rough(index, queries, start, min(start + BATCH, len(texts)))
        for start in range(0, len(texts), BATCH)
    ]
    found += [
        _by_meaning(index, queries, start, min(start + BATCH, len(texts)))
        for start in range(0, len(texts), BATCH)
    ]
    query = np.concatenate([each[0] for each in found]) if found else np.zeros(0, dtype="int64")
    label = np.concatenate([each[1] for each in found]) if found else np.zeros(0, dtype="int64")
    return _measured(index, queries, query, label)


def _rough(index: Index, queries: Queries, start: int, end: int) -> tuple[Ints, Ints]:
    """Return the queries and labels of the best rough scores."""
    chosen = slice(start, end)
    masses = {
        "stem": queries.stem_mass,
        "root": queries.root_mass,
        "piece": queries.piece_mass,
        "related": queries.root_mass,
    }
    views = {
        "stem": (queries.by_stem, index.by_stem),
        "piece": (queries.by_piece, index.by_piece),
        "related": (queries.related, index.by_root),
    }
    left, right = [], []
    for name, (matrix, block) in views.items():
        factor = WEIGHTS[name] / np.sqrt(masses[name][chosen])
        part = sparse.diags(factor) @ matrix[chosen]
        if name == "related":
            own = WEIGHTS["root"] / np.sqrt(queries.root_mass[chosen])
            part = part + sparse.diags(own) @ queries.by_root[chosen]
        left.append(part)
        right.append(block.by_feature)
    scores = (sparse.hstack(left, format="csr") @ sparse.vstack(right, format="csr")).tocsr()
    rows, labels = [], []
    for row, (first, last) in enumerate(zip(scores.indptr[:-1], scores.indptr[1:], strict=True)):
        best = _best_labels(index, scores.indices[first:last], scores.data[first:last])
        labels.append(best)
        rows.append(np.full(len(best), start + row))
    return np.concatenate(rows).astype("int64"), np.concatenate(labels).astype("int64")


def _best_labels(index: Index, labels: Ints, scores: Floats) -> Ints:
    """Return the best label of each of the best codes."""
    if len(labels) > LABELS_LOOKED_AT:
        near = scores > FAR_BELOW * scores.max()
        labels, scores = labels[near], scores[near]
    if len(labels) > LABELS_LOOKED_AT:
        best = np.argpartition(scores, len(scores) - LABELS_LOOKED_AT)[-LABELS_LOOKED_AT:]
        labels, scores = labels[best], scores[best]
    labels = labels[np.lexsort((labels, -scores))]
    _, first = np.unique(index.code_of[labels], return_index=True)
    first.sort()
    return labels[first[:CODES_KEPT]]


def _by_meaning(index: Index, queries: Queries, start: int, end: int) -> tuple[Ints, Ints]:
    """Return the queries and labels whose vectors are nearest.

    The least likeness kept is the tenth largest among the best of groups of labels: as many labels
    or a few more reach it, and no complete sort is needed.
    """
    groups = -(-len(index.vectors) // GROUP)
    padded = np.zeros((groups * GROUP, index.vectors.shape[1]), dtype="float32")
    padded[: len(index.vectors)] = index.vectors
    likeness = (queries.vectors[start:end] @ padded.T).reshape(end - start, GROUP, groups)
    best = likeness.max(axis=1)
    kth = max(groups - NEAREST, 0)
    least = np.maximum(np.partition(best, kth, axis=1)[:, kth], LEAST_MEANING)
    rows, columns = np.nonzero(best >= least[:, None])
    cells, members = np.nonzero(likeness[rows, :, columns] >= least[rows, None])
    labels = members * groups + columns[cells]
    return rows[cells].astype("int64") + start, labels.astype("int64")


def _measured(index: Index, queries: Queries, query: Ints, label: Ints) -> Pairs:
    shared = {
        "stem": _overlap(queries.by_stem, index.by_stem.labels, query, label),
        "root": _overlap(queries.by_root, index.by_root.labels, query, label),
        "piece": _overlap(queries.by_piece, index.by_piece.labels, query, label),
        "related": _overlap(queries.related, index.by_root.labels, query, label),
    }
    of_query = {
        "stem": queries.stem_mass[query],
        "root": queries.root_mass[query],
        "piece": queries.piece_mass[query],
    }
    of_label = {
        "stem": index.by_stem.mass[label],
        "root": index.by_root.mass[label],
        "piece": index.by_piece.mass[label],
    }
    of_query["related"], of_label["related"] = of_query["root"], of_label["root"]
    measures: dict[str, NDArray[Any]] = {}
    rough = np.zeros(len(query), dtype="float32")
    for name, mass in shared.items():
        measures[f"{name}_of_query"] = mass / of_query[name]
        measures[f"{name}_of_label"] = mass / of_label[name]
        measures[f"{name}_likeness"] = mass / np.sqrt(of_query[name] * of_label[name])
        rough += WEIGHTS[name] * measures[f"{name}_likeness"]
    meaning = np.einsum("ij,ij->i", queries.vectors[query], index.vectors[label])
    measures["meaning"] = meaning
    rough += WEIGHTS["meaning"] * np.maximum(meaning, 0)

    measures["rough"] = rough
    code = index.code_of[label]
    order = np.lexsort((label, -rough, query))
    _, first = np.unique((query * len(index.codes) + code)[order], return_index=True)
    order = order[np.sort(first)]
    query, code, label = query[order], code[order], label[order]
    measures = {name: values[order] for name, values in measures.items()}
    measures |= _of_code(index, queries, query, code)
    measures |= _of_list(measures["rough"], query)
    measures |= _of_texts(index, queries, query, label)
    measures["labels_of_code"] = np.log(np.bincount(index.code_of))[code]
    return Pairs(query, code, label, pd.DataFrame(measures, dtype="float32"))


def _of_code(index: Index, queries: Queries, query: Ints, code: Ints) -> dict[str, Floats]:
    """Return what all labels of a code have of a query."""
    mass = queries.root_mass[query]
    return {
        "any_label": _overlap(queries.by_root, index.any_label, query, code) / mass,
        "share_of_labels": _overlap(queries.by_root, index.share_of_labels, query, code) / mass,
        "meaning_of_code": np.einsum("ij,ij->i", queries.vectors[query], index.code_vectors[code]),
        "query_mass": np.log(mass),
    }


def _of_list(rough: Floats, query: Ints) -> dict[str, Floats]:
    """Return where a pair stands among those of its query; best rough score first."""
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    sizes = np.diff(np.append(starts, len(query)))
    rank = np.arange(len(query)) - np.repeat(starts, sizes)
    last = max(len(rough) - 1, 0)
    best = rough[starts]
    second = np.where(sizes > 1, rough[np.minimum(starts + 1, last)], 0)
    tenth = np.where(sizes > 9, rough[np.minimum(starts + 9, last)], 0)
    return {
        "best_rough": np.repeat(best, sizes),
        "behind_best": rough - np.repeat(best, sizes),
        "best_before_second": np.repeat(best - second, sizes),
        "before_tenth": rough - np.repeat(tenth, sizes),
        "rank": (1 / (1.0 + rank)).astype("float32"),
    }


def _of_texts(index: Index, queries: Queries, query: Ints, label: Ints) -> dict[str, Floats]:
    """Return what both texts have in common as wholes: first word, all words, lengths."""
    heads, whole, length = _wholes(index.stems)
    asked_head, asked_whole, asked_length = _wholes(queries.stems)
    return {
        "same_head": (asked_head[query] == heads[label]).astype("float32"),
        "same_stems": (asked_whole[query] == whole[label]).astype("float32"),
        "query_length": asked_length[query],
        "label_length": length[label],
    }


def _wholes(stems: Stems) -> tuple[Ints, Ints, Floats]:
    """Return a number per text for its first family, another for all its stems, and its length."""
    heads = [hash(root(each[0])) if each else 0 for each in stems]
    length = np.log1p([len(each) for each in stems]).astype("float32")
    return np.array(heads), np.array([hash(each) for each in stems]), length


def _overlap(left: Any, right: Any, rows: Ints, others: Ints) -> Floats:
    """Return, for each pair, what the weights of one row and the values of the other share."""
    found = np.zeros(len(rows), dtype="float32")
    for start in range(0, len(rows), 100_000):
        part = slice(start, start + 100_000)
        product = left[rows[part]].multiply(right[others[part]])
        found[part] = np.asarray(product.sum(axis=1)).ravel()
    return found


def _positions(stems: Stems, ids: dict[str, int], key: Any) -> list[list[int]]:
    return [[ids.get(word, -1) for word in dict.fromkeys(map(key, each))] for each in stems]


def _weighted(block: Block, positions: Sequence[Sequence[int]]) -> tuple[Any, Floats]:
    """Return queries × features, weighted by rarity, and the mass of each query."""
    known = [[place for place in each if place >= 0] for each in positions]
    unseen = np.array([len(each) for each in positions]) - np.array([len(each) for each in known])
    columns = np.array([place for each in known for place in each], dtype="int32")
    ends = np.concatenate([[0], np.cumsum([len(each) for each in known])])
    matrix = sparse.csr_matrix(
        (block.rarity[columns], columns, ends), shape=(len(known), len(block.rarity))
    )
    mass = np.asarray(matrix.sum(axis=1)).ravel() + 0.7 * block.unseen * unseen + 0.1
    return matrix, mass.astype("float32")


def _meanings(index: Index, stems: Stems, known: Knowledge) -> Floats:
    families = [[root(word) for word in each] for each in stems]
    flat = [(row, word) for row, each in enumerate(families) for word in each]
    rarities = index.by_root.rarity
    weights = [
        rarities[index.root_ids[word]] if word in index.root_ids else index.by_root.unseen
        for _, word in flat
    ]
    told = [
        (row, known.words[word], weight)
        for (row, word), weight in zip(flat, weights, strict=True)
        if word in known.words
    ]
    rows, columns, values = zip(*told, strict=True) if told else ((), (), ())
    matrix = sparse.csr_matrix(
        (
            np.array(values, dtype="float32"),
            (np.array(rows, dtype="int64"), np.array(columns, dtype="int64")),
        ),
        shape=(len(stems), len(known.words)),
    )
    return directions(np.asarray(matrix @ known.vectors))


def _repaired(index: Index, stems: Stems) -> Stems:
    """Return stems with unknown ones read as the nearest stem of the index, where one is near."""
    unknown = sorted(
        {word for each in stems for word in each if len(word) > 3 and word not in index.stem_ids}
    )
    if not unknown:
        return stems
    vocabulary = [word for word in index.stem_ids if len(word) > 2]
    ids: dict[str, int] = {}
    for word in vocabulary:
        for piece in _letters(word):
            ids.setdefault(piece, len(ids))
    seen = _letter_matrix(vocabulary, ids)
    sought = _letter_matrix(unknown, ids)
    product = (sought @ seen.T).tocsr()
    sizes = np.array([len(set(_letters(word))) for word in vocabulary])
    read_as: dict[str, str] = {}
    for row, word in enumerate(unknown):
        part = slice(product.indptr[row], product.indptr[row + 1])
        near = product.indices[part]
        if not len(near):
            continue
        likeness = 2 * product.data[part] / (sizes[near] + len(set(_letters(word))))
        best = int(np.lexsort((near, -likeness))[0])
        family_known = root(word) in index.root_ids
        if likeness[best] >= (SURELY_REPAIRED_FROM if family_known else REPAIRED_FROM):
            read_as[word] = vocabulary[near[best]]
    return [tuple(dict.fromkeys(read_as.get(word, word) for word in each)) for each in stems]


def _letters(word: str) -> list[str]:
    """Return the two-letter pieces of a word, edges included."""
    edged = f"<{word}>"
    return [edged[place : place + 2] for place in range(len(edged) - 1)]


def _letter_matrix(vocabulary: Sequence[str], ids: dict[str, int]) -> Any:
    cells = {
        (row, ids[piece])
        for row, word in enumerate(vocabulary)
        for piece in _letters(word)
        if piece in ids
    }
    rows, columns = zip(*sorted(cells), strict=True) if cells else ((), ())
    return sparse.csr_matrix(
        (np.ones(len(cells), dtype="float32"), (rows, columns)), shape=(len(vocabulary), len(ids))
    )
