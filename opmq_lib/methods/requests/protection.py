"""What of the review may be published: no number, and no difference of two, shows a company.

Requests are cut into blocks (a branch, a group of sizes, a topic) until every block is safe: its
requests, those not covered and those covered are each none or from `LEAST` companies, none of which
makes more than `LARGEST_SHARE` of them. Only blocks and unions of blocks are published. A union of
safe blocks is safe, and subtraction of unions gives unions: nothing else can be obtained.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.methods.requests import counting
from opmq_lib.methods.requests.counting import REASONS, TOTAL, Counts
from opmq_lib.methods.requests.denominators import BANDS, GROUPS, UNDER_50
from opmq_lib.methods.requests.intervals import Numbers

LEAST: Final = 3
"""Companies behind a published number (rules K1 and U4)."""
LARGEST_SHARE: Final = 0.85
"""Share of a block that one company may make (rule K1)."""
STEP: Final = 10
"""Requests are published to the nearest ten: exact, they show the largest company to the second."""

FROM_50: Final = GROUPS["50_plus"]
SPLIT: Final = ("under_50", "all")
"""Groups of sizes whose requests are published by topic, reason and kind."""

Flags = npt.NDArray[np.bool_]


class Split(NamedTuple):
    """How requests are published by topic, by reason or by kind; axes place, part.

    Attributes:
        apart: Whether a part is published on its own.
        merged: Whether it is published with the others, together.
    """

    apart: Flags
    merged: Flags


class Reviewed(NamedTuple):
    """One period: what each company asked, and what may be published of it.

    Attributes:
        counts: From `counting.count`.
        topics: Topics of the register.
        row: Company of each member of a place; `place`: number of the place in `published`.
        place: See `row`.
        published: Whether each place may be published.
        topic: How its topics may be; `reason` and `kind`: how its requests not covered may be.
        reason: By reason.
        kind: Covered in part, or not at all.
    """

    counts: Counts
    topics: list[str]
    row: counting.Indices
    place: counting.Indices
    published: pd.Series
    topic: Split
    reason: Split
    kind: Split


def safe(amounts: Numbers) -> bool:
    """Return whether sums over companies reveal nobody.

    Args:
        amounts: One row per company, one column per sum.

    Examples:
        >>> safe(np.array([[1, 0], [2, 0], [1, 0]])), safe(np.array([[1], [2]]))
        (True, False)
        >>> safe(np.array([[40], [1], [1]]))
        False
    """
    total, largest = amounts.sum(axis=0), amounts.max(axis=0, initial=0)
    enough = ((amounts > 0).sum(axis=0) >= LEAST) & (largest <= LARGEST_SHARE * total + 1e-9)
    return bool(((total == 0) | enough).all())


def amounts(counts: Counts) -> Numbers:
    """Return requests not covered, asked and covered; axes company, topic, which."""
    unmet = counts.unmet.sum(axis=(2, 3))
    return np.stack([unmet, counts.asked, counts.asked - unmet], axis=-1)


def shown(counts: Counts, places: pd.MultiIndex) -> pd.Series:
    """Return whether each place may be published, all topics together.

    Args:
        counts: What each company asked.
        places: From `counting.grid`.
    """
    whole = amounts(counts).sum(axis=1)
    branches, bands = (counts.companies[name].to_numpy() for name in places.names)
    found = pd.Series(data=False, index=places)
    codes = [code for code in places.unique("branch_code") if code != TOTAL]
    hidden = {name: np.zeros(len(whole), bool) for name in (*BANDS, *GROUPS, "rest", "nothing")}
    for code in codes:
        own = branches == code
        levels = _levels(whole[own], bands[own])
        for level in levels:
            found[(code, level)] = True
        for name in (*BANDS, *GROUPS):
            hidden[name] |= own & np.isin(bands, GROUPS.get(name, (name,))) & (name not in levels)
        hidden["rest"] |= own & ~np.isin(bands, UNDER_50) & (not {"under_50", "all"} <= levels)
        hidden["nothing"] |= own & (not levels)
    fine = {name: safe(whole[rows]) for name, rows in hidden.items()}
    under, every = fine["under_50"], all(fine[name] for name in ("under_50", "rest", "nothing"))
    apart = every and fine["50_plus"] and fine["unknown"]
    each = apart and all(fine[band] for band in BANDS)
    for name, is_shown in (("under_50", under), ("all", every), ("50_plus", apart),
                           *((band, each) for band in BANDS)):  # fmt: skip
        found[(TOTAL, name)] = is_shown
    return found


def _levels(whole: Numbers, bands: npt.NDArray[np.object_]) -> set[str]:
    """Return the bands and groups of one branch that may be published beside one another."""

    def fine(*names: str) -> bool:
        return safe(whole[np.isin(bands, names)])

    if not fine(*UNDER_50):
        return {"all"} if fine(*BANDS) else set()
    if not fine(*FROM_50, "unknown"):
        return {"under_50"}
    if not (fine(*FROM_50) and fine("unknown")):
        return {"under_50", "all"}
    each = all(fine(band) for band in BANDS)
    return {*GROUPS, *(BANDS if each else ())}


def split(parts: Numbers, companies: pd.DataFrame, published: pd.Series, sink: int = -1) -> Split:
    """Return which parts of the requests of each place may be published, and which are merged.

    Args:
        parts: Amounts by company; axes company, part (topic, reason or kind), which.
        companies: `branch_code`, `size_band` of each company.
        published: From `shown`.
        sink: Part that takes the merged ones, such as “other” reasons; -1: none.
    """
    places = published.index
    branches = companies["branch_code"].to_numpy()
    under = np.isin(companies["size_band"].to_numpy(), UNDER_50)
    apart, merged = (np.zeros((len(places), parts.shape[1]), bool) for _ in range(2))
    hidden = {name: np.zeros(parts.shape[:2], bool) for name in ("under", "rest", "nothing")}
    for code in places.unique("branch_code"):
        own = branches == code
        blocks = {"under": own & under, "rest": own & ~under, "nothing": own}
        small, rest, nothing = (parts[rows] for rows in blocks.values())
        if code == TOTAL:
            own = np.ones(len(branches), bool)
            small, rest, nothing = (parts * rows[..., None] for rows in hidden.values())
        is_under, is_all = (bool(published[(code, name)]) for name in SPLIT)
        of_under = _merge(parts[own & under], [small], [], sink) if is_under else None
        of_all = None
        if is_all and of_under is not None:
            of_all = _merge(parts[own], [rest, nothing], of_under, sink)
        elif is_all and code != TOTAL:
            of_all = _merge(parts[own], [nothing], [], sink)
            if of_all is not None and is_under and not _crossed(small, rest, of_all):
                of_all = None
        found = []
        for name, chosen in zip(SPLIT, (of_under, of_all), strict=True):
            row = places.get_loc((code, name))
            apart[row] = chosen is not None
            for flags, value in ((apart, False), (merged, True)):
                flags[row, chosen or []] = value
            found.append(apart[row])
        hidden["under"] |= blocks["under"][:, None] & ~found[0]
        hidden["rest"] |= blocks["rest"][:, None] & ~(found[0] & found[1])
        hidden["nothing"] |= blocks["nothing"][:, None] & ~(found[0] | found[1])
    return Split(apart, merged)


def _crossed(small: Numbers, rest: Numbers, merged: list[int]) -> bool:
    """Return whether sizes and parts, each known alone, leave nobody alone where they cross.

    Taking off the parts that one size alone has leaves the others, of each size, together.
    """
    both = (small.sum(axis=(0, 2)) > 0) & (rest.sum(axis=(0, 2)) > 0)
    both[merged] = True
    return safe(small[:, both].sum(axis=1)) and safe(rest[:, both].sum(axis=1))


def _merge(
    parts: Numbers, tested: Sequence[Numbers], start: list[int], sink: int
) -> list[int] | None:
    """Return the parts to merge so that each left apart, and the merged ones together, are safe.

    The smallest are merged first: fewest companies concerned, then fewest requests received.

    Returns:
        The merged parts, maybe none; `None` where all would be, or there is nothing.
    """

    def fits(chosen: list[int]) -> bool:
        return all(safe(each[:, chosen].sum(axis=1)) for each in tested)

    concerned, received = (parts[..., 0] > 0).sum(axis=0), parts.sum(axis=(0, 2))
    order = [int(at) for at in np.lexsort((received, concerned)) if received[at] > 0]
    merged = [*start, *(at for at in order if at not in start and not fits([at]))]
    if merged and sink >= 0 and sink not in merged:
        merged.append(sink)
    for at in order:
        if not merged or (len(merged) > 1 and fits(merged)):
            break
        if at not in merged:
            merged.append(at)
    return None if set(order) <= set(merged) else merged


def to_ten(requests: npt.ArrayLike) -> Numbers:
    """Return requests to the nearest ten; 5 stands for “fewer than ten”.

    Examples:
        >>> to_ten([0, 3, 14, 26]).tolist()
        [0.0, 5.0, 10.0, 30.0]
    """
    exact = np.asarray(requests, float)
    return np.where((exact > 0) & (exact < STEP), STEP / 2, STEP * np.floor(exact / STEP + 0.5))


def reviewed(requests: pd.DataFrame, topics: list[str], places: pd.MultiIndex) -> Reviewed:
    """Return the requests of one period, counted, with what may be published of them."""
    counts = counting.count(requests, topics)
    published = shown(counts, places)
    splits = [
        split(parts, counts.companies, published, sink)
        for parts, sink in (
            (amounts(counts), -1),
            (counts.unmet.sum(axis=(1, 2))[..., None], REASONS.index("other")),
            (counts.unmet.sum(axis=(1, 3))[..., None], -1),
        )
    ]
    members = counting.members(counts.companies, places)
    return Reviewed(counts, topics, *members, published, *splits)
