"""Age tables as arrays: heads by métier, year and five-year band."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from opmq_lib.errors import DataError, Defect, RangeError, SchemaError, gather
from opmq_lib.methods.needs.cohorts import BAND_YEARS, Array, Mask

FIRST_OLD_AGE = 50
"""a₀: age from which leaving employment counts as an end of career (method page, E2; to verify)."""

COLUMNS = ("metier_code", "age_band", "employment_headcount")


@dataclass(frozen=True)
class Ages:
    """Heads by métier, year and age band.

    Attributes:
        keys: `branch_code` ("" for the whole country) and `metier_code` of each node.
        years: Centre year of each period, increasing.
        bands: Labels of the bands, in increasing age.
        first_ages: First age of each band.
        heads: (nodes, years, bands); NaN where not known.
        own: (nodes,) whether the user's own cells are among them.
    """

    keys: pd.MultiIndex
    years: tuple[int, ...]
    bands: tuple[str, ...]
    first_ages: tuple[int, ...]
    heads: Array
    own: Mask

    def position(self, age: int) -> int:
        """Return the position of the band that starts at an age.

        Raises:
            SchemaError: If no band does.
        """
        if age not in self.first_ages:
            told = (f"no band starts at {age}", f"a five-year band from {age}")
            raise SchemaError([Defect("age_structure", *told, "split the bands at that age")])
        return self.first_ages.index(age)

    def latest(self, until_year: int) -> Array:
        """Return each node's last complete pyramid up to a year, (nodes, bands); NaN without."""
        known = [place for place, year in enumerate(self.years) if year <= until_year]
        found = np.full((len(self.heads), len(self.bands)), np.nan)
        for place in known:
            heads = self.heads[:, place]
            complete = ~np.isnan(heads).any(axis=1) & (heads.sum(axis=1) > 0)
            found[complete] = heads[complete]
        return found


def whole_country(ages: Ages) -> Ages:
    """Return the pyramids of the whole country; without any, the sums over the branches given."""
    national = ages.keys.get_level_values("branch_code") == ""
    if national.any():
        return _chosen(ages, national)
    codes = ages.keys.get_level_values("metier_code")
    metiers = pd.Index(sorted(set(codes)))
    place = metiers.get_indexer(codes)
    heads = np.zeros((len(metiers), *ages.heads.shape[1:]))
    np.add.at(heads, place, ages.heads)
    own = np.zeros(len(metiers), dtype=bool)
    np.logical_or.at(own, place, ages.own)
    keys = pd.MultiIndex.from_product([[""], metiers], names=ages.keys.names)
    return Ages(keys, ages.years, ages.bands, ages.first_ages, heads, own)


def without(ages: Ages, metier_code: str) -> Ages:
    """Return the pyramids of other métiers, or all where there is no other."""
    kept = ages.keys.get_level_values("metier_code") != metier_code
    return _chosen(ages, kept) if kept.any() else ages


def _chosen(ages: Ages, kept: Mask) -> Ages:
    return Ages(
        ages.keys[kept], ages.years, ages.bands, ages.first_ages, ages.heads[kept], ages.own[kept]
    )


def first_age(age_band: str) -> int:
    """Return the first age of a band as its label says it.

    Examples:
        >>> [first_age(band) for band in ("15-24 ans", "60 ans ou plus", "Moins de 30 ans", "65+")]
        [15, 60, 0, 65]
    """
    found = re.search(r"\d+", age_band)
    if found is None:
        told = ("not an age band", "a label such as 50-54 ans", "name the ages", age_band)
        raise SchemaError([Defect("age_band", *told)])
    return 0 if "moins" in age_band.lower().split(found[0])[0] else int(found[0])


def centre_year(period: str) -> int:
    """Return the centre of a period.

    Examples:
        >>> centre_year("2017-2019"), centre_year("2023")
        (2018, 2023)
    """
    years = [int(year) for year in re.findall(r"\d{4}", str(period))]
    if not years:
        told = ("not a period", "years such as 2017-2019", "write the years", str(period))
        raise SchemaError([Defect("period", *told)])
    return (years[0] + years[-1]) // 2


