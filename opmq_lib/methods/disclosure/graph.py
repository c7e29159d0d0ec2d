"""Everything released together as one graph of additions, and what may be known of each figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.csgraph import connected_components

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.methods.disclosure.solver import Flags as Flags
from opmq_lib.methods.disclosure.solver import Numbers as Numbers
from opmq_lib.methods.disclosure.solver import Program

Places = npt.NDArray[np.intp]
Margin = str | Mapping[str, Sequence[str]]
Margins = Mapping[str, Margin | Sequence[Margin]]
"""By code column: the code of its total, or parent → children; a list where one is cut twice."""

Family = tuple[str, Sequence[str]]
Task = tuple[int, int]
"""A figure, and the side to move it to: 1 above the truth, -1 below."""

OUTSIDER: Final = -1
"""The attacker who knows only what is published."""
TOLERANCE: Final = 1e-6

DESCRIBING: Final = (
    "value",
    "status",
    "origin",
    "weight",
    "units_count",
    "largest_share_pct",
    "second_share_pct",
    "employees_count",
    "largest_payroll_share_pct",
    "fiscal_units_count",
    "changed_units_count",
    "holder_code",
    "rounding",
)
"""Columns that describe a figure; all others say which figure it is."""
SUM_TOLERANCE: Final = 1e-7
"""How far a total may be from the sum of its parts, as a share of 1 + all that is added."""


class Exposure(NamedTuple):
    """A secret figure that an attacker knows more closely than the rules allow.

    Attributes:
        cell: Row of the figure.
        side: 1 where he knows that it is not much more, -1 not much less.
        attacker: Row of `Graph.attackers`; -1 for a reader who contributes nothing.
    """

    cell: int
    side: int
    attacker: int


@dataclass(frozen=True)
class Graph:
    """Figures, their additions, and what must and may be hidden; one row per figure.

    Attributes:
        value: True figures.
        codes: Its codes as numbers, one column per dimension.
        equations: One row per addition: total minus parts; `equations @ value` is zero.
        down_hidden: How far below the truth anybody must grant that a hidden figure may be.
        up_hidden: The same above; infinite where nothing bounds it.
        down_shown: The same of a published figure: zero, or what its rounding leaves.
        up_shown: The same above.
        need_down: How far below the truth every attacker must grant that it may be (0: no secret).
        need_up: The same above.
        room: Value less the largest contribution: what the largest contributor cannot know.
        sole: Whether there is one contributor, who knows the figure exactly.
        attackers: One row per contributor: the figures that he knows.
        kin: Figures that contain one another, or differ by what is known: who contributes to one
            is no stranger to the other, and is no attacker of it.
        cost: What hiding a figure loses.
        free: Whether it may be hidden; the others are public, or hidden anyway.
        forced: Whether it is hidden anyway.
        whole: Whether it is a whole number, so that attackers look for whole numbers.
    """

    value: Numbers
    codes: Places
    equations: csr_array
    down_hidden: Numbers
    up_hidden: Numbers
    down_shown: Numbers
    up_shown: Numbers
    need_down: Numbers
    need_up: Numbers
    room: Numbers
    sole: Flags
    attackers: csr_array
    kin: csr_array
    cost: Numbers
    free: Flags
    forced: Flags
    whole: Flags

    def need(self, cell: int, side: int) -> float:
        """Return how far from the truth a figure must seem possible on one side."""
        return float((self.need_up if side > 0 else self.need_down)[cell])

    def tasks(self) -> list[Task]:
        """Return the secret figures, each with the sides on which it needs room."""
        return [
            (cell, side)
            for side, need in ((1, self.need_up), (-1, self.need_down))
            for cell in np.flatnonzero(need > 0).tolist()
        ]

    def part(self, cells: Places) -> "Graph":
        """Return the graph of some figures alone, the others being known."""
        equations = self.equations[:, cells]
        attackers = self.attackers[:, cells]
        kin = self.kin[cells][:, cells]
        kept = {
            field.name: getattr(self, field.name)[cells]
            for field in fields(self)
            if field.name not in ("equations", "attackers", "kin")
        }
        return replace(
            self,
            equations=equations[np.diff(equations.indptr) > 0],
            attackers=attackers[np.diff(attackers.indptr) > 0],
            kin=kin,
            **kept,
        )

    def parts(self) -> Iterator[Places]:
        """Return the figures tied together by additions, those that are known leaving no tie."""
        loose = np.flatnonzero(self.free | self.forced | (self.down_shown + self.up_shown > 0))
        rows = self.equations[:, loose]
        _, number = connected_components(rows.T @ rows, directed=False)
        order = np.argsort(number, kind="stable")
        yield from np.split(loose[order], np.flatnonzero(np.diff(number[order])) + 1)


def keys_of(cells: pd.DataFrame) -> list[str]:
    """Return the columns that say which figure a row is: all but those that describe it."""
    return [str(column) for column in cells if column not in DESCRIBING]


def equations(cells: pd.DataFrame, margins: Margins) -> csr_array:
    """Return every addition that holds between the rows of a table: total minus its parts.

    Args:
        cells: Code columns, one row per figure; a part without a row counts as zero.
        margins: By code column, its total's code or parent → children.

    Examples:
        >>> cells = pd.DataFrame({"size_code": ["all", "small", "large"]})
        >>> equations(cells, {"size_code": "all"}).toarray()
        array([[ 1., -1., -1.]])
    """
    keys = keys_of(cells)
    pairs = []
    for column, margin in margins.items():
        others = [key for key in keys if key != column]
        table = cells[keys].astype(str).assign(row=np.arange(len(cells)), all="")
        for parent, children in _families(margin, table[column].unique().tolist()):
            totals = table.loc[table[column] == parent, [*others, "all", "row"]]
            parts = table.loc[table[column].isin(children), [*others, "all", "row"]]
            pairs.append(totals.merge(parts, on=[*others, "all"])[["row_x", "row_y"]])
    if not pairs:
        return csr_array((0, len(cells)))
    number = np.concatenate([len(cells) * at + two["row_x"] for at, two in enumerate(pairs)])
    both = pd.concat(pairs).to_numpy()
    _, first, line = np.unique(number, return_index=True, return_inverse=True)
    sign = np.r_[np.ones(len(first)), -np.ones(len(both))]
    at = np.r_[np.arange(len(first)), line], np.r_[both[first, 0], both[:, 1]]
    return csr_array((sign, at), shape=(len(first), len(cells)))


def _families(margin: Margin | Sequence[Margin], codes: list[str]) -> Iterator[Family]:
    if isinstance(margin, str):
        yield margin, [code for code in codes if code != margin]
    elif isinstance(margin, Mapping):
        yield from margin.items()
    else:
        for one in margin:
            yield from _families(one, codes)


def completed(value: Numbers, lines: csr_array, whole: bool, names: Sequence[str]) -> Numbers:
    """Return figures with those that are missing filled in as additions allow.

    What a producer keeps secret is unknown here too: any table that agrees with the rest serves.

    Raises:
        CoherenceError: If a total is not the sum of its parts; rows are named, no figure is.
    """
    unknown = np.flatnonzero(np.isnan(value))
    filled = np.nan_to_num(value)
    if len(unknown):
        gap, none = -(lines @ filled), np.zeros(len(unknown))
        found = Program(
            csr_array(lines[:, unknown]),
            (gap, gap),
            none,
            (none, none + np.inf),
            np.full(len(unknown), whole),
        ).solve()
        if found.x is not None:
            filled[unknown] = found.x.round() if whole else found.x
    wrong = np.abs(lines @ filled) > SUM_TOLERANCE * (1 + abs(lines) @ np.abs(filled))
    CoherenceError.refuse(
        Defect(
            names[row],
            "the parts do not sum to the total",
            "every total the sum of its parts, a part without a row being zero",
            "correct the table, or add the parts that are missing",
        )
        for row in np.unique(_heads(lines[wrong]))
    )
    return filled


def kin(lines: csr_array, loose: Flags) -> csr_array:
    """Return which figures contain one another; those that differ by known ones count as one.

    Args:
        lines: From `equations`.
        loose: Whether each figure may be hidden.

    Examples:
        >>> total_and_parts = csr_array([[1.0, -1.0, -1.0]])
        >>> kin(total_and_parts, np.array([True, True, True])).toarray().astype(int)
        array([[1, 1, 1],
               [1, 1, 0],
               [1, 0, 1]])
    """
    size = len(loose)
    open_lines = csr_array(lines @ diags_array(loose.astype(float)))
    open_lines.eliminate_zeros()
    pairs = abs(open_lines[np.diff(open_lines.indptr) == 2])
    count, name = connected_components(pairs.T @ pairs, directed=False)
    named = csr_array((np.ones(size), (np.arange(size), name)), shape=(size, count))
    head, part = csr_array(lines > 0).astype(float), csr_array(lines < 0).astype(float)
    above = named.T @ (part.T @ head) @ named
    tied = csr_array(eye_array(count))
    while True:
        more = csr_array(((tied + tied @ above) > 0).astype(float))
        if more.nnz == tied.nnz:
            return csr_array(named @ (((tied + tied.T) > 0).astype(float)) @ named.T)
        tied = more


def _heads(lines: csr_array) -> Places:
    """Return the row of the total of each addition."""
    return np.array([row.indices[row.data > 0][0] for row in lines], dtype=np.intp)
