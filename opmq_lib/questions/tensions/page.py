"""Section of `03_tensions`: which métiers are under tension nationally, and why."""

from collections.abc import Mapping
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE = "tensions"
INDEX, CLASS, PROJECTS, HARD = (
    "tension_index",
    "tension_class",
    "recruitment_projects_count",
    "hard_to_fill_share_pct",
)
REGIONAL_CLASS, BASINS = "regional_tension_class", "high_tension_basins_share_pct"
SHOWN, NAMED, HIGHEST_CLASS, LEAST_COVERAGE = 10, 3, 5, 0.80
COMPONENTS = {
    "hard_to_fill_share": "Difficulté (z)",
    "offers_per_seeker_ratio": "Offres par demandeur (z)",
    "exit_rate": "Sorties (z)",
}
FACTORS = {
    "hiring_intensity": "Intensité d’embauches",
    "training_job_link": "Lien formation-emploi",
    "labour_shortage": "Manque de main-d’œuvre disponible",
    "non_durable_jobs": "Non-durabilité de l’emploi",
    "hard_working_conditions": "Conditions de travail contraignantes",
    "geographic_mismatch": "Inadéquation géographique",
}
SOURCE = french.typography("Sources : Dares, France Travail. Nombres : table tensions.csv.")


def banner(results: Results) -> Html:
    """Return what must be known before any figure of tension."""
    sentences = [
        "<strong>Tension nationale du métier</strong>, publiée par la Dares et arrêtée à "
        f"{_index_year(results)} : ce n’est pas une tension mesurée dans la branche."
    ]
    if _is_national(results):
        sentences.append(
            "<strong>Métiers de la branche non disponibles (nd).</strong> Faute d’effectif publié, "
            "cette page montre les métiers industriels les plus nombreux au niveau national."
        )
    else:
        ranked_by = (
            "le tableau fourni par la branche"
            if (select(results[TABLE], "employment_headcount")["nature"] == "observed").all()
            else "l’emploi <strong>estimé</strong> dans la branche"
        )
        sentences.append(f"Les métiers sont choisis d’après {ranked_by}.")
    return pieces.banner(*map(french.typography, sentences))


def findings(results: Results, labels: Labels) -> Html:
    """Return which of the largest métiers are in the highest class, and what is missing."""
    graded = _graded(results)
    high = codes(graded[graded[CLASS] == HIGHEST_CLASS])
    short = codes(graded[graded["labour_shortage"] == HIGHEST_CLASS])
    hard = codes(graded[graded["hard_working_conditions"] == HIGHEST_CLASS])
    without = codes(graded[graded[INDEX].isna()])
    which = f"les plus nombreux {'de l’industrie' if _is_national(results) else 'de la branche'}"
    national = f"la tension nationale ({_index_year(results)})"
    told = [
        f"Parmi les métiers {which}, {national} est dans la classe la plus forte pour "
        f"{_named(high, labels)}."
        if high
        else f"Pour aucun des métiers {which}, {national} n’est dans la classe la plus forte."
    ]
    if short:
        told.append(
            "Le manque de main-d’œuvre disponible est dans le quintile le plus tendu pour "
            f"{_named(short, labels)}."
        )
    if hard:
        told.append(
            "Les conditions de travail contraignantes sont dans le quintile le plus tendu pour "
            f"{_named(hard, labels)}."
        )
    if without:
        told.append(f"Aucun indice publié (nd) pour {_named(without, labels)}.")
    return pieces.findings([french.typography(sentence) for sentence in told])


