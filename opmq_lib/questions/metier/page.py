"""Facts of the métier pages, from their tables alone; the French is in `page.jinja`."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from opmq_lib.matching.text import fold
from opmq_lib.methods.needs.official import FAMILIES
from opmq_lib.methods.tension.passage import LEAST_IMAGE
from opmq_lib.methods.tension.published import CLASS, INDEX, TENSE_FROM_CLASS
from opmq_lib.methods.tension.survey import NEW
from opmq_lib.questions.metier.book import SHADES, Book
from opmq_lib.questions.metier.chain import (
    AGE_SHARE,
    COUNTRY_RATE,
    FIRST_OLD_BAND,
    JOBS,
    JOBS_SHARE,
    LEFT,
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
from opmq_lib.show.pieces import ABSENT
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
YEARS_APART = 5
CAUSE_FROM = 4
"""Quintile from which a factor is a cause of tension, as in « Que faire ? »."""
SEVERAL = 2
"""From this number on a French noun takes the plural."""
STABLE_SHARE = 0.02
"""Change of employment under which it is said to be stable."""


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
        practices=_practices(of, code),
        regions=_regions(of, code),
        ages=_ages(of, code),
        images=_images(of, code),
        branches=_branches(of, code),
        **_taught(of, code),
    )


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
        value=of.cells.bare(row, french.one_decimal),
        ends=of.cells.ends(row, french.one_decimal),
        letter=of.cells.letter(row),
        is_plural=of.columns["value"][row] >= SEVERAL,
        country=of.cells.show(country[0], french.one_decimal) if country else ABSENT,
        end=of.columns["year"][row],
    )


def _heads(of: Book, code: str) -> Any:
    """Return employment of the country, the last year; none where nothing is published."""
    rows = of.rows[code, NATIONAL]
    if not rows:
        return None
    return SimpleNamespace(
        value=of.cells.show(rows[-1], french.three_digits),
        number=round(of.columns["value"][rows[-1]]),
        year=of.columns["year"][rows[-1]],
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
        year=int(cells.cell(row, "year")),
        is_new=cells.cell(row, "nomenclature") == NEW,
    )


def _employed(of: Book, code: str) -> Any:
    """Return the lines of employment, as points from 0 to 100, and what stands at their ends."""
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

    def x(year: int) -> float:
        return round(float(100 * (year - first) / (last - first)), 2)

    def line(rows: Sequence[int]) -> Any:
        points = [(x(years[row]), round(100 - 100 * values[row] / top, 2)) for row in rows]
        return SimpleNamespace(
            points=points,
            start=of.cells.show(rows[0], french.three_digits),
            end=of.cells.show(rows[-1], french.three_digits),
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
        left=of.cells.show(flows[0][0], french.three_digits) if flows[0] else None,
        created=of.cells.show(flows[1][0], french.three_digits) if flows[1] else None,
        falls=bool(flows[1]) and values[flows[1][0]] < 0,
        today=x(of.edition_year),
        trend=0 if abs(now) < STABLE_SHARE else math.copysign(1, now),
        marks=[(year, x(year)) for year in (first, years[own[-1]], last)],
        years=_years(of, [own, theirs, official]),
    )


def _years(of: Book, lines: Sequence[Sequence[int]]) -> list[tuple[int | Markup, ...]]:
    """Return a line of the table per fifth year, and per last year of a line: a number each."""
    years = of.columns["year"]
    places = [{years[row]: row for row in rows} for rows in lines]
    every = sorted({year for each in places for year in each})
    ends = {max(each) for each in places if each}
    return [
        (year, *(of.cells.show(each.get(year), french.three_digits) for each in places))
        for year in every
        if (year - every[0]) % YEARS_APART == 0 or year in ends
    ]


def _causes(of: Book, code: str) -> list[Any]:
    """Return the six factors of tension, strongest first; none where none is published."""
    found = [(name, row) for name in FACTORS for row in of.rows[code, name]]
    levels = of.columns["value"]
    known = [(int(levels[row]), name, row) for name, row in found if _is_known(of, row)]
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


def _practices(of: Book, code: str) -> list[tuple[str, str]]:
    """Return the profiles of tension of a métier: what each is, and what is often done."""
    return [of.practices[of.columns["variant"][row]] for row in of.rows[code, "tension_profile"]]


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
        value = ABSENT if row is None else of.cells.show(row, french.one_decimal)
        name = of.labels["regions"][region]
        return SimpleNamespace(name=name, value=value, shade=shade, place=PLACES.get(region))

    return SimpleNamespace(
        mainland=[tile(region) for region in PLACES],
        overseas=[tile(region) for region in OVERSEAS],
        tense=len(tense),
        least=min(
            np.nan_to_num([classes.get(each, 0) for each in known.keys() & PLACES]), default=0
        ),
        known=len(known.keys() & PLACES.keys()),
        shades=[french.one_decimal(end) for end in of.shades],
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
    weights = {row: cells.read(row, "image_weight") for row in by_metier.get(code, [])}
    rows = [row for row, weight in weights.items() if (weight or 0) >= LEAST_IMAGE]
    if not rows:
        return None
    indexes = [cells.read(row, INDEX) for row in rows]
    most = max((value for value in indexes if value is not None), default=0.0)
    classes = [cells.read(row, CLASS) for row in rows]
    return SimpleNamespace(
        rows=[
            SimpleNamespace(
                name=of.labels["metiers_2021"][cells.cell(row, "metier_2021_code")],
                weight=cells.show(row, lambda value: french.percent(100 * value), "image_weight"),
                index=cells.show(row, french.one_decimal, INDEX),
                level=cells.show(row, french.number, CLASS),
                bar=max(0, round(100 * (value or 0) / most)) if most > 0 else 0,
            )
            for row, value in zip(rows, indexes, strict=True)
        ],
        are_all_highest=all(each == SHADES for each in classes),
        year=next((int(year) for row in rows if (year := cells.read(row, "year"))), None),
    )


def _branches(of: Book, code: str) -> Any:
    """Return where the métier counts: branches by departures, then those that have no place."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name in (LEFT, JOBS, JOBS_SHARE, RANK):
        for row in of.rows[code, name]:
            if _is_known(of, row):
                found[_branch(of, row)][name] = row
    known = {branch: rows for branch, rows in found.items() if LEFT in rows}
    counted = {branch: rows for branch, rows in found.items() if JOBS in rows}
    if not counted:
        return None
    ends = [
        of.columns[end][rows[LEFT]]
        for rows in known.values()
        for end in ("lower", "value", "upper")
    ]
    x, ticks = _scale(ends)
    lines = [_branch_line(of, branch, rows, x) for branch, rows in counted.items()]
    lines.sort(key=lambda each: fold(each.name))
    sure = [each for each in lines if each.left and not each.is_unsure]
    years = of.columns["year"]
    return SimpleNamespace(
        sure=sorted(sure, key=lambda each: -each.number),
        unsure=[each for each in lines if each.is_unsure],
        counted=[each for each in lines if not each.left],
        ticks=ticks,
        start=of.edition_year,
        end=max((years[rows[LEFT]] for rows in known.values()), default=None),
        jobs_year=max(years[rows[JOBS]] for rows in counted.values()),
    )


