"""The published forecast: a métier follows a share λ of its family's projected change (P2).

Four candidates are set side by side on families, from every year with six before it: the last
value plus λ times the change that the engine projects, the engine, the last value, the mean move.
λ and the candidate are those that did best before, horizon by horizon; nothing later than an origin
is read for it. A métier then moves in proportion as its family does, so that métiers add up to
their families; its interval keeps the engine's spread for the métier itself.

Source: method page, P2; `docs/decisions/published-forecast.md`.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from opmq_lib.methods.forecast.engine import forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import Array, TidyPanel, long_table, tidy_panel, with_median
from opmq_lib.methods.forecast.settings import MIN_TRAINING_YEARS
from opmq_lib.tables.fap import FAMILY_LENGTH, NOT_CODED
from opmq_lib.tables.indicators import MIDDLE

ASKED_YEARS = 12
"""Years asked of the engine, whatever fewer are shown: the horizon then changes no projection."""

MIN_ORIGINS = 3
"""Origins from which λ is learnt at a horizon; with fewer, that of the horizon before serves."""

SHARES = np.arange(25) / 20
"""Values of λ tried, from 0, the last value, to 1.2; 1 is the engine."""

CANDIDATES = ("shrunk", "engine", "last_value", "drift")
"""λ times the engine's change, the engine, the last value, the mean move; the first best wins."""

_STEP = ["cutoff_year", "horizon_years"]


def forecasts_from(
    panel: pd.DataFrame, quantile_levels: Sequence[float], years: int = ASKED_YEARS
) -> pd.DataFrame:
    """Return the engine's forecasts from the end of each series, and what is set beside.

    Args:
        panel: `series_code, year, value`: métiers and families, learnt from together.
        quantile_levels: Probabilities; 0.5 is added.
        years: Years asked of the engine.

    Returns:
        One row per `series_code`, `horizon_years` (from 1) and `quantile_level`: `cutoff_year`,
        `year`, `value`, `last_value` and `drift` (the last value plus mean moves).
    """
    return _forecasts(tidy_panel(panel), with_median(quantile_levels), years, hidden_years=0)


def _forecasts(tidy: TidyPanel, levels: Array, years: int, hidden_years: int) -> pd.DataFrame:
    kept = np.flatnonzero(tidy.panel.lengths > hidden_years)
    known = tidy.panel.take(kept, hidden_years)
    quantiles = forecast_panel(known, learn_panel(known, years, levels))
    cutoff = tidy.last_year[kept] - hidden_years
    first, last = known.flat[known.starts], known.flat[known.starts + known.lengths - 1]
    table = long_table(tidy.codes[kept], cutoff, levels, quantiles)
    rows = len(table) // len(kept)
    columns = {"cutoff_year": cutoff, "last_value": last, "move": last - first}
    columns["move"] /= np.maximum(known.lengths - 1, 1)
    table = table.assign(**{name: np.repeat(each, rows) for name, each in columns.items()})
    ahead = table["year"] - table["cutoff_year"]
    drift = table["last_value"] + ahead * table["move"]
    return table.assign(horizon_years=ahead, drift=drift).drop(columns="move")


def past_forecasts(
    panel: pd.DataFrame,
    quantile_levels: Sequence[float] = (MIDDLE,),
    years: int = ASKED_YEARS,
) -> pd.DataFrame:
    """Return what `forecasts_from` would have given in every year with six before it.

    Args:
        panel: As for `forecasts_from`; series that end before the others are left out.
        quantile_levels: As for it.
        years: As for it.

    Returns:
        Its rows from each `cutoff_year`, the last year included, with the `actual` value, missing
        where it is not known yet. Nothing else is read of what follows a cut-off.
    """
    ends = panel.groupby("series_code")["year"].transform("max")
    tidy = tidy_panel(panel[ends == ends.max()])
    longest, levels = int(tidy.panel.lengths.max()), with_median(quantile_levels)
    every = range(longest - MIN_TRAINING_YEARS, -1, -1)
    parts = [_forecasts(tidy, levels, years, hidden_years) for hidden_years in every]
    actual = panel.rename(columns={"value": "actual"})[["series_code", "year", "actual"]]
    return pd.concat(parts).merge(actual, "left", on=["series_code", "year"])


