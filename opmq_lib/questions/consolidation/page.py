"""Section of `10_consolidation`: what branches have in common and what differs."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE = "consolidation"
SHOWN, LEAST_SHARE_PCT = 10, 0.5
LARGEST, OWN, DOMAINS, COMMON, CLASS, OUTSIDE = (
    "largest_metier_share_pct",
    "own_metier_share_pct",
    "domain_share_pct",
    "branches_in_top_ten_count",
    "tension_class",
    "outside_branches_share_pct",
)
SOURCE = french.typography(
    "Sources : Dares, France Travail ; calcul du projet. Nombres : table consolidation.csv."
)


def banner(results: Results) -> Html:
    """Return what the page rests on, or that nothing has been computed yet."""
    if results[TABLE].empty:
        return _nothing()
    table = results[TABLE]
    metiers = int(select(table, DOMAINS)["year"].max())
    branches = int(select(table, "branch_headcount")["year"].max())
    return pieces.banner(
        french.typography(
            "<strong>Estimation du projet</strong> pour tout ce qui croise branches et métiers. "
            f"<strong>Données arrêtées à {metiers}</strong> (métiers) et à {branches} (branches)."
        ),
        french.typography(
            "Une branche sans effectif publié est marquée « nd » et n’entre dans aucun calcul."
        ),
    )


def findings(results: Results, labels: Labels) -> Html:
    """Return what most branches share, and which branches are not known."""
    table = results[TABLE]
    if table.empty:
        return _nothing()
    common = indicators.largest_first(select(table, COMMON)).head(1)
    told = [
        f"« {labels[code]} » est le métier le plus partagé : il figure parmi les dix plus nombreux "
        f"de {pieces.number(TABLE, table, row)} branches, selon l’estimation centrale."
        for row, code in zip(common.index.tolist(), codes(common), strict=True)
    ]
    headcounts = select(table, "branch_headcount")
    unknown: list[str] = headcounts.loc[headcounts["status"] == "nd", "branch_code"].tolist()
    if unknown:
        names = french.enumeration(sorted(f"« {labels[code]} »" for code in unknown))
        told.append(f"Effectif non disponible (nd) pour {names}.")
    return pieces.findings([french.typography(sentence) for sentence in told])


def domains_figure(results: Results, labels: Labels) -> Figure | Html:
    """Return the share of each professional domain in each branch's métiers studied."""
    shares = select(results[TABLE], DOMAINS)
    if shares.empty:
        return _nothing()
    wide = shares.pivot(index="branch_code", columns="metier_code", values="value").fillna(0.0)
    wide = wide.loc[:, wide.max() >= LEAST_SHARE_PCT]
    wide = wide[wide.sum().sort_values(ascending=False).index]
    wide = wide.sort_values([wide.columns[0]], ascending=False)
    named = wide.rename(index=dict(labels), columns=dict(labels))
    return figures.share_heat(
        named,
        "\n\n".join(
            [
                "Selon l’estimation centrale, le domaine dominant change d’une branche à l’autre"
                if len(set(wide.idxmax(axis="columns"))) > 1
                else "Selon l’estimation centrale, un même domaine domine dans toutes les branches",
                french.typography(
                    "Part de chaque domaine dans l’emploi estimé des métiers étudiés de la branche, en "
                    "pour cent ; les variantes de calcul, non montrées ici, peuvent la changer beaucoup. "
                    f"{SOURCE}"
                ),
            ]
        ),
    )


