"""Section of `02_besoins`: how many posts to fill, why, when, and under which scenario."""

import math
from collections.abc import Mapping
from itertools import pairwise

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import ALL_METIERS, codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, LINES = "besoins", "besoins_scenarios"
CREATED, LEFT, POSTS = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
JOBS, ALL_JOBS = "employment_headcount", "studied_employment_headcount"
OLD, ADJUSTED = "share_50_and_over_pct", "coherence_adjustment_pct"
PROJECTS, SEASONAL, HARD = (
    "recruitment_projects_count",
    "seasonal_projects_count",
    "hard_to_fill_share_pct",
)
ENTRIES = {
    "young_beginners_headcount": "Jeunes débutants entrant dans ces métiers",
    "net_mobility_headcount": "Mobilité nette entrante, depuis d’autres métiers",
    "potential_imbalance_headcount": "Déséquilibre potentiel",
}
SHOWN, NAMED, COMMENT_PCT, OLD_AGE = 10, 3, 10, 50
SOURCE = french.typography(
    "Sources : Dares, France Travail ; calcul du projet. Nombres : table besoins.csv."
)
WHOLE = "Ensemble des métiers étudiés"
NO_JOBS, NO_AGES = "pas d’effectif par métier", "pas de métier dont les âges soient connus"
CAUSES = tuple(
    french.typography(f"{name} (intervalle à 80 %)")
    for name in ("Création nette", "Départs de fin de carrière")
)


def has_needs(results: Results) -> bool:
    """Return whether the branch has any employment by métier, hence any post to fill."""
    return not select(results[TABLE], JOBS).empty


def banner(results: Results) -> Html:
    """Return what must be known before any figure: vintage, estimate, whose ages."""
    if not has_needs(results):
        return pieces.banner(
            french.typography(
                "<strong>Postes à pourvoir non disponibles (nd).</strong> Cette branche n’a pas "
                "d’effectif par métier : ni portrait publié, ni tableau fourni. Les projets de "
                "recrutement plus bas sont nationaux."
            )
        )
    base = base_year(results)
    whose = {
        "national": "Les <strong>âges sont ceux de chaque métier au niveau national</strong>, "
        "faute d’âges propres à la branche : l’intervalle est élargi d’autant.",
        "branch": "Les âges sont ceux que la branche a fournis.",
        "mixed": "Les âges sont ceux que la branche a fournis ; pour les autres métiers, ceux du "
        "niveau national, avec un intervalle élargi.",
        "none": "Aucun âge n’est disponible : les départs et les postes à pourvoir sont nd.",
    }[_ages_basis(results)]
    sentences = [
        f"<strong>Données arrêtées à {base}.</strong> Une année est la moyenne de trois. Les "
        f"postes sont comptés depuis {base}, sur 5 et sur 10 ans au plus : une partie de la "
        "période est déjà passée.",
        whose,
    ]
    if not is_observed(results):
        sentences.append(
            "Les effectifs de la branche sont une <strong>estimation du projet</strong> (voir "
            "« Emplois ») : l’intervalle ne comprend pas l’incertitude de ce point de départ."
        )
    return pieces.banner(*map(french.typography, sentences))


def definitions() -> Html:
    """Return what the two layers mean, and why they are never added."""
    return pieces.findings(
        [
            french.typography(sentence)
            for sentence in (
                "<strong>Postes à pourvoir</strong> : création nette d’emplois plus départs de fin "
                "de carrière, sur la période. C’est une projection : ce qu’il faudrait pourvoir si "
                "les tendances se prolongeaient. Un nombre négatif veut dire que des postes ne "
                "seraient pas remplacés.",
                "<strong>Départs de fin de carrière</strong> : personnes de 50 ans ou plus qui "
                "quittent l’emploi. Les taux viennent de tableaux d’âges à cinq ans d’écart : ils "
                "sont nets des arrivées au même âge. C’est un minimum.",
                "<strong>Projets de recrutement</strong> : intentions d’embauche déclarées par les "
                "employeurs (enquête BMO), pour un an, saisonnières comprises. Un même poste peut "
                "y compter plusieurs fois. Ils <strong>ne s’ajoutent pas</strong> aux postes à "
                "pourvoir.",
            )
        ]
    )


