"""Which further cells to hide, at least cost, so that no secret figure can be worked out.

The master problem chooses cells (0 or 1) under cuts; attackers are then tried on its answer, and
each of those who succeed gives a cut that this answer breaks. When none does, it is optimal.

Source: Fischetti and Salazar-González (2000), “Models and algorithms for optimizing cell
suppression in tabular data with linear constraints”, Journal of the American Statistical
Association; here cuts are added between solutions of the master problem, not inside its tree.
"""

import time
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_array

from opmq_lib.methods.disclosure.attack import OUTSIDER, TOLERANCE, Exposure, exposures, grow
from opmq_lib.methods.disclosure.graph import Flags, Graph, Numbers, Places

TIE: Final = 1e-2
"""How loose a published cell is taken to be when a cut is chosen: the cut then bears on few."""

SEARCH: Final = 0.6
"""Part of the time given to the search of the optimum; the rest makes a safe choice cheaper."""
LARGE: Final = 2500
"""Figures tied together up to which the optimum is sought; beyond, a safe choice near a bound."""
MOST: Final = 40
"""Exposures that give a cut each time."""

Cut = tuple[Places, Numbers]
"""Cells and their coefficients c: every safe choice of hidden cells has Σ c hidden ≥ 1."""


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


def suppress(graph: Graph, seconds: float) -> Choice:
    """Return the cells to hide, each part of the graph apart."""
    hidden, bound, weak, start = graph.forced.copy(), 0.0, [], time.process_time()
    parts = [
        cells
        for cells in graph.parts()
        if (graph.need_up[cells] + graph.need_down[cells]).max(initial=0) > 0
    ]
    for done, cells in enumerate(parts):
        left = seconds - (time.process_time() - start)
        choice = _suppress_part(graph.part(cells), left / (len(parts) - done))
        hidden[cells], bound = choice.hidden, bound + choice.bound
        weak += cells[choice.weak].tolist()
    return Choice(hidden, bound, weak)


def _suppress_part(graph: Graph, seconds: float) -> Choice:
    """Return the cheapest safe choice; beyond `LARGE` figures or the time, a safe one near it."""
    end = time.process_time() + seconds * SEARCH
    cuts, random = line_cuts(graph), np.random.default_rng(0)
    if not cuts or not graph.free.any():
        return Choice(graph.forced, 0.0, [each.cell for each in exposures(graph, graph.forced)])
    if len(graph.value) <= LARGE:
        _relax(graph, cuts, random, end)
    choice = _master(graph, cuts, end - time.process_time())
    while len(graph.value) <= LARGE and time.process_time() < end:
        new = _separate(graph, choice.hidden.astype(float), random)
        if not new:
            weak = exposures(graph, choice.hidden, most=MOST)
            if not weak:
                return choice
            more = np.flatnonzero(graph.free & ~choice.hidden)
            if not len(more):
                break
            one_more = more, np.ones(len(more))
            new = [cut(graph, choice.hidden.astype(float), each) or one_more for each in weak]
        cuts += new
        choice = _master(graph, cuts, end - time.process_time())
    hidden, left = grow(graph, choice.hidden)
    if not left and len(graph.value) <= LARGE:
        hidden = _prune(graph, hidden, end + seconds * (1 - SEARCH))
    return Choice(hidden, choice.bound, left)


def _relax(graph: Graph, cuts: list[Cut], random: np.random.Generator, end: float) -> None:
    """Add cuts while cells may be hidden in part, as long as the bound rises."""
    bound = -np.inf
    while time.process_time() < end:
        found = _solve_master(graph, cuts, end - time.process_time(), whole=False)
        if found.x is None or found.fun <= bound + 1e-3 * abs(found.fun):
            break
        bound = found.fun
        hidden = graph.forced.astype(float)
        hidden[graph.free] = found.x
        cuts += _separate(graph, hidden, random)


def _separate(graph: Graph, hidden: Numbers, random: np.random.Generator) -> list[Cut]:
    """Return cuts that a choice, in part or whole, breaks because of what outsiders know."""
    found: list[Cut] = []
    if graph.equations.shape[0] == 1:  # `line_cuts` say all of it
        return found
    tasks = [Exposure(*task, OUTSIDER) for task in graph.tasks()]
    for at in random.permutation(len(tasks)):
        new = cut(graph, hidden, tasks[at])
        if new and new[1] @ hidden[new[0]] < 1 - 1e-3:
            found.append(new)
        if len(found) == MOST:
            break
    return found


def _prune(graph: Graph, hidden: Flags, end: float) -> Flags:
    """Return a safe choice without the cells that it can do without, the dearest first."""
    cells = np.flatnonzero(hidden & graph.free)
    for cell in cells[np.argsort(-graph.cost[cells], kind="stable")]:
        if time.process_time() > end:
            break
        less = hidden.copy()
        less[cell] = False
        if not exposures(graph, less, most=1):
            hidden = less
    return hidden


