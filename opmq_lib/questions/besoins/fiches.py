"""GPEC sheets of `02_besoins`: one printable sheet per family of métiers, in words first.

For the person in charge of staff in a firm of thirty: what is known of the family in the branch,
and what is not yet.
"""

from collections.abc import Callable
from types import SimpleNamespace

from markupsafe import Markup

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.besoins.page import WORDS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html, Labels, Results
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import codes, largest_first, row_of, select

SHOWN_METIERS, FEWEST_JOBS = 4, 10


def sheets(results: Results, labels: Labels, count: int = 12) -> Html:
    """Return one sheet per family of the branch, largest first, of métiers known well enough.

    Args:
        results: The tables of `02_besoins`; what other rooms have not answered is `nd`.
        labels: French label of each métier and family.
        count: Families shown; the others are named at the end, and métiers of grade D.
    """
    f = besoins.facts(results)
    cells, jobs = besoins.cells_of(results), select(results[besoins.TABLE], besoins.JOBS)
    jobs = largest_first(jobs[jobs["value"] >= FEWEST_JOBS])
    rows = [row for row in jobs.index if cells.is_unreliable(row)]
    unsure = [labels[code] for code in codes(jobs.loc[rows])]
    jobs = jobs.drop(index=rows)
    families = jobs.groupby(jobs["metier_code"].str[:FAMILY_LENGTH])["value"].sum()
    ordered = families.sort_values(ascending=False).index.tolist()
    text = ""
    for family in ordered[:count]:
        members = [code for code in codes(jobs) if code.startswith(family)]
        metiers = [_metier(results, labels, code, f.end) for code in members[:SHOWN_METIERS]]
        text += WORDS.sheet(f, labels[family], metiers, len(members) - SHOWN_METIERS)
    rest = WORDS.rest([labels[code] for code in ordered[count:]], unsure)
    return pieces.prose(text + rest)


def _metier(results: Results, labels: Labels, code: str, horizon: int) -> Markup:
    """Return what is known of one métier, `None` for what is not."""
    table, cells = results[besoins.TABLE], besoins.cells_of(results)

    def known(indicator: str, *year: int) -> int | None:
        row = row_of(table, indicator, code, *year, variant="")
        return row if row is not None and cells.read(row) is not None else None

    def shown(row: int | None, show: Callable[[int], Markup]) -> Markup | None:
        return None if row is None else show(row)

    old, tension = known(besoins.OLD), known("tension_class")
    posts, left = (known(name, horizon) for name in (besoins.POSTS_RATE, besoins.LEFT_RATE))
    skills = results["besoins_profils"]
    metier = SimpleNamespace(
        absent=pieces.ABSENT,
        jobs=cells.headcount(row_of(table, besoins.JOBS, code)),
        old=shown(old, cells.percent),
        is_observed=old is not None and table["nature"].loc[old] == "observed",
        posts=shown(posts, cells.rate_interval),
        direction=besoins.sign(table, posts),
        left=shown(left, lambda row: cells.rate_interval(row) + cells.letter(row)),
        tension=shown(tension, cells.number),
        tension_year=None if tension is None else int(table["year"].loc[tension]),
        skills=skills.loc[skills["metier_code"] == code, "label"].map(french.label).tolist(),
        certifications=cells.number(row_of(table, "certifications_count", code)),
    )
    return Markup(WORDS.metier(labels[code], metier))
