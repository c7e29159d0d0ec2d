"""Labels as sparse matrices: stems, word families and four-letter pieces, weighted by rarity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.matching.learned import Knowledge, knowledge
from opmq_lib.matching.text import all_stems, root

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Stems = Sequence[tuple[str, ...]]

PIECE: Final = 4
COMMON: Final = 0.025
"""Share of labels above which a piece finds no candidate; it still counts in their measures."""
_LETTERS: Final = np.zeros(256, dtype="int64")
for _rank, _letter in enumerate(b"abcdefghijklmnopqrstuvwxyz0123456789+#", start=1):
    _LETTERS[_letter] = _rank


@dataclass(frozen=True)
class Block:
    """One way to see labels.

    Attributes:
        labels: Labels × features, ones.
        by_feature: Features × labels, one over the root of the label's mass; common pieces are
            left empty.
        rarity: Of each feature: log of the number of labels over those that have it.
        mass: Of each label: rarities added up.
    """

    labels: Any
    by_feature: Any
    rarity: Floats
    mass: Floats

    @property
    def unseen(self) -> float:
        """Rarity of a feature that no label has."""
        return float(np.log(2 * (len(self.mass) + 1)))


@dataclass(frozen=True)
class Index:
    """A list of labels, ready to be searched; labels of one code are neighbours.

    Attributes:
        codes: Distinct codes.
        code_of: Position in `codes` of each label.
        texts: Labels as given.
        stems: Their stems.
        stem_ids: Position of each stem.
        root_ids: Position of each word family.
        pieces: Identifiers of four-letter pieces, sorted.
        by_stem: Block of stems.
        by_root: Block of word families.
        by_piece: Block of pieces.
        any_label: Codes × families: one where a label of the code has it.
        share_of_labels: Codes × families: share of the code's labels that have it.
        vectors: Direction of each label's meaning, one row a label.
        code_vectors: The same, one row a code.
        related: Families × families: one on the diagonal, what is known of associations elsewhere.
    """

    codes: NDArray[np.object_]
    code_of: Ints
    texts: NDArray[np.object_]
    stems: Stems
    stem_ids: dict[str, int]
    root_ids: dict[str, int]
    pieces: Ints
    by_stem: Block
    by_root: Block
    by_piece: Block
    any_label: Any
    share_of_labels: Any
    vectors: Floats
    code_vectors: Floats
    related: Any


def build_index(corpus: pd.DataFrame, learned: Knowledge | None = None) -> Index:
    """Return a list of labels, ready to be searched.

    Args:
        corpus: `code`, `label`: one row per label, several labels per code allowed.
        learned: What is known of words; that of the package unless given.

    Raises:
        SchemaError: If a column is missing, the corpus is empty, or a code or label is blank.

    Examples:
        >>> corpus = pd.DataFrame({"code": ["b", "a", "b"], "label": ["Soudeur", "Vendeur", "TIG"]})
        >>> build_index(corpus).texts.tolist()
        ['Vendeur', 'Soudeur', 'TIG']
    """
    known = learned or knowledge()
    _check(corpus)
    corpus = corpus[["code", "label"]].drop_duplicates()
    codes, code_of = np.unique(corpus["code"].to_numpy(dtype="object"), return_inverse=True)
    order = np.argsort(code_of, kind="stable")
    code_of = code_of[order]
    texts = corpus["label"].to_numpy(dtype="object")[order]
    stems = all_stems(texts)
    stem_ids, root_ids = _ids(stems, str), _ids(stems, root)
    by_stem = _block(word_matrix(stems, stem_ids, str))
    by_root = _block(word_matrix(stems, root_ids, root))
    rows, identifiers = piece_ids(stems)
    pieces = np.unique(identifiers)
    places = np.searchsorted(pieces, identifiers)
    by_piece = _block(_ones(rows, places, (len(texts), len(pieces))), COMMON)
    of_code = sparse.csr_matrix(
        (np.ones(len(texts), dtype="float32"), (code_of, np.arange(len(texts)))),
        shape=(len(codes), len(texts)),
    )
    counts = (of_code @ by_root.labels).tocsr()
    shares, present = counts.copy(), counts.copy()
    shares.data /= np.repeat(np.bincount(code_of), np.diff(counts.indptr)).astype("float32")
    present.data[:] = 1
    weighted = by_root.labels @ sparse.diags(by_root.rarity)
    vectors = directions(weighted @ known.vectors_of(list(root_ids)))
    return Index(
        codes, code_of, texts, stems, stem_ids, root_ids, pieces, by_stem, by_root, by_piece,
        present, shares, vectors, directions(of_code @ vectors),
        known.related(root_ids),
    )  # fmt: skip


@lru_cache(maxsize=8)
def _remembered(content: tuple[tuple[str, str], ...]) -> Index:
    return build_index(pd.DataFrame(content, columns=["code", "label"]))


def cached_index(corpus: pd.DataFrame) -> Index:
    """Return the index of a corpus, built once for the same content."""
    _check(corpus)
    return _remembered(tuple(zip(corpus["code"], corpus["label"], strict=True)))


def word_matrix(stems: Stems, ids: dict[str, int], key: Callable[[str], str]) -> Any:
    """Return texts × known words, ones."""
    columns: list[int] = []
    ends = [0]
    for each in stems:
        columns.extend({ids[word] for word in map(key, each) if word in ids})
        ends.append(len(columns))
    ones = np.ones(len(columns), dtype="float32")
    return sparse.csr_matrix((ones, columns, ends), shape=(len(stems), len(ids)))


def piece_ids(stems: Stems) -> tuple[Ints, Ints]:
    """Return the row and the identifier of every four-letter piece of texts, edges included."""
    spaced = [f" {' '.join(each)} " for each in stems]
    letters = _LETTERS[np.frombuffer("".join(spaced).encode("ascii", "replace"), dtype="uint8")]
    rows = np.repeat(np.arange(len(spaced)), [len(text) for text in spaced])
    starts = max(len(letters) - PIECE + 1, 0)
    identifiers = np.zeros(starts, dtype="int64")
    for offset in range(PIECE):
        identifiers = identifiers * 40 + letters[offset : offset + starts]
    inside = rows[:starts] == rows[PIECE - 1 : PIECE - 1 + starts]
    return rows[:starts][inside], identifiers[inside]


def directions(vectors: Floats) -> Floats:
    """Return vectors of length one; those that say nothing stay null."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype="float32")


