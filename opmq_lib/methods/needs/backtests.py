"""What needs would have been worth in the past: employment, ages, exits.

- Employment: projections from an origin with what was known then, against “no change” and “last
  growth continues”.
- Ages: rates learnt on pairs of tables up to an origin, heads five years later. What is scored is
  net cohort change: those who stayed, less those who left, plus those who came.
- Exits: yearly departures beside the retirements that firms declare, an order of magnitude.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods import draws
from opmq_lib.methods.forecast.published import published
from opmq_lib.methods.forecast.scores import ratio_interval
from opmq_lib.methods.needs.ages import FIRST_OLD_AGE, read_ages
from opmq_lib.methods.needs.cohorts import BAND_YEARS, departures
from opmq_lib.methods.needs.departures import survival_of
from opmq_lib.methods.needs.rates import learn_rates
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

EMPLOYMENT_YEARS = 10
"""Years before the end from which employment is projected again."""

FIRST_SCORED = 2
"""Years are means of three: the first after an origin shares two of them with it, the second none
but what the origin holds."""

LEVELS = (0.1, 0.5, 0.9)
RETIREMENT = "Départs en retraite"
DRAWS, SEED = 500, 2018
Row = dict[str, object]
MODELS = ("study", "no_change", "last_growth")


def employment_errors(panel: pd.DataFrame, origin: int) -> pd.DataFrame:
    """Return what projections from an origin gave, beside simple rules and what happened.

    Args:
        panel: `series_code, year, value`: national métiers and families.
        origin: Last year known.

    Returns:
        One row per series and year, `FIRST_SCORED` years after the origin and later: `level`
        (`metier`, `family`), `actual`, `origin_value`, `study` (the published projection) with
        `lower` and `upper` at 80 %, `no_change`, `last_growth` (the last yearly growth goes on).
    """
    known = panel[panel["year"] <= origin]
    future = published(known, LEVELS)
    wide = future.pivot(index=["series_code", "year"], columns="quantile_level", values="value")
    table = wide.rename(columns=dict(zip(LEVELS, ("lower", "study", "upper"), strict=True)))
    table = table.reset_index()
    seen = known.pivot(index="series_code", columns="year", values="value")
    end, growth = seen[origin], seen[origin] / seen[origin - 1]
    scored = table[table["year"] >= origin + FIRST_SCORED]
    table = scored.merge(panel.rename(columns={"value": "actual"}))
    code, ahead = table["series_code"], table["year"] - origin
    is_metier = code.str.len() > FAMILY_LENGTH
    return table.assign(
        level=is_metier.map({True: "metier", False: "family"}),
        origin_value=code.map(end),
        no_change=code.map(end),
        last_growth=code.map(end) * code.map(growth) ** ahead,
    )


def age_errors(age_structure: pd.DataFrame, origin: int) -> pd.DataFrame:
    """Return heads of 50–54, 55–59 and 60 or more five years after an origin, as projected.

    Args:
        age_structure: National ages by métier and period.
        origin: Centre of the last period known.

    Returns:
        One row per métier and band: `actual`, `study` with `lower` and `upper` at 80 %,
        `no_change` (the same band at the origin), `mean_rates` (mean rates of the pairs, without
        trend nor shrinkage).
    """
    centre = age_structure["period"].str[:4].astype(int) + 1
    chosen = age_structure[age_structure["metier_code"] != ALL_METIERS]
    known = chosen[centre[chosen.index] <= origin]
    ages, later, rates = read_ages(known), read_ages(chosen), learn_rates(known, steps=1)
    then, codes = ages.in_year(origin), ages.metier_codes.tolist()
    survival = survival_of(codes, rates, ages.first_ages)
    ratio, noise = (
        rates.pivot(index="metier_code", columns="first_age", values=name).loc[codes].to_numpy()
        for name in ("net_cohort_ratio", "noise_headcount")
    )
    point = then * ratio
    moved = survival.drawn(np.arange(len(codes)), DRAWS, SEED)[:, :, 0]
    moved = moved / np.maximum(survival.survival, 1e-9)
    alone = draws.own(SEED, DRAWS, [f"{code} noise" for code in codes])[:, :, None]
    drawn = point[:, None] * moved + np.sqrt(noise * point)[:, None] * alone
    low, high = np.quantile(drawn, [0.1, 0.9], axis=1)
    starts = [year for year in ages.years if year + BAND_YEARS in ages.years]
    first, last = (
        np.sum([ages.in_year(year + gap) for year in starts], axis=0) for gap in (0, BAND_YEARS)
    )
    mean = last[:, 1:].sum(axis=0) / first[:, :-1].sum(axis=0)
    place = ages.position(FIRST_OLD_AGE)
    values = {
        "actual": later.in_year(origin + BAND_YEARS)[:, place:],
        "study": point[:, place - 1 : -1],
        "lower": np.maximum(low, 0.0)[:, place - 1 : -1],
        "upper": high[:, place - 1 : -1],
        "no_change": then[:, place:],
        "mean_rates": (then[:, :-1] * mean)[:, place - 1 :],
    }
    index = pd.MultiIndex.from_product(
        [codes, ages.first_ages[place:]], names=["metier_code", "first_age"]
    )
    return pd.DataFrame({name: part.ravel() for name, part in values.items()}, index).reset_index()


def retirement_check(
    age_structure: pd.DataFrame, exit_rates: pd.DataFrame, exit_reasons: pd.DataFrame, origin: int
) -> pd.DataFrame:
    """Return yearly departures by family as projected from an origin, and declared retirements.

    Args:
        age_structure: National ages by métier and period.
        exit_rates: `exit_rate_pct` by family and year, market sector.
        exit_reasons: `exit_share_pct` by family and reason, market sector.
        origin: Year from which five years are counted.

    Returns:
        One row per family that declares: `projected_pct` (departures of the five years from the
        origin, per year, in % of employment, with the rates learnt on those years), `declared_pct`
        (mean exit rate of the same years × share of retirements). Employers declare retirements
        of employees; departures
        count whoever leaves employment at 50 or more, net of arrivals: not the same thing.
    """
    national = age_structure[age_structure["metier_code"] != ALL_METIERS]
    centre = national["period"].str[:4].astype(int) + 1
    family = national["metier_code"].str[:FAMILY_LENGTH]
    summed = (
        national.assign(metier_code=family)
        .groupby(["metier_code", "period", "age_band"], as_index=False)["employment_headcount"]
        .sum()
    )
    pair = summed[
        summed["period"].isin(national.loc[centre.isin([origin, origin + BAND_YEARS]), "period"])
    ]
    ages = read_ages(pair)
    codes = [str(code) for code in ages.keys.get_level_values("metier_code")]
    found = survival_of(codes, learn_rates(pair, steps=1), ages.first_ages)
    heads = ages.heads[:, ages.years.index(origin)]
    left = departures(heads, found.survival, [BAND_YEARS], ages.position(FIRST_OLD_AGE))
    rate = 100 * left[:, 0] / heads.sum(axis=1) / BAND_YEARS
    during = exit_rates[exit_rates["year"].between(origin + 1, origin + BAND_YEARS)]
    mean = during.groupby("metier_code")["exit_rate_pct"].mean()
    share = exit_reasons[exit_reasons["exit_reason"] == RETIREMENT]
    retired = share.set_index("metier_code")["exit_share_pct"]
    declared = mean * retired / 100
    table = pd.DataFrame({"metier_code": codes, "projected_pct": rate, "heads": heads.sum(axis=1)})
    table = table.assign(declared_pct=declared.reindex(codes).to_numpy())
    return table.dropna(subset=["declared_pct"]).reset_index(drop=True)


def weighted_error_pct(table: pd.DataFrame, model: str) -> float:
    """Return the sum of absolute errors in % of the sum of what happened.

    Examples:
        >>> weighted_error_pct(pd.DataFrame({"study": [9.0, 4.0], "actual": [10.0, 2.0]}), "study")
        25.0
    """
    errors = (table[model] - table["actual"]).abs()
    return float(100 * errors.sum() / table["actual"].sum())


def covered_pct(table: pd.DataFrame) -> float:
    """Return how often the 80 % interval held what happened, in %.

    Examples:
        >>> rows = pd.DataFrame({"lower": [1.0, 1], "upper": [2.0, 2], "actual": [2.0, 3.0]})
        >>> covered_pct(rows)
        50.0
    """
    return float(100 * table["actual"].between(table["lower"], table["upper"]).mean())


def score_rows(
    employment: pd.DataFrame, ages: pd.DataFrame, retirement: pd.DataFrame, base_year: int
) -> list[pd.DataFrame]:
    """Return all scores as indicator rows, in %.

    Args:
        employment: What `employment_errors` returned.
        ages: What `age_errors` returned.
        retirement: What `retirement_check` returned.
        base_year: Year of the rows.

    Returns:
        By `level` and `model`: `needs_error_pct` (employment, % of employment),
        `needs_creation_error_pct` (net creation, % of the absolute change) and
        `needs_error_difference_pct` (study less model, 95 % interval); by level:
        `needs_coverage_pct` with its 95 % interval, `needs_coverage_by_year_pct` in each year
        scored; by `age_band` (its first age) and model: `age_error_pct`, `age_bias_pct` (sums over
        métiers); by age band: `age_coverage_pct`; by `variant` (`projected`, `declared`):
        `departure_rate_pct`, by family and over all; `origin_year` of employment and of ages, by
        `variant`.
    """
    rows: list[Row] = []
    intervals: list[Row] = []
    by_year = []
    for level, part in employment.groupby("level"):
        scored, compared = _employment_scores(part)
        rows += [{"level": level} | row for row in scored]
        intervals += [{"level": level, "interval_level": 0.95} | row for row in compared]
        inside = part["actual"].between(part["lower"], part["upper"])
        shares = (100 * inside.groupby(part["year"]).mean()).reset_index(name="value")
        by_year.append(shares.assign(indicator="needs_coverage_by_year_pct", level=level))
    for band, part in ages.groupby("first_age"):
        rows += [{"age_band": str(band)} | row for row in _age_scores(part)]
    by_family = []
    for variant in ("projected", "declared"):
        name = {"indicator": "departure_rate_pct", "variant": variant}
        rates = retirement[f"{variant}_pct"]
        rows.append(name | {"value": np.average(rates, weights=retirement["heads"])})
        by_family.append(retirement[["metier_code"]].assign(value=rates, **name))
    in_base = [pd.DataFrame([row]) for row in rows] + by_family
    in_base += [pd.DataFrame([row]) for row in intervals]
    dated = [part.assign(year=base_year) for part in in_base]
    origins = {
        "employment": employment["year"].min() - FIRST_SCORED,
        "ages": base_year - BAND_YEARS,
    }
    years = pd.DataFrame({"variant": list(origins), "value": list(origins.values())})
    said = years.assign(indicator="origin_year", year=base_year, unit="year", nature="observed")
    return [said, *(part.assign(unit="pct", nature="projection") for part in (*dated, *by_year))]


def _employment_scores(part: pd.DataFrame) -> tuple[list[Row], list[Row]]:
    """Return errors of each model, then intervals: of the study less each model, and coverage."""
    errors = {model: (part[model] - part["actual"]).abs() for model in MODELS}
    change = (part["actual"] - part["origin_value"]).abs().sum()
    scores: list[Row] = [
        {"indicator": name, "model": model, "value": value}
        for model in MODELS
        for name, value in (
            ("needs_error_pct", weighted_error_pct(part, model)),
            ("needs_creation_error_pct", 100 * errors[model].sum() / change),
        )
    ]
    intervals = [
        {"indicator": "needs_error_difference_pct", "model": model}
        | ratio_interval(part, errors["study"] - errors[model], part["actual"])
        for model in MODELS[1:]
    ]
    inside = part["actual"].between(part["lower"], part["upper"])
    covered = ratio_interval(part, inside, pd.Series(1.0, part.index))
    return scores, [*intervals, {"indicator": "needs_coverage_pct"} | covered]


def _age_scores(part: pd.DataFrame) -> list[Row]:
    """Return errors and biases of each model, and coverage."""
    scores: list[Row] = [
        {"indicator": name, "model": model, "value": value}
        for model in ("study", "no_change", "mean_rates")
        for name, value in (
            ("age_error_pct", weighted_error_pct(part, model)),
            ("age_bias_pct", 100 * (part[model].sum() / part["actual"].sum() - 1)),
        )
    ]
    return [*scores, {"indicator": "age_coverage_pct", "value": covered_pct(part)}]