def ranking_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return the published index of the largest métiers, highest first."""
    graded = _graded(results).dropna(subset=[INDEX, CLASS])
    graded = graded.sort_values([INDEX, "metier_code"], ascending=[False, True])
    if graded.empty:
        return pieces.banner(french.typography("Non disponible (nd) : aucun indice publié."))
    where = "de l’industrie" if _is_national(results) else "de la branche"
    first = labels[codes(graded)[0]]
    return figures.tension_ranking(
        graded,
        labels,
        "\n\n".join(
            [
                french.typography(
                    f"« {first} » est, au niveau national, le plus en tension des grands métiers {where}"
                ),
                french.typography(
                    f"Indice national publié, {_index_year(results)}, sans unité ; pastille : classe de 1 "
                    f"(tension la plus faible) à 5 (la plus forte). {SOURCE}"
                ),
            ]
        ),
    )


def factors_table(results: Results, labels: Labels, count: int = SHOWN) -> Html:
    """Return index, class and the six factors of the largest métiers."""
    table, year = results[TABLE], _index_year(results)
    decimals = {INDEX: 2}
    return pieces.table(
        f"Pourquoi ces métiers sont en tension, {year}",
        ["Métier (FAP-2009)", "Indice", "Classe (1 à 5)", *FACTORS.values()],
        [
            [
                labels[code],
                *(
                    pieces.shown(
                        pieces.number,
                        TABLE,
                        table,
                        indicators.row_of(table, name, code, year),
                        decimals.get(name, 0),
                    )
                    for name in (INDEX, CLASS, *FACTORS)
                ),
            ]
            for code in _largest(results)[:count]
        ],
        french.typography(
            "Facteurs : quintile national, de 1 (détend) à 5 (tend) ; ils ne s’additionnent pas et "
            f"la non-durabilité se lit dans les deux sens. {SOURCE}"
        ),
    )


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the first survey for the métiers shown (FAP-2009)."""
    year = min(_survey_years(results))
    return _intentions(results, labels, _largest(results), year, "FAP-2009, métiers ci-dessus")


def latest_intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the last survey for the largest métiers (FAP-2021)."""
    year = max(_survey_years(results))
    projects = select(results[TABLE], PROJECTS, year=year)
    largest = projects.sort_values(["lower", "metier_code"], ascending=[False, True])
    return _intentions(results, labels, codes(largest)[:SHOWN], year, "FAP-2021, industrie")


def branch_composition(results: Results) -> Html:
    """Return the composition of national tensions by the branch's métiers, with its coverage."""
    table = results[TABLE]
    row = indicators.row_of(table, "branch_tension_index")
    covered = indicators.row_of(table, "branch_tension_coverage_pct")
    if row is None or covered is None:
        said = "Tension de branche non disponible (nd) : les métiers de la branche ne le sont pas."
        return pieces.findings([french.typography(said)])
    share = pieces.percent(TABLE, table, covered)
    if pieces.read(table, row) is None:
        said = (
            f"Tension de branche non disponible (nd) : l’indice ne couvre que {share} de l’emploi "
            f"des métiers étudiés, et il en faut {french.percent(100 * LEAST_COVERAGE)}."
        )
        return pieces.findings([french.typography(said)])
    value = pieces.number(TABLE, table, row, 2)
    low, high = (
        pieces.cell(TABLE, table, row, french.number(float(table[end].loc[row]), 2), end)
        for end in ("lower", "upper")
    )
    width = "" if low == high else f", de {low} à {high} selon les variantes de l’estimation"
    return pieces.findings(
        [
            french.typography(
                f"Tension composée de la branche : indice {value}{width} ; elle couvre {share} de "
                "l’emploi des métiers étudiés."
            ),
            french.typography(
                "C’est une composition de tensions nationales par les métiers de la branche, non "
                "une tension mesurée dans la branche."
            ),
        ]
    )


