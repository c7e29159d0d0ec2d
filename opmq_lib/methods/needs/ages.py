"""Age tables as arrays: heads by métier, year and five-year band."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from opmq_lib.errors import SchemaError, refuse
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.tables import input_errors
from opmq_lib.tables.indicators import ALL_METIERS

FIRST_OLD_AGE = 50
"""a₀: age from which leaving employment counts as an end of career (method page, E2; to verify)."""

_NODE = ["branch_code", "metier_code"]


@dataclass(frozen=True)
class Ages:
    """Heads by métier, year and age band.

    Attributes:
        keys: `branch_code` ("" for the whole country) and `metier_code` of each node.
        years: Centre year of each period, increasing.
        bands: Labels of the bands, in increasing age.
        first_ages: First age of each band.
        heads: (nodes, years, bands); NaN where not known.
    """

    keys: pd.MultiIndex
    years: tuple[int, ...]
    bands: tuple[str, ...]
    first_ages: tuple[int, ...]
    heads: Array

    @property
    def metier_codes(self) -> pd.Index:
        """Métier of each node."""
        return self.keys.get_level_values("metier_code")

    def position(self, age: int) -> int:
        """Return the position of the band that starts at an age.

        Raises:
            SchemaError: If no band does.
        """
        if age not in self.first_ages:
            wrong = (f"no band starts at {age}", f"a five-year band from {age}")
            raise SchemaError.of("age_structure", *wrong, "split the bands at that age")
        return self.first_ages.index(age)

    def in_year(self, year: int) -> Array:
        """Return the heads of one year, (nodes, bands)."""
        return self.heads[:, self.years.index(year)]

    def latest(self, until_year: int) -> Array:
        """Return each node's last complete pyramid up to a year, (nodes, bands); NaN without."""
        last = np.full((len(self.heads), len(self.bands)), np.nan)
        for year in (year for year in self.years if year <= until_year):
            heads = self.in_year(year)
            complete = ~np.isnan(heads).any(axis=1) & (heads.sum(axis=1) > 0)
            last[complete] = heads[complete]
        return last

    def whole_country(self) -> tuple[list[str], Array]:
        """Return métiers and heads of the whole country, (métiers, years, bands).

        Without national pyramids those of the branches are summed; those of all occupations and of
        families beside their métiers are left out, unless they are alone.
        """
        national, code = self.keys.get_level_values(0) == "", self.metier_codes
        is_whole = code.str.len() <= len(ALL_METIERS)
        others = ~(code.isin([ALL_METIERS]) | is_whole & bool((~is_whole).any()))
        kept = national if national.any() else ~national
        kept = kept & others if (kept & others).any() else kept
        place, codes = pd.factorize(self.metier_codes[kept], sort=True)
        heads = np.zeros((len(codes), *self.heads.shape[1:]))
        np.add.at(heads, place, self.heads[kept])
        return codes.astype("str").tolist(), heads


def first_age(age_band: str) -> int | None:
    """Return the first age of a band as its label says it, in years; `None` where it says none.

    Examples:
        >>> [first_age(band) for band in ("15-24 ans", "60 ans ou plus", "Moins de 30 ans", "65+")]
        [15, 60, 0, 65]
    """
    age = re.search(r"\d+", str(age_band))
    if age is None:
        return None
    return 0 if "moins" in age.string[: age.start()].lower() else int(age[0])


def centre_year(period: str) -> int | None:
    """Return the centre of a period, `None` where it has no year.

    Examples:
        >>> centre_year("2017-2019"), centre_year("2023")
        (2018, 2023)
    """
    years = [int(year) for year in re.findall(r"\d{4}", str(period))]
    return (years[0] + years[-1]) // 2 if years else None


def read_ages(age_structure: pd.DataFrame) -> Ages:
    """Return an age table as arrays; what is not in the table is not known, never 0.

    One exception: the youngest band, left out where a métier has nobody of that age, is 0.

    Args:
        age_structure: One row per `metier_code`, `period`, five-year `age_band`, and `branch_code`
            if it is a branch's, with `employment_headcount`; `origin` is read.

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
    table = age_structure.assign(
        branch_code=age_structure.get("branch_code", ""),
        origin=age_structure.get("origin", "public"),
    )
    for column, text, read in (
        ("year", "period", centre_year),
        ("first_age", "age_band", first_age),
    ):
        if text in table:
            table[column] = table[text].map({each: read(each) for each in table[text].unique()})
    refuse(input_errors("age_pyramids", table, "age_structure"))
    wide = table.pivot(index=[*_NODE, "year"], columns="first_age", values="employment_headcount")
    years = sorted(set(table["year"]))
    keys = pd.MultiIndex.from_frame(table[_NODE].drop_duplicates().sort_values(_NODE))
    every = pd.MultiIndex.from_tuples([(*key, year) for key in keys for year in years])
    cells: Array = wide.reindex(every).to_numpy(dtype=float, copy=True)
    heads = cells.reshape(len(keys), len(years), -1)
    has_others = ~np.isnan(heads[..., 1:]).any(axis=-1) & (heads.shape[-1] > 1)
    heads[..., 0] = np.where(has_others & np.isnan(heads[..., 0]), 0.0, heads[..., 0])
    names = table.drop_duplicates("first_age").set_index("first_age")["age_band"]
    return Ages(
        keys,
        tuple(map(int, years)),
        tuple(names.loc[wide.columns]),
        tuple(map(int, wide.columns)),
        heads,
    )
