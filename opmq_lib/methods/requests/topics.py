"""Topics that companies lack: their share of what is not covered, how surely they lead (U4)."""

from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.intervals import Numbers
from opmq_lib.methods.requests.protection import SPLIT, Reviewed
from opmq_lib.methods.requests.table import OTHERS, levels_by_place, rows, share_rows

LEAST_RANKED: Final = 20
"""Companies with a request not covered below which topics are not ranked (convention of U4)."""
TOP: Final = 3
DRAWS: Final = 2000
SEED: Final = 1


def topics(of: Reviewed) -> list[pd.DataFrame]:
    """Return U4: each topic's share of the requests not covered, and how surely it is in the top.

    `numerator_count`: companies concerned.
    """
    unmet = of.counts.unmet.sum(axis=(2, 3))
    missed = by_place(unmet, of)
    parts, whole = missed[:, :-1], np.repeat(missed[:, -1:], missed.shape[1] - 1, axis=1)
    merged = of.topic.merged.any(axis=1, keepdims=True)
    published = np.concatenate([of.topic.apart, merged], axis=1)
    table = levels_by_place(of, whole, parts, published, topic_code=[*of.topics, OTHERS])
    counted = [_total(each, of) for each in (np.sign(parts), by_place(of.counts.asked, of)[:, :-1])]
    table = table.assign(concerned=counted[0], asked=counted[1], probability=_top(of, unmet))
    shown = table[table["size_band"].isin(SPLIT) & table["asked"].gt(0)]
    named = shown[shown["topic_code"] != OTHERS]
    few, probability = named["companies"] < LEAST_RANKED, named["probability"]
    return [
        share_rows(shown, "topic_share_of_unmet_pct", numerator_count=shown["concerned"]),
        rows(named, "topic_top_three_probability_pct", "pct",
             value=np.where(few, np.nan, np.round(100 * probability)),
             status=np.select([few, probability.isna()], ["nd", "np"], "value")),
    ]  # fmt: skip


def by_place(values: Numbers, of: Reviewed) -> Numbers:
    """Return what companies count in their places: each topic, those merged there, all."""
    here = values[of.row]
    merged = (here * of.topic.merged[of.place]).sum(axis=1, keepdims=True)
    return np.concatenate([here, merged, here.sum(axis=1, keepdims=True)], axis=1)


def _total(values: Numbers, of: Reviewed) -> Numbers:
    """Return sums over the members of each place, in the order of `levels_by_place`."""
    found = np.zeros((len(of.published), values.shape[1]))
    np.add.at(found, of.place, values)
    return found.ravel()


def _top(of: Reviewed, unmet: Numbers) -> Numbers:
    """Return how often each topic is among the first three when companies are weighed anew.

    Returns:
        Share of `DRAWS` Bayesian bootstrap draws, in the order of `levels_by_place`; `NaN` where no
        more than three topics are published on their own.
    """
    draw = np.random.default_rng(SEED)
    found = np.full((len(of.published), unmet.shape[1] + 1), np.nan)
    bands = of.published.index.get_level_values("size_band")
    for at in np.flatnonzero(of.published & bands.isin(SPLIT)):
        topics = np.flatnonzero(of.topic.apart[at])
        here = unmet[of.row[of.place == at]][:, topics]
        here = here[here.sum(axis=1) > 0]
        if len(topics) <= TOP or not len(here):
            continue
        weights = draw.standard_exponential((DRAWS, len(here)), dtype=np.float32)
        drawn = weights @ here.astype(np.float32)
        third = np.sort(drawn, axis=1)[:, -TOP]
        found[at, topics] = ((drawn >= third[:, None]) & (drawn > 0)).mean(axis=0)
    return found.ravel()