def _solve_master(graph: Graph, cuts: list[Cut], seconds: float, *, whole: bool) -> OptimizeResult:
    """Return the solver's answer to the cheapest choice under the cuts known so far."""
    size = [len(cells) for cells, _ in cuts]
    cells, by = (np.concatenate(each) for each in zip(*cuts, strict=True))
    at = np.repeat(np.arange(len(cuts)), size), cells
    rows = csr_array((by, at), shape=(len(cuts), len(graph.value)))
    least = 1 - rows @ graph.forced.astype(float)
    return milp(
        graph.cost[graph.free],
        constraints=LinearConstraint(rows[:, graph.free], least - TOLERANCE, np.inf),
        bounds=Bounds(0, 1),
        integrality=np.full(int(graph.free.sum()), int(whole)),
        options={"time_limit": max(seconds, 1.0), "mip_rel_gap": 0.0},
    )


def _master(graph: Graph, cuts: list[Cut], seconds: float) -> Choice:
    """Return the cheapest choice under the cuts known so far; all hidden if none is found."""
    found = _solve_master(graph, cuts, seconds, whole=True)
    if found.x is None:
        return Choice(graph.forced | graph.free, 0.0, [])
    hidden = graph.forced.copy()
    hidden[graph.free] = found.x > 0.5
    return Choice(hidden, max(0.0, float(found.mip_dual_bound)), [])


def line_cuts(graph: Graph) -> list[Cut]:
    """Return what each addition asks by itself: its other hidden cells leave enough room.

    The company alone in some of its cells knows them: their room does not count against it.
    """
    cuts: list[Cut] = []
    members, can = graph.attackers.tocsc(), graph.free | graph.forced
    needs = ((1, graph.need_up), (-1, graph.need_down))
    secret = (graph.need_up > 0) | (graph.need_down > 0)
    lines = graph.equations
    for start, end in pairwise(lines.indptr):
        cells, sign = lines.indices[start:end], lines.data[start:end]
        cells, sign = cells[can[cells]], sign[can[cells]]
        if not secret[cells].any():
            continue
        sole = members[:, cells[graph.sole[cells]]].indices
        known = graph.attackers[[np.bincount(sole).argmax()]].indices if len(sole) else []
        known = graph.sole[cells] & np.isin(cells, known)
        for at in np.flatnonzero(secret[cells]):
            cell = cells[at]
            frozen = known & ~np.isin(cells, graph.kin[[cell]].indices)
            for side, need in needs:
                if need[cell] > 0:
                    upwards = side * sign * sign[at] < 0
                    room = np.where(upwards, graph.up_hidden[cells], graph.down_hidden[cells])
                    room[frozen] = room[at] = 0
                    cuts.append(_cut(cells, room, float(need[cell])))
    return cuts


def _cut(cells: Places, room: Numbers, need: float) -> Cut:
    return cells[room > 0], np.minimum(room[room > 0] / need, 1)


def cut(graph: Graph, hidden: Numbers, exposure: Exposure) -> Cut | None:
    """Return what an exposure asks of every safe choice; the choice at hand does not have it.

    With λ the prices of the additions in the attacker's problem, the figure's movement is
    Σ c Δ, c = side·e + λ·equations, whatever the movements Δ of the others: it is enough only if
    Σ (c⁺ room above + c⁻ room below) over the hidden cells reaches the need.

    Args:
        graph: Figures.
        hidden: From 0 (shown) to 1 (hidden).
        exposure: From `exposures`.

    Returns:
        The cut; `None` where only whole numbers stand in the attacker's way, or nothing does.
    """
    cell, side, attacker = exposure
    need = graph.need(cell, side)
    can = graph.free | graph.forced
    up, down = np.where(can, graph.up_hidden, 0), np.where(can, graph.down_hidden, 0)
    if attacker >= 0:
        known = np.setdiff1d(graph.attackers[[attacker]].indices, graph.kin[[cell]].indices)
        down[known] = np.minimum(down[known], graph.room[known])
        up[known[graph.sole[known]]] = 0
    is_hidden = hidden > 1 - TOLERANCE
    high = np.where(is_hidden, up, np.minimum(up, need) * (hidden + TIE))
    low = np.where(is_hidden, down, np.minimum(down, need) * (hidden + TIE))
    (high if side > 0 else low)[cell], (low if side > 0 else high)[cell] = need, np.inf
    found = linprog(
        np.eye(1, len(up), cell)[0] * -side,
        A_eq=graph.equations,
        b_eq=np.zeros(graph.equations.shape[0]),
        bounds=np.c_[-low, high],
    )
    everywhere = np.arange(len(up))
    if found.status != 0 or -found.fun > need - TOLERANCE:
        return None
    by = graph.equations.T @ found.eqlin.marginals
    by = np.where((np.abs(by) < 1e-7) | (everywhere == cell), 0, by)
    with np.errstate(invalid="ignore"):
        room = np.where(by > 0, by * up, np.where(by < 0, -by * down, 0))
    return _cut(everywhere, room, need)