def read_ages(age_structure: pd.DataFrame) -> Ages:
    """Return an age table as arrays; what is not in the table is not known, never 0.

    Args:
        age_structure: One row per `metier_code`, `period` (or `year`), `age_band`, and
            `branch_code` if it is a branch's, with `employment_headcount`; `origin` is read.

    Returns:
        The arrays; nodes and bands sorted.

    Raises:
        SchemaError: If a column or the five-year bands are missing, or a cell is given twice.
        RangeError: If heads are negative.
        DataError: If both kinds occur; every defect is listed.

    Examples:
        >>> table = pd.DataFrame({"metier_code": "H0Z90", "period": "2017-2019",
        ...     "age_band": ["45-49 ans", "50-54 ans", "55 ans ou plus"],
        ...     "employment_headcount": [30.0, 20.0, 10.0]})
        >>> read_ages(table).latest(2018).tolist()
        [[30.0, 20.0, 10.0]]
    """
    when = "period" if "period" in age_structure else "year"
    if missing := [name for name in (*COLUMNS, when) if name not in age_structure]:
        told = ("column missing", ", ".join((*COLUMNS, "period")), "add it")
        raise SchemaError(Defect(f"age_structure, column `{name}`", *told) for name in missing)
    table = age_structure.assign(
        branch_code=age_structure.get("branch_code", ""),
        year=_each(age_structure[when], centre_year),
        first_age=_each(age_structure["age_band"], first_age),
        employment_headcount=age_structure["employment_headcount"].astype("float64"),
    )
    _refuse(_defects(table))
    by = ["branch_code", "metier_code"]
    wide = table.pivot(index=[*by, "year"], columns="first_age", values="employment_headcount")
    years = sorted(set(table["year"]))
    keys = pd.MultiIndex.from_frame(table[by].drop_duplicates().sort_values(by))
    full = pd.MultiIndex.from_tuples([(*key, year) for key in keys for year in years])
    heads = wide.reindex(full).to_numpy(dtype=float).reshape(len(keys), len(years), -1)
    names = table.drop_duplicates("first_age").set_index("first_age")["age_band"]
    origin = table.get("origin", pd.Series("public", table.index))
    own = origin.eq("own").groupby([table[name] for name in by]).any().reindex(keys)
    ages = tuple(int(age) for age in wide.columns)
    return Ages(
        keys,
        tuple(map(int, years)),
        tuple(str(names[age]) for age in ages),
        ages,
        heads,
        own.to_numpy(dtype=bool),
    )


def _each(cells: pd.Series, read: Callable[[str], int]) -> pd.Series:
    """Return what `read` makes of every cell; a text that comes back is read once."""
    place, texts = pd.factorize(cells, use_na_sentinel=False)
    return pd.Series(np.array([read(text) for text in texts], dtype=np.int64)[place], cells.index)


def _refuse(errors: list[DataError]) -> None:
    if errors:
        raise gather(errors)


def _defects(table: pd.DataFrame) -> list[DataError]:
    errors: list[DataError] = []
    key = ["branch_code", "metier_code", "year", "first_age"]
    if (twice := table.duplicated(key)).any():
        names = table.loc[twice, "metier_code"].unique().tolist()
        told = ("the same métier, period and band twice", "one row for each", "delete one")
        errors.append(SchemaError(Defect(f"age_structure, {name}", *told) for name in names))
    starts = sorted(set(table["first_age"]))
    if any(after - age != BAND_YEARS for age, after in pairwise(starts[1:])):
        what, expected = "not five-year bands", "bands of five years, but the first and the last"
        told_once = Defect("age_structure", what, expected, "split the bands", str(starts))
        errors.append(SchemaError([told_once]))
    below = table.loc[table["employment_headcount"] < 0, "metier_code"].unique().tolist()
    if below:
        told = ("negative heads", "a number ≥ 0", "correct it")
        errors.append(RangeError(Defect(f"age_structure, {name}", *told) for name in below))
    return errors
