"""A fictitious register of any size, and the truth it was drawn from: for tests and demonstrations.

Every row says `origin = fictitious`, and so does every result computed from it: nothing of it can
be published but on a demonstration site.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods.requests.counting import REASONS

CHANNELS: Final = ("phone", "mail", "visit", "web", "event")
_BAND_WEIGHTS: Final = {"1_9": 1.0, "10_49": 1.6, "50_249": 2.2, "250_plus": 2.6}
_MEANS: Final = {"1_9": 1.3, "10_49": 2.0, "50_249": 5.0, "250_plus": 8.0}
"""Requests a year of a company that asks."""
_CORRELATION: Final = 0.15
"""Between the answers to two requests of one company."""
_FEWEST: Final = {"1_9": 1, "10_49": 10, "50_249": 50, "250_plus": 250}
_MOST: Final = {"1_9": 9, "10_49": 49, "50_249": 249, "250_plus": 1500}
_ASKING: Final = 0.8
"""Share of the companies that may ask which do in one year."""
_NO_PORTRAIT: Final = {"1_9": 60.0, "10_49": 40.0, "50_249": 20.0, "250_plus": 6.0}


class Fictitious(NamedTuple):
    """A register and its truth.

    Attributes:
        register: Table `requests`.
        truth: `branch_code`, `size_band` (elementary), `unmet_share`, the probability that a
            request is not covered, and `topic_code` → probability that it then bears on that
            topic, one column each.
    """

    register: pd.DataFrame
    truth: pd.DataFrame


def generate(  # noqa: PLR0913 (a register of any size and kind)
    requests_count: int,
    firms: pd.DataFrame,
    branch_codes: Sequence[str],
    topic_codes: Sequence[str],
    last_day: date,
    seed: int = 1,
) -> Fictitious:
    """Draw a register of two years of requests.

    In each of the two years some companies ask, with the probability of their band; large ones
    ask more often. Each request is covered or not by itself, with the company's own probability,
    Beta distributed around that of its branch (about 0.22 under 50 and 0.14 from 50): small
    companies are less well served, yet more of the large ones have some request not covered.
    Topics of what is not covered are drawn from the branch's own probabilities.

    Args:
        requests_count: Requests wanted; drawn counts differ from it by a few per cent.
        firms: From `denominators.firms`; a branch without firms gets a few fictitious ones.
        branch_codes: Branches.
        topic_codes: Topics of the nomenclature, without sub-topics.
        last_day: Last day of the second year.
        seed: Same seed, same register.

    Examples:
        >>> none = pd.DataFrame(columns=["branch_code", "size_band", "firms_count"])
        >>> drawn = generate(300, none, ["verre"], ["recrutement", "autre"], date(2026, 1, 31))
        >>> drawn.register["origin"].unique().tolist()
        ['fictitious']
        >>> again = generate(300, none, ["verre"], ["recrutement", "autre"], date(2026, 1, 31))
        >>> bool(again.register.equals(drawn.register))
        True
    """
    draw = np.random.default_rng(seed)
    truth = _truth(branch_codes, topic_codes, draw)
    companies = _companies(requests_count, firms, truth, draw)
    years = [_year(companies, truth, topic_codes, draw, before) for before in (1, 0)]
    register = pd.concat(years, ignore_index=True)
    day = [last_day - timedelta(days=int(back)) for back in register.pop("days_back")]
    register["requested_on"] = [each.isoformat() for each in day]
    register = register.sort_values(["requested_on", "company_code"], ignore_index=True)
    register.insert(0, "request_code", [f"F{number:07d}" for number in range(1, len(register) + 1)])
    return Fictitious(register.assign(request_note="", origin="fictitious"), truth)


def _truth(
    branch_codes: Sequence[str], topic_codes: Sequence[str], draw: np.random.Generator
) -> pd.DataFrame:
    weights = draw.dirichlet(np.linspace(9, 1, len(topic_codes)))
    rows = []
    for branch in branch_codes:
        small, large = draw.beta(0.22 * 40, 0.78 * 40), draw.beta(0.14 * 40, 0.86 * 40)
        own = draw.dirichlet(60 * weights + 0.1)
        for band in _BAND_WEIGHTS:
            share = small if band in ("1_9", "10_49") else large
            rows.append([branch, band, share, *own])
    return pd.DataFrame(rows, columns=["branch_code", "size_band", "unmet_share", *topic_codes])


def _companies(
    requests_count: int, firms: pd.DataFrame, truth: pd.DataFrame, draw: np.random.Generator
) -> pd.DataFrame:
    """Return the companies that may ask, one row each, with the requests they would make."""
    known = firms.set_index(["branch_code", "size_band"])["firms_count"].to_dict()
    asking = {}
    for branch, band in truth[["branch_code", "size_band"]].itertuples(index=False):
        there = int(known.get((branch, band), _NO_PORTRAIT[band]))
        asking[branch, band] = there * min(0.28 * _BAND_WEIGHTS[band], 0.85)
    asked = 2 * _ASKING * sum(count * _MEANS[band] for (_, band), count in asking.items())
    scale = min(1.0, requests_count / asked)
    rows = [
        (branch, band)
        for (branch, band), count in asking.items()
        for _ in range(round(count * scale))
    ]
    table = pd.DataFrame(rows, columns=["branch_code", "size_band"])
    table["company_code"] = [
        hashlib.sha256(f"fictitious company {at}".encode()).hexdigest()[:16]
        for at in range(len(table))
    ]
    low, high = table["size_band"].map(_FEWEST), table["size_band"].map(_MOST)
    table["company_headcount"] = draw.integers(low, high + 1)
    table["mean_more"] = table["size_band"].map(_MEANS) * max(requests_count / asked, 1.0) - 1
    shares = table[["branch_code", "size_band"]].merge(truth, how="left")["unmet_share"]
    size = 1 / _CORRELATION - 1
    table["unmet_share"] = draw.beta(shares * size, (1 - shares) * size)
    return table


def _year(
    companies: pd.DataFrame,
    truth: pd.DataFrame,
    topic_codes: Sequence[str],
    draw: np.random.Generator,
    before: int,
) -> pd.DataFrame:
    asked = companies[draw.random(len(companies)) < _ASKING].reset_index(drop=True)
    extra = draw.negative_binomial(1.5, 1.5 / (1.5 + asked["mean_more"].to_numpy()))
    rows = np.repeat(np.arange(len(asked)), 1 + extra)
    is_unmet = draw.random(len(rows)) < asked["unmet_share"].to_numpy()[rows]
    of_company = asked[["branch_code", "size_band"]].merge(truth, how="left")
    wanted = of_company[list(topic_codes)].to_numpy().cumsum(axis=1)[rows]
    drawn = (draw.random((len(rows), 1)) > wanted).sum(axis=1).clip(max=len(topic_codes) - 1)
    names = np.array(topic_codes)
    topics = np.where(is_unmet, drawn, draw.integers(0, len(names), len(rows)))
    reasons = draw.choice(REASONS, len(rows), p=[0.45, 0.2, 0.15, 0.1, 0.06, 0.04])
    delays = draw.poisson(9, len(rows)).astype(float)
    delays[draw.random(len(rows)) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "company_code": asked["company_code"].to_numpy()[rows],
            "size_band": asked["size_band"].to_numpy()[rows],
            "company_headcount": asked["company_headcount"].to_numpy()[rows],
            "branch_code": asked["branch_code"].to_numpy()[rows],
            "region_code": "",
            "days_back": draw.integers(0, 365, len(rows)) + 365 * before,
            "channel": draw.choice(CHANNELS, len(rows)),
            "topic_code": names[topics],
            "subtopic_code": "",
            "coverage": np.where(
                is_unmet, np.where(draw.random(len(rows)) < 0.4, "partly", "not_covered"), "covered"
            ),
            "reason": np.where(is_unmet, reasons, ""),
            "outcome": np.where(np.isnan(delays), "open", "answered"),
            "answer_delay_days": delays,
        }
    )


def decided(candidates: pd.DataFrame) -> pd.DataFrame:
    """Return candidates of a past review with fictitious decisions.

    Args:
        candidates: From `recommendations.candidates`, on a fictitious review.
        seed: Same seed, same decisions.
    """
    draw = np.random.default_rng(1)
    names = ("implemented", "adopted", "postponed", "rejected", "candidate")
    status = draw.choice(names, len(candidates), p=[0.3, 0.2, 0.15, 0.15, 0.2])
    is_open = status == "candidate"
    days = [date.fromisoformat(each) + timedelta(days=90) for each in candidates["proposed_on"]]
    return candidates.assign(
        offer_change="Évolution fictive de l’offre",
        status=status,
        decision=np.where(is_open, "", "Décision fictive"),
        decided_on=np.where(is_open, "", [day.isoformat() for day in days]),
        minutes_reference=np.where(is_open, "", "relevé fictif"),
    )
