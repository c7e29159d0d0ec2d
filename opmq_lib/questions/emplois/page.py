"""Section of `01_emplois`: how employment by métier has evolved, and where it is going."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.methods import employment
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.figures import Figure
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE = "emplois"
SHARE, CHANGE = "employment_share_pct", "employment_change_pct"
PROJECTED, MOVED = "projected_employment_headcount", "cells_moved_share_pct."
SHOWN, PANELS, NAMED = 10, 4, 3
SOURCE = french.typography(
    "Sources : Dares, France Travail ; calcul du projet. Nombres : table emplois.csv."
)


def has_employment(results: Results) -> bool:
    """Return whether the branch has any employment by métier."""
    return not select(results[TABLE], "employment_headcount").empty


def banner(results: Results) -> Html:
    """Return what must be known before any figure: estimate, vintage, or why there is nothing."""
    if not has_employment(results):
        sentences = [
            "<strong>Effectifs non disponibles (nd).</strong> Aucun portrait statistique de la "
            "Dares ne donne l’effectif de cette branche : l’emploi par métier ne peut pas être "
            "estimé. Un tableau observé, fourni par la branche, prendrait sa place."
        ]
    elif _is_observed(results):
        sentences = [
            f"<strong>Tableau fourni par la branche</strong>, arrêté à {_base_year(results)}. Il "
            "n’est pas publiable tant que son secret statistique n’a pas été contrôlé."
        ]
    else:
        sentences = [
            "<strong>Estimation du projet.</strong> Aucune source ouverte ne croise les branches "
            "et les métiers. Le tableau est calculé à partir d’effectifs publiés et de "
            "conventions du projet, non votées.",
            f"<strong>Données arrêtées à {_base_year(results)}</strong> pour les métiers. "
            "L’évolution montrée est celle de chaque métier au niveau national, appliquée à la "
            "branche.",
        ]
    return pieces.banner(*map(french.typography, sentences))


def key_figures(results: Results) -> Html:
    """Return the branch's headcount, its leading métier and what the métiers studied leave out."""
    table = results[TABLE]
    headcount = [
        (
            "Salariés de la branche",
            pieces.number(TABLE, table, row),
            french.typography(
                f"au 31 décembre {_year(table, row)}, Dares (conventions qui ont un portrait)"
            ),
        )
        for row in select(table, "branch_headcount").index.tolist()
    ]
    leader = [
        ("Emplois du premier métier", pieces.headcount(TABLE, table, row), _range_note(table, row))
        for row in _ranked(results).index.tolist()[:1]
    ]
    residual = [
        (
            "Part des autres métiers",
            pieces.percent(TABLE, table, row),
            "commerce, bureau, transport, services…",
        )
        for row in _residual_share(table).index.tolist()
    ]
    return pieces.key_figures([*headcount, *leader, *residual])


def findings(results: Results, labels: Labels) -> Html:
    """Return up to four findings, none that its interval does not support."""
    if _ranked(results).empty:
        return _nothing(results)
    return pieces.findings([*_leader(results, labels), *_directions(results, labels)])


def ranges_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return the figure of the largest métiers with the range of the estimate's variants."""
    ranked = _ranked(results).head(SHOWN)
    if len(ranked) < 2:
        return _nothing(results)
    first = labels[codes(ranked)[0]]
    title = (
        f"« {first} » est le métier le plus nombreux de ceux étudiés"
        if _is_apart(ranked)
        else f"« {first} » vient en tête, sans certitude"
    )
    drawn = ranked.assign(
        lower=ranked["lower"].fillna(ranked["value"]), upper=ranked["upper"].fillna(ranked["value"])
    )
    return figures.employment_ranges(
        drawn,
        labels,
        french.typography(title),
        french.typography(
            f"Nombre d’emplois, {_base_year(results)}, {_nature(results)}. {_bar_note(results)} "
            f"{_source(results)}"
        ),
    )


