"""Facts and figures of `01_emplois`: how employment by métier has evolved, and where it goes."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.methods.reliability import best_grades
from opmq_lib.questions.emplois.chain import GATHERED, LISTED
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import (
    ALL_METIERS,
    codes,
    largest_first,
    last_year,
    row_of,
    select,
    where,
)

TABLE, EXPLAINED, PROJECTIONS = "emplois", "emplois_explications", "emplois_projections"
HEADCOUNT, PROJECTED = "employment_headcount", "projected_employment_headcount"
SHOWN, PANELS = 10, 4
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
QUALIFICATIONS = {
    "unskilled": "Ouvriers et employés non qualifiés",
    "skilled": "Ouvriers et employés qualifiés",
    "technicians": "Techniciens et agents de maîtrise",
    "managers": "Cadres et ingénieurs",
    "other": "Autres codes",
}
FAMILIES = {
    "drift": "Niveau et dérive",
    "holt": "Tendance lissée",
    "theta_dynamic": "Tendance, révisée chaque année",
    "theta_static": "Tendance de toute la période",
    "ar_differences": "Évolutions persistantes",
}
OPINIONS = {"naive": "Dernière valeur", "ets": "Lissage amorti (ETS)"}


def facts(results: Results) -> Any:
    """Return what the words depend on: what the table is, its years, whether a métier leads."""
    table = results[TABLE]
    levels, ranked = select(table, HEADCOUNT), _ranked(results)
    low, high = (ranked[end].fillna(ranked["value"]) for end in ("lower", "upper"))
    shares = select(table, "qualification_share_pct")["year"]
    ends = select(table, "projected_qualification_share_pct")["year"]
    unknown = select(table, "class_headcount", status="nd")
    return SimpleNamespace(
        is_poor=bool(best_grades(select(table, "headcount_fit_ratio")["value"]).eq("B").any()),
        structure_year=_year(select(table, "headcount_fit_ratio")["year"], max),
        headcount_year=_year(select(table, "branch_headcount")["year"], max),
        is_fragile=bool(_grades(ranked).eq(pieces.LEAST_RELIABLE).mean() >= FRAGILE_SHARE),
        uncovered=[CLASSES[row["level"]] for row in unknown.to_dict("records")],
        is_known=not levels.empty,
        is_observed=bool((levels["nature"] == "observed").all()) and not levels.empty,
        is_own=bool(levels["origin"].eq("own").any()),
        is_apart=len(ranked) > 1 and bool(low.iloc[0] > high.iloc[1]),
        first=_year(shares, min),
        base=_year(levels["year"], max),
        end=_year(select(table, PROJECTED)["year"], max),
        qualifications_end=_year(shares if ends.empty else ends, max),
        last_projected=_year(results[PROJECTIONS]["year"], max),
        shown=min(len(ranked), SHOWN),
    )


def banner(results: Results) -> Html:
    """Return what must be known before any figure: estimate, vintage, or why there is nothing."""
    return pieces.banner(WORDS.banner(facts(results)))


def key_figures(results: Results) -> Html:
    """Return the branch's headcount, its leading métier and what the métiers studied leave out."""
    table, cells, f = results[TABLE], _cells(results), facts(results)
    headcount = [
        ("Salariés de la branche", cells.number(row), WORDS.headcount_note(table.at[row, "year"]))
        for row in select(table, "branch_headcount").index
    ]
    leader = [
        (
            "Emplois du premier métier",
            cells.headcount(row),
            WORDS.leader_note(f, cells.interval(row)),
        )
        for row in _ranked(results).index[:1]
    ]
    residual = [
        ("Part des autres métiers", cells.percent(row), WORDS.rest_note(f))
        for row in select(table, "employment_share_pct", metier_code=RESIDUAL).index
    ]
    return pieces.key_figures([*headcount, *leader, *residual])