def learn_rules(past: pd.DataFrame) -> pd.DataFrame:
    """Return the rule that the past would have taught in every year, horizon by horizon.

    λ is the value of `SHARES` with the least Σ |y − n − λ (f − n)| / √n over families and earlier
    origins. Candidates are compared on the same pairs, the shrunk one with the λ that each origin
    knew.

    Args:
        past: What `past_forecasts` returned.

    Returns:
        One row per `cutoff_year` (what is known then) and `horizon_years`: `model` (of
        `CANDIDATES`), `retained_share` (λ; missing where there is no past), and the error of each
        candidate as a ratio to that of the last value (missing where no origin can tell).

    Examples:
        >>> rows = [("A0Z", cutoff, ahead, 100.0 + 10 * ahead, 100.0 + 5 * ahead)
        ...         for cutoff in range(2000, 2009) for ahead in (1, 2)]
        >>> past = pd.DataFrame(rows, columns=["series_code", "cutoff_year", "horizon_years",
        ...     "value", "actual"]).assign(last_value=100.0, drift=100.0, quantile_level=0.5)
        >>> past["actual"] = past["actual"].where(past.eval("cutoff_year + horizon_years < 2009"))
        >>> learn_rules(past).tail(1)[["model", "retained_share"]].to_numpy().tolist()
        [['shrunk', 0.5]]
    """
    losses = _losses(past)
    cutoffs = losses.index.unique("cutoff_year")
    share, parts = pd.Series(np.nan, cutoffs), []
    for ahead in losses.index.unique("horizon_years"):
        at = losses.xs(ahead, level="horizon_years").reindex(cutoffs)
        known = at.fillna(0.0).cumsum().shift(ahead, fill_value=0.0)
        count = at["drift"].notna().cumsum().shift(ahead, fill_value=0)
        best = pd.Series(SHARES[known.drop(columns="drift").to_numpy().argmin(axis=1)], cutoffs)
        share = best.where(count >= MIN_ORIGINS, share)
        place = np.searchsorted(SHARES, share.fillna(0.0))
        shrunk = pd.Series(at.drop(columns="drift").to_numpy()[np.arange(len(at)), place], cutoffs)
        each = [shrunk.where(share.notna()), at[1.0], at[0.0], at["drift"]]
        errors = pd.DataFrame(dict(zip(CANDIDATES, each, strict=True))).dropna()
        sums = errors.reindex(cutoffs).fillna(0.0).cumsum().shift(ahead, fill_value=0.0)
        ratios = sums.div(sums["last_value"].where(sums["last_value"] > 0), axis=0)
        model = ratios.fillna(1.0).idxmin(axis=1)
        parts.append(ratios.assign(horizon_years=ahead, model=model, retained_share=share))
    return pd.concat(parts).reset_index().sort_values(_STEP, ignore_index=True)


def _losses(past: pd.DataFrame) -> pd.DataFrame:
    """Return Σ |error| / √n over families, by cut-off and horizon: of each λ, and of the drift."""
    is_family = past["series_code"].str.len().le(FAMILY_LENGTH) & past["series_code"].ne(NOT_CODED)
    rows = past[is_family & past["quantile_level"].eq(MIDDLE) & past["last_value"].gt(0)]
    last, point = rows["last_value"].to_numpy(), rows["value"].to_numpy()
    tried = last[:, None] + SHARES * (point - last)[:, None]
    forecasts = pd.DataFrame(tried, rows.index, SHARES).assign(drift=rows["drift"])
    errors = forecasts.sub(rows["actual"], axis=0).abs().div(np.sqrt(rows["last_value"]), axis=0)
    summed: pd.DataFrame = errors.groupby([rows[name] for name in _STEP]).sum(min_count=1)
    return summed


def learn_rule(panel: pd.DataFrame, years: int = ASKED_YEARS) -> pd.DataFrame:
    """Return the rule that a panel's whole past teaches, a row per horizon.

    It takes about a second, and is kept in memory for the same panel.

    Args:
        panel: `series_code, year, value`; six years and some families.
        years: Years asked of the engine.

    Returns:
        Rows of `learn_rules`, without `cutoff_year`.
    """
    ordered = panel.sort_values(["series_code", "year"])
    columns = (ordered[name].tolist() for name in ("series_code", "year", "value"))
    return _rule_of(tuple(zip(*columns, strict=True)), years).copy()