def fan_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return past and projected employment of the largest métiers."""
    shown = codes(_ranked(results).head(PANELS))
    projection = results["emplois_projections"]
    projection = projection[
        projection["metier_code"].isin(shown) & (projection["status"] == "value")
    ]
    shown = [code for code in shown if code in codes(projection)]
    if not shown:
        return _nothing(results)
    levels = select(results[TABLE], "employment_headcount")
    past = pd.concat([levels[levels["metier_code"] == code] for code in shown])
    moving = sum(code in _moving(results, sign) for sign in (-1, 1) for code in shown)
    future = "l’avenir de ces métiers reste ouvert"
    if moving:
        which = "chacun" if moving == len(shown) else "une partie"
        future = f"une tendance se dégage pour {which} de ces métiers"
    return figures.employment_fan(
        past,
        projection,
        labels,
        french.typography(f"D’ici à {int(projection['year'].max())}, {future}"),
        french.typography(
            f"Nombre d’emplois par an, {_nature(results)} puis projection tendancielle. Tireté : "
            "médiane ; bandes : une chance sur deux, puis huit chances sur dix, d’après les "
            f"erreurs passées de la même méthode. {_starting_point(results)} {_source(results)} "
            "Projections : table emplois_projections.csv."
        ),
    )


def metiers_table(results: Results, labels: Labels, count: int = SHOWN) -> Html:
    """Return employment, share, past change and projection of the largest métiers."""
    ranked = _ranked(results).head(count)
    if ranked.empty:
        return Html("")
    table, base = results[TABLE], _base_year(results)
    first = int(select(table, "employment_headcount")["year"].min())
    end = int(select(table, PROJECTED)["year"].max())
    return pieces.table(
        f"Les métiers les plus nombreux en {base} et leur projection à {end}",
        [
            "Métier (FAP)",
            f"Emplois {base}",
            "Étendue des variantes",
            f"Évolution {first}-{base}",
            f"Projection {end}",
            french.typography("Intervalle à 80 %"),
        ],
        [
            [
                labels[code],
                pieces.headcount(TABLE, table, row),
                pieces.NOT_APPLICABLE
                if _is_observed(results)
                else pieces.interval(TABLE, table, row),
                *(
                    pieces.shown(show, TABLE, table, _row(table, indicator, code, year), option)
                    for show, indicator, year, option in (
                        (pieces.percent, CHANGE, base, 0),
                        (pieces.headcount, PROJECTED, end, pieces.step(table, row)),
                        (pieces.interval, PROJECTED, end, pieces.step(table, row)),
                    )
                ),
            ]
            for row, code in zip(ranked.index.tolist(), codes(ranked), strict=True)
        ],
        french.typography(
            f"Nombre d’emplois, {_nature(results)} ; {_change_note(results)}. "
            f"{_starting_point(results)} {_source(results)}"
        ),
    )


def method(results: Results) -> Html:
    """Return how the figures were obtained, for what the branch's table is."""
    if not has_employment(results):
        return Html("")
    projection = (
        "<strong>Projection.</strong> Elle prolonge la tendance de chaque métier, amortie ; les "
        "intervalles viennent des erreurs que la même méthode a faites dans le passé. Elle dit ce "
        "qui arriverait si les tendances se prolongeaient, pas ce qui arrivera."
    )
    if _is_observed(results):
        steps = [
            "<strong>Point de départ.</strong> Le tableau fourni par la branche, tel quel.",
            projection,
        ]
    else:
        steps = [
            "<strong>Point de départ.</strong> Les embauches par métier et par activité (2016-2017)"
            " donnent une première répartition ; une table du projet rattache chaque activité à "
            "une branche, une autre partage les fiches ROME entre métiers.",
            "<strong>Ajustement.</strong> Cette répartition est ajustée pour que chaque branche "
            "retrouve son effectif publié et chaque métier son effectif national. Une ligne "
            "« autres métiers » et une colonne « hors champ » ferment le tableau.",
            "<strong>Évolution.</strong> Les autres années suivent l’évolution nationale de chaque "
            "métier. Une année y est la moyenne de trois : les points voisins ne sont pas "
            "indépendants.",
            projection,
            "<strong>Ce que ces chiffres ne disent pas.</strong> La répartition d’une branche "
            "repose presque entièrement sur des embauches codées au métier que les personnes "
            "recherchaient. C’est un point de départ pour la discussion, pas une mesure.",
        ]
    return pieces.findings([french.typography(step) for step in steps])