def _scale(values: Sequence[float]) -> tuple[Callable[[float], float], list[tuple[str, float]]]:
    """Return where heads stand between 0 and 100, on a scale of powers of ten, and its marks."""
    seen = [max(1.0, value) for value in values if value > 0] or [1.0]
    low, high = math.log10(min(seen)) - 0.05, math.log10(max(seen)) + 0.05

    def x(value: float) -> float:
        at = (math.log10(max(1.0, value)) - low) / (high - low)
        return round(100 * min(1.0, max(0.0, at)), 1)

    powers = range(math.ceil(low), math.floor(high) + 1)
    return x, [(french.number(10**power), x(10**power)) for power in powers]


def _branch_line(
    of: Book, branch: str, rows: Mapping[str, int], x: Callable[[float], float]
) -> Any:
    left, jobs, share, rank = (rows.get(name) for name in (LEFT, JOBS, JOBS_SHARE, RANK))
    cells, is_unsure = of.cells, of.cells.is_unreliable(left)
    value, lower, upper = (
        None if left is None else cells.read(left, name) for name in ("value", "lower", "upper")
    )
    has_ends = lower is not None and not is_unsure
    return SimpleNamespace(
        code=branch,
        name=of.labels["branches"][branch],
        number=value,
        is_unsure=is_unsure,
        left=cells.headcount(left) if left is not None else None,
        ends=cells.interval(left) if has_ends else None,
        jobs=cells.headcount(jobs),
        share=None if share is None else of.cells.show(share, french.share),
        rank=cells.show(rank, french.number) if rank is not None else None,
        is_first=rank is not None and cells.read(rank) == 1,
        at=x(value or 0),
        low=x(value or 0) if lower is None else x(lower),
        high=x(value or 0) if upper is None else x(upper),
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
    return of.cells.show(row, french.share)
