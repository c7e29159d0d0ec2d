"""Facts and figures of `01_emplois`: how employment by métier has evolved, and where it goes."""

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.reliability import best_grades
from opmq_lib.questions.emplois.chain import GATHERED, LISTED
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Dot, Fan
from opmq_lib.show.words import words
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import (
    ALL_METIERS,
    codes,
    largest_first,
    last_year,
    row_of,
    rows_of,
    select,
    where,
)

TABLE, EXPLAINED, PROJECTIONS = "emplois", "emplois_explications", "emplois_projections"
HEADCOUNT, PROJECTED = "employment_headcount", "projected_employment_headcount"
SHOWN, PANELS = 12, 6
RESIDUAL = "autres_metiers"
FRAGILE_SHARE = 0.5
"""Share of the métiers of a fragile branch that have the last grade."""
WORDS = words(__package__)
CHANGE = "projected_change_pct"
CLASSES = {
    "managers": "Cadres",
    "intermediate": "Professions intermédiaires",
    "others": "Employés et ouvriers",
}
RATIOS = {
    "own_headcount_fit_ratio": "Salariés publiés, pour un salarié que les activités de la branche "
    "expliquent",
    "sectors_headcount_fit_ratio": "Salariés publiés, pour un salarié que les activités de son "
    "secteur expliquent, toutes branches du secteur ensemble",
}
OPINIONS = {"naive": "Dernière valeur", "ets": "Lissage amorti (ETS)"}


def facts(results: Results) -> Any:
    """Return what the words depend on: what the table is, its years, whether a métier leads."""
    table = results[TABLE]
    levels, ranked = select(table, HEADCOUNT), _ranked(results)
    fit = select(table, "headcount_fit_ratio")
    low, high = (ranked[end].fillna(ranked["value"]) for end in ("lower", "upper"))
    unknown = select(table, "class_headcount", status="nd")
    return SimpleNamespace(
        is_poor=bool(best_grades(fit["value"]).eq("B").any()),
        structure_year=_year(fit["year"], max),
        headcount_year=_year(select(table, "branch_headcount")["year"], max),
        is_fragile=bool(_grades(ranked).eq(pieces.LEAST_RELIABLE).mean() >= FRAGILE_SHARE),
        uncovered=[CLASSES[level] for level in unknown.get("level", ())],
        is_known=not levels.empty,
        is_observed=is_observed(results),
        is_own=bool(levels["origin"].eq("own").any()),
        is_apart=len(ranked) > 1 and bool(low.iloc[0] > high.iloc[1]),
        first=_year(levels["year"], min),
        base=_year(levels["year"], max),
        end=_year(select(table, PROJECTED)["year"], max),
        last_projected=_year(results[PROJECTIONS]["year"], max) if PROJECTIONS in results else None,
        shown=min(len(ranked), SHOWN),
    )


def is_observed(results: Results) -> bool:
    """Return whether employment by métier is a table that the branch supplied."""
    natures = select(results[TABLE], HEADCOUNT)["nature"]
    return bool(natures.eq("observed").all()) and not natures.empty


def banner(results: Results) -> Html:
    """Return what must be known before any figure: estimate, vintage, or why there is nothing."""
    return pieces.banner(WORDS.banner(facts(results)))


def headline(results: Results, labels: Labels) -> Html:
    """Return which métier is the most numerous, with its interval, or who share the first place."""
    f, cells, ranked = facts(results), _cells(results), _ranked(results)
    if ranked.empty:
        return pieces.lede(WORDS.unknown())
    named, total = _named(results, labels), row_of(results[TABLE], "branch_headcount")
    first = [
        (pieces.metier(code, named[code]), cells.headcount(row), _ends(cells, row))
        for row, code in zip(ranked.index[:2], codes(ranked), strict=False)
    ]
    is_published = total is not None and results[TABLE].at[total, "status"] == "value"
    known = is_published and not f.is_observed  # the branch's own table has a total of its own
    return pieces.lede(WORDS.headline(f, first, cells.number(total) if known else ""))


def changes(results: Results, labels: Labels) -> Html:
    """Return which métiers will grow or shrink, where the interval supports it; what is secret."""
    f, ranked = facts(results), _ranked(results)
    if ranked.empty:
        return Html("")
    labels = _named(results, labels)
    falling, rising = (
        [f"« {labels[code]} »" for code in _moving(results, sign) if code in codes(ranked)[:SHOWN]]
        for sign in (-1, 1)
    )
    has_intervals = select(results[TABLE], CHANGE)["lower"].notna().any()
    directions = WORDS.directions(f, falling, rising) if has_intervals else ""
    hidden = select(results[TABLE], HEADCOUNT, status="s")["metier_code"]
    secret = WORDS.secret([f"« {labels[code]} »" for code in hidden]) if len(hidden) else ""
    return pieces.text(f"{directions}\n\n{secret}")