def margins_table(results: Results) -> Html:
    """Return how the estimate closes: headcount, residual row, largest deviation."""
    table = results[TABLE]
    deviation = indicators.row_of(table, "margin_deviation_ratio")
    if deviation is None:
        return Html("")
    headcount = indicators.row_of(table, "branch_headcount")
    residual = indicators.row_of(
        table, "employment_headcount", employment.RESIDUAL_METIER, _base_year(results)
    )
    return pieces.table(
        "Comment le tableau se ferme",
        ["Total", "Valeur"],
        [
            [
                "Salariés de la branche (marge publiée)",
                pieces.shown(pieces.number, TABLE, table, headcount),
            ],
            [
                "dont autres métiers (ligne résiduelle, estimation)",
                pieces.shown(pieces.headcount, TABLE, table, residual),
            ],
            [
                "Plus grand écart relatif aux totaux publiés",
                pieces.shown(pieces.number, TABLE, table, deviation, 10),
            ],
        ],
        f"{employment.MARGINS_NOTE} {SOURCE}",
    )


def sensitivity_table(results: Results) -> Html:
    """Return how much the estimate depends on each convention of the project."""
    table = results[TABLE]
    moved = table.loc[table["indicator"].str.startswith(MOVED)]
    if moved.empty:
        return Html("")
    variants = moved["indicator"].str.removeprefix(MOVED).tolist()
    return pieces.table(
        "Ce que changent les conventions du projet",
        [
            "Variante de calcul",
            french.typography("Métiers de la branche dont l’effectif bouge de plus de 20 %"),
        ],
        [
            [employment.VARIANT_LABELS[variant], pieces.percent(TABLE, table, row)]
            for row, variant in zip(moved.index.tolist(), variants, strict=True)
        ],
        french.typography(f"Part des métiers de la branche. {SOURCE}"),
    )


def _leader(results: Results, labels: Labels) -> list[str]:
    ranked, table = _ranked(results).head(2), results[TABLE]
    if len(ranked) < 2:
        return []
    first, second = (labels[code] for code in codes(ranked))
    row = ranked.index.tolist()[0]
    counted = f"{pieces.headcount(TABLE, table, row)} emplois"
    if not _is_observed(results):
        counted = f"environ {counted} ({pieces.interval(TABLE, table, row)} selon les variantes)"
    if _is_apart(ranked):
        sentence = f"Parmi les métiers étudiés, « {first} » est le plus nombreux : {counted}."
    else:
        sentence = (
            f"« {first} » arrive en tête, mais l’estimation ne permet pas d’assurer qu’il devance "
            f"« {second} »."
        )
    return [french.typography(sentence)]


def _directions(results: Results, labels: Labels) -> list[str]:
    ends = select(results[TABLE], PROJECTED).dropna(subset=["lower"])["year"]
    if ends.empty:
        return []
    largest = codes(_ranked(results).head(SHOWN))
    falling, rising = (
        [code for code in largest if code in _moving(results, sign)] for sign in (-1, 1)
    )
    trend = "tendances observées" if _is_observed(results) else "tendances nationales"
    told = [
        f"D’ici à {int(ends.max())}, si les {trend} se prolongent, l’emploi {verb} "
        f"pour {_named(found, labels)} : l’intervalle à 80 % de l’évolution reste tout entier "
        f"{side} niveau de {_base_year(results)}."
        for found, verb, side in (
            (falling, "reculerait", "sous le"),
            (rising, "progresserait", "au-dessus du"),
        )
        if found
    ]
    if len(falling) + len(rising) < len(largest):
        others = "les autres" if told else "les"
        told.append(
            f"Pour {others} grands métiers, l’intervalle ne permet pas de dire si l’emploi montera "
            "ou baissera."
        )
    return [french.typography(sentence) for sentence in told]


