"""Section of `04_coeurs_strategiques`: which métiers are core or strategic, why, how surely."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods import core
from opmq_lib.questions.coeurs_strategiques import reasons
from opmq_lib.questions.coeurs_strategiques.chain import STRATEGIC, TRIALS
from opmq_lib.questions.coeurs_strategiques.reasons import Of
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import codes, select

WORDS = words(__package__)
LABELS, FACTS, CRITERIA, GATES = "coeurs", "faits", "criteres", "conditions"
LEAST_SHOWN_PCT = 50
DOUBTFUL = (core.ON_ESTIMATE, core.ON_WEIGHTS)
FOLDED = (core.OUT, core.NOT_ASSESSABLE, core.NOT_LABELLED)
ABSENT_PCT = 0.5
"""Share of the branch, upper end, under which a métier off a list is named without its reasons."""
SHOWN_METIERS = 5


def banner(results: Results) -> Html:
    """Return whether anything was voted, and what is estimated."""
    criteria, unvoted = results[CRITERIA], is_unvoted(results)
    named = [WORDS.QUESTIONS[code] for code in criteria["question_code"][unvoted].unique()]
    labelled = results[LABELS]
    is_estimated = bool((labelled["nature"] == "estimate").any())
    return pieces.banner(WORDS.banner(named, not unvoted.all(), is_estimated))


def is_unvoted(results: Results) -> pd.Series:
    """Return whether each criterion is an example that nobody voted."""
    return results[CRITERIA]["vote_date"].fillna("").eq("")


def findings(results: Results, labels: Labels) -> Html:
    """Return, for each question, who is on the list and who is near it."""
    if results[LABELS].empty:
        return pieces.lede(WORDS.unknown())
    said = []
    for question in results[CRITERIA]["question_code"].unique():
        of = Of(results, question)
        groups = _attested(of), _to_check(of), *(of.labelled(label) for label in DOUBTFUL)
        share = [of.fact(code, reasons.SHARE) for code in groups[0]["metier_code"][:1]]
        names = (_links(rows, labels) for rows in groups)
        said.append(WORDS.finding(question, share, *names, _unlabelled(of)))
    return pieces.lede("\n\n".join([*said, WORDS.next_step()]))


def legend(results: Results) -> Html:
    """Return what the letters of the page mean."""
    return pieces.grades_legend(results[FACTS])


def criteria_table(results: Results, question: str) -> Html:
    """Return criteria, goalposts, weights and sources of one question."""
    of = Of(results, question)
    rows, cells = of.criteria, Cells(CRITERIA, results[CRITERIA])
    first, facts = rows.index[0], results[FACTS].fillna({"source_code": ""})
    used = facts[facts["source_code"].ne("") & facts["value"].notna()]
    used = used[["criterion_code", "source_code", "year"]].drop_duplicates()

    def goalpost(score: int) -> Any:
        is_low = (rows["direction"] == "higher") == (score == 0)
        return lambda row: cells.show(row, reasons.short, "low" if is_low[row] else "high")

    def sources(row: int) -> str:
        known = used[used["criterion_code"] == rows["criterion_code"][row]]
        named = known["source_code"].map(lambda code: WORDS.SOURCES.get(code, code))
        dated = named + known["year"].map(", {:.0f}".format, na_action="ignore").astype("str")
        return french.enumeration(sorted(set(dated.fillna(named))))

    columns = {
        "Critère": rows["label"].__getitem__,
        "Poids": lambda row: cells.show(row, reasons.two_decimals, "weight"),
        "Vaut 0 à": goalpost(0),
        "Vaut 1 à": goalpost(1),
        "Échelle": lambda row: {"linear": "linéaire", "log": "log"}[rows["scale"][row]],
        "Unité": rows["unit"].__getitem__,
        "Source": sources,
    }
    concentration = reasons.short(rows["concentration"][first])
    text = WORDS.criteria_table(rows.fillna({"vote_date": ""}).loc[first], concentration)
    return pieces.table(text, columns, rows.index)


def lists(results: Results, labels: Labels, question: str) -> Html:
    """Return the métiers on the list, those that data or weights decide, then the others, folded.

    Every line has what is known, how surely, why, and what would settle it: no bare ranking.
    """
    if results[LABELS].empty:
        return Html("")
    first, of = listed(results, labels, question), Of(results, question)
    cutoff = reasons.two_decimals(of.criteria["cutoff_score"].iloc[0])
    open_count = sum(len(of.labelled(label)) for label in DOUBTFUL)
    doubtful = (_doubtful(of, labels, label) for label in DOUBTFUL)
    parts = [
        _checked(of, labels),
        pieces.text(WORDS.rule([*of.gates.values()], cutoff, of.tension_years())),
        pieces.folded(WORDS.still_open(open_count), *doubtful),
        _others(of, labels),
    ]
    # Ten bytes less for each of some hundred numbers: the style sheet knows them by their cell.
    rest = "".join(part.html for part in parts).replace('<span class="n" ', "<span ")
    return Html(first.html + rest)


def weights(results: Results, labels: Labels) -> Html:
    """Return the strategic list under the weights that the reader chooses."""
    table, of = results[TRIALS], Of(results, STRATEGIC)
    if table.empty:
        return Html("")
    cells, criteria = Cells(TRIALS, table), of.criteria
    names = {"": str(WORDS.as_it_is())}
    names |= dict(zip(criteria["criterion_code"], criteria["label"], strict=True))

    def option(variant: str) -> tuple[str, Html]:
        rows = table[(table["variant"] == variant) & (table["value"] >= LEAST_SHOWN_PCT)]
        rows = rows.sort_values(["value", "metier_code"], ascending=[False, True])
        name = names[variant]
        columns = {
            "Métier": lambda row: labels[rows["metier_code"][row]],
            "Tirages favorables": cells.percent,
        }
        text = WORDS.weighted(name if variant else "", len(rows))
        return name, pieces.table(text, columns, rows.index)

    variants = [code for code in names if table["variant"].eq(code).any()]
    return pieces.choice("poids", WORDS.weights_choice(), [option(code) for code in variants])


def listed(results: Results, labels: Labels, question: str) -> Html:
    """Return the métiers on the list, with what it asks of them and what stands beside."""
    of = Of(results, question)
    rows, asked = _attested(of), of.codes()
    if rows.empty and not _to_check(of).empty:
        return Html("")
    if rows.empty:
        return pieces.banner(WORDS.empty_list(question, _unlabelled(of)))

    def name(row: int) -> Markup:
        code, vote = rows["metier_code"][row], rows["voted"][row]
        text = Markup('<span id="{}-{}">{}</span>{}{}')
        mostly = pieces.mostly(*rows.loc[row, list(pieces.HERE)])
        return text.format(of.question, code, labels[code], WORDS.voted(vote), mostly)

    def fact(code: str) -> Callable[[int], Markup]:
        return lambda row: of.fact(rows["metier_code"][row], code)

    columns = {
        "Métier": name,
        **{f"{of.named(code)[0]} ({of.named(code)[1]})": fact(code) for code in asked},
        "Tirages favorables": lambda row: of.cells.show(row, french.percent, "acceptability_pct"),
    }
    return pieces.table(WORDS.list_table(of.question, core.IN), columns, rows.index)


def _attested(of: Of) -> pd.DataFrame:
    return core.attested(of.labelled(core.IN))


def _to_check(of: Of) -> pd.DataFrame:
    """Return métiers on the list that only the estimate puts in the branch."""
    rows = of.labelled(core.IN)
    return rows.drop(core.attested(rows).index)


def _checked(of: Of, labels: Labels) -> Html:
    name = Markup('<span id="{}-{}">« {} »</span>')
    named = [name.format(of.question, code, labels[code]) for code in _to_check(of)["metier_code"]]
    return pieces.piece(WORDS.to_check(named)) if named else Html("")


def _unlabelled(of: Of) -> list[str]:
    """Return why no métier has a label, where none has one."""
    labels = set(of.rows["label"])
    return sorted(labels) if labels <= {core.NOT_ASSESSABLE, core.NOT_LABELLED} else []


def _doubtful(of: Of, labels: Labels, label: str) -> Html:
    rows, asked = of.labelled(label), of.codes()
    metiers = [
        {
            "id": f"{of.question}-{rows['metier_code'][row]}",
            "name": labels[rows["metier_code"][row]],
            "mostly": pieces.mostly(*rows.loc[row, list(pieces.HERE)]),
            "share": of.cells.show(row, french.percent, "acceptability_pct"),
            "facts": [of.phrase(rows["metier_code"][row], code) for code in asked],
            "doubt": of.doubt(row),
            "reason": of.reason(row),
            "settled": of.settled(row),
            "voted": rows["voted"][row],
        }
        for row in rows.index
    ]
    return pieces.piece(WORDS.doubtful(label, metiers)) if metiers else Html("")


def _others(of: Of, labels: Labels) -> Html:
    groups: dict[str, list[dict[str, Any]]] = {}
    for label in FOLDED:
        rows = of.labelled(label)
        names = rows["metier_code"].map(labels).sort_values(key=lambda each: each.map(french.order))
        groups[label] = [
            {
                "id": f"{of.question}-{rows['metier_code'][row]}",
                "name": names[row],
                "reason": of.reason(row) if label == core.OUT else "",
                "voted": rows["voted"][row],
                "is_absent": of.most(rows["metier_code"][row]) < ABSENT_PCT,
            }
            for row in names.index
        ]
    absent = [each | {"reason": ""} for each in groups[core.OUT] if each["is_absent"]]
    groups[core.OUT] = [each for each in groups[core.OUT] if not each["is_absent"]]
    return pieces.piece(WORDS.others(groups, absent, ABSENT_PCT))


def shared_heatmap(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Return the métiers that are core in most branches, or those given.

    A line per branch; none for a branch where nobody does these métiers.

    Args:
        results: Tables of `10_consolidation`, with the rows `core_acceptability_pct`.
        labels: French names of métiers and branches.
        metiers: Other métiers.
    """
    table = results["consolidation"]
    rows = select(table, "core_acceptability_pct", status="value")
    if rows.empty:
        return pieces.banner(WORDS.no_heatmap())
    order = pd.DataFrame({"total": rows.groupby("metier_code")["value"].sum()})
    for name in ("core_presence_count", "core_branches_count"):
        order.insert(0, name, select(table, name).set_index("metier_code")["value"])
    order = order.fillna(0).sort_values([*order], ascending=False).reset_index()
    chosen = codes(pieces.chosen(order, metiers, SHOWN_METIERS))
    shown = rows[rows["metier_code"].isin(chosen)]
    lines = sorted(set(shown["branch_code"]), key=lambda code: french.order(labels[code]))
    first = labels[str(order["metier_code"][0])], int(order["core_branches_count"][0])
    text = WORDS.shared_heatmap(*first)
    return pieces.heat(text, Cells("consolidation", table), shown, labels, lines, chosen)


def _links(rows: pd.DataFrame, labels: Labels) -> list[Markup]:
    """Return métiers in the order of rows, each leading to its line on the question's page."""
    link = Markup('« <a href="04_coeurs_strategiques.html#{}-{}">{}</a> »')
    return [
        link.format(question, code, labels[code])
        for question, code in zip(rows["question_code"], rows["metier_code"], strict=True)
    ]