def ranges_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), listed: Sequence[str] = ()
) -> Html:
    """Draw the largest métiers, or those given, with the 80 % interval of the estimate.

    Args:
        results: Tables of the notebook.
        labels: French label of each métier.
        metiers: Codes to draw; none: the largest.
        listed: Codes that stand out.
    """
    labels, cells = _named(results, labels), _cells(results)
    rows = pieces.chosen(_ranked(results), metiers, SHOWN)
    if len(rows) < (1 if metiers else 2):
        return _nothing(results)
    low, high = (rows[end].fillna(rows["value"]) for end in ("lower", "upper"))
    code, has_ends = rows["metier_code"], rows["lower"].notna()

    def dot(row: int) -> Dot:
        shown = cells.headcount(row) if not cells.is_unreliable(row) else ""
        ends = f"{french.bounds(low[row], high[row])} {cells.grade(row)}" if has_ends[row] else ""
        value = rows["value"][row]
        return Dot(
            labels[code[row]],
            value,
            low[row],
            high[row],
            shown=re.sub("<[^>]*>", "", shown).removesuffix(cells.grade(row)),
            ends=ends,
            is_hot=code[row] in listed,
        )

    drawn = [dot(row) for row in rows.index]
    f = facts(results)
    return figures.figure(
        (
            WORDS.ranges_title(f, drawn[0].label, cells.headcount(rows.index[0])),
            WORDS.ranges_how(f, bool(listed)),
            WORDS.ranges_source(f),
        ),
        drawn,
        figures.both(svg.dots(drawn, is_wide=True), svg.dots(drawn)),
        _metiers_table(results, f, labels, rows),
        WORDS.ranges_said(drawn[0]),
    )