def findings(results: Results, labels: Labels) -> Html:
    """Return which métier leads and which will grow or shrink, where the interval supports it."""
    f, ranked = facts(results), _ranked(results)
    if ranked.empty:
        return _nothing(results)
    labels = _named(results, labels)
    names = [labels[code] for code in codes(ranked)]
    second = names[1] if len(names) > 1 else None
    leader = WORDS.leader(f, _cells(results), ranked.index[0], names[0], second)
    falling, rising = (
        [f"« {labels[code]} »" for code in _moving(results, sign) if code in codes(ranked)[:SHOWN]]
        for sign in (-1, 1)
    )
    has_intervals = select(results[TABLE], CHANGE)["lower"].notna().any()
    directions = WORDS.directions(f, falling, rising) if has_intervals else ""
    hidden = select(results[TABLE], HEADCOUNT, status="s")["metier_code"]
    secret = WORDS.secret([f"« {labels[code]} »" for code in hidden]) if len(hidden) else ""
    return pieces.findings(f"{leader}\n\n{directions}\n\n{secret}")


def ranges_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: Axes | None = None
) -> Figure | Html:
    """Draw the largest métiers, or those given, with the 80 % interval of the estimate."""
    labels = _named(results, labels)
    rows = pieces.chosen(_ranked(results), metiers, SHOWN)
    if len(rows) < (1 if metiers else 2):
        return _nothing(results)
    drawn = rows.assign(
        lower=rows["lower"].fillna(rows["value"]), upper=rows["upper"].fillna(rows["value"])
    )
    text = WORDS.ranges_figure(facts(results), labels[codes(rows)[0]])
    return figures.employment_ranges(drawn, labels, text, ax)


def fan_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: figures.Panels = None
) -> Figure | Html:
    """Draw past and projected employment of the largest métiers, or of those given."""
    labels = _named(results, labels)
    projection = where(results[PROJECTIONS], status="value")
    ranked, levels = _ranked(results), select(results[TABLE], HEADCOUNT)
    projected = ranked[ranked["metier_code"].isin(projection["metier_code"])]
    shown = codes(pieces.chosen(projected, metiers, PANELS))
    if not shown:
        return _nothing(results)
    past = pd.concat([levels[levels["metier_code"] == code] for code in shown])
    moving = sum(code in _moving(results, sign) for sign in (-1, 1) for code in shown)
    text = WORDS.fan_figure(facts(results), moving, len(shown))
    return figures.employment_fan(
        past, projection[projection["metier_code"].isin(shown)], labels, text, ax
    )


