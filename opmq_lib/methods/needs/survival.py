"""Survival of each pyramid, point and draws, from a table of rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from opmq_lib.errors import DataError, Defect, RangeError, SchemaError, gather
from opmq_lib.methods.needs import draws
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.methods.needs.rates import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

_SPREADS = ("common_spread_logit", "spread_ratio")


@dataclass(frozen=True)
class Survival:
    """Survival by pyramid.

    Attributes:
        codes: Métier of each pyramid.
        survival: (pyramids, steps, bands), 0 to 1; NaN where no rate is known.
        common: (pyramids, steps, bands) standard deviation, in logits, of what all share.
        own: (pyramids, steps, bands) standard deviation of a métier's own.
        basis: (pyramids,) what the rates rest on.
    """

    codes: list[str]
    survival: Array
    common: Array
    own: Array
    basis: npt.NDArray[np.str_]

    def drawn(self, rows: npt.NDArray[np.int64], draws_count: int, seed: int) -> Array:
        """Return draws of the survival of some pyramids, (rows, draws, steps, bands)."""
        point, common, own = (
            part[rows][:, None] for part in (self.survival, self.common, self.own)
        )
        together = draws.shared(seed, draws_count, "rates")[:, None, None]
        codes = [f"{self.codes[row]} rates" for row in rows]
        alone = draws.own(seed, draws_count, codes)[:, :, None, None]
        inside = np.clip(point, 1e-3, 1 - 1e-3)
        moved = np.where(common > 0, expit(logit(inside) + common * together), point)
        return np.clip(moved + own * alone, 0.0, 1.0)


def survival_of(codes: Sequence[str], rates: pd.DataFrame, first_ages: Sequence[int]) -> Survival:
    """Return the rates of métiers: their own, otherwise their family's, otherwise all métiers'.

    Args:
        codes: Métier of each pyramid.
        rates: `metier_code`, `first_age`, `survival_ratio`; `step`, spreads and `rates_basis` if
            they are known.
        first_ages: First age of each band; a last band without rate keeps nobody.

    Returns:
        The arrays.

    Raises:
        SchemaError: If a column is missing or a rate given twice.
        RangeError: If a survival lies outside 0 to 1.
        DataError: If both kinds occur; every defect is listed.

    Examples:
        >>> rates = pd.DataFrame({"metier_code": "ENS", "first_age": [50, 55],
        ...                       "survival_ratio": [0.9, 0.5]})
        >>> survival_of(["D1Z40"], rates, [50, 55, 60]).survival.tolist()
        [[[0.9, 0.5, 0.0]]]
    """
    needed = ("metier_code", "first_age", "survival_ratio")
    if missing := [name for name in needed if name not in rates]:
        told = ("column missing", ", ".join(needed), "add it")
        raise SchemaError(Defect(f"rates, column `{name}`", *told) for name in missing)
    missing_columns = {name: 0.0 for name in _SPREADS if name not in rates}
    missing_columns |= {"step": 1} if "step" not in rates else {}
    table = rates.assign(**missing_columns)
    _check(table)
    key = ["metier_code", "step", "first_age"]
    names = [*needed[2:], *_SPREADS]
    wide = table.set_index(key)[names]
    steps = sorted(set(table["step"]))
    known = set(table["metier_code"])
    chosen = [_nearest(code, known) for code in codes]
    at = pd.MultiIndex.from_tuples(
        [(code, step, age) for code in chosen for step in steps for age in first_ages], names=key
    )
    shape = (len(codes), len(steps), len(first_ages))
    survival, common, own = wide.reindex(at).to_numpy(dtype=float, copy=True).T.reshape(3, *shape)
    survival[..., -1] = np.where(np.isnan(survival[..., -1]), 0.0, survival[..., -1])
    said = table.get("rates_basis", pd.Series("given", table.index))
    basis = said.groupby(table["metier_code"]).first()
    words = [_basis(code, near, basis) for code, near in zip(codes, chosen, strict=True)]
    return Survival(
        list(codes), survival, np.nan_to_num(common), np.nan_to_num(own), np.array(words)
    )


def _nearest(code: str, known: set[str]) -> str:
    family = code[:FAMILY_LENGTH]
    return code if code in known else family if family in known else ALL_METIERS


def _basis(code: str, near: str, basis: pd.Series) -> str:
    if near == code:
        return str(basis.get(code, "none"))
    return "family" if near != ALL_METIERS else "all" if near in basis.index else "none"


def _check(table: pd.DataFrame) -> None:
    errors: list[DataError] = []
    twice = table.duplicated(["metier_code", "step", "first_age"])
    outside = ~table["survival_ratio"].between(0, 1) & table["survival_ratio"].notna()
    for wrong, kind, what, expected in (
        (twice, SchemaError, "the same rate twice", "one row per métier, step and band"),
        (outside, RangeError, "a survival outside 0 to 1", "a share from 0 to 1"),
    ):
        rows = table.loc[wrong, ["metier_code", "first_age"]].astype("str").agg(", ".join, axis=1)
        if len(rows):
            errors.append(
                kind(Defect(f"rates, {row}", what, expected, "correct it") for row in rows)
            )
    if errors:
        raise gather(errors)
