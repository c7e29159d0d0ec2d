"""Labels as sparse matrices: stems, word families and four-letter pieces, weighted by rarity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from opmq_lib.errors import Defect, SchemaError
from opmq_lib.matching.knowledge import Floats, Knowledge, knowledge
from opmq_lib.matching.text import root, stems

Ints = NDArray[np.int64]
Stems = Sequence[tuple[str, ...]]

PIECE: Final = 4
COMMON: Final = 0.025
"""Share of labels above which a piece finds no candidate; it still counts in their measures."""
ASKED_BY_CHANCE: Final = 64
_SEARCHED: Final = (("stem", 1.0), ("piece", COMMON), ("root", 1.0))
_LETTERS: Final = np.zeros(256, dtype="int64")
for _rank, _letter in enumerate(b"abcdefghijklmnopqrstuvwxyz0123456789+#", start=1):
    _LETTERS[_letter] = _rank


@dataclass(frozen=True)
class View:
    """One way to see labels: by stem, word family or piece.

    Attributes:
        labels: Labels × features, ones.
        rarity: Of each feature: log of the number of labels over those that have it.
        mass: Of each label: rarities added up.
    """

    labels: Any
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
        wholes: First family, stems and length of each.
        stem_ids: Position of each stem.
        root_ids: Position of each word family.
        pieces: Identifiers of four-letter pieces, sorted.
        views: `stem`, `root` (families) and `piece`.
        search: Stems, pieces and families × labels, one over the root of the label's mass; common
            pieces are left empty.
        share_of_labels: Codes × families: share of the code's labels that have it.
        vectors: Direction of each label's meaning, one row a label.
        code_vectors: The same, one row a code.
        related: Families × families: one on the diagonal, what is known of associations elsewhere.
    """

    codes: NDArray[np.object_]
    code_of: Ints
    texts: NDArray[np.object_]
    wholes: tuple[Ints, Ints, Floats]
    stem_ids: dict[str, int]
    root_ids: dict[str, int]
    pieces: Ints
    views: dict[str, View]
    search: Any
    share_of_labels: Any
    vectors: Floats
    code_vectors: Floats
    related: Any

    @cached_property
    def likeness_by_chance(self) -> float:
        """Best likeness of a text that means none of the codes: labels, asked of other codes."""
        places = np.unique(np.linspace(0, len(self.texts) - 1, ASKED_BY_CHANCE).astype("int64"))
        asked = np.argsort(self.texts.astype("str"), kind="stable")[places]
        rarity = np.concatenate([self.views[name].rarity for name, _ in _SEARCHED])
        weighted = self.search.T.tocsr()[asked].multiply(rarity).tocsr()
        likeness = (weighted @ self.search).toarray() / len(_SEARCHED)
        likeness[self.code_of[asked][:, None] == self.code_of] = 0
        return float(likeness.max(axis=1).mean())


