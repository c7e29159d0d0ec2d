"""Which labels are no longer those of the edition before, and what moved with them."""

from typing import NamedTuple

from markupsafe import Markup

from opmq_lib.questions.coeurs_strategiques.reasons import Of
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words

WORDS = words(__package__)
SHOWN, REASONS = 8, 2
_RULES = ("criterion_code", "weight", "low", "high", "cutoff_score")
_GATES = ("gate", "way", "criterion_code", "least")


class Moved(NamedTuple):
    """One métier whose label has changed: what each edition knows of it."""

    metier_code: str
    label: str
    label_before: str
    of: Of
    before: Of


def table(results: Results, before: Results, labels: Labels, edition_before: str | None) -> Html:
    """Return the labels that changed since the edition before, and why; nothing without it.

    Args:
        results: Of `04_coeurs_strategiques`.
        before: Those of the edition before.
        labels: French names.
        edition_before: Its name.
    """
    if not results or not before or edition_before is None:
        return Html("")
    rows = []
    for question in results["criteres"]["question_code"].unique():
        now, then = Of(results, question), Of(before, question)
        then.facts = Cells(f"{edition_before}/faits", before["faits"])
        both = now.rows.merge(then.rows, on="metier_code", suffixes=("", "_before"))
        changed = both[both["label"] != both["label_before"]]
        names = ["metier_code", "label", "label_before"]
        cells = changed[names].to_numpy()
        rows += [Moved(code, label, was, now, then) for code, label, was in cells]
    if not rows:
        return pieces.prose(WORDS.none_moved())
    columns = {
        "Métier": lambda row: pieces.metier(row.metier_code, labels[row.metier_code]),
        "Liste": lambda row: WORDS.QUESTIONS[row.of.question],
        "Précédente": lambda row: WORDS.LABELS[row.label_before],
        "Cette édition": lambda row: WORDS.LABELS[row.label],
        "Ce qui a changé": _why,
    }
    rows.sort(key=lambda row: french.order(labels[row.metier_code]))
    return pieces.table(WORDS.moved_table(len(rows), SHOWN), columns, rows[:SHOWN])


def _why(row: Moved) -> Markup:
    """Return what is no longer the same: the rules of the list, what is known of the métier."""
    pairs = (
        (row.of.criteria, row.before.criteria, _RULES),
        (row.of.lines, row.before.lines, _GATES),
    )
    said = [
        WORDS.rules_moved()
        for now, then, names in pairs
        if now[[*names]].to_numpy().tolist() != then[[*names]].to_numpy().tolist()
    ][:1]
    moves = {code: _move(row, code) for code in row.of.codes() if code in row.before.names}
    largest = sorted((code for code in moves if moves[code]), key=moves.__getitem__, reverse=True)
    of_both = ((each, row.before.fact(row.metier_code, each), row.of.fact(row.metier_code, each))
               for each in largest)  # fmt: skip
    seen = [each for each in of_both if each[1].striptags() != each[2].striptags()]
    for code, then, now in seen[:REASONS]:
        said.append(Markup("{} {} → {}").format(row.of.named(code)[0].lower(), then, now))
    return Markup(" ; ").join(said or [WORDS.nothing_moved()])


def _move(row: Moved, code: str) -> float:
    """Return by how much a fact has moved, relatively; 0 where one of the two is not known."""
    ends = [of.facts.read(place) if (place := of.places.get((row.metier_code, code))) is not None
            else None for of in (row.before, row.of)]  # fmt: skip
    then, now = (float("nan") if end is None else end for end in ends)
    return abs(now - then) / max(abs(now), abs(then), 1e-9) if now != then else 0.0