def _ids(stems: Stems, key: Callable[[str], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in stems:
        for word in each:
            found.setdefault(key(word), len(found))
    return found


def _ones(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype="float32"), (rows, columns)), shape=shape)
    matrix.data[:] = 1
    return matrix


def _block(labels: Any, common: float = 1.0) -> Block:
    count = labels.shape[0]
    held_by = np.bincount(labels.indices, minlength=labels.shape[1])
    rarity = np.log((count + 1) / (held_by + 0.5)).astype("float32")
    mass = np.asarray(labels @ rarity, dtype="float32") + np.float32(0.1)
    told = labels @ sparse.diags((held_by <= max(common * count, 50)).astype("float32"))
    by_feature = (sparse.diags(1 / np.sqrt(mass)) @ told).T.tocsr().astype("float32")
    by_feature.eliminate_zeros()
    return Block(labels, by_feature, rarity, mass)


def _check(corpus: pd.DataFrame) -> None:
    missing = [name for name in ("code", "label") if name not in corpus]
    if missing:
        raise SchemaError(
            [
                Defect("corpus", f"no column `{name}`", "columns `code`, `label`", "add it")
                for name in missing
            ]
        )
    if corpus.empty:
        raise SchemaError([Defect("corpus", "no label", "at least one row", "give labels")])
    defects = [
        Defect(f"corpus, row {row}", f"empty `{name}`", "a text", "complete or remove the row")
        for name in ("code", "label")
        for row in np.flatnonzero([not _is_text(cell) for cell in corpus[name]])
    ]
    if defects:
        raise SchemaError(defects)


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell.strip())