def profiles_table(results: Results, labels: Labels) -> Html:
    """Return why the largest métiers are in tension, one line per profile, and what is often done.

    Profiles are conventions of the project read from the published factors, no official typology.
    """
    table, profiles = results[TABLE], results["profils"]
    shown = set(_largest(results))
    lines = []
    for code, name, practice in zip(
        profiles["profile_code"], profiles["label"], profiles["practice"], strict=True
    ):
        rows = select(table, f"tension_profile.{code}")
        found = sorted({labels[each] for each in codes(rows) if each in shown})
        if found:
            lines.append(
                [
                    french.typography(name),
                    " ; ".join(map(escape, found)).replace(" ;", f"{french.NNBSP};"),
                    french.typography(practice),
                ]
            )
    if not lines:
        said = "Aucun des métiers les plus nombreux n’est en classe 4 ou 5 avec un profil reconnu."
        return pieces.banner(french.typography(said))
    return pieces.table(
        "Profils des métiers en tension (classe 4 ou 5)",
        ["Profil", "Métiers de la branche", "Ce qui se fait souvent, à discuter"],
        lines,
        french.typography(
            "Profils : combinaisons de quintiles nationaux, convention du projet non votée "
            "(parameters/tables/tension_profiles.csv) ; ce n’est pas une typologie officielle. Un "
            f"métier peut avoir plusieurs profils. {SOURCE}"
        ),
    )


def regions_table(results: Results, labels: Labels, regions: Labels) -> Html:
    """Return where the largest métiers are in the two highest classes, and in how many basins."""
    table = results[TABLE]
    lines = []
    for code in _largest(results):
        classes = select(table, REGIONAL_CLASS, metier_code=code)
        row = indicators.row_of(table, BASINS, code)
        lines.append(
            [
                labels[code],
                _regions_of(classes, HIGHEST_CLASS, regions),
                _regions_of(classes, HIGHEST_CLASS - 1, regions),
                _regions_of(classes, None, regions),
                pieces.shown(pieces.percent, TABLE, table, row),
            ]
        )
    return pieces.table(
        f"Où ces métiers sont en tension, {_index_year(results)}",
        [
            "Métier (FAP-2009)",
            "Régions en classe 5",
            "Régions en classe 4",
            "Sans classe publiée (nd)",
            "Bassins en classe 4 ou 5, 2021",
        ],
        lines,
        french.typography(
            "Classe : Dares, mêmes seuils que la France entière. Bassins : part des couples fiche "
            "ROME et bassin publiés par Pôle emploi ; une fiche liée à plusieurs métiers compte "
            f"pour chacun. {SOURCE}"
        ),
    )


def regional_intentions_table(results: Results, regions: Labels) -> Html:
    """Return recruitment projects of the largest métiers together, region by region."""
    table = results[TABLE]
    projects = select(table, f"regional_{PROJECTS}")
    shares = select(table, f"regional_{HARD}")
    where = dict(zip(shares["region_code"], shares.index.tolist(), strict=True))
    rows = dict(zip(projects["region_code"], projects.index.tolist(), strict=True))
    return pieces.table(
        "Projets de recrutement des métiers ci-dessus réunis, par région, "
        f"{min(_survey_years(results))}",
        ["Région", "Projets de recrutement", french.typography("Part jugée difficile (en %)")],
        [
            [
                regions[code],
                _exact_or_bounds(TABLE, table, rows[code]),
                pieces.shown(_exact_or_bounds, TABLE, table, where.get(code)),
            ]
            for code in sorted(rows, key=lambda code: regions[code])
        ],
        french.typography(
            "Deux nombres : bornes, car le producteur masque les cellules inférieures à 5 (secret "
            f"statistique, s). {SOURCE}"
        ),
    )


