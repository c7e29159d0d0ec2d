"""Section of `03_tensions`: where métiers rank among all in tension, and why."""

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.tension.branch import TOP_SHARE
from opmq_lib.methods.tension.passage import LEAST_IMAGE
from opmq_lib.methods.tension.published import CHANGE_YEARS, INDEX
from opmq_lib.methods.tension.survey import NEW, OLD
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Bar
from opmq_lib.show.words import words
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.indicators import codes, largest_first, row_of, select

WORDS = words(__package__)
TABLE, RANKS, IMAGES = "tensions", "metier_tensions", "metier_images"
PROJECTS, HARD = "recruitment_projects_count", "hard_to_fill_share_pct"
SHOWN, HIGHEST_CLASS = 10, 5
WIDEST_POINTS = 20
"""Widest bounds of a share that are shown: wider ones say too little; source: method page, L5."""
COMPONENTS = {
    "hard_to_fill_share": "Difficulté (z)",
    "offers_per_seeker_ratio": "Offres par demandeur (z)",
    "exit_rate": "Sorties (z)",
}


def facts(results: Results) -> Any:
    """Return what the words depend on: the years, how many are ranked, what chooses métiers."""
    table, ranks = results[TABLE], results[RANKS]
    surveys = select(table, PROJECTS)
    old, new = (surveys.loc[surveys["variant"] == name, "year"] for name in (OLD, NEW))
    latest = ranks[ranks["nomenclature"] == NEW]
    year = int(select(table, INDEX)["year"].max())
    return SimpleNamespace(
        year=year,
        change_from=year - CHANGE_YEARS,
        ranked=_largest_number(ranks["fap2009_ranked_count"]),
        latest_year=_largest_number(latest["year"]),
        latest_ranked=_largest_number(latest["ranked_count"]),
        old_survey=int(old.max()),
        new_surveys=sorted({int(new.min()), int(new.max())}),
        widest=WIDEST_POINTS,
        least_image=100 * LEAST_IMAGE,
    )


def banner(results: Results) -> Html:
    """Return what must be known before any figure of tension; nothing where there is none."""
    return pieces.banner(WORDS.banner(facts(results))) if _largest(results) else Html("")


def findings(results: Results, labels: Labels) -> Html:
    """Return how much of the branch is in tense métiers, which of its largest, why, what lacks."""
    if not _largest(results):
        return pieces.lede(WORDS.unknown())
    ranks, graded = _ranks(results).reindex(_largest(results)), _graded(results)
    rank, place = ranks["fap2009_rank"], ranks["fap2009_rank_share"].astype("float64")
    cells = Cells(RANKS, results[RANKS])
    rows = results[RANKS].reset_index().set_index("metier_code")["index"]
    high = [
        Markup("« {} » ({})").format(labels[code], _rank(cells, rows[code], "fap2009_rank"))
        for code in rank[place >= TOP_SHARE].sort_values().index
    ]
    graded = graded.reindex(ranks.index)

    def named(chosen: pd.Series) -> list[str]:
        return [f"« {labels[code]} »" for code in graded.index[chosen]]

    short, hard = (
        named(graded[name] == HIGHEST_CLASS)
        for name in ("labour_shortage", "hard_working_conditions")
    )
    without = [f"« {labels[code]} »" for code in rank.index[rank.isna()]]
    share = _tense_share(results)
    return pieces.lede(WORDS.findings(facts(results), share, high, short, hard, without))