@lru_cache(maxsize=4)
def _rule_of(rows: tuple[tuple[str, int, float], ...], years: int) -> pd.DataFrame:
    panel = pd.DataFrame(rows, columns=["series_code", "year", "value"])
    rules = learn_rules(past_forecasts(panel, years=years))
    latest: pd.DataFrame = rules.loc[rules["cutoff_year"] == rules["cutoff_year"].max()]
    return latest.drop(columns="cutoff_year")


def family_changes(forecasts: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return how far each family moves by the rule, as a share of its last value.

    Args:
        forecasts: Rows of `forecasts_from` or `past_forecasts`.
        rules: One rule (`learn_rule`), or that of every cut-off (`learn_rules`).

    Returns:
        `family_code`, `cutoff_year`, `horizon_years` and `change` (a ratio; 0 without rule).
    """
    is_family = forecasts["series_code"].str.len() <= FAMILY_LENGTH
    rows = forecasts[is_family & forecasts["quantile_level"].eq(MIDDLE)]
    rows = rows.merge(rules.drop(columns=[*CANDIDATES]))
    last = rows["last_value"]
    share = rows["retained_share"].mask(rows["model"] == "engine", 1.0)
    share = share.mask(rows["model"] == "last_value", 0.0).fillna(0.0)
    moved = (share * (rows["value"] - last)).mask(rows["model"] == "drift", rows["drift"] - last)
    named = rows[["series_code", *_STEP]].rename(columns={"series_code": "family_code"})
    return named.assign(change=(moved / last.where(last > 0)).fillna(0.0))


def changes_after(panel: pd.DataFrame, years: int) -> pd.Series:
    """Return how far each family of a panel moves by its own rule, as a share, after some years.

    Args:
        panel: As for `learn_rule`.
        years: At most `ASKED_YEARS`.

    Returns:
        By family code.
    """
    changes = family_changes(forecasts_from(panel, [MIDDLE]), learn_rule(panel))
    after: pd.Series = changes[changes["horizon_years"] == years].set_index("family_code")["change"]
    return after


def follow(forecasts: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Return forecasts whose medians are moved to where their families go.

    Args:
        forecasts: One row per series, `year` and `quantile_level`: `metier_code`, `cutoff_year`,
            `last_value` and the engine's `value`; other columns are kept.
        changes: `family_code`, `horizon_years`, `change`, and `cutoff_year` if there are several.

    Returns:
        The same rows, `value` moved with the median and never negative. A métier without family
        keeps its last value.

    Examples:
        >>> rows = pd.DataFrame({"metier_code": "E1Z40", "cutoff_year": 2018, "year": 2020,
        ...     "quantile_level": [0.1, 0.5, 0.9], "last_value": 200.0, "value": [150.0, 190, 230]})
        >>> changes = pd.DataFrame({"family_code": ["E1Z"], "horizon_years": 2, "change": -0.1})
        >>> follow(rows, changes)["value"].tolist()
        [140.0, 180.0, 220.0]
    """
    rows = forecasts.assign(
        family_code=forecasts["metier_code"].str[:FAMILY_LENGTH],
        horizon_years=forecasts["year"] - forecasts["cutoff_year"],
    )
    change = rows.merge(changes, "left")["change"].fillna(0.0).set_axis(rows.index)
    key = [name for name in ("branch_code", "metier_code", "cutoff_year", "year") if name in rows]
    at_middle = forecasts["value"].where(forecasts["quantile_level"] == MIDDLE)
    median = at_middle.groupby([forecasts[name] for name in key]).transform("max")
    moved = forecasts["value"] - median + forecasts["last_value"] * (1 + change)
    return forecasts.assign(value=moved.clip(lower=0.0))


def published(panel: pd.DataFrame, quantile_levels: Sequence[float]) -> pd.DataFrame:
    """Return what would be published of a panel of métiers and families, from its last year.

    Args:
        panel: As for `learn_rule`.
        quantile_levels: Probabilities; 0.5 is added.

    Returns:
        Rows of `forecasts_from`, moved by the rule that the panel teaches.
    """
    engine = forecasts_from(panel, quantile_levels)
    changes = family_changes(engine, learn_rule(panel))
    return follow(engine.assign(metier_code=engine["series_code"]), changes)
