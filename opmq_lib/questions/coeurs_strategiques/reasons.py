"""Why a métier has its label and what would settle it, in words, from the result tables."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods import core
from opmq_lib.params import READY_CRITERIA
from opmq_lib.show import french
from opmq_lib.show.pieces import ABSENT, Cells, Results, paragraphs
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import where

WORDS = words(__package__)
SHARE, HEADS = "employment_share", "employment_headcount"
QUOTIENT = "location_quotient"
OF_BRANCH = (SHARE, QUOTIENT)


class Of:
    """One question of the result tables, and the cells that a line of its lists is read from."""

    def __init__(self, results: Results, question: str) -> None:
        self.question = question
        self.cells, self.facts = (
            Cells("coeurs", results["coeurs"]),
            Cells("faits", results["faits"]),
        )
        self.rows = where(results["coeurs"], question_code=question)
        self.criteria = where(results["criteres"], question_code=question)
        self.lines = where(results["conditions"], question_code=question)
        key = zip(results["faits"]["metier_code"], results["faits"]["criterion_code"], strict=True)
        self.names = dict(READY_CRITERIA)
        for table in (self.lines[::-1], self.criteria[::-1]):
            named = zip(table["label"].astype(str), table["unit"].astype(str), strict=True)
            self.names |= dict(zip(table["criterion_code"], named, strict=True))
        self.places = dict(zip(key, results["faits"].index, strict=True))

    def labelled(self, label: str) -> pd.DataFrame:
        """Return the rows of one label, those that most draws accept first."""
        rows = where(self.rows, label=label)
        places = [self.places.get((code, SHARE)) for code in rows["metier_code"]]
        shares = self.facts.table["value"].reindex(places).to_numpy()
        order = pd.DataFrame({"often": rows["acceptability_pct"].round(), "share": shares})
        return rows.loc[order.sort_values(["often", "share"], ascending=False).index]

    @property
    def gates(self) -> dict[int, list[list[dict[str, str]]]]:
        """Return the gates by number: ways, each a list of lines."""
        found = {}
        for gate, rows in self.lines.groupby("gate"):
            ways = [
                [
                    {"label": each["label"], "least": short(each["least"]) + _sign(each["unit"])}
                    for each in way.to_dict("records")
                ]
                for _, way in rows.groupby("way")
            ]
            found[int(float(str(gate)))] = ways
        return found

    def codes(self) -> list[str]:
        """Return what the question asks for, the branch's own facts first."""
        asked = [*self.lines["criterion_code"], *self.criteria["criterion_code"]]
        return sorted({*asked}, key=lambda code: (code not in OF_BRANCH, asked.index(code)))

    def tension_years(self) -> list[str]:
        """Return the years of the tensions that the question asks for."""
        asked = [code for code in self.codes() if code.startswith("tension_")]
        facts = self.facts.table
        years = facts.loc[facts["criterion_code"].isin(asked) & facts["value"].notna(), "year"]
        return [f"{year:.0f}" for year in sorted(years.dropna().unique())]

    def named(self, code: str) -> tuple[str, str]:
        """Return label and unit of what is known of a métier."""
        return self.names[code]

    def fact(self, metier_code: str, code: str, sign: str = "") -> Markup:
        """Return what is known of a métier, with its letter and its interval in brackets.

        Args:
            metier_code: The métier.
            code: Of what is known.
            sign: After each number; in a table the column has the unit.
        """
        row, table = self.places.get((metier_code, code)), self.facts
        if row is None:
            return ABSENT

        def form(value: float) -> str:
            if code == SHARE:
                return french.rounded(value, 1) + sign
            return french.number(value, 1 if code == QUOTIENT and value < 10 else 0) + sign

        low, high = (table.read(row, end) for end in ("lower", "upper"))
        shown = table.show(row, form)
        if low is None or high is None or form(low) == form(high) or table.is_unreliable(row):
            return shown
        return Markup("{} ({})").format(shown, table.ends(row, form))

    def phrase(self, metier_code: str, code: str) -> Markup:
        """Return what is known of a métier with its name, for a sentence."""
        label, unit = self.named(code)
        return Markup("{} {}").format(label.lower(), self.fact(metier_code, code, _sign(unit)))

    def most(self, metier_code: str) -> float:
        """Return the upper end of a métier's share of the branch, in %; 100 where not known."""
        row = self.places.get((metier_code, SHARE))
        upper = None if row is None else self.facts.read(row, "upper")
        return 100.0 if upper is None else upper

    def doubt(self, row: int) -> str:
        """Return how much of the doubt comes from data, and how much from weights."""
        part = self.cells.read(row, "data_variance_share_pct")
        return "" if part is None else str(WORDS.doubt(round(part)))

    def reason(self, row: int) -> Markup:
        """Return the gate missed most often, with what is known; else the score."""
        metier = str(self.rows["metier_code"][row])
        gate = self.cells.read(row, "missed_gate")
        if gate is not None:
            used = self.lines.loc[self.lines["gate"] == gate, "criterion_code"]
            known = [self.phrase(metier, code) for code in dict.fromkeys(used)]
            missed = self.cells.show(row, french.percent, "missed_gate_pct")
            return _line(WORDS.missed(int(gate), known, missed))
        if (self.cells.read(row, "acceptability_pct") or 0) >= 100 * core.IN_FROM:
            return _line(WORDS.wide())
        shown = [
            self.cells.show(row, two_decimals, name)
            for name in ("score", "score_lower", "score_upper")
        ]
        return _line(WORDS.scored(*shown, two_decimals(self.criteria["cutoff_score"].iloc[0])))

    def settled(self, row: int) -> Markup:
        """Return what would settle the label: a vote, a count, or departures in the branch."""
        if self.rows["label"][row] == core.ON_WEIGHTS:
            code = self.rows["flip_criterion_code"][row]
            named = None if pd.isna(code) or not code else self.named(code)[0]
            weight = named and self.cells.show(row, two_decimals, "flip_weight")
            return _line(WORDS.settled_by_vote(named, weight))
        place = self.places[self.rows["metier_code"][row], HEADS]
        low, high = (self.facts.read(place, end) or 0.0 for end in ("lower", "upper"))
        if not self._rests_on_count(row):
            return _line(WORDS.settled_by_departures())
        entry = self.cells.read(row, "entry_headcount")
        heads = self.facts.interval(place)
        if entry is None or not low / 2 < entry < 2 * high:
            return _line(WORDS.settled_by_width(heads))
        count = self.cells.show(row, french.two_digits, "entry_headcount")
        return _line(WORDS.settled_by_count(count, heads))

    def _rests_on_count(self, row: int) -> bool:
        gate = self.cells.read(row, "missed_gate")
        used: Sequence[str] = [
            *self.lines.loc[self.lines["gate"] == gate, "criterion_code"],
            *self.criteria["criterion_code"],
        ]
        is_wide = (self.cells.read(row, "acceptability_pct") or 0) >= 100 * core.IN_FROM
        return is_wide or SHARE in used


def short(value: float) -> str:
    """Return a number as people write a threshold: without decimals it does not have."""
    return french.number(value, 0 if float(value).is_integer() else 1)


def two_decimals(value: float) -> str:
    """Return a weight or a score."""
    return french.number(value, 2)


def _sign(unit: str) -> str:
    return f"{french.NBSP}%" if unit.startswith("%") else ""


def _line(text: str) -> Markup:
    """Return a text of the template on one line."""
    return Markup(paragraphs(text)[0])