def branches_table(results: Results, labels: Labels) -> Html:
    """Return headcount and largest métier of each branch, in alphabetical order."""
    table = results[TABLE]
    if table.empty:
        return _nothing()
    headcounts, largest = select(table, "branch_headcount"), select(table, LARGEST)
    branches: list[str] = headcounts["branch_code"].tolist()
    row_of = dict(zip(branches, headcounts.index.tolist(), strict=True))
    share_of = dict(zip(largest["branch_code"].tolist(), largest.index.tolist(), strict=True))
    metier_of = dict(zip(largest["branch_code"].tolist(), codes(largest), strict=True))
    return pieces.table(
        "Les branches et leur métier le plus nombreux",
        [
            "Branche",
            "Salariés au 31 décembre 2020",
            "Métier le plus nombreux (estimation)",
            "Part de la branche",
        ],
        [
            [
                labels[code],
                pieces.number(TABLE, table, row_of[code]),
                labels[metier_of[code]] if code in metier_of else pieces.ABSENT,
                pieces.shown(pieces.percent, TABLE, table, share_of.get(code)),
            ]
            for code in sorted(branches, key=lambda code: labels[code])
        ],
        french.typography(f"Nombre de salariés ; part de l’emploi de la branche. {SOURCE}"),
    )


def own_metiers_table(results: Results, labels: Labels) -> Html:
    """Return what each branch has that no other has among its ten first: nothing is averaged."""
    table = results[TABLE]
    rows = select(table, OWN)
    if rows.empty:
        return _nothing()
    named = sorted(
        zip(rows.index.tolist(), rows["branch_code"], codes(rows), strict=True),
        key=lambda each: labels[each[1]],
    )
    return pieces.table(
        "Ce qu’une branche est seule à avoir parmi ses dix premiers métiers",
        ["Branche", "Métier (FAP)", french.typography("Part de la branche (en %)")],
        [
            [labels[branch], labels[code], pieces.number(TABLE, table, row)]
            for row, branch, code in named
        ],
        french.typography(
            "Estimation. Une branche absente partage tous ses dix premiers métiers, ou n’a pas "
            f"d’effectif publié. {SOURCE}"
        ),
    )


def shared_metiers_table(results: Results, labels: Labels) -> Html:
    """Return the métiers among the ten largest of most branches, with their national tension."""
    table = results[TABLE]
    rows = indicators.largest_first(select(table, COMMON)).head(SHOWN)
    if rows.empty:
        return _nothing()
    return pieces.table(
        "Les métiers communs au plus grand nombre de branches",
        [
            "Métier (FAP)",
            "Branches où il est parmi les dix plus nombreux",
            "Classe de tension nationale (1 à 5)",
        ],
        [
            [
                labels[code],
                pieces.number(TABLE, table, row),
                pieces.shown(pieces.number, TABLE, table, indicators.row_of(table, CLASS, code)),
            ]
            for row, code in zip(rows.index.tolist(), codes(rows), strict=True)
        ],
        french.typography(
            "Nombre de branches dont l’effectif est connu ; chaque branche compte pour une, petite "
            f"ou grande. {SOURCE}"
        ),
    )


def outside_table(results: Results, labels: Labels) -> Html:
    """Return the métiers of which the branches hold the largest part (residual column)."""
    outside = select(results[TABLE], OUTSIDE).sort_values(["value", "metier_code"])
    return _metiers_table(
        results,
        labels,
        outside.head(SHOWN),
        "Les métiers qui travaillent le plus dans les branches étudiées",
        french.typography("Emploi national hors des branches (en %)"),
        "Colonne résiduelle « hors champ » : autres activités, branches sans effectif publié.",
    )


def _metiers_table(  # noqa: PLR0913 (one table, told in full)
    results: Results, labels: Labels, rows: pd.DataFrame, caption: str, title: str, note: str
) -> Html:
    if rows.empty:
        return _nothing()
    table = results[TABLE]
    return pieces.table(
        caption,
        ["Métier (FAP)", title],
        [
            [labels[code], pieces.number(TABLE, table, row)]
            for row, code in zip(rows.index.tolist(), codes(rows), strict=True)
        ],
        french.typography(f"{note} {SOURCE}"),
    )


def _nothing() -> Html:
    return pieces.banner(
        french.typography(
            "Non disponible (nd) : aucune branche n’a encore été calculée dans cette édition. "
            "Exécuter d’abord <code>opmq run</code>."
        )
    )
