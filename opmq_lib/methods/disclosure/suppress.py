"""Which further cells to hide, at least cost, so that no secret figure can be worked out.

The master problem chooses cells (0 or 1) under cuts; attackers are then tried on its answer, and
each of those who succeed gives a cut that this answer breaks. Cuts come first from answers in
part, for a bound; then parts of a safe choice are chosen again, the rest being kept, as long as
that is cheaper. Searches are counted in steps: other work on the machine changes no choice.

Source: Fischetti and Salazar-González (2000), “Models and algorithms for optimizing cell
suppression in tabular data with linear constraints”, Journal of the American Statistical
Association: capacity and bridgeless inequalities. Here cuts are added between solutions of the
master problem, not inside its tree.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from opmq_lib.methods.disclosure.attack import Attack, exposures
from opmq_lib.methods.disclosure.cuts import (
    BROKEN,
    Capacities,
    Cut,
    bridge_cuts,
    line_cuts,
    line_needs,
)
from opmq_lib.methods.disclosure.graph import (
    OUTSIDER,
    TOLERANCE,
    Exposure,
    Flags,
    Graph,
    Numbers,
    Places,
)
from opmq_lib.methods.disclosure.solver import Answer, Program

LARGE: Final = 2500
"""Figures tied together up to which the optimum is sought; beyond, a safe choice near a bound."""
MOST: Final = 40
"""Cuts of all additions together that a choice gives."""
NODES, ROUNDS, SOME, PATIENCE = 100, 5, 150, 12
"""Nodes of a search of whole choices; how often one is sought again under the cuts that the last
one gave; cells that are chosen again at once; after how many parts in vain no more is sought."""
NEAR: Final = 0.005
"""Part of the cost that is not worth a search where there are more cells than `SOME`."""


class Choice(NamedTuple):
    """What is hidden.

    Attributes:
        hidden: Whether each figure is.
        bound: What any safe choice costs at least.
        weak: Figures that no choice was found to protect.
    """

    hidden: Flags
    bound: float
    weak: list[int]


def suppress(graph: Graph, effort: int) -> Choice:
    """Return the cells to hide, each part of the graph apart; parts are chosen again so often."""
    hidden, bound, weak = graph.forced.copy(), 0.0, list[int]()
    for cells in graph.parts():
        if (graph.need_up[cells] + graph.need_down[cells]).max(initial=0) > 0:
            choice = _suppress_part(graph.part(cells), effort)
            hidden[cells], bound = choice.hidden, bound + choice.bound
            weak += cells[choice.weak].tolist()
    return Choice(hidden, bound, weak)


def _suppress_part(graph: Graph, effort: int) -> Choice:
    """Return the cheapest safe choice found, and a bound."""
    if not graph.free.any():
        return Choice(graph.forced, 0.0, [each.cell for each in exposures(graph, graph.forced)])
    master, is_large = _Master(graph), effort == 0 or len(graph.value) > LARGE
    master.raise_bound(is_large)
    if is_large:
        attack = Attack(graph, master.hidden > 0.5)
        return Choice(attack.hidden, master.bound, attack.grow())
    first = master.whole(graph.cost.sum())
    attack = Attack(graph, first)
    weak = attack.grow()
    if not weak:
        _prune(master, attack, first)
        _improve(master, attack, effort)
    return Choice(attack.hidden, master.bound, weak)


def _prune(master: "_Master", attack: Attack, wanted: Flags) -> None:
    """Show again the cells that a safe choice can do without, first those not wanted.

    As long as that goes well, twice as many at a time.
    """
    cost, attack.is_quick = master.graph.cost, True
    cells = np.flatnonzero(attack.hidden & master.graph.free)
    cells, count = cells[np.lexsort((-cost[cells], wanted[cells]))], 1
    while len(cells) and not master.is_near(attack.hidden):
        less = attack.hidden.copy()
        less[cells[:count]] = False
        weak = None if master.is_broken(less) else attack.choose(less, most=1)
        master.add(master.capacity_cuts(less, weak or ()))
        if weak == [] or count == 1:
            cells = cells[count:]
        count = 2 * count if weak == [] else max(1, count // 4)
    attack.is_quick = False


def _improve(master: "_Master", attack: Attack, effort: int) -> None:
    """Choose parts of a safe choice again, the rest being kept, as long as that is cheaper."""
    failed = 0
    while failed < PATIENCE and effort > 0 and not master.is_near(attack.hidden):
        failed, effort = failed + 1, effort - 1
        part = master.some(attack.hidden)
        for _ in range(ROUNDS):
            other = master.cheaper(attack.hidden, part)
            if other is None:
                break
            new = master.separate(other)
            if not new:
                weak = attack.choose(other, MOST)
                if not weak:
                    failed = 0
                    break
                new = master.against(other, weak)
            master.add(new)
    if not master.is_near(attack.hidden):
        master.whole(master.cost(attack.hidden))


class _Master:
    """The cheapest choice under the cuts known so far.

    Attributes:
        graph: Figures.
        cuts: Cuts known so far.
        hidden: The cheapest choice in part (0 shown, 1 hidden).
        bound: What any safe choice costs at least.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.needs, self.capacities = graph, line_needs(graph), Capacities(graph)
        self.random, free = np.random.default_rng(0), np.flatnonzero(graph.free)
        self.cuts = [Cut(free, np.ones(len(free)), 0.0)]
        self.place, self.near = np.cumsum(graph.free) - 1, NEAR if len(free) > SOME else TOLERANCE
        self.hidden, self.bound = graph.forced.astype(float), 0.0
        cost, none = graph.cost[graph.free], np.zeros(0)
        rows = csr_array((0, len(cost)))
        self.program = Program(rows, (none, none), cost, (0 * cost, 0 * cost + 1))

    def cost(self, hidden: Flags) -> float:
        """Return what a choice costs."""
        return float(self.graph.cost[hidden & self.graph.free].sum())

    def is_near(self, hidden: Flags) -> bool:
        """Return whether no choice is cheaper by what is worth a search."""
        return self.cost(hidden) * (1 - self.near) <= self.bound

    def raise_bound(self, is_large: bool) -> None:
        """Add cuts while cells may be hidden in part, as long as the bound rises."""
        stalled = 0
        while stalled < 3:
            new = [*line_cuts(self.needs, self.hidden), *bridge_cuts(self.graph, self.hidden)]
            if len(new) < MOST // 4 and not is_large:
                new += self.separate(self.hidden)
            if not new:
                return
            self.add(new)
            before, answer = self.bound, self.program.solve()
            if answer.x is None:
                return
            self.hidden[self.graph.free], self.bound = answer.x, answer.cost
            stalled = stalled + 1 if self.bound - before < 1e-3 * self.bound else 0

    def separate(self, hidden: Numbers | Flags) -> list[Cut]:
        """Return cuts that a choice, in part or whole, breaks because of what outsiders know."""
        tasks, found = self.graph.tasks(), list[Cut]()
        if self.graph.equations.shape[0] == 1:  # `line_needs` say all of it
            return found
        for at in self.random.permutation(len(tasks)):
            cell, side = tasks[at]
            if cut := self.capacities.cut(hidden.astype(float), Exposure(cell, side, OUTSIDER)):
                found.append(cut)
            if len(found) == MOST:
                break
        return found

    def against(self, hidden: Flags, weak: Iterable[Exposure]) -> list[Cut]:
        """Return cuts that a choice breaks where figures are exposed: at least one more cell."""
        more = np.flatnonzero(self.graph.free & ~hidden)
        return self.capacity_cuts(hidden, weak) or [Cut(more, np.ones(len(more)))]

    def capacity_cuts(self, hidden: Flags, weak: Iterable[Exposure]) -> list[Cut]:
        """Return the cuts that a choice breaks where figures are exposed, whole numbers or not."""
        partly = hidden.astype(float)
        return [cut for each in weak if (cut := self.capacities.cut(partly, each))]

    def is_broken(self, hidden: Flags) -> bool:
        """Return whether a cut shows that a choice is not safe (bridges: that it is not cheap)."""
        return any(by @ hidden[cells] < least - BROKEN for cells, by, least in self.cuts if least)

    def add(self, new: list[Cut]) -> None:
        """Take cuts into account."""
        if not new:
            return
        self.cuts += new
        self.program.add(*self.rows(new))

    def rows(self, cuts: list[Cut]) -> tuple[csr_array, Numbers]:
        """Return cuts as rows over the cells that may be hidden, and what each must reach."""
        graph, line = self.graph, np.repeat(np.arange(len(cuts)), [len(each[0]) for each in cuts])
        cells, by = (np.concatenate([each[at] for each in cuts]) for at in (0, 1))
        rows = csr_array((by, (line, cells)), shape=(len(cuts), len(graph.value)))
        least = np.array([each.least for each in cuts]) - rows @ graph.forced.astype(float)
        return csr_array(rows[:, graph.free]), least

    def whole(self, top: float) -> Flags:
        """Return the cheapest whole choice, and raise the bound, as often as that gives cuts."""
        graph = self.graph
        hidden = graph.forced | graph.free
        for _ in range(ROUNDS):
            found = self.within(np.flatnonzero(graph.free), graph.forced, top)
            self.bound = max(self.bound, min(found.bound, top))
            if found.x is None:
                break
            hidden = graph.forced.copy()
            hidden[graph.free] = found.x > 0.5
            new = self.separate(hidden)
            if not new:
                break
            self.add(new)
        return hidden

    def cheaper(self, hidden: Flags, part: Places) -> Flags | None:
        """Return a choice that is cheaper under the cuts and differs in a part alone, if any."""
        top = float(self.graph.cost[part] @ hidden[part]) - self.near * self.cost(hidden)
        found = self.within(part, hidden, top)
        if found.x is None or found.cost > top - TOLERANCE:
            return None
        other = hidden.copy()
        other[part] = found.x > 0.5
        return other

    def within(self, part: Places, kept: Flags, top: float) -> Answer:
        """Return the cheapest choice of a part under the cuts, below a cost; the rest is kept."""
        rows, least = self.rows(self.cuts)
        left = kept[self.graph.free].astype(float)
        left[self.place[part]] = 0
        least = least - rows @ left - TOLERANCE
        rows = csr_array(rows[:, self.place[part]])
        asks = np.flatnonzero(least > rows.minimum(0).sum(axis=1))
        limits = least[asks], np.full(len(asks), np.inf)
        none = np.zeros(len(part))
        return Program(
            csr_array(rows[asks]), limits, self.graph.cost[part], (none, none + 1), none == 0,
            mip_max_nodes=NODES, mip_rel_gap=0.0, objective_bound=top,
        ).solve()  # fmt: skip

    def some(self, hidden: Flags) -> Places:
        """Return cells to choose again: those of one code of a hidden cell, and of some others."""
        graph, inside = self.graph, np.zeros(len(hidden), bool)
        among, enough = hidden & graph.free, min(SOME, int(graph.free.sum()))
        while (inside & graph.free).sum() < enough:
            codes = graph.codes[:, self.random.integers(graph.codes.shape[1])]
            inside |= codes == codes[self.random.choice(np.flatnonzero(among))]
            among = graph.free & ~inside
        return np.flatnonzero(inside & graph.free)