def key_figures(results: Results) -> Html:
    """Return posts to fill at both horizons, and the departures among them."""
    if not has_needs(results):
        return Html("")
    shown = []
    for year in horizons(results):
        for indicator, label in (
            (POSTS, "Postes à pourvoir"),
            (LEFT, "Départs de fin de carrière"),
        ):
            row = row_at(results, indicator, ALL_METIERS, year)
            if row is not None:
                note = f"de {interval_at(results, row)} (intervalle à 80 %)"
                period = f"{base_year(results)}-{year}"
                shown.append(
                    (f"{label}, {period}", heads_at(results, row), french.typography(note))
                )
    return pieces.key_figures(shown)


def findings(results: Results, labels: Labels) -> Html:
    """Return up to five findings, none that its interval does not support."""
    if not has_needs(results):
        return _nothing(NO_JOBS)
    told = [
        *_departures(results),
        *_causes(results),
        *_certain(results, labels),
        *_not_replaced(results, labels),
        *_oldest(results, labels),
    ]
    return pieces.findings([french.typography(sentence) for sentence in told[:5]])


def causes_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return posts to fill of the largest métiers at the last horizon, by cause."""
    if not has_needs(results):
        return _nothing(NO_JOBS)
    table = _complete(results, last_horizon(results)).head(SHOWN)
    if table.empty:
        return _nothing(NO_AGES)
    sure = int(above_zero(table).sum())
    title = (
        f"Postes à pourvoir : l’intervalle exclut zéro pour {sure} des {len(table)} plus grands "
        "métiers"
        if sure
        else "Pour aucun grand métier l’intervalle n’exclut zéro poste à pourvoir"
    )
    return figures.posts_causes(
        table,
        labels,
        "\n\n".join(
            [
                french.typography(title),
                french.typography(
                    f"Personnes, {base_year(results)}-{last_horizon(results)}, scénario de référence. "
                    "Trait fin : intervalle à 80 % des postes à pourvoir. "
                    f"{_starting_point(results)} {SOURCE}"
                ),
            ]
        ),
    )


def posts_table(results: Results, labels: Labels, year: int | None = None) -> Html:
    """Return net creation, departures and posts of the largest métiers and of all of them.

    Args:
        results: The result tables.
        labels: French label of each métier.
        year: Horizon; by default the last one.
    """
    if not has_needs(results):
        return Html("")
    end, base, table = year or last_horizon(results), base_year(results), results[TABLE]
    shown = [*_largest(results)[:SHOWN], ALL_METIERS]
    names = {**labels, ALL_METIERS: WHOLE}
    rows = []
    for code in shown:
        is_whole = code == ALL_METIERS
        jobs = row_at(results, ALL_JOBS if is_whole else JOBS, code, base)
        coarsest = _coarsest(results) if is_whole else 1
        quantities = [row_at(results, name, code, end) for name in (CREATED, LEFT, POSTS)]
        if quantities[-1] is None:
            continue
        rows.append(
            [
                names[code],
                pieces.shown(pieces.headcount, TABLE, table, jobs, coarsest),
                *(_interval(TABLE, table, row) for row in quantities[:-1]),
                heads_at(results, quantities[-1]),
                interval_at(results, quantities[-1]),
            ]
        )
    return pieces.table(
        f"Postes à pourvoir de {base} à {end}, par cause",
        [
            "Métier (FAP)",
            f"Emplois {base}",
            *CAUSES,
            "Postes à pourvoir",
            french.typography("Intervalle à 80 %"),
        ],
        rows,
        french.typography(
            "Personnes, sur toute la période. Postes à pourvoir = création nette + départs, avant "
            f"arrondi. {_starting_point(results)} {SOURCE}"
        ),
    )


def near_table(results: Results, labels: Labels) -> Html:
    """Return `posts_table` at the first horizon, where there are two."""
    years = horizons(results) if has_needs(results) else []
    return posts_table(results, labels, years[0]) if len(years) > 1 else Html("")


def pyramid_figure(results: Results) -> Figure | Html:
    """Return the branch's age pyramid."""
    table = results[TABLE]
    rows = table[table["indicator"].str.startswith("age_headcount.")].dropna(subset=["value"])
    if rows.empty:
        return _nothing(NO_AGES if has_needs(results) else NO_JOBS)
    first = rows["indicator"].str.partition(".")[2].astype(int).tolist()
    ends = [f"{age}-{after - 1} ans" for age, after in pairwise(first)]
    ages = pd.DataFrame(
        {
            "band": [*ends, f"{first[-1]} ans ou plus"],
            "value": rows["value"].to_numpy(),
            "old": [age >= OLD_AGE for age in first],
        }
    )
    share = 100 * ages.loc[ages["old"], "value"].sum() / ages["value"].sum()
    observed = (rows["nature"] == "observed").all()
    whose = "d’après la branche" if observed else "si la branche a les âges de ses métiers"
    return figures.age_pyramid(
        ages,
        "\n\n".join(
            [
                french.typography(f"{french.percent(share)} des emplois à 50 ans ou plus, {whose}"),
                french.typography(
                    f"Emplois par âge, {base_year(results)}, métiers étudiés. En foncé : 50 ans ou plus. "
                    f"{'' if observed else 'Structure nationale de chaque métier. '}{SOURCE}"
                ),
            ]
        ),
    )


