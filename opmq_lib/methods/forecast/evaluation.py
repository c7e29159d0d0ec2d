"""How far projections can be trusted: how such forecasts did in the past."""

import numpy as np
import pandas as pd

from opmq_lib.methods.forecast import scores
from opmq_lib.methods.forecast.api import QUANTILE_LEVELS
from opmq_lib.methods.forecast.backtest import backtest
from opmq_lib.methods.forecast.published import (
    CANDIDATES,
    family_changes,
    follow,
    learn_rules,
    past_forecasts,
)
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import last_year

MODELS = ("published", "panel", "naive", "drift")
"""What is published, the engine alone, the last value, the last value with the mean move."""

LEVEL_YEARS = {"metier": 5, "family": 10}
"""Years ahead at which each level is scored: the series of métiers are short."""

CUTOFFS = 10
NORMAL_95 = 1.959964


def past_accuracy(panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every score of every forecast that would have been made in the past, and the rules.

    Args:
        panel: `series_code, year, value`: national métiers and families, learnt from together.

    Returns:
        What `scores.pair_scores` returns, by `level` (`metier`, `family`: as far ahead as
        `LEVEL_YEARS` says, from the last `CUTOFFS` years that have all of them after them), for
        each of `MODELS`; and what `learn_rules` returns for every cut-off and the last year.
    """
    past = past_forecasts(panel, QUANTILE_LEVELS)
    rules = learn_rules(past)
    named = past.assign(metier_code=past["series_code"])
    own = {"published": follow(named, family_changes(past, rules)), "panel": past}
    is_family = panel["series_code"].str.len() <= FAMILY_LENGTH
    parts = []
    for level, years in LEVEL_YEARS.items():
        chosen = panel[is_family if level == "family" else ~is_family]
        simple = backtest(chosen, years, models=("naive", "drift"), cutoffs_count=CUTOFFS)
        simple = simple[simple["cutoff_year"] <= int(panel["year"].max()) - years]
        pairs = pd.concat([simple, *(_paired(own[name], simple, name) for name in own)])
        parts.append(scores.pair_scores(pairs).assign(level=level))
    return pd.concat(parts, ignore_index=True), rules


def _paired(forecasts: pd.DataFrame, pairs: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return forecasts in the place of those of another model, for the same pairs."""
    rows = forecasts.rename(columns={"horizon_years": "step"})
    key = ["series_code", "cutoff_year", "step", "quantile_level"]
    same = pairs[pairs["model"] == "naive"].drop(columns="value")
    return same.merge(rows[[*key, "value"]], on=key).assign(model=model)


def accuracy_rows(scored: pd.DataFrame, rules: pd.DataFrame, base_year: int) -> list[pd.DataFrame]:
    """Return the scores as indicator rows.

    Args:
        scored: Rows of what `past_accuracy` returned: of the series to speak of.
        rules: The rules that it returned.
        base_year: Last year of the series.

    Returns:
        By `level`: each score by `model` and `horizon_years` (0: all) with the 95 % interval over
        series; `smape_difference_points` of what is published less each other model at the level's
        horizon, families drawn again; `smape_pct_by_cutoff` and `coverage_80_pct_by_cutoff` at that
        horizon, by model in the year of each cut-off; `pit_share_pct` by model and
        `quantile_level` (upper end of the tenth); `scored_series_count`. By `horizon_years`:
        `retained_share` and `family_error_ratio` of each candidate, the one published as `variant`.
    """
    parts = [_rule_rows(rules, base_year)]
    for level, group in scored.groupby("level"):
        years = LEVEL_YEARS[str(level)]
        rows = [*_score_rows(group), *_horizon_rows(group[group["step"] == years])]
        parts += [part.assign(level=level) for part in rows]
    dated = [part if "year" in part else part.assign(year=base_year) for part in parts]
    return [part.assign(nature="projection") for part in dated]


def _score_rows(scored: pd.DataFrame) -> list[pd.DataFrame]:
    table = scores.summary(scored)
    margin = NORMAL_95 * table["standard_error"]
    whole = table.rename(columns={"score": "indicator", "step": "horizon_years"}).assign(
        lower=table["value"] - margin,
        upper=table["value"] + margin,
        interval_level=np.where(margin.notna(), 0.95, np.nan),
    )
    whole["unit"] = np.where(whole["indicator"].str.contains("_pct"), "pct", "ratio")
    pit = scores.pit_histogram(scored)[["model", "upper", "share_pct"]].round({"upper": 1})
    tenths = pit.set_axis(["model", "quantile_level", "value"], axis="columns")
    count = {"indicator": ["scored_series_count"], "value": scored["series_code"].nunique()}
    return [
        whole,
        tenths.assign(indicator="pit_share_pct", unit="pct"),
        pd.DataFrame(count).assign(unit="count"),
    ]


def _horizon_rows(scored: pd.DataFrame) -> list[pd.DataFrame]:
    """Return differences with what is published, and errors by cut-off, at one horizon."""
    key, measures = ["series_code", "cutoff_year"], ["smape_pct", "coverage_80_pct"]
    errors = scored.pivot(index=key, columns="model", values="smape_pct")
    families = errors.reset_index()[["series_code"]]
    families["series_code"] = families["series_code"].str[:FAMILY_LENGTH]
    one = pd.Series(100.0, families.index)
    differences = [
        {"model": model, "indicator": "smape_difference_points", "interval_level": 0.95}
        | scores.ratio_interval(
            families, (errors["published"] - errors[model]).reset_index(drop=True), one
        )
        for model in MODELS[1:]
    ]
    means = scored.groupby(["model", "cutoff_year"])[measures].mean()
    by_cutoff = means.add_suffix("_by_cutoff").melt(var_name="indicator", ignore_index=False)
    past = by_cutoff.reset_index().rename(columns={"cutoff_year": "year"})
    return [pd.DataFrame(differences).assign(unit="points"), past.assign(unit="pct")]


def _rule_rows(rules: pd.DataFrame, base_year: int) -> pd.DataFrame:
    """Return λ and the errors of the candidates at each horizon, as learnt in the base year."""
    rule = rules[rules["cutoff_year"] == base_year]
    key = ["horizon_years", "model"]
    named = rule.rename(columns={"model": "variant"})
    errors = named.melt(["horizon_years", "variant"], [*CANDIDATES], "model")
    shares = rule[[*key, "retained_share"]].rename(columns={"retained_share": "value"})
    parts = {"family_error_ratio": errors, "retained_share": shares}
    rows = [part.assign(indicator=name, unit="ratio") for name, part in parts.items()]
    return pd.concat(rows, ignore_index=True)


def branch_accuracy(scored: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the errors that a branch's mix of métiers would have met, `LEVEL_YEARS` ahead.

    A branch's series are those of its métiers at the national level, times its share of them: the
    errors of each are weighed by the branch's employment in it. A row at the level of families is
    judged as a family, at the same distance.

    Args:
        scored: What `past_accuracy` returned.
        jobs: Employment by `branch_code`, `metier_code` and `year`, `value` in heads.

    Returns:
        Indicator rows by branch: `smape_pct_at_step` and `coverage_80_pct_at_step`, by `model`, in
        the year of the employment, with `horizon_years`.
    """
    step = LEVEL_YEARS["metier"]
    at_step = scored[scored["step"] == step].rename(columns={"series_code": "metier_code"})
    means = at_step.groupby(["model", "metier_code"])[["smape_pct", "coverage_80_pct"]].mean()
    errors = means.add_suffix("_at_step").melt(
        var_name="indicator", value_name="error", ignore_index=False
    )
    base = last_year(jobs)[["branch_code", "metier_code", "year", "value"]]
    rows = base.merge(errors.reset_index())
    rows["error"] *= rows["value"]
    sums = rows.groupby(["branch_code", "year", "indicator", "model"])[["error", "value"]].sum()
    means = (sums["error"] / sums["value"]).reset_index(name="value")
    return means.assign(unit="pct", nature="projection", horizon_years=step)
