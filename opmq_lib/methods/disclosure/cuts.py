"""What every safe choice of hidden cells has: inequalities that a given choice breaks."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from opmq_lib.methods.disclosure.graph import TOLERANCE, Exposure, Graph, Numbers, Places
from opmq_lib.methods.disclosure.solver import Program

TIE: Final = 1e-2
"""How loose a published cell is taken to be when a cut is chosen: the cut then bears on few."""
PRIMAL: Final = 4
"""The simplex that starts best where what is asked changes: in a sixth of the dual one's steps."""
BROKEN: Final = 1e-3
"""By how much a cut must be broken to be of use."""


class Cut(NamedTuple):
    """Σ by · hidden ≥ least, in every cheapest safe choice."""

    cells: Places
    by: Numbers
    least: float = 1.0


class _Need(NamedTuple):
    """What one addition asks for a secret figure on one side: room in its other cells.

    Attributes:
        cells: Those that can be hidden.
        by: Their room over the need, for an outsider.
        less: How much less it is for a contributor who knows the cell.
        knowers: One row per contributor: the cells that he knows.
    """

    cells: Places
    by: Numbers
    less: Numbers
    knowers: csr_array


def line_needs(graph: Graph) -> list[_Need]:
    """Return what each addition asks by itself."""
    found: list[_Need] = []
    columns = graph.attackers.tocsc()
    needs = ((1, graph.need_up), (-1, graph.need_down))
    for cells, sign in _lines(graph):
        secret = [at for at in range(len(cells)) if any(need[cells[at]] > 0 for _, need in needs)]
        if not secret:
            continue
        knowers = csr_array(columns[:, cells])
        knowers = knowers[np.diff(knowers.indptr) > 0]
        for at in secret:
            stranger = ~np.isin(cells, graph.kin[[cells[at]]].indices)
            for side, need in needs:
                if (least := need[cells[at]]) > 0:
                    upwards = side * sign * sign[at] < 0
                    room = np.where(upwards, graph.up_hidden[cells], graph.down_hidden[cells])
                    held = np.where(upwards, np.inf, graph.room[cells])
                    held = np.minimum(room, np.where(graph.sole[cells], 0, held))
                    room[at] = 0
                    by, kept = (np.minimum(each / least, 1) for each in (room, held))
                    found.append(_Need(cells, by, np.where(stranger, by - kept, 0), knowers))
    return found


def line_cuts(needs: Iterable[_Need], hidden: Numbers) -> Iterator[Cut]:
    """Yield what additions ask and a choice breaks, for the contributor who knows most."""
    for cells, by, less, knowers in needs:
        x = hidden[cells]
        if (full := by @ x) >= 1 + less @ x:
            continue
        lost = knowers @ (less * x)
        worst = int(lost.argmax()) if len(lost) else 0
        if full - (lost[worst] if len(lost) else 0) < 1 - BROKEN:
            if len(lost):
                by = by - less * knowers[[worst]].toarray()[0]
            yield Cut(cells[by > 0], by[by > 0])


def bridge_cuts(graph: Graph, hidden: Numbers) -> Iterator[Cut]:
    """Yield what a choice breaks of this: no cell is hidden alone in an addition for nothing."""
    for cells, _ in _lines(graph):
        x = hidden[cells]
        for at in np.flatnonzero(graph.free[cells] & (2 * x > x.sum() + BROKEN)):
            yield Cut(cells, np.where(np.arange(len(cells)) == at, -1.0, 1.0), 0.0)


def _lines(graph: Graph) -> Iterator[tuple[Places, Numbers]]:
    """Yield the cells of each addition that can be hidden, and their signs."""
    can, lines = graph.free | graph.forced, graph.equations
    for start, end in pairwise(lines.indptr):
        cells, sign = lines.indices[start:end], lines.data[start:end]
        yield cells[can[cells]], sign[can[cells]]


class Capacities:
    """Cuts of all additions together: what a figure's movement asks of the hidden cells."""

    def __init__(self, graph: Graph) -> None:
        self.graph, none = graph, np.zeros(len(graph.value))
        still, can = np.zeros(graph.equations.shape[0]), graph.free | graph.forced
        self.up, self.down = (
            np.where(can, each, 0) for each in (graph.up_hidden, graph.down_hidden)
        )
        self.program = Program(
            graph.equations, (still, still), none, (none, none), simplex_strategy=PRIMAL
        )

    def cut(self, hidden: Numbers, exposure: Exposure) -> Cut | None:
        """Return what an exposure asks of every safe choice; the choice at hand does not have it.

        With λ the prices of the additions in the attacker's problem, the figure's movement is
        Σ c Δ, c = side·e + λ·equations, whatever the movements Δ of the others: it is enough only
        if Σ (c⁺ room above + c⁻ room below) over the hidden cells reaches the need.

        Args:
            hidden: From 0 (shown) to 1 (hidden).
            exposure: From `exposures`.

        Returns:
            The cut; `None` where only whole numbers stand in the attacker's way, or nothing does.
        """
        graph, (cell, side, attacker) = self.graph, exposure
        need, up, down = graph.need(cell, side), self.up, self.down
        if attacker >= 0:
            up, down = up.copy(), down.copy()
            known = np.setdiff1d(graph.attackers[[attacker]].indices, graph.kin[[cell]].indices)
            down[known] = np.minimum(down[known], graph.room[known])
            up[known[graph.sole[known]]] = 0
        is_hidden = hidden > 1 - TOLERANCE
        high = np.where(is_hidden, up, np.minimum(up, need) * (hidden + TIE))
        low = np.where(is_hidden, down, np.minimum(down, need) * (hidden + TIE))
        (high if side > 0 else low)[cell], (low if side > 0 else high)[cell] = need, np.inf
        goal = np.zeros(len(up))
        goal[cell] = -side
        self.program.change(goal, -low, high)
        found = self.program.solve()
        if found.x is None or -found.cost > need - TOLERANCE:
            return None
        by = graph.equations.T @ found.prices
        by = np.where(np.abs(by) < 1e-7, 0, by)
        by[cell] = 0
        with np.errstate(invalid="ignore"):
            room = np.where(by > 0, by * up, np.where(by < 0, -by * down, 0))
        cells = np.flatnonzero(room > 0)
        cut = Cut(cells, np.minimum(room[cells] / need, 1))
        return cut if cut.by @ hidden[cells] < 1 - BROKEN else None