def composite_values(results: Results, labels: Labels) -> Html:
    """Return the index computed from the components that the branch supplies, if it does."""
    table = results[TABLE]
    found = select(table, "composite_tension_index")
    if found.empty:
        said = (
            "Aucune composante n’est fournie par la branche : l’indice publié est repris tel quel, "
            "jamais réestimé. Pour un calcul propre, fournir <code>tension_components</code> et "
            "<code>tension_reference</code> dans le fichier de paramètres."
        )
        return pieces.banner(french.typography(said))
    names = [f"composite_z_{name}" for name in COMPONENTS]
    return pieces.table(
        "Indice calculé sur les composantes fournies",
        ["Métier", "Région", "Indice", *COMPONENTS.values(), "Indice lissé", "Poids gardé"],
        [
            [
                labels.get(code, code),
                region,
                pieces.number(TABLE, table, row, 2),
                *(
                    pieces.shown(pieces.number, TABLE, table, _cell(table, name, row), 2)
                    for name in (
                        *names,
                        "composite_tension_index_shrunk",
                        "shrinkage_weight",
                    )
                ),
            ]
            for row, code, region in zip(
                found.index.tolist(), codes(found), found["region_code"], strict=True
            )
        ],
        french.typography(
            "Poids 0,50, 0,30 et 0,20 ; moyenne et écart-type de la référence enregistrée. Une "
            f"composante manquante rend l’indice nd. {SOURCE}"
        ),
    )


def _cell(table: pd.DataFrame, indicator: str, like: int) -> int | None:
    """Return the row of another indicator for the métier, region and year of a row."""
    same = table["indicator"] == indicator
    for key in ("metier_code", "region_code", "year"):
        same &= table[key] == table[key].loc[like]
    rows: list[int] = table.index[same].tolist()
    return rows[0] if rows else None


def _regions_of(classes: pd.DataFrame, wanted: int | None, regions: Labels) -> str:
    """Return the names of the regions in one class, or of those without any."""
    chosen = classes["value"].isna() if wanted is None else classes["value"] == wanted
    names = sorted(regions[code] for code in classes.loc[chosen, "region_code"])
    return escape(", ".join(names)) or "–"


def _intentions(results: Results, labels: Labels, shown: list[str], year: int, which: str) -> Html:
    table = results[TABLE]
    return pieces.table(
        f"Projets de recrutement déclarés pour {year}, France entière ({which})",
        [
            "Métier",
            "Projets de recrutement",
            french.typography("Part jugée difficile (en %)"),
        ],
        [
            [
                labels[code],
                *(
                    pieces.shown(
                        _exact_or_bounds,
                        TABLE,
                        table,
                        indicators.row_of(table, indicator, code, year),
                    )
                    for indicator in (PROJECTS, HARD)
                ),
            ]
            for code in shown
        ],
        french.typography(
            "Intentions d’embauche, y compris saisonnières ; ce ne sont pas des postes à pourvoir. "
            "Deux nombres : bornes, car le producteur masque les cellules inférieures à 5 (secret "
            f"statistique, s). {SOURCE}"
        ),
    )


def _exact_or_bounds(name: str, table: pd.DataFrame, row: int) -> str:
    if pieces.read(table, row) is None:
        return pieces.bounds(name, table, row)
    return pieces.number(name, table, row)


def _graded(results: Results) -> pd.DataFrame:
    """Return index, class and factors of the métiers shown, one row per métier."""
    table, year = results[TABLE], _index_year(results)
    rows = select(table, INDEX, CLASS, *FACTORS, year=year)
    wide = rows.pivot(index="metier_code", columns="indicator", values="value")
    return wide.reindex(_largest(results)).rename_axis("metier_code").reset_index()


def _largest(results: Results) -> list[str]:
    """Return the métiers shown, largest in the branch (or nationally) first."""
    ranking = select(results[TABLE], "employment_headcount", "national_employment_headcount")
    return codes(indicators.largest_first(ranking))[:SHOWN]


def _named(found: list[str], labels: Labels) -> str:
    names = french.enumeration([f"« {labels[code]} »" for code in found[:NAMED]])
    return f"{names}, entre autres" if len(found) > NAMED else names


def _is_national(results: Results) -> bool:
    return select(results[TABLE], "employment_headcount").empty


def _index_year(results: Results) -> int:
    return int(select(results[TABLE], INDEX)["year"].max())


def _survey_years(results: Results) -> list[int]:
    return sorted(set(select(results[TABLE], PROJECTS)["year"].astype(int)))
