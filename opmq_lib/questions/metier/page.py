"""Facts of the métier pages, from their tables alone; the French is in `page.jinja`."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from opmq_lib.matching.text import fold
from opmq_lib.methods.needs.official import FAMILIES
from opmq_lib.methods.tension.passage import LEAST_IMAGE
from opmq_lib.methods.tension.published import CLASS, INDEX, TENSE_FROM_CLASS
from opmq_lib.methods.tension.survey import NEW
from opmq_lib.questions.metier.chain import (
    AGE_SHARE,
    COUNTRY_RATE,
    FIRST_OLD_BAND,
    JOBS,
    JOBS_SHARE,
    LEFT,
    NAME,
    NATIONAL,
    OFFICIAL,
    OFFICIAL_CREATED,
    OFFICIAL_LEFT,
    OLD_SHARE,
    RANK,
    RATE,
)
from opmq_lib.questions.shared import ALL_BRANCHES
from opmq_lib.show import french
from opmq_lib.show.pieces import ABSENT, Cells, Labels
from opmq_lib.show.words import words
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.fap import DOMAIN_LENGTH, FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

WORDS = words(__package__)
PLACES: Final = {
    "32": (1, 3),
    **{"53": (2, 1), "28": (2, 2), "11": (2, 3), "44": (2, 4)},
    **{"52": (3, 2), "24": (3, 3), "27": (3, 4)},
    **{"75": (4, 2), "84": (4, 3)},
    **{"76": (5, 2), "93": (5, 3), "94": (5, 4)},
}
"""Row and column of each region of metropolitan France on the map of tiles."""
OVERSEAS: Final = ("01", "02", "03", "04", "06")
SHADES, YEARS_APART = 5, 5
CAUSE_FROM = 4
"""Quintile from which a factor is a cause of tension, as in « Que faire ? »."""
SEVERAL = 2
"""From this number on a French noun takes the plural."""
STABLE_SHARE = 0.02
"""Change of employment under which it is said to be stable."""


class Book(NamedTuple):
    """What all pages are made from.

    Attributes:
        cells: Table `metiers`.
        columns: Its columns, as lists.
        rows: Row numbers by métier (or family) and indicator, in order.
        tensions: Table `metier_tensions`, and the row of each métier.
        images: Table `metier_images`, and the rows of each métier.
        taught: Tables of `chain.taught`, as records by table and métier.
        labels: French labels: `metiers`, `metiers_2021`, `regions`, `romes`, `skills`, `branches`.
        shades: Ends of the shades of the map: fifths of all regions and métiers.
        practices: Label and practice of each profile of tension.
        edition_year: Year of the edition.
    """

    cells: Cells
    columns: Mapping[str, list[Any]]
    rows: Mapping[tuple[str, str], list[int]]
    tensions: tuple[Cells, Mapping[str, int]]
    images: tuple[Cells, Mapping[str, list[int]]]
    taught: Mapping[str, Mapping[str, list[dict[Any, Any]]]]
    labels: Mapping[str, Labels]
    shades: list[float]
    practices: Mapping[str, tuple[str, str]]
    edition_year: int


def book(
    results: Mapping[str, pd.DataFrame],
    taught: Mapping[str, pd.DataFrame],
    profiles: pd.DataFrame,
    labels: Mapping[str, Labels],
    edition_year: int,
) -> Book:
    """Return the tables of `chain.results` and `chain.taught` arranged by métier."""
    table = results[NAME]
    keys = zip(table["metier_code"], table["indicator"], strict=True)
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    index = table.loc[table["indicator"] == f"regional_{INDEX}", "value"].dropna()
    fifths = [step / SHADES for step in range(1, SHADES)]
    tensions, images = (Cells(name, results[name]) for name in ("metier_tensions", "metier_images"))
    codes = tensions.table["metier_code"]
    return Book(
        Cells(NAME, table),
        {str(name): column.tolist() for name, column in table.items()},
        rows,
        (tensions, dict(zip(codes, codes.index, strict=True))),
        (images, _grouped(images.table["metier_code"])),
        {name: _by_metier(each) for name, each in taught.items()},
        labels,
        np.quantile(index, fifths).tolist() if len(index) else [],
        {
            each["profile_code"]: (each["label"], each["practice"])
            for each in profiles.to_dict("records")
        },
        edition_year,
    )


def facts(of: Book, code: str) -> Any:
    """Return what the page of a métier says."""
    return SimpleNamespace(
        code=code,
        name=of.labels["metiers"][code],
        family=_family(of, code),
        rate=_rate(of, code),
        heads=_heads(of, code),
        old=[_percent(of, row) for row in of.rows[code, OLD_SHARE]],
        tension=_tension(of, code),
        employed=_employed(of, code),
        causes=_causes(of, code),
        practices=[of.practices[of.columns["variant"][row]] for row in of.rows[code, "tension_profile"]],
        regions=_regions(of, code),
        ages=_ages(of, code),
        images=_images(of, code),
        branches=_branches(of, code),
        **_taught(of, code),
    )


def families(of: Book, codes: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the métiers by domain, domains and names in French order."""
    names = of.labels["metiers"]
    grouped: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code in codes:
        grouped[names[code[:DOMAIN_LENGTH]]].append((code, names[code]))
    return [
        (domain, sorted(grouped[domain], key=lambda each: fold(each[1])))
        for domain in sorted(grouped, key=fold)
    ]


