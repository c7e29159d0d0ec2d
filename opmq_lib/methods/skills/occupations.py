"""Titles and bundles of skills that nothing known explains: candidates for a new occupation."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.errors import SchemaError
from opmq_lib.matching import match_labels

FALSE_ALARM_RATE: Final = 0.05
"""Share of known things held out that may be called new; source: convention."""
LABELS_PER_HELD_OUT: Final = 10
"""Labels of a code for one that is held out to calibrate; source: convention."""

Array = NDArray[np.float64]


def unexplained_bundles(bundles: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return which bundles of skills no known profile explains.

    Args:
        bundles: `bundle`, `skill_code`: skills of each thing asked (a title, a cluster of offers).
        profiles: `rome_code`, `skill_code`: skills of each known métier.

    Returns:
        `bundle`, `nearest_profile`, `distance` (1 − cosine, skills weighted by rarity),
        `threshold`, `unexplained`. A skill that no profile carries counts as lacking, as rare as
        one of a single profile; a bundle of such skills alone has no nearest profile, distance
        `nan`, and is not called new. A few skills say little: of the 120 embedded ROME, each hidden
        in turn, two thirds are called new from 8 of their skills, 94 % from 20, all from all.

    Source:
        The threshold is the quantile of the distances of known métiers held out: as many skills of
        each as the bundle has, drawn with a fixed seed, half of which its profile is made to forget
        (convention: what is observed names as many skills that a fiche lacks as that it has). The
        number of skills must be the same, for a few skills are far from any whole profile.

    Examples:
        >>> profiles = pd.DataFrame({"rome_code": list("AAABBB"), "skill_code": list("123567")})
        >>> bundles = pd.DataFrame({"bundle": ["x", "x"], "skill_code": ["1", "2"]})
        >>> unexplained_bundles(bundles, profiles)["nearest_profile"].tolist()
        ['A']
    """
    skills = np.unique([*profiles["skill_code"], *bundles["skill_code"]])
    known, asked = (
        pd.crosstab(table[name], table["skill_code"]).reindex(columns=skills, fill_value=0) > 0
        for table, name in ((profiles, "rome_code"), (bundles, "bundle"))
    )
    has, wanted = known.to_numpy(), asked.to_numpy()
    rarity = np.log((len(has) + 1) / (np.maximum(has.sum(axis=0), 1) + 0.5))
    likeness = _likeness(wanted, has, rarity)
    best, sizes = likeness.max(axis=1), wanted.sum(axis=1)
    quantiles = {
        size: float(np.quantile(_held_out(has, size, rarity), 1 - FALSE_ALARM_RATE))
        for size in set(sizes)
    }
    table = pd.DataFrame(
        {
            "bundle": asked.index,
            "nearest_profile": known.index[likeness.argmax(axis=1)],
            "distance": 1 - best,
            "threshold": [quantiles[size] for size in sizes],
        }
    )
    table.loc[best == 0, "nearest_profile"] = ""
    table.loc[best == 0, ["distance", "threshold"]] = np.nan
    return table.assign(unexplained=table["distance"] > table["threshold"])


def unexplained_titles(titles: Iterable[str], corpus: pd.DataFrame) -> pd.DataFrame:
    """Return which titles no known label explains.

    Args:
        titles: Free texts.
        corpus: `code`, `label`, one row per known label, several per code.

    Returns:
        One row per title: `title`, `nearest_code`, `nearest_label`, `distance` (1 − the confidence
        that the title means that code, 1 where it shares nothing with any label), `threshold`,
        `unexplained`.

    Raises:
        SchemaError: If no code of the corpus has two labels, so that none can be held out.

    Source:
        The threshold is the quantile of the distances of known labels held out: with a fixed seed,
        one label in ten of each code that has two or more, and at least one, asked against the
        labels left.

    Examples:
        >>> corpus = pd.DataFrame({"code": ["A", "A", "B", "B"],
        ...     "label": ["Soudeur", "Soudeuse TIG", "Vendeur", "Vendeuse en magasin"]})
        >>> unexplained_titles(["soudeur tig", "xyzzy"], corpus)["nearest_code"].tolist()
        ['A', '']
    """
    labels = corpus[["code", "label"]].drop_duplicates(ignore_index=True)
    shuffled = labels.sample(frac=1, random_state=np.random.default_rng(0))
    size = shuffled.groupby("code")["label"].transform("size")
    hidden = (size // LABELS_PER_HELD_OUT).clip(lower=1).where(size > 1, 0)
    is_hidden = shuffled.groupby("code").cumcount() < hidden
    if not is_hidden.any():
        what = ("no code has two labels", "several labels per code", "add alternative labels")
        raise SchemaError.of("corpus", *what)
    held_out = match_labels(shuffled.loc[is_hidden, "label"], shuffled[~is_hidden], top_k=1)
    threshold = float(np.quantile(1 - held_out["confidence"], 1 - FALSE_ALARM_RATE))
    names = {"query": "title", "code": "nearest_code", "label": "nearest_label"}
    nearest = match_labels(titles, labels, top_k=1).rename(columns=names)
    distance = 1 - nearest["confidence"]
    return nearest[[*names.values()]].assign(
        distance=distance, threshold=threshold, unexplained=distance > threshold
    )


def _held_out(known: NDArray[np.bool_], size: int, rarity: Array) -> Array:
    """Return how far some skills of each profile are from the nearest, half of them forgotten."""
    draw = np.random.default_rng(0)
    asked, left = np.zeros_like(known), known.copy()
    for row, owned in enumerate(known):
        drawn = draw.permutation(np.flatnonzero(owned))[:size]
        asked[row, drawn] = True
        left[row, drawn[: len(drawn) // 2]] = False
    likeness = _likeness(asked, known, rarity)
    np.fill_diagonal(likeness, _likeness(asked, left, rarity).diagonal())
    return np.asarray(1 - likeness.max(axis=1))


def _likeness(asked: NDArray[np.bool_], known: NDArray[np.bool_], rarity: Array) -> Array:
    """Return the cosine of each row asked with each row known."""
    left, right = asked * rarity, known * rarity
    lengths = [np.linalg.norm(side, axis=1) for side in (left, right)]
    return np.asarray(left @ right.T / np.maximum(np.outer(*lengths), 1e-12))
