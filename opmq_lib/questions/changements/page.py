"""Facts of « Ce qui change »: what is published of each métier to look at, and near métiers."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd

from opmq_lib.questions.changements.chain import FACTS, NOTES, WAYS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.schemas import WORDINGS

WORDS = words(__package__)
STRONG_CLASS, HARD, THEMES, FICTITIOUS = 4, "hard_working_conditions", "notes_themes", "fictitious"
SHOWN_FIRST, SHOWN_SKILLS = 2, 3
COUNTS = {
    "Branches": "branches_count",
    "Instances qui ont signé": "bodies_count",
    "Notes": "notes_count",
}


def banner(results: Results) -> Html:
    """Return what the facts rest on, or nothing where there is no métier to show."""
    facts = results[FACTS]
    rome = facts.loc[facts["fact_code"] == "macro", "vintage"]
    return Html("") if rome.empty else pieces.banner(WORDS.banner(rome.iloc[0]))


def findings(results: Results, labels: Labels) -> Html:
    """Return the first emerging skills of the métiers of the short list that have some."""
    facts = results[FACTS]
    emerging = facts[facts["fact_code"] == "emerging"]
    named = [
        (labels[str(code)], _labels(rows.head(SHOWN_FIRST)))
        for code, rows in emerging.groupby("metier_code", sort=False)
    ]
    vintage = emerging["vintage"].iloc[0] if len(emerging) else ""
    return pieces.findings(WORDS.finding(named, vintage))


def metiers(results: Results, labels: Labels) -> Html:
    """Return what is published of each métier of the short list; one line where nothing is."""
    facts = results[FACTS]
    said = [
        pieces.folded(pieces.metier(code, labels[code]), _said(facts, code)).html
        for code in facts["metier_code"].unique()
    ]
    return Html("".join(said))


def notes(results: Results, labels: Labels) -> Html:
    """Return the notes that bodies have signed, with the marks of those to read with care."""
    table = results[NOTES]
    if table.empty:
        return Html("") if results[FACTS].empty else pieces.text(WORDS.no_note())
    rows = table.astype("object").fillna("").to_dict("records")
    said = [
        WORDS.note(
            row,
            [WORDS.MARKS[mark] for mark in row["follow_up"].split()],
            WORDINGS["notes"]["theme"][row["theme"]],
            [labels[code] for code in row["metier_codes"].split()],
        )
        for row in rows
    ]
    return Html(_warning(table) + pieces.findings("\n\n".join(said)).html)


def themes_table(themes: pd.DataFrame, labels: Labels) -> Html:
    """Return the themes on which several branches have a note, for `10_consolidation`.

    Args:
        themes: From `methods.notes.shared_themes`.
        labels: French name of each branch.
    """
    if themes.empty:
        return pieces.text(WORDS.no_theme())
    cells = Cells(THEMES, themes)

    def count(column: str) -> Callable[[int], str]:
        return lambda row: cells.show(row, french.number, column)

    columns = {
        "Thème": lambda row: WORDINGS["notes"]["theme"][themes["theme"][row]],
        **{title: count(column) for title, column in COUNTS.items()},
        "Lesquelles": lambda row: french.enumeration(
            [labels[code] for code in themes["branch_codes"][row].split()]
        ),
    }
    return Html(_warning(themes) + pieces.table(WORDS.themes_table(), columns, themes.index).html)


def near_table(results: Results, labels: Labels) -> Html:
    """Return, for each métier to look at, near métiers whose official projection falls."""
    order = {code: at for at, code in enumerate(results[FACTS]["metier_code"].unique())}
    rows = results[WAYS].dropna(subset="near_rank").sort_values("near_rank")
    rows = rows.sort_values("target_metier_code", key=lambda codes: codes.map(order), kind="stable")
    columns = {
        "Métier à regarder d’abord": _name(rows, labels, "target_metier_code"),
        "D’où l’on pourrait venir": _name(rows, labels, "metier_code"),
        **_shared(rows),
    }
    return _listed(WORDS.near_table, columns, rows) if order else Html("")


def exit_table(results: Results, labels: Labels) -> Html:
    """Return, for métiers of the branch that fall, the nearest ones of the short list."""
    rows = results[WAYS].dropna(subset="exit_rank").sort_values(["metier_code", "exit_rank"])
    columns = {
        "Métier dont l’emploi baisse": _name(rows, labels, "metier_code"),
        "Où l’on pourrait aller": _name(rows, labels, "target_metier_code"),
        **_shared(rows),
    }
    return _listed(WORDS.exit_table, columns, rows) if len(rows) else Html("")


def _warning(notes: pd.DataFrame) -> str:
    is_fictitious = (notes["origin"] == FICTITIOUS).any()
    return pieces.banner(WORDS.fictitious()).html if is_fictitious else ""


def _said(facts: pd.DataFrame, code: str) -> Html:
    """Return the facts of one métier, one a line."""
    own = facts[facts["metier_code"] == code]
    by_fact = {str(fact): rows for fact, rows in own.groupby("fact_code")}
    if "none" in by_fact:
        return pieces.findings(WORDS.nothing_known())
    cells = Cells(FACTS, facts)
    lines = []
    if "macro" in by_fact:
        vintage = by_fact["macro"]["vintage"].iloc[0]
        listed = {"macro": WORDS.macro_skills, "condition": WORDS.conditions}
        emerging = by_fact.get("emerging")
        lines.append(
            WORDS.no_emerging(vintage)
            if emerging is None
            else WORDS.emerging(_labels(emerging), vintage)
        )
        lines += [
            words(_labels(by_fact[fact])) for fact, words in listed.items() if fact in by_fact
        ]
    one = {fact: _counts(cells, rows.index[0]) for fact, rows in by_fact.items() if len(rows) == 1}
    if "ecological" in one:
        lines.append(WORDS.marks(one["ecological"], one["digital"]))
        if "esco_green" in one:
            esco = (one[name] for name in ("esco_green", "esco_digital", "esco_links"))
            lines.append(WORDS.esco(*esco))
    if "factor" in by_fact:
        lines.append(_factors(cells, by_fact["factor"]))
    if "qualification" in by_fact:
        lines.append(_qualification(cells, by_fact))
    return pieces.findings("\n\n".join(lines))


def _counts(cells: Cells, row: int) -> Any:
    """Return a share of skills with its terms; of links, their number."""
    is_pct = cells.table.at[row, "unit"] == "pct"
    terms = {"part": "numerator_count", "whole": "denominator_count", "unsaid": "unsaid_count"}
    shown = {name: cells.show(row, french.number, column) for name, column in terms.items()}
    return SimpleNamespace(**shown, share=cells.percent(row) if is_pct else cells.number(row))


def _factors(cells: Cells, rows: pd.DataFrame) -> str:
    own = rows[rows["item_code"] != HARD]
    strong = own.loc[own["value"] >= STRONG_CLASS, "label"]
    hard = rows.index[rows["item_code"] == HARD]
    shown = cells.number(hard[0] if len(hard) else None)
    return str(WORDS.factors([*strong.str.lower()], shown, rows["vintage"].iloc[0]))


def _qualification(cells: Cells, by_fact: dict[str, pd.DataFrame]) -> str:
    now, before = by_fact["qualification"], by_fact.get("qualification_before")
    then = None if before is None else cells.percent(before.index[0])
    first = "" if before is None else before["vintage"].iloc[0]
    shown = cells.percent(now.index[0])
    code, year = now["item_code"].iloc[0], now["vintage"].iloc[0]
    return str(WORDS.qualification(code, shown, then, year, first))


def _labels(rows: pd.DataFrame) -> list[str]:
    return [f"« {french.label(label)} »" for label in rows["label"]]


def _name(rows: pd.DataFrame, labels: Labels, column: str) -> Callable[[int], str]:
    return lambda row: pieces.metier(rows[column][row], labels[rows[column][row]])


def _shared(rows: pd.DataFrame) -> dict[str, Callable[[int], str]]:
    cells = Cells(WAYS, rows)

    def count(name: str) -> Callable[[int], str]:
        return lambda row: cells.show(row, french.number, f"{name}_count")

    def named(name: str) -> Callable[[int], str]:
        labels = rows[f"{name}_labels"].fillna("").str.split(" ; ").str[:SHOWN_SKILLS]
        return lambda row: " ; ".join(french.label(each) for each in labels[row] if each)

    return {
        "Macro-compétences communes": count("shared"),
        "Communes, entre autres": named("shared"),
        "À apprendre": count("to_learn"),
        "À apprendre, entre autres": named("to_learn"),
        "Croissance du métier de départ, par an": lambda row: cells.show(
            row, lambda value: french.percent(value, 1), "growth_rate_pct"
        ),
    }


def _listed(text: Callable[[str], str], columns: Any, rows: pd.DataFrame) -> Html:
    if rows.empty:
        return pieces.text(WORDS.no_way())
    return pieces.table(text(rows["vintage"].iloc[0]), columns, rows.index)