def build_index(corpus: pd.DataFrame, learned: Knowledge | None = None) -> Index:
    """Return a list of labels, ready to be searched.

    Args:
        corpus: `code`, `label`: one row per label, several labels per code allowed.
        learned: What is known of words; that of the package unless given.

    Raises:
        ValueError: If a column is missing, the corpus is empty, or a code or label is blank; tells
            every one.

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
    code_of, texts = code_of[order], corpus["label"].to_numpy(dtype="object")[order]
    words = [stems(text) for text in texts]
    families = [list(map(root, each)) for each in words]
    stem_ids, root_ids = _ids(words), _ids(families)
    pieces = np.unique(_piece_ids(words)[1])
    by_root = _view(_labels(families, root_ids))
    views = {
        "stem": _view(_labels(words, stem_ids)),
        "root": by_root,
        "piece": _view(by_piece(words, pieces)[0]),
    }
    cells = (np.ones(len(texts), dtype="float32"), (code_of, np.arange(len(texts))))
    of_code = sparse.csr_matrix(cells)
    shares = (of_code @ by_root.labels).tocsr()
    shares.data /= np.repeat(np.bincount(code_of), np.diff(shares.indptr)).astype("float32")
    weighted = by_root.labels @ sparse.diags(by_root.rarity)
    vectors = directions(weighted @ known.vectors_of(list(root_ids)))
    return Index(
        codes=codes,
        code_of=code_of,
        texts=texts,
        wholes=wholes(words),
        stem_ids=stem_ids,
        root_ids=root_ids,
        pieces=pieces,
        views=views,
        search=_search(views),
        share_of_labels=shares,
        vectors=vectors,
        code_vectors=directions(of_code @ vectors),
        related=known.related(root_ids),
    )


def wholes(texts: Stems) -> tuple[Ints, Ints, Floats]:
    """Return a number per text for its first family, another for all its stems, and its length."""
    heads = [hash(root(each[0])) if each else 0 for each in texts]
    length = np.log1p([len(each) for each in texts]).astype("float32")
    return np.array(heads), np.array([hash(each) for each in texts]), length


def incidence(rows: Sequence[Collection[int]], width: int) -> Any:
    """Return rows × `width`: a one for each number of each row."""
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter(chain.from_iterable(rows), dtype="int32", count=ends[-1])
    ones = np.ones(len(columns), dtype="float32")
    return sparse.csr_matrix((ones, columns, ends), shape=(len(rows), width))


def by_piece(texts: Stems, pieces: Ints) -> tuple[Any, Ints]:
    """Return texts × four-letter pieces, ones, and how many pieces of each text are not known."""
    rows, identifiers = _piece_ids(texts)
    known = np.isin(identifiers, pieces)
    places = np.searchsorted(pieces, identifiers[known])
    ones = np.ones(len(places), dtype="float32")
    matrix = sparse.csr_matrix((ones, (rows[known], places)), shape=(len(texts), len(pieces)))
    matrix.data[:] = 1
    return matrix, np.bincount(rows[~known], minlength=len(texts))


def directions(vectors: Floats) -> Floats:
    """Return vectors of length one; those that say nothing stay null."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype="float32")


def _ids(texts: Sequence[Sequence[str]]) -> dict[str, int]:
    return {word: place for place, word in enumerate(dict.fromkeys(chain.from_iterable(texts)))}


def _piece_ids(texts: Stems) -> tuple[Ints, Ints]:
    """Return the row and the identifier of every four-letter piece of texts, edges included."""
    spaced = [f" {' '.join(each)} " for each in texts]
    letters = _LETTERS[np.frombuffer("".join(spaced).encode("ascii", "replace"), dtype="uint8")]
    rows = np.repeat(np.arange(len(spaced)), [len(text) for text in spaced])
    starts = max(len(letters) - PIECE + 1, 0)
    identifiers = np.zeros(starts, dtype="int64")
    for offset in range(PIECE):
        identifiers = identifiers * 40 + letters[offset : offset + starts]
    inside = rows[:starts] == rows[PIECE - 1 : PIECE - 1 + starts]
    return rows[:starts][inside], identifiers[inside]


def _labels(texts: Sequence[Sequence[str]], ids: dict[str, int]) -> Any:
    return incidence([{ids[word] for word in each} for each in texts], len(ids))


def _view(labels: Any) -> View:
    rarity = np.log((labels.shape[0] + 1) / (_held_by(labels) + 0.5)).astype("float32")
    return View(labels, rarity, np.asarray(labels @ rarity, dtype="float32") + np.float32(0.1))


def _held_by(labels: Any) -> Ints:
    return np.bincount(labels.indices, minlength=labels.shape[1])


def _search(views: dict[str, View]) -> Any:
    """Return the features by which labels are found, one block under the other."""
    blocks = []
    for name, common in _SEARCHED:
        labels, mass = views[name].labels, views[name].mass
        telling = _held_by(labels) <= max(common * len(mass), 50)
        block = sparse.diags(1 / np.sqrt(mass)) @ labels @ sparse.diags(telling.astype("float32"))
        block.eliminate_zeros()
        blocks.append(block.T)
    return sparse.vstack(blocks, format="csr", dtype="float32")


def _check(corpus: pd.DataFrame) -> None:
    names, fix = ("code", "label"), 'see `chosen_labels("titles")`'
    if corpus.empty:
        raise SchemaError.of("corpus", "no label", "a row for each label", fix)
    expected = "a table of `code` and `label`"
    SchemaError.refuse(
        Defect("corpus", f"no column `{name}`", expected, fix)
        for name in names
        if name not in corpus
    )
    SchemaError.refuse(
        Defect(f"corpus, row {row}, column `{name}`", "empty", "a text", "fill it in")
        for name in names
        for row, cell in enumerate(corpus[name])
        if not isinstance(cell, str) or not cell.strip()
    )