def _moving(results: Results, sign: int) -> list[str]:
    """Return métiers whose 80 % interval at the horizon lies wholly on one side of today."""
    projected = indicators.last_year(select(results[TABLE], PROJECTED)).set_index("metier_code")
    now = _ranked(results).set_index("metier_code")["value"]
    edge = (projected["upper"] if sign < 0 else projected["lower"]).reindex(now.index)
    moving: list[str] = now.index[(sign * (edge - now) > 0).to_numpy()].tolist()
    return moving


def _named(found: list[str], labels: Labels) -> str:
    names = french.enumeration([f"« {labels[code]} »" for code in found[:NAMED]])
    return f"{names}, entre autres" if len(found) > NAMED else names


def _ranked(results: Results) -> pd.DataFrame:
    """Return employment of the métiers studied in the last year, largest first."""
    rows = indicators.last_year(select(results[TABLE], "employment_headcount"))
    left_out = [indicators.ALL_METIERS, employment.RESIDUAL_METIER]
    return indicators.largest_first(rows[~rows["metier_code"].isin(left_out)])


def _residual_share(table: pd.DataFrame) -> pd.DataFrame:
    return select(table, SHARE, metier_code=employment.RESIDUAL_METIER)


def _range_note(table: pd.DataFrame, row: int) -> str:
    if pieces.read(table, row, "lower") is None:
        return "selon le tableau fourni par la branche"
    return f"étendue des variantes{french.NBSP}: {pieces.interval(TABLE, table, row)}"


def _change_note(results: Results) -> str:
    return (
        "évolution observée dans la branche"
        if _is_observed(results)
        else "évolution nationale du métier, appliquée à la branche"
    )


def _bar_note(results: Results) -> str:
    if _is_observed(results):
        return "Point : valeur du tableau fourni par la branche."
    return "Point : valeur centrale ; barre : étendue des variantes de calcul."


def _starting_point(results: Results) -> str:
    if _is_observed(results):
        return ""
    return (
        "L’intervalle à 80 % porte sur l’évolution seule : l’incertitude du point de départ n’y "
        "est pas comprise."
    )


def _source(results: Results) -> str:
    if _is_observed(results):
        return french.typography(
            "Source : tableau fourni par la branche. Nombres : table emplois.csv."
        )
    return SOURCE


def _is_apart(ranked: pd.DataFrame) -> bool:
    """Return whether the first métier is the largest under every variant (or as observed)."""
    low, high = ranked["lower"].fillna(ranked["value"]), ranked["upper"].fillna(ranked["value"])
    return bool(low.iloc[0] > high.iloc[1])


def _row(table: pd.DataFrame, indicator: str, code: str, year: int) -> int | None:
    return indicators.row_of(table, indicator, code, year)


def _year(table: pd.DataFrame, row: int) -> int:
    return int(table["year"].loc[row])


def _base_year(results: Results) -> int:
    return int(select(results[TABLE], "employment_headcount")["year"].max())


def _is_observed(results: Results) -> bool:
    return bool((select(results[TABLE], "employment_headcount")["nature"] == "observed").all())


def _nature(results: Results) -> str:
    return "observation" if _is_observed(results) else "estimation du projet"


def _nothing(results: Results) -> Html:
    why = (
        "pas assez d’années pour une figure ou une projection"
        if has_employment(results)
        else "la branche n’a pas d’effectif par métier"
    )
    return pieces.banner(french.typography(f"Non disponible (nd) : {why}."))