def imbalance_table(results: Results) -> Html:
    """Return what would be left once beginners and mobility are counted, `nd` where unknown."""
    if not has_needs(results):
        return Html("")
    years = horizons(results)
    return pieces.table(
        "Postes à pourvoir et entrées connues",
        ["", *(f"{base_year(results)}-{year}" for year in years)],
        [
            [
                label,
                *(
                    pieces.ABSENT if row is None else heads_at(results, row)
                    for row in (row_at(results, name, ALL_METIERS, year) for year in years)
                ),
            ]
            for name, label in ({POSTS: "Postes à pourvoir"} | ENTRIES).items()
        ],
        french.typography(
            "Personnes. Déséquilibre potentiel = postes − jeunes débutants − mobilité nette ; ce "
            "n’est pas une pénurie. Aucune source ouverte ne donne ces entrées par branche et par "
            f"métier : nd tant que la branche ne les fournit pas. {SOURCE}"
        ),
    )


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the branch's largest métiers: the other layer."""
    table = results[TABLE]
    projects = select(table, PROJECTS)
    year = int(projects["year"].max())
    ranked = _largest(results) or codes(
        projects.sort_values(["upper", "metier_code"], ascending=[False, True])
    )
    shown = [code for code in ranked if code in codes(projects)][:SHOWN]
    return pieces.table(
        f"Projets de recrutement déclarés pour {year}, France entière",
        [
            "Métier (FAP-2009)",
            "Projets",
            "dont saisonniers",
            french.typography("Jugés difficiles (en %)"),
        ],
        [
            [
                labels[code],
                *(
                    pieces.shown(_exact_or_bounds, TABLE, table, row_at(results, name, code, year))
                    for name in (PROJECTS, SEASONAL, HARD)
                ),
            ]
            for code in shown
        ],
        french.typography(
            "Intentions d’embauche d’un an, tous secteurs, au niveau national : à ne pas ajouter "
            "aux postes à pourvoir de la branche. Deux nombres : bornes (secret statistique, s). "
            "Source : France Travail, enquête BMO. Nombres : table besoins.csv."
        ),
    )