def metiers_table(results: Results, labels: Labels, count: int = SHOWN) -> Html:
    """Return employment, past change, projected change and projection of the largest métiers."""
    table, cells, f = results[TABLE], _cells(results), facts(results)
    labels = _named(results, labels)
    ranked = _ranked(results).head(count)
    if ranked.empty:
        return Html("")
    code = ranked["metier_code"]
    first = int(select(table, HEADCOUNT)["year"].min())

    def projected(row: int) -> int | None:
        return row_of(table, PROJECTED, code[row], f.end)

    columns = {
        "Métier (FAP)": lambda row: labels[code[row]],
        f"Emplois {f.base}": cells.headcount,
        "Intervalle à 80 %": lambda row: (
            pieces.NOT_APPLICABLE if f.is_observed else cells.interval(row)
        ),
        f"Évolution {first}-{f.base}": lambda row: cells.percent(
            row_of(table, "employment_change_pct", code[row], f.base)
        ),
        f"Évolution {f.base}-{f.end}, intervalle à 80 %": lambda row: _percent_interval(
            cells, row_of(table, CHANGE, code[row], f.end)
        ),
        f"Projection {f.end}": lambda row: cells.headcount(projected(row)),
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


def qualification_findings(results: Results) -> Html:
    """Return which qualifications will gain or lose, by the projection's interval."""
    f, table, cells = facts(results), results[TABLE], _cells(results)
    if not f.is_known:
        return Html("")
    text = ""
    for level, label in QUALIFICATIONS.items():
        now = _qualification(results, "qualification_share_pct", level, f.base)
        change = _qualification(
            results, "projected_qualification_change_points", level, f.qualifications_end
        )
        if now is None or change is None or cells.read(change, "lower") is None:
            continue
        low, high = (round(float(table[end].loc[change])) for end in ("lower", "upper"))
        if low > 0 or high < 0:
            shown = cells.ends(change, points_of)
            text += WORDS.qualification(f, cells, label, now, shown, low > 0)
    return pieces.findings(text or WORDS.no_qualification(f))


def points_of(value: float) -> str:
    """Return points of percentage, with their sign."""
    return french.signed(value, 1)


def qualifications_table(results: Results) -> Html:
    """Return qualifications: share then and now, the two causes of the change, projection."""
    f, cells = facts(results), _cells(results)
    if not f.is_known:
        return Html("")

    def place(name: str, year: int) -> Any:
        return lambda level: _qualification(results, name, level, year)

    def points(name: str) -> Any:
        row = place(f"qualification_{name}_points", f.base)
        return lambda level: cells.show(row(level), points_of)

    first, base = (place("qualification_share_pct", year) for year in (f.first, f.base))
    later = place("projected_qualification_share_pct", f.qualifications_end)
    columns = {
        "Qualification": QUALIFICATIONS.__getitem__,
        f"Part {f.first}": lambda level: cells.percent(first(level)),
        f"Part {f.base}": lambda level: cells.percent(base(level)),
        "Évolution (points)": points("change"),
        "dont poids des domaines": points("mix"),
        "dont dans chaque domaine": points("within"),
        f"Part {f.qualifications_end}, intervalle à 80 %": lambda level: (
            _percent_interval(cells, later(level)) + cells.letter(later(level))
        ),
    }
    levels = [level for level in QUALIFICATIONS if base(level) is not None]
    return pieces.table(WORDS.qualifications_table(f), columns, levels)


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


def weights_table(results: Results, labels: Labels) -> Html:
    """Return which families of models carried the projection of the largest métiers."""
    columns = {
        label: ("family_weight_pct", {"model": model}, 0) for model, label in FAMILIES.items()
    }
    columns["Poids de la dernière année"] = ("level_gain_pct", {}, 0)
    return _explained_table(results, labels, WORDS.weights_table(), columns)


def errors_table(results: Results, labels: Labels) -> Html:
    """Return how wrong each projection would have been at the last cut-off, beside two others."""
    past = select(results[EXPLAINED], "cutoff_mase", model="panel")
    if past.empty:
        return Html("")
    columns = {
        label: ("cutoff_mase", {"model": model}, 1)
        for model, label in {"panel": "Méthode de l’étude", "naive": OPINIONS["naive"]}.items()
    }
    text = WORDS.errors_table(int(past["year"].mode().iloc[0]))
    return _explained_table(results, labels, text, columns)


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


def _explained_table(
    results: Results, labels: Labels, text: str, columns: Mapping[str, tuple[str, Any, int]]
) -> Html:
    """Return a table of explanations: title → indicator, what it is of, decimals."""
    table = results[EXPLAINED]
    cells = Cells(EXPLAINED, table)
    known = codes(select(table, *(name for name, _, _ in columns.values())))
    shown = [code for code in _with_opinion(table) if code in known]

    def column(name: str, of: dict[str, Any], decimals: int) -> Any:
        return lambda code: cells.number(row_of(table, name, code, **of), decimals)

    named = {"Métier (FAP)": lambda code: labels.get(code, code)}
    given = named | {title: column(*each) for title, each in columns.items()}
    return pieces.table(text, given, shown) if shown else Html("")


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


def _qualification(results: Results, indicator: str, level: str, year: int) -> int | None:
    return row_of(results[TABLE], indicator, year=year, level=level)


def _percent_interval(cells: Cells, row: int | None) -> str:
    has_bounds = row is not None and cells.read(row, "lower") is not None
    return cells.ends(row, french.number) + (f"{french.NBSP}%" if has_bounds else "")


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _year(years: pd.Series, which: Any) -> int | None:
    return None if years.empty else int(which(years))


def _nothing(results: Results) -> Html:
    return pieces.banner(WORDS.nothing(facts(results)))