def fan_figure(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Draw past and projected employment of the largest métiers, or of those given."""
    labels, projected = _named(results, labels), where(results[PROJECTIONS], status="value")
    levels, ranked = select(results[TABLE], HEADCOUNT), _ranked(results)
    known = ranked[ranked["metier_code"].isin(projected["metier_code"])]
    shown = codes(pieces.chosen(known, metiers, PANELS))
    if not shown:
        return _nothing(results)
    f, cells, graded = facts(results), _cells(results), Cells(PROJECTIONS, results[PROJECTIONS])
    last = projected[projected["year"] == f.last_projected]
    middle = {row["metier_code"]: at for at, row in last[last["quantile_level"] == 0.5].iterrows()}
    drawn = [
        fan_of(
            labels[code],
            levels[levels["metier_code"] == code],
            projected[projected["metier_code"] == code],
            is_sure=not graded.is_unreliable(middle[code]),
        )
        for code in shown
    ]

    def at(year: int) -> Any:
        return lambda code: cells.headcount(row_of(results[TABLE], HEADCOUNT, code, year))

    first = int(levels["year"].min())
    columns: dict[str, Any] = {
        "Métier (FAP)": labels.__getitem__,
        f"Emplois {first}": at(first),
        f"Emplois {f.base}": at(f.base),
        f"Projection {f.last_projected}, huit chances sur dix": lambda code: _projected_ends(
            graded, last, code
        ),
        "Évolution, huit chances sur dix": lambda code: percent_interval(
            cells, row_of(results[TABLE], CHANGE, code, f.end), french.signed
        ),
    }
    return figures.figure(
        (
            WORDS.fan_title(f, _most_moved(results, shown, labels, cells)),
            WORDS.fan_how(f),
            WORDS.fan_source(f),
        ),
        drawn,
        [figures.panels(drawn, french.two_digits)],
        pieces.table(WORDS.fan_table(f), columns, shown),
    )


def fan_of(label: str, past: pd.DataFrame, projected: pd.DataFrame, *, is_sure: bool = True) -> Fan:
    """Return what is drawn of one métier.

    Args:
        label: French name.
        past: `year`, `value`, in heads.
        projected: `year`, `quantile_level` (0.1, 0.25, 0.5, 0.75, 0.9), `value`; where the last of
            `past` is later than its `cutoff_year`, what then happened is drawn too.
        is_sure: Whether the middle is written, not only the ends.
    """
    wide = projected.pivot(index="year", columns="quantile_level", values="value").sort_index()
    wide = wide.rename(index=int)
    made = int(projected["cutoff_year"].max())
    points = [(int(year), value) for year, value in zip(past["year"], past["value"], strict=True)]
    bands = [
        list(zip(wide.index, wide[low], wide[high], strict=True))
        for low, high in ((0.1, 0.9), (0.25, 0.75))
    ]
    return Fan(
        label,
        [point for point in points if point[0] <= made],
        list(zip(wide.index, wide[0.5], strict=True)),
        bands,
        [point for point in points if point[0] > made],
        is_sure=is_sure,
    )


def _most_moved(
    results: Results, shown: Sequence[str], labels: Labels, cells: Cells
) -> tuple[str, Markup] | None:
    """Return the métier whose change is sure and the largest, with its interval; else none."""
    changes = last_year(select(results[TABLE], CHANGE))
    changes = changes[changes["metier_code"].isin(shown)]
    sure = changes[(changes["lower"] > 0) | (changes["upper"] < 0)]
    if sure.empty:
        return None
    row = int(sure.index[int(sure["value"].abs().argmax())])
    shown_ends = cells.ends(row, french.signed)
    return labels[sure["metier_code"][row]], shown_ends + f"{french.NBSP}%"


def _projected_ends(graded: Cells, last: pd.DataFrame, code: str) -> Markup:
    """Return the ends of a projection, which are rows of its table, with its letter."""
    rows = last[last["metier_code"] == code].reset_index().set_index("quantile_level")["index"]
    ends = [graded.bare(int(rows[level]), french.two_digits) for level in (0.1, 0.9)]
    return Markup("{} à{}{}").format(ends[0], french.NBSP, ends[1]) + graded.letter(int(rows[0.5]))


def _metiers_table(results: Results, f: Any, labels: Labels, ranked: pd.DataFrame) -> Html:
    """Return employment, past change, projected change and projection of some métiers."""
    table, cells, code = results[TABLE], _cells(results), ranked["metier_code"]
    past = rows_of(table, "employment_change_pct", year=f.base)
    change, projected = (rows_of(table, name, year=f.end) for name in (CHANGE, PROJECTED))
    columns = {
        "Métier (FAP)": lambda row: labels[code[row]],
        f"Emplois {f.base}": cells.headcount,
        "Intervalle à 80 %": lambda row: (
            pieces.NOT_APPLICABLE if f.is_observed else cells.interval(row)
        ),
        f"Évolution {f.first}-{f.base}": lambda row: cells.show(
            past.get(code[row]), _signed_percent
        ),
        f"Évolution {f.base}-{f.end}, intervalle à 80 %": lambda row: percent_interval(
            cells, change.get(code[row]), french.signed
        ),
        f"Projection {f.end}": lambda row: cells.headcount(projected.get(code[row])),
    }
    return pieces.table(WORDS.metiers_table(f), columns, ranked.index)


def gathered_table(results: Results, labels: Labels, count: int = LISTED) -> Html:
    """Return what the rows that gather small métiers are made of, the largest first."""
    labels, cells = _named(results, labels), _cells(results)
    rows = largest_first(select(results[TABLE], GATHERED))
    if rows.empty:
        return Html("")
    columns: dict[str, Any] = {
        "Métier (FAP)": lambda row: labels[rows["metier_code"].loc[row]],
        "Ligne qui le contient": lambda row: labels[rows["level"].loc[row]],
        "Emplois": cells.headcount,
        "Intervalle à 80 %": cells.interval,
    }
    text = WORDS.gathered_table(facts(results), len(rows) > count)
    return pieces.table(text, columns, rows.index[:count])


def method(results: Results) -> Html:
    """Return how the figures were obtained, for what the branch's table is."""
    f = facts(results)
    return pieces.findings(WORDS.method(f)) if f.is_known else Html("")


def margins_table(results: Results) -> Html:
    """Return how the estimate closes: headcount, classes of jobs, what activities explain."""
    table, cells, f = results[TABLE], _cells(results), facts(results)
    if row_of(table, "headcount_fit_ratio") is None:
        return Html("")
    published = row_of(table, "branch_headcount")
    totals = {"Salariés (publié)": cells.number(published)}
    for level, label in CLASSES.items():
        row = row_of(table, "class_headcount", level=level)
        totals[f"dont {label.lower()} (estimation d’après les salaires)"] = cells.show(
            row, french.two_digits
        )
    for name, label in RATIOS.items():
        totals[label] = cells.number(row_of(table, name), 2)
    columns = {"Total": lambda name: name, "Valeur": lambda name: totals[name]}
    return pieces.table(WORDS.margins_table(f), columns, totals)


def gaps(results: Results, labels: Labels) -> Html:
    """Return which series had missing years that the projection filled, if any had."""
    cells = Cells(EXPLAINED, results[EXPLAINED])
    filled = select(results[EXPLAINED], "filled_years_count")
    filled = filled[filled["value"] > 0]
    if filled.empty:
        return Html("")
    named = [
        Markup("« {} » ({})").format(labels.get(code, code), cells.number(row))
        for row, code in zip(filled.index.tolist(), codes(filled), strict=True)
    ]
    return pieces.banner(WORDS.gaps(named))


def errors_table(results: Results, labels: Labels) -> Html:
    """Return how wrong each projection would have been at the last cut-off, beside another."""
    table = results[EXPLAINED]
    past, cells = select(table, "cutoff_mase", model="panel"), Cells(EXPLAINED, table)
    shown = [code for code in _with_opinion(table) if code in codes(past)]
    if not shown:
        return Html("")

    def column(model: str) -> Any:
        return lambda code: cells.number(row_of(table, "cutoff_mase", code, model=model), 1)

    columns = {
        "Métier (FAP)": lambda code: labels.get(code, code),
        "Méthode de l’étude": column("panel"),
        OPINIONS["naive"]: column("naive"),
    }
    text = WORDS.errors_table(int(past["year"].mode().iloc[0]))
    return pieces.table(text, columns, shown)


def opinions_table(results: Results, labels: Labels) -> Html:
    """Return the projections of two simple methods beside the study's own, at the horizon."""
    table, projected = results[EXPLAINED], results[PROJECTIONS]
    if table.empty or projected.empty:
        return Html("")
    end = int(projected["year"].max())
    last = projected[projected["year"] == end]
    rows = {
        level: part.reset_index().set_index("metier_code")["index"].to_dict()
        for level, part in last.groupby("quantile_level")
    }
    graded, cells = Cells(PROJECTIONS, projected), Cells(EXPLAINED, table)
    own = Cells(PROJECTIONS, projected.drop(columns="reliability_grade", errors="ignore"))

    def median(code: str) -> str:
        low, middle, high = (rows[level][code] for level in (0.1, 0.5, 0.9))
        ends = [own.show(row, french.two_digits) for row in (low, high)]
        shown = own.show(middle, french.two_digits)
        if graded.is_unreliable(middle):
            shown = Markup("{} à{}{}").format(ends[0], french.NBSP, ends[1])
        return shown + graded.letter(middle)

    def opinion(model: str) -> Any:
        return lambda code: cells.show(
            row_of(table, "second_opinion_headcount", code, end, model=model), french.two_digits
        )

    columns = {
        "Métier (FAP)": lambda code: labels.get(code, code),
        "Méthode de l’étude": median,
        **{label: opinion(model) for model, label in OPINIONS.items()},
    }
    return pieces.table(WORDS.opinions_table(end), columns, _with_opinion(table))


def _with_opinion(table: pd.DataFrame) -> list[str]:
    """Return the métiers that have a second opinion, the most numerous today first."""
    return codes(largest_first(select(table, "second_opinion_headcount", model="naive")))


def _moving(results: Results, sign: int) -> list[str]:
    """Return métiers whose projected change has its whole 80 % interval on one side of zero."""
    changes = last_year(select(results[TABLE], CHANGE)).set_index("metier_code")
    edge = (changes["upper"] if sign < 0 else changes["lower"]).reindex(codes(_ranked(results)))
    return [str(code) for code in edge.index[(sign * edge > 0).to_numpy()]]


def _ranked(results: Results) -> pd.DataFrame:
    """Return employment of the métiers known in the last year, largest first."""
    rows = last_year(select(results[TABLE], HEADCOUNT, status="value"))
    return largest_first(rows[~rows["metier_code"].isin([ALL_METIERS, RESIDUAL])])


def _grades(rows: pd.DataFrame) -> pd.Series:
    return rows["reliability_grade"] if "reliability_grade" in rows else pd.Series("", rows.index)


def _named(results: Results, labels: Labels) -> Labels:
    """Return the names of métiers, those of families saying what they gather."""
    rows = set(results[TABLE]["metier_code"])
    return {
        code: WORDS.family(label, any(each[:-2] == code for each in rows))
        if len(code) == FAMILY_LENGTH and code != ALL_METIERS
        else label
        for code, label in labels.items()
    }


def percent_interval(cells: Cells, row: int | None, form: svg.Form = french.number) -> str:
    """Return the two ends of a change in %, or the sign of its absence."""
    has_bounds = row is not None and cells.read(row, "lower") is not None
    return cells.ends(row, form) + (f"{french.NBSP}%" if has_bounds else "")


def _signed_percent(value: float) -> str:
    return f"{french.signed(value)}{french.NBSP}%"


def _ends(cells: Cells, row: int) -> Markup:
    """Return the interval of a headcount that is shown without it; nothing for an observed one."""
    has_ends = cells.read(row, "lower") is not None and not cells.is_unreliable(row)
    return cells.interval(row) if has_ends else Markup("")


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _year(years: pd.Series, which: Any) -> int | None:
    return None if years.empty else int(which(years))


def _nothing(results: Results) -> Html:
    return pieces.banner(WORDS.nothing()) if facts(results).is_known else Html("")