def consolidated_table(results: Results, labels: Labels) -> Html:
    """Return posts to fill of every branch, for `10_consolidation`.

    Args:
        results: With the table `consolidation_besoins` (`pipeline.needs_consolidation`).
        labels: French name of each branch.
    """
    name = "consolidation_besoins"
    table = results[name]
    whole = select(table, POSTS, metier_code=ALL_METIERS)
    if whole.empty:
        return _nothing("aucune branche n’a encore été calculée")
    end = int(whole["year"].max())
    last = whole[whole["year"] == end].sort_values("value", ascending=False)
    rows = []
    for row, branch in zip(last.index.tolist(), last["branch_code"], strict=True):
        of_branch = table[(table["branch_code"] == branch) & (table["year"] == end)]
        causes = [indicators.row_of(of_branch, each, ALL_METIERS, end) for each in (CREATED, LEFT)]
        rows.append(
            [
                labels[str(branch)],
                *(_interval(name, table, each) for each in causes),
                _heads(name, table, row),
                _interval(name, table, row),
            ]
        )
    return pieces.table(
        f"Postes à pourvoir d’ici à {end}, branche par branche",
        [
            "Branche",
            *CAUSES,
            "Postes à pourvoir",
            french.typography("Intervalle à 80 %"),
        ],
        rows,
        french.typography(
            "Personnes, depuis la dernière année observée de chaque branche, scénario de "
            "référence, métiers étudiés. Les intervalles ne s’additionnent pas : les branches "
            f"partagent les mêmes erreurs. Nombres : table {name}.csv."
        ),
    )


def _departures(results: Results) -> list[str]:
    end = last_horizon(results)
    row = row_at(results, LEFT, ALL_METIERS, end)
    if row is None or pieces.read(results[TABLE], row) is None:
        return []
    return [
        f"De {base_year(results)} à {end}, {interval_at(results, row)} personnes quitteraient ces "
        "métiers en fin de carrière (intervalle à 80 %)."
    ]


def _causes(results: Results) -> list[str]:
    table, end = results[TABLE], last_horizon(results)
    rows = [row_at(results, name, ALL_METIERS, end) for name in (CREATED, LEFT)]
    known = [row for row in rows if row is not None and pieces.read(table, row) is not None]
    if len(known) < len(rows):
        return []
    created, left = (table.loc[row] for row in known)
    if created["upper"] < 0:
        change = "l’emploi y reculerait"
    elif created["lower"] > 0:
        change = "l’emploi y progresserait"
    else:
        change = "on ne peut pas dire si l’emploi y montera ou baissera"
    weight = (
        "Les départs pèseraient plus que l’évolution de l’emploi"
        if left["lower"] > max(abs(created["lower"]), abs(created["upper"]))
        else "Rien ne permet de dire qui, des départs ou de l’évolution de l’emploi, pèsera le plus"
    )
    return [f"{weight} ; {change}."]


def _certain(results: Results, labels: Labels) -> list[str]:
    largest = _complete(results, last_horizon(results)).head(SHOWN)
    sure = largest[above_zero(largest)]
    if sure.empty:
        return ["Pour aucun des grands métiers l’intervalle à 80 % n’exclut zéro poste à pourvoir."]
    return [
        f"Il y aurait des postes à pourvoir pour {_named(codes(sure), labels)} : l’intervalle à "
        "80 % y reste tout entier au-dessus de zéro."
    ]


def _not_replaced(results: Results, labels: Labels) -> list[str]:
    largest = _complete(results, last_horizon(results)).head(SHOWN)
    opposite = pd.DataFrame({"lower": -largest["upper"], "upper": -largest["lower"]})
    gone = largest[above_zero(opposite)]
    if gone.empty:
        return []
    return [
        f"Des postes ne seraient pas remplacés pour {_named(codes(gone), labels)} : l’intervalle à "
        "80 % y reste tout entier sous zéro."
    ]


def _oldest(results: Results, labels: Labels) -> list[str]:
    old = select(results[TABLE], OLD).dropna(subset=["value"])
    old = old[old["metier_code"].isin(_largest(results)[:SHOWN])]
    if old.empty:
        return []
    row = indicators.largest_first(old).index.tolist()[0]
    share = pieces.percent(TABLE, results[TABLE], row)
    where = "Dans la branche" if old["nature"].eq("observed").all() else "Au niveau national"
    return [
        f"{where}, {share} des personnes du métier « {labels[codes(old.loc[[row]])[0]]} » ont "
        "50 ans ou plus : c’est la plus forte part des dix plus grands métiers de la branche."
    ]


def above_zero(rows: pd.DataFrame) -> pd.Series:
    """Return whether the interval of each row stays above zero once rounded as it is shown."""
    steps = [french.step(low, high) for low, high in zip(rows["lower"], rows["upper"], strict=True)]
    return (rows["lower"] / steps).round() > 0