def ranking_figure(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Draw the rank of the largest métiers, or of those given, the most tense first."""
    ranked = _ranks(results).dropna(subset=["fap2009_rank", "fap2009_class"])
    shown = _largest(results)
    largest = ranked[ranked.index.isin(shown)]
    rows = pieces.chosen((ranked if metiers else largest).reset_index(), metiers, SHOWN)
    if rows.empty:
        return pieces.banner(WORDS.no_index()) if shown else Html("")
    f, drawn_rows = facts(results), rows.sort_values(["fap2009_rank", "metier_code"])
    drawn = [
        Bar(
            labels[row["metier_code"]],
            100 * row["fap2009_rank_share"],
            french.ordinal(row["fap2009_rank"]),
            mark=100 * TOP_SHARE,
            is_hot=bool(row["fap2009_rank_share"] >= TOP_SHARE),
        )
        for row in drawn_rows.to_dict("records")
    ]
    count = sum(each.is_hot for each in drawn)
    return figures.figure(
        (WORDS.ranking_title(f, drawn[0], count, len(drawn)), WORDS.ranking_how(f), WORDS.source()),
        drawn,
        figures.both(svg.bars(drawn, svg.WIDE), svg.bars(drawn)),
        standing_table(results, labels, codes(drawn_rows)),
        WORDS.ranking_said(f, drawn[0]),
    )


def standing_table(results: Results, labels: Labels, metiers: Sequence[str]) -> Html:
    """Return rank, gap, change in rank, class and survey of some métiers."""
    f, cells = facts(results), Cells(RANKS, results[RANKS])
    intentions = Cells(TABLE, results[TABLE])
    rows = cells.table.reset_index().set_index("metier_code")["index"].to_dict()

    def column(name: str, form: Callable[[float], str]) -> Any:
        return lambda code: cells.show(rows.get(code), form, name)

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        "Rang (1 : le plus en tension)": lambda code: _rank(
            cells, rows.get(code), "fap2009_rank", "fap2009_ranked_count"
        ),
        "Écart à la moyenne de tous": column("fap2009_gap", lambda value: french.signed(value, 2)),
        f"Évolution du rang depuis {f.change_from} (+ : plus tendu)": column(
            "fap2009_rank_change", french.signed
        ),
        "Classe (1 à 5)": lambda code: Markup("<small>{}</small>").format(
            cells.show(rows.get(code), french.number, "fap2009_class")
        ),
        f"Projets jugés difficiles, {f.old_survey}": lambda code: difficulty(
            intentions, row_of(intentions.table, HARD, code, f.old_survey)
        ),
    }
    return pieces.table(WORDS.standing_table(f), columns, metiers)


def vintages_table(results: Results, labels: Labels, labels_2021: Labels) -> Html:
    """Return ranks of both vintages side by side, with the images of each métier in FAP-2021."""
    f, cells = facts(results), Cells(RANKS, results[RANKS])
    rows = cells.table.reset_index().set_index("metier_code")["index"].to_dict()
    is_new = (cells.table["nomenclature"] == NEW).to_dict()
    images = Cells(IMAGES, results[IMAGES])
    large = images.table[images.table["image_weight"] >= LEAST_IMAGE]
    of_metier = large.groupby("metier_code").groups

    def latest(show: Callable[[int], str]) -> Any:
        return lambda code: show(rows[code]) if is_new.get(rows.get(code)) else pieces.ABSENT

    def classes(row: int) -> Markup:
        least, most = (
            cells.show(row, french.number, f"tension_class_{end}") for end in ("least", "most")
        )
        is_one = cells.read(row, "tension_class_least") == cells.read(row, "tension_class_most")
        return least if is_one else Markup("{} ou {}").format(least, most)

    def each(show: Callable[[Any], str]) -> Any:
        return lambda code: (
            Markup(" ; ").join(show(row) for row in of_metier.get(code, [])) or pieces.ABSENT
        )

    def weight(row: int) -> Markup:
        return images.show(row, lambda value: french.percent(100 * value), "image_weight")

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        f"Rang {f.year}": lambda code: _rank(
            cells, rows.get(code), "fap2009_rank", "fap2009_ranked_count"
        ),
        f"Rang {f.latest_year}": latest(
            lambda row: _rank(cells, row, "tension_rank", "ranked_count")
        ),
        f"Classe {f.latest_year}": latest(classes),
        "Ce que le métier devient en FAP-2021": each(
            lambda row: labels_2021[large["metier_2021_code"].loc[row]]
        ),
        "Poids": each(weight),
    }
    return _table(WORDS.vintages_table(f), columns, _largest(results))


def factors_table(results: Results, labels: Labels, count: int = SHOWN) -> Html:
    """Return the six factors of the largest métiers."""
    f, cells = facts(results), Cells(TABLE, results[TABLE])

    def column(name: str) -> Any:
        return lambda code: cells.number(row_of(cells.table, name, code, f.year))

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        **{label: column(name) for name, label in FACTORS.items()},
    }
    return _table(WORDS.factors_table(f), columns, _largest(results)[:count])


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the last survey in FAP-2009 for the métiers shown."""
    return _declared(results, labels, _largest(results), facts(results).old_survey)


def latest_intentions_table(results: Results, labels_2021: Labels) -> Html:
    """Return recruitment projects of the last survey for the largest métiers (FAP-2021)."""
    year = facts(results).new_surveys[-1]
    projects = select(results[TABLE], PROJECTS, year=year)
    largest = projects.sort_values(["lower", "metier_code"], ascending=[False, True])
    shown = codes(largest)[:SHOWN] if _largest(results) else []
    return _declared(results, labels_2021, shown, year)


def _declared(results: Results, labels: Labels, shown: Sequence[str], year: int) -> Html:
    table, f = results[TABLE], facts(results)
    columns = {"Métier": labels.__getitem__} | _intentions(
        table, lambda name, code: row_of(table, name, code, year)
    )
    return _table(WORDS.intentions_table(f, year), columns, shown)


def _intentions(table: pd.DataFrame, place: Callable[[str, Any], int | None]) -> dict[str, Any]:
    """Return the columns of recruitment projects, from where an indicator of a line stands."""
    cells = Cells(TABLE, table)
    return {
        "Projets de recrutement": lambda line: exact_or_bounds(cells, place(PROJECTS, line)),
        "Part jugée difficile": lambda line: difficulty(cells, place(HARD, line)),
    }


def profiles_table(results: Results, labels: Labels) -> Html:
    """Return why the largest métiers are in tension, one line per profile, and what is often done.

    Profiles are conventions of the project read from the published factors, no official typology.
    """
    table, profiles = results[TABLE], results["profils"].set_index("profile_code")
    shown = _largest(results)
    named = {
        code: [
            pieces.metier(each, labels[each])
            for each in sorted(set(codes(rows)), key=lambda each: french.order(labels[each]))
            if each in shown
        ]
        for code in profiles.index
        if not (rows := select(table, "tension_profile", variant=code)).empty
    }
    columns = {
        "Profil": profiles["label"].__getitem__,
        "Métiers de la branche": lambda code: Markup(" ; ").join(named[code]),
        "Ce qui se fait souvent, à discuter": profiles["practice"].__getitem__,
    }
    lines = [code for code, names in named.items() if names]
    if not lines:
        return pieces.banner(WORDS.no_profile()) if shown else Html("")
    return pieces.table(WORDS.profiles_table(), columns, lines)


def regions_table(results: Results, labels: Labels, regions: Labels) -> Html:
    """Return where the largest métiers are in the two highest classes, and in how many basins."""
    cells = Cells(TABLE, results[TABLE])

    basins = select(cells.table, "high_tension_basins_share_pct")["year"]
    basins_year = "" if basins.empty else f", {int(basins.max())}"

    def tense(code: str) -> str:
        classes = select(cells.table, "regional_tension_class", metier_code=code, status="value")
        is_tense = classes["value"] >= HIGHEST_CLASS - 1
        inside, outside = (
            sorted((regions[each] for each in classes.loc[chosen, "region_code"]), key=french.order)
            for chosen in (is_tense, ~is_tense)
        )
        return str(WORDS.where(inside, outside))

    columns = {
        "Métier (FAP-2009)": labels.__getitem__,
        "Régions en tension (classe 4 ou 5)": tense,
        f"Bassins en classe 4 ou 5{basins_year}": lambda code: cells.percent(
            row_of(cells.table, "high_tension_basins_share_pct", code)
        ),
    }
    return _table(WORDS.regions_table(facts(results)), columns, _largest(results)[:SHOWN])


def regions(results: Results, labels: Labels, names: Labels) -> Html:
    """Return where the largest métiers are tense: everywhere, or in the region that one chooses."""
    cells, shown = Cells(TABLE, results[TABLE]), _largest(results)[:SHOWN]
    classes = select(cells.table, "regional_tension_class", status="value")
    classes = classes[classes["metier_code"].isin(shown)]
    if classes.empty:
        return regions_table(results, labels, names)
    keys = zip(classes["region_code"], classes["metier_code"], strict=True)
    place = dict(zip(keys, classes.index.tolist(), strict=True))

    def table(region: str) -> Html:
        def shade(code: str) -> Markup:
            row = place.get((region, code))
            return pieces.ABSENT if row is None else pieces.shaded(cells, row, HIGHEST_CLASS)

        known = [cells.read(place[region, code]) or 0 for code in shown if (region, code) in place]
        tense = sum(value >= HIGHEST_CLASS - 1 for value in known)
        columns = {"Métier (FAP-2009)": labels.__getitem__, "Classe de tension (1 à 5)": shade}
        words = WORDS.region_table(facts(results), names[region], tense, len(known))
        return pieces.table(words, columns, shown)

    known = sorted(set(classes["region_code"]), key=lambda code: french.order(names[code]))
    everywhere = ("Toutes les régions", regions_table(results, labels, names))
    options = [everywhere, *((names[region], table(region)) for region in known)]
    return pieces.choice("region", WORDS.region_choice(), options)


def regional_intentions_table(results: Results, regions: Labels) -> Html:
    """Return recruitment projects of the largest métiers together, region by region."""
    table = results[TABLE]
    asked = sorted(
        select(table, f"regional_{PROJECTS}")["region_code"],
        key=lambda code: french.order(regions[code]),
    )
    columns = {"Région": regions.__getitem__} | _intentions(
        table, lambda name, region: row_of(table, f"regional_{name}", region_code=region)
    )
    shown = asked if _largest(results) else []
    return _table(WORDS.regional_intentions_table(facts(results)), columns, shown)


def composite_values(results: Results, labels: Labels) -> Html:
    """Return the index computed from the components that the branch supplies, if it does."""
    cells = Cells(TABLE, results[TABLE])
    rows = select(cells.table, "composite_tension_index")
    if rows.empty:
        return pieces.banner(WORDS.no_component()) if _largest(results) else Html("")
    code, region, year = (rows[name] for name in ("metier_code", "region_code", "year"))

    def column(name: str) -> Any:
        return lambda row: cells.number(
            row_of(cells.table, name, code[row], year[row], region_code=region[row]), 2
        )

    columns = {
        "Métier": lambda row: labels.get(code[row], code[row]),
        "Région": lambda row: region[row],
        "Indice": column("composite_tension_index"),
        **{title: column(f"composite_z_{name}") for name, title in COMPONENTS.items()},
        "Indice lissé": column("composite_tension_index_shrunk"),
        "Poids gardé": column("shrinkage_weight"),
    }
    return pieces.table(WORDS.composite_table(), columns, rows.index)


def exact_or_bounds(cells: Cells, row: int | None) -> Markup:
    """Return a count, or its bounds where secrecy leaves no more."""
    is_exact = row is None or cells.read(row) is not None
    return cells.number(row) if is_exact else cells.bounds(row)


def difficulty(cells: Cells, row: int | None) -> Markup:
    """Return a share judged hard between its bounds, `s` where they are too wide."""
    if row is None or cells.read(row) is not None:
        return cells.percent(row)
    low, high = cells.read(row, "lower"), cells.read(row, "upper")
    if low is None or high is None or high - low > WIDEST_POINTS:
        return cells.percent(row)
    return _between(
        cells,
        row,
        lambda value: french.number(math.floor(value)),
        lambda value: french.percent(math.ceil(value)),
    )


def _between(
    cells: Cells, row: int, least: Callable[[float], str], most: Callable[[float], str]
) -> Markup:
    ends = cells.show(row, least, "lower"), cells.show(row, most, "upper")
    return Markup("entre {} et {}").format(*ends)


def _rank(cells: Cells, row: int | None, name: str, count: str = "") -> Markup:
    """Return a rank as « 12e sur 186 »; without `count`, « 12e »."""
    rank = None if row is None else cells.read(row, name)
    if rank is None:
        return pieces.ABSENT
    text = Markup("{}<sup>{}</sup>").format(
        cells.show(row, french.number, name), "er" if rank == 1 else "e"
    )
    if not count:
        return text
    among = cells.show(row, french.number, count)
    return Markup("{}{nbsp}sur{nbsp}{}").format(text, among, nbsp=french.NBSP)


def _tense_share(results: Results) -> list[Markup | None] | None:
    """Return the share of jobs in tense métiers, its ends, that of the country, those unranked."""
    cells = Cells(TABLE, results[TABLE])
    row = row_of(cells.table, "tense_jobs_share_pct")
    if row is None:
        return None
    has_ends = cells.read(row, "lower") is not None and not cells.is_unreliable(row)
    ends = _between(cells, row, french.number, french.percent) if has_ends else None
    others = [
        cells.percent(row_of(cells.table, f"{name}_jobs_share_pct"), decimals)
        for name, decimals in (("national_tense", 0), ("unranked", 1))
    ]
    return [cells.percent(row), ends, *others]


def _largest_number(cells: pd.Series) -> int | None:
    """Return the largest whole number there is, which a file may give back as a decimal one."""
    known = cells.dropna()
    return int(known.max()) if len(known) else None


def _ranks(results: Results) -> pd.DataFrame:
    return results[RANKS].set_index("metier_code")


def _graded(results: Results) -> pd.DataFrame:
    """Return the factors of the métiers, one row per métier."""
    rows = select(results[TABLE], *FACTORS, year=facts(results).year)
    return rows.pivot(index="metier_code", columns="indicator", values="value")


def _largest(results: Results) -> list[str]:
    """Return the métiers shown, largest in the branch first; none where no headcount is known."""
    return codes(largest_first(select(results[TABLE], "employment_headcount")))[:SHOWN]


def _table(text: str, columns: dict[str, Any], rows: Sequence[Any]) -> Html:
    return pieces.table(text, columns, rows) if len(rows) else Html("")