def of_branches(of: Book, codes: Sequence[str]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the métiers of each branch, those that most people leave first."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for code in codes:
        for row in of.rows[code, LEFT]:
            value = of.columns["value"][row]
            found[of.columns["branch_code"][row]].append((-value if value == value else 0, code))
    names = of.labels["metiers"]
    listed = [
        (branch, of.labels["branches"][branch], [(code, names[code]) for _, code in sorted(each)])
        for branch, each in found.items()
    ]
    return sorted(listed, key=lambda each: fold(each[1]))


def _family(of: Book, code: str) -> Any:
    """Return the family of a métier in the official projections, and its domain."""
    names, own = of.labels["metiers"], _family_of(code)
    together = [family for family, each in FAMILIES.items() if each == own] or [own]
    return SimpleNamespace(
        members=[names[family] for family in together], domain=names[code[:DOMAIN_LENGTH]]
    )


def _rate(of: Book, code: str) -> Any:
    """Return departures per 100 jobs and a year in the country; none where no branch reads them."""
    row = next((row for row in of.rows[code, RATE] if _branch(of, row) == ALL_BRANCHES), None)
    if row is None:
        return None
    country = of.rows[ALL_METIERS, COUNTRY_RATE]
    return SimpleNamespace(
        value=of.cells.bare(row, _one),
        ends=of.cells.ends(row, _one),
        letter=of.cells.letter(row),
        is_plural=of.columns["value"][row] >= SEVERAL,
        country=of.cells.show(country[0], _one) if country else ABSENT,
        end=of.columns["year"][row],
    )


def _heads(of: Book, code: str) -> Any:
    """Return employment of the country, the last year; none where nothing is published."""
    rows = of.rows[code, NATIONAL]
    if not rows:
        return None
    return SimpleNamespace(
        value=of.cells.show(rows[-1], _three), year=of.columns["year"][rows[-1]]
    )


def _tension(of: Book, code: str) -> Any:
    """Return how tense a métier is in the country: class, rank, year; none where not known."""
    cells, rows = of.tensions
    row = rows.get(code)
    if row is None or cells.read(row, "tension_rank") is None:
        return None
    least, most = (cells.read(row, f"{CLASS}_{end}") for end in ("least", "most"))
    return SimpleNamespace(
        least=int(least or 0),
        most=int(most or 0),
        classes=[
            cells.show(row, french.number, f"{CLASS}_{end}")
            for end in (("least",) if least == most else ("least", "most"))
        ],
        rank=cells.show(row, french.number, "tension_rank"),
        is_first=cells.read(row, "tension_rank") == 1,
        count=cells.show(row, french.number, "ranked_count"),
        year=int(cells.table["year"].loc[row]),
        is_new=cells.table["nomenclature"].loc[row] == NEW,
    )


def _employed(of: Book, code: str) -> Any:
    """Return the lines of employment, as points between 0 and 100, and what stands at their ends."""
    own, family = of.rows[code, NATIONAL], _family_of(code)
    theirs, official = of.rows[family, NATIONAL], of.rows[family, OFFICIAL]
    if not own:
        return None
    years, values = of.columns["year"], of.columns["value"]
    is_alone = bool(theirs) and values[theirs[-1]] - values[own[-1]] < 1
    drawn = [*own, *theirs, *official]
    top = 1.08 * max(values[row] for row in drawn)
    first = min(years[row] for row in drawn)
    last = max(*(years[row] for row in drawn), of.edition_year)

    def x(year: float) -> float:
        return round(100 * (year - first) / (last - first), 2)

    def line(rows: Sequence[int]) -> Any:
        points = [(x(years[row]), round(100 - 100 * values[row] / top, 2)) for row in rows]
        return SimpleNamespace(
            points=points,
            start=of.cells.show(rows[0], _three),
            end=of.cells.show(rows[-1], _three),
            first=years[rows[0]],
            last=years[rows[-1]],
        )

    flows = [of.rows[family, name] for name in (OFFICIAL_LEFT, OFFICIAL_CREATED)]
    now = values[own[-1]] / values[own[0]] - 1
    return SimpleNamespace(
        own=line(own),
        family=line(theirs) if theirs and not is_alone else None,
        official=line(official) if official else None,
        is_alone=is_alone,
        left=of.cells.show(flows[0][0], _three) if flows[0] else None,
        created=of.cells.show(flows[1][0], _three) if flows[1] else None,
        falls=bool(flows[1]) and values[flows[1][0]] < 0,
        today=x(of.edition_year),
        trend=0 if abs(now) < STABLE_SHARE else math.copysign(1, now),
        marks=[(year, x(year)) for year in (first, own and years[own[-1]], last)],
        years=_years(of, [own, theirs, official]),
    )


def _years(of: Book, lines: Sequence[Sequence[int]]) -> list[tuple[int | Markup, ...]]:
    """Return a line of the table per fifth year, and per last year of a line: a number each."""
    years = of.columns["year"]
    places = [{years[row]: row for row in rows} for rows in lines]
    every = sorted({year for each in places for year in each})
    ends = {max(each) for each in places if each}
    return [
        (year, *(of.cells.show(each.get(year), _three) for each in places))
        for year in every
        if (year - every[0]) % YEARS_APART == 0 or year in ends
    ]


def _causes(of: Book, code: str) -> list[Any]:
    """Return the six factors of tension, strongest first; none where none is published."""
    found = [(name, row) for name in FACTORS for row in of.rows[code, name]]
    known = [(int(of.columns["value"][row]), name, row) for name, row in found if _is_known(of, row)]
    return [
        SimpleNamespace(
            name=name,
            level=level,
            is_cause=level >= CAUSE_FROM,
            value=of.cells.show(row, french.number),
            year=of.columns["year"][row],
        )
        for level, name, row in sorted(known, key=lambda each: -each[0])
    ]


def _regions(of: Book, code: str) -> Any:
    """Return the tiles of the map; none where no region has an index."""
    rows = {of.columns["region_code"][row]: row for row in of.rows[code, f"regional_{INDEX}"]}
    classes = {
        of.columns["region_code"][row]: of.columns["value"][row]
        for row in of.rows[code, f"regional_{CLASS}"]
    }
    known = {region: row for region, row in rows.items() if _is_known(of, row)}
    if not known:
        return None
    tense = [region for region in PLACES if classes.get(region, 0) >= TENSE_FROM_CLASS]

    def tile(region: str) -> Any:
        row = known.get(region)
        shade = 0 if row is None else int(np.searchsorted(of.shades, of.columns["value"][row])) + 1
        value = ABSENT if row is None else of.cells.show(row, _one)
        name = of.labels["regions"][region]
        return SimpleNamespace(name=name, value=value, shade=shade, place=PLACES.get(region))

    return SimpleNamespace(
        mainland=[tile(region) for region in PLACES],
        overseas=[tile(region) for region in OVERSEAS],
        tense=len(tense),
        known=len(known.keys() & PLACES.keys()),
        shades=[_one(end) for end in of.shades],
        year=of.columns["year"][next(iter(known.values()))],
    )


def _ages(of: Book, code: str) -> Any:
    """Return the pyramid: a line per age, oldest first, its share in each of the two periods."""
    rows = of.rows[code, AGE_SHARE]
    if not rows:
        return None
    years = sorted({of.columns["year"][row] for row in rows})
    shares = {(of.columns["age_band"][row], of.columns["year"][row]): row for row in rows}
    most = max(of.columns["value"][row] for row in rows)
    bands = sorted({band for band, _ in shares}, reverse=True)
    return SimpleNamespace(
        years=years,
        bands=[
            SimpleNamespace(
                name=band,
                is_old=band >= FIRST_OLD_BAND,
                sides=[
                    (_percent(of, row), round(100 * of.columns["value"][row] / most))
                    if (row := shares.get((band, year))) is not None
                    else (ABSENT, 0)
                    for year in years
                ],
            )
            for band in bands
        ],
    )


def _images(of: Book, code: str) -> Any:
    """Return what the métier becomes in FAP-2021, with the tension of each; none without image."""
    cells, by_metier = of.images
    rows = [row for row in by_metier.get(code, []) if cells.table["image_weight"].loc[row] >= LEAST_IMAGE]
    if not rows:
        return None
    indexes = [cells.read(row, INDEX) for row in rows]
    most = max((value for value in indexes if value is not None), default=0.0)
    classes = [cells.read(row, CLASS) for row in rows]
    return SimpleNamespace(
        rows=[
            SimpleNamespace(
                name=of.labels["metiers_2021"][cells.table["metier_2021_code"].loc[row]],
                weight=cells.show(row, lambda value: french.percent(100 * value), "image_weight"),
                index=cells.show(row, _one, INDEX),
                level=cells.show(row, french.number, CLASS),
                bar=max(0, round(100 * (value or 0) / most)) if most > 0 else 0,
            )
            for row, value in zip(rows, indexes, strict=True)
        ],
        are_all_highest=all(each == SHADES for each in classes),
        year=next((int(year) for year in cells.table["year"].loc[rows].dropna()), None),
    )


def _branches(of: Book, code: str) -> Any:
    """Return where the métier counts: branches by departures, then those that cannot be sorted."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name in (LEFT, JOBS, JOBS_SHARE, RANK):
        for row in of.rows[code, name]:
            found[_branch(of, row)][name] = row
    known = {
        branch: rows for branch, rows in found.items() if LEFT in rows and _is_known(of, rows[LEFT])
    }
    ends = [
        of.columns[end][rows[LEFT]]
        for rows in known.values()
        for end in ("lower", "value", "upper")
        if of.columns[end][rows[LEFT]] > 0
    ]
    if not ends:
        return None
    low, high = math.log(max(1.0, min(ends)) / 1.1), math.log(max(*ends, 2.0) * 1.1)

    def x(value: float) -> float:
        at = (math.log(max(value, math.exp(low))) - low) / (high - low) if value > 0 else 0.0
        return round(100 * min(1.0, at), 1)

    lines = [_branch_line(of, branch, rows, x) for branch, rows in known.items()]
    by_name = sorted(lines, key=lambda each: fold(each.name))
    sure = sorted((each for each in by_name if not each.is_unsure), key=lambda each: -each.number)
    powers = range(math.ceil(low / math.log(10)), math.floor(high / math.log(10)) + 1)
    return SimpleNamespace(
        sure=sure,
        unsure=[each for each in by_name if each.is_unsure],
        listed=[each.name for each in by_name if each.rank],
        ticks=[(french.number(10**power), x(10.0**power)) for power in powers],
        start=of.edition_year,
        end=of.columns["year"][next(iter(known.values()))[LEFT]],
        jobs_year=max(
            (of.columns["year"][rows[JOBS]] for rows in known.values() if JOBS in rows),
            default=None,
        ),
    )


def _branch_line(of: Book, branch: str, rows: Mapping[str, int], x: Any) -> Any:
    left, jobs, share, rank = (rows.get(name) for name in (LEFT, JOBS, JOBS_SHARE, RANK))
    assert left is not None
    cells, value = of.cells, of.columns["value"][left]
    lower, upper = (of.columns[end][left] for end in ("lower", "upper"))
    has_ends = lower == lower
    return SimpleNamespace(
        code=branch,
        name=of.labels["branches"][branch],
        number=value,
        is_unsure=cells.is_unreliable(left),
        left=cells.headcount(left),
        ends=cells.interval(left) if has_ends and not cells.is_unreliable(left) else None,
        jobs=cells.headcount(jobs),
        share=_share(of, share),
        rank=cells.show(rank, french.number) if rank is not None else None,
        is_first=rank is not None and cells.read(rank) == 1,
        at=x(value),
        low=x(lower) if has_ends else x(value),
        high=x(upper) if has_ends else x(value),
    )


def _taught(of: Book, code: str) -> dict[str, Any]:
    """Return records of the ROME, skills and certifications of a métier."""
    said = {name: each.get(code, []) for name, each in of.taught.items()}
    owned: dict[str, list[str]] = defaultdict(list)
    for each in said["certifications"]:
        owned[of.labels["branches"][each["branch_code"]]].append(french.label(each["title"]))
    return {
        "romes": [
            (each["rome_code"], of.labels["romes"][each["rome_code"]])
            for each in said["romes"]
            if each["rome_code"] in of.labels["romes"]
        ],
        "skills": [of.labels["skills"][each["skill_code"]] for each in said["skills"]],
        "emerging": [of.labels["skills"][each["skill_code"]] for each in said["emerging"]],
        "owned": [(name, owned[name]) for name in sorted(owned, key=fold)],
        "certified": next((each["certifications_count"] for each in said["certified"]), 0),
    }


def _family_of(code: str) -> str:
    return FAMILIES.get(code[:FAMILY_LENGTH], code[:FAMILY_LENGTH])


def _branch(of: Book, row: int) -> str:
    return str(of.columns["branch_code"][row])


def _is_known(of: Book, row: int) -> bool:
    return not math.isnan(of.columns["value"][row])


def _percent(of: Book, row: int) -> Markup:
    return of.cells.show(row, french.percent)


def _share(of: Book, row: int | None) -> Markup:
    return of.cells.show(row, lambda value: french.percent(value, 1))


def _one(value: float) -> str:
    return french.number(value, 1)


def _three(value: float) -> str:
    """Return an official head count with three significant digits."""
    return french.number(float(f"{value:.3g}"))


def _grouped(codes: pd.Series) -> dict[str, list[int]]:
    return {str(code): list(rows) for code, rows in codes.groupby(codes).groups.items()}


def _by_metier(table: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    found: dict[str, list[dict[Any, Any]]] = defaultdict(list)
    for each in table.to_dict("records"):
        found[each["metier_code"]].append(each)
    return found