def _complete(results: Results, year: int) -> pd.DataFrame:
    """Return posts of métiers with both causes, largest métier first."""
    table = results[TABLE]
    rows = select(table, CREATED, LEFT, POSTS, year=year)
    wide = rows.pivot(index="metier_code", columns="indicator", values="value")
    ends = rows[rows["indicator"] == POSTS].set_index("metier_code")[["lower", "upper"]]
    found = wide.rename(columns={CREATED: "created", LEFT: "left", POSTS: "value"}).join(ends)
    order = [code for code in _largest(results) if code in found.index]
    return found.loc[order].dropna().reset_index()


def _largest(results: Results) -> list[str]:
    return codes(indicators.largest_first(select(results[TABLE], JOBS)))


def _coarsest(results: Results) -> int:
    """Return the coarsest step of employment by métier: their sum is known no better."""
    table = results[TABLE]
    return max(pieces.step(table, row) for row in select(table, JOBS).index.tolist())


def _named(found: list[str], labels: Labels) -> str:
    names = french.enumeration([f"« {labels[code]} »" for code in found[:NAMED]])
    return f"{names}, entre autres" if len(found) > NAMED else names


def heads_at(results: Results, row: int | None) -> str:
    """Return a row's heads, no finer than their interval allows."""
    return _heads(TABLE, results[TABLE], row)


def interval_at(results: Results, row: int) -> str:
    """Return a row's interval of heads."""
    return _interval(TABLE, results[TABLE], row)


def _heads(name: str, table: pd.DataFrame, row: int | None, column: str = "value") -> str:
    """Return heads that may be negative, no finer than their interval allows."""
    if row is None:
        return pieces.ABSENT
    value, size = pieces.read(table, row, column), pieces.step(table, row)
    if value is not None and column == "value" and round(value / size) == 0:
        size = _finer(value, size)
    text = "" if value is None else french.number(round(value / size) * size)
    if value and round(value / size) == 0 and column == "value":
        text = french.rounded(value, size)
    return pieces.cell(name, table, row, text, column)


def _finer(value: float, size: int) -> int:
    """Return the step that leaves one digit of a number below its step; never finer than 10."""
    return size if value == 0 else min(size, max(10, 10 ** math.floor(math.log10(abs(value)))))


def _interval(name: str, table: pd.DataFrame, row: int | None) -> str:
    if row is None:
        return pieces.ABSENT
    if pieces.read(table, row, "lower") is None:
        return _heads(name, table, row, "lower")
    low, high = (_heads(name, table, row, end) for end in ("lower", "upper"))
    return f"{low} à{french.NBSP}{high}"


def _exact_or_bounds(name: str, table: pd.DataFrame, row: int) -> str:
    if pieces.read(table, row) is None:
        return pieces.bounds(name, table, row)
    return pieces.number(name, table, row)


def row_at(results: Results, indicator: str, code: str, year: int) -> int | None:
    """Return the number of the row of an indicator, métier and year, if there is one."""
    return indicators.row_of(results[TABLE], indicator, code, year)


def horizons(results: Results) -> list[int]:
    """Return the horizons, first one first."""
    return sorted(set(select(results[TABLE], POSTS)["year"].astype(int)))


def last_horizon(results: Results) -> int:
    """Return the last horizon."""
    return horizons(results)[-1]


def base_year(results: Results) -> int:
    """Return the last observed year."""
    return int(select(results[TABLE], JOBS)["year"].max())


def is_observed(results: Results) -> bool:
    """Return whether the branch's employment was observed."""
    return bool((select(results[TABLE], JOBS)["nature"] == "observed").all())


def _ages_basis(results: Results) -> str:
    found = set(results["besoins_projections"]["ages_basis"]) - {"none", "mixed"}
    return found.pop() if len(found) == 1 else "mixed" if found else "none"


def _starting_point(results: Results) -> str:
    if is_observed(results):
        return ""
    return "L’incertitude de l’effectif de départ n’y est pas comprise."


def _nothing(why: str) -> Html:
    return pieces.banner(french.typography(f"Non disponible (nd) : {why}."))
