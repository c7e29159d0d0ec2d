"""The attacker: how closely a reader who adds, subtracts and compares can know a secret figure.

A figure is safe from an attacker if there is a table, equal to the true one in all that he knows,
in which it is far enough above the truth, and another in which it is far enough below. Such a
table is the true one plus a movement that leaves every addition true. Movements are found by
linear programs, and counted on only once checked here, in whole numbers where figures are: what
the solver says is never taken on trust. One movement serves many figures.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack
from scipy.sparse.csgraph import connected_components

from opmq_lib.methods.disclosure.graph import (
    OUTSIDER,
    TOLERANCE,
    Exposure,
    Flags,
    Graph,
    Numbers,
    Places,
    Task,
)
from opmq_lib.methods.disclosure.solver import Program

GAIN, DEAREST, SHORT, ALONE = 1e3, 1e2, 1e-3, 20
"""What a step brings of a figure aimed at, and costs: of the dearest cell that is still shown, of a
hidden one (movements stay short), how many times that where one company knows the figure."""
BLOCK, AIMS, TRIES, TRIES_A_SIZE = 80, 8, 9, 3
"""Figures in a block of movements, and aims in it; how often a figure is tried with others, and
after how many times blocks are twice as large."""
AGAIN: Final = 5
"""How often a movement that may have been missed is sought again."""
MANY: Final = 1000
"""Loose figures beyond which many are moved at once."""
WIDE: Final = 256
"""Aims at a time when more cells are hidden."""
LARGEST_WHOLE: Final = 800
"""Figures up to which a movement is sought in whole numbers; beyond, none is counted on."""
NODES: Final = 200
"""Nodes of a search in whole numbers."""
WARM: Final = 2500
"""Figures up to which one program is kept for all movements."""


Proof = tuple[Places, set[int]]


class _Aim(NamedTuple):
    """What to move, and how far each figure can move below and above the truth."""

    gain: Numbers
    down: Numbers
    up: Numbers


def exposures(graph: Graph, hidden: Flags) -> list[Exposure]:
    """Return the secret figures that somebody knows too closely.

    In a large graph a movement in whole numbers may be missed: it is sought again, in other blocks.
    """
    attack = Attack(graph, hidden)
    attack.move_many()
    weak = list(attack.seen(attack.unsafe()))
    for _ in range(AGAIN):
        sure = [each for each in weak if each in attack.certain]
        tasks = dict.fromkeys(each[:2] for each in weak if each not in attack.certain)
        weak = [*dict.fromkeys([*sure, *attack.seen(tasks)])]
    return weak


def extent(graph: Graph, hidden: Flags, exposure: Exposure) -> float:
    """Return how far a figure can be from the truth on one side, for an attacker (inf: any)."""
    cell, side, attacker = exposure
    attack = Attack(graph, hidden)
    aim = attack.free_to_move()
    attack.hold(aim, [attacker] if attacker != OUTSIDER else [], [cell], np.ones(len(hidden), bool))
    aim.gain[cell] = side
    moved = attack.solve(attack.loose, aim, step=0.0)
    return np.inf if moved is None else float(side * moved[cell])


class Attack:
    """Attackers of a choice of hidden cells.

    Attributes:
        graph: Figures.
        hidden: Which are hidden; more when movements need it.
        proofs: Of each figure and side, the figures of every movement that counts for it, and the
            attackers whom that one does not keep away.
        blocked: The attackers not yet shown to be kept away; `None` where not even an outsider is.
        certain: What has been exposed without any need of whole numbers.
    """

    def __init__(self, graph: Graph, hidden: Flags) -> None:
        self.graph, self.hidden = graph, hidden.copy()
        self.columns = graph.equations.tocsc()
        self.knowers = graph.attackers.T.tocsr()
        self.random = np.random.default_rng(0)
        self.movable = np.flatnonzero(
            graph.free | graph.forced | (graph.down_shown + graph.up_shown > 0)
        )
        self.program: Program | None = None
        self.is_quick = False
        self.proofs: dict[Task, tuple[Proof, ...]] = dict.fromkeys(graph.tasks(), ())
        self.blocked: dict[Task, set[int] | None] = dict.fromkeys(graph.tasks())
        self.certain: set[Exposure] = set()
        self.loosen(self.hidden)

    def grow(self) -> list[int]:
        """Hide more until all is safe; return the figures that nothing protects."""
        for _ in range(3):
            self.widen()
            self.move_many()
        weak = list(self.seen(self.unsafe()))
        for dear in (1, SHORT):  # what many dear cells protect is not worth it at their price
            if weak:
                self.loosen(self.hidden | self.graph.free)
                self.price *= dear
                weak = list(self.seen(self.unsafe()))
        self.loosen(self.hidden)
        return [each.cell for each in weak]

    def choose(self, hidden: Flags, most: int) -> list[Exposure]:
        """Hide these instead if that is safe; else return what is exposed, `most` at most.

        What movements of other figures prove stays proved.
        """
        before = self.hidden, self.proofs, self.blocked
        gone = self.hidden & ~hidden
        self.hidden, self.proofs, self.blocked = hidden.copy(), dict(self.proofs), {**self.blocked}
        for task, proofs in self.proofs.items():
            kept = tuple(proof for proof in proofs if not gone[proof[0]].any())
            if len(kept) < len(proofs):
                left = [others for _, others in kept]
                self.proofs[task] = kept
                self.blocked[task] = set.intersection(*left) if left else None
        self.loosen(hidden)
        weak = list(islice(self.seen(self.unsafe()), most))
        if weak:
            self.hidden, self.proofs, blocked = before
            hard = {each[:2]: blocked[each[:2]] for each in weak}
            self.blocked = hard | blocked  # tried first the next time
            self.loosen(self.hidden)
        return weak

    def loosen(self, cells: Flags) -> None:
        """Let these figures move; the shown ones at a price."""
        graph = self.graph
        self.down = np.where(cells, graph.down_hidden, graph.down_shown)
        self.up = np.where(cells, graph.up_hidden, graph.up_shown)
        self.loose = np.flatnonzero(self.down + self.up > 0)
        self.price = np.where(cells & ~self.hidden, graph.cost * DEAREST / graph.cost.max(), 0)

    def unsafe(self) -> list[Task]:
        """Return the figures and sides of which somebody may still know too much."""
        return [task for task, left in self.blocked.items() if left is None or left]

    def free_to_move(self) -> _Aim:
        """Return an aim at nothing, for an outsider."""
        return _Aim(np.zeros(len(self.down)), self.down.copy(), self.up.copy())

    def hold(
        self, aim: _Aim, attackers: Iterable[int], targets: Iterable[int], among: Flags
    ) -> None:
        """Keep to what attackers who are no kin of the targets grant of their own figures."""
        cells = _entries(self.graph.attackers, attackers)
        cells = cells[among[cells] & ~np.isin(cells, _entries(self.graph.kin, targets))]
        aim.down[cells] = np.minimum(aim.down[cells], self.graph.room[cells])
        aim.up[cells[self.graph.sole[cells]]] = 0

    def aim_at(self, tasks: Iterable[Task], aim: _Aim) -> _Aim:
        """Return an aim, at moving figures to one side as far as they need, if they can."""
        for cell, side in tasks:
            forth, back = (aim.up, aim.down) if side > 0 else (aim.down, aim.up)
            room = (self.up if side > 0 else self.down)[cell]
            aim.gain[cell], back[cell] = side, 0
            forth[cell] = min(room, self.graph.need(cell, side))
        return aim

    def aim_at_many(self, tasks: list[Task], blocks: Places | int = 0) -> _Aim:
        """Return the aim at figures, in each block for the attackers of those that are there."""
        block, aim = np.full(len(self.down), -1), self.free_to_move()
        block[self.loose] = blocks
        at = block[[cell for cell, _ in tasks]]
        for one in np.unique(at):
            inside = [tasks[place] for place in np.flatnonzero(at == one)]
            known: set[int] = set().union(*(self.blocked[task] or () for task in inside))
            self.hold(aim, known, [cell for cell, _ in inside], block == one)
        return self.aim_at(tasks, aim)

    def rows(self, cells: Places, blocks: Places | int) -> csc_array:
        """Return the additions between some figures, each block having its own."""
        columns = self.columns[:, cells]
        block = np.repeat(np.broadcast_to(blocks, len(cells)), np.diff(columns.indptr))
        line = np.unique(columns.indices + columns.shape[0] * block, return_inverse=True)[1]
        shape = line.max(initial=-1) + 1, len(cells)
        return csc_array((columns.data, line, columns.indptr), shape=shape)

    def solve(
        self,
        cells: Places,
        aim: _Aim,
        *,
        step: float = SHORT,
        whole: bool = False,
        blocks: Places | int = 0,
    ) -> Numbers | None:
        """Return the movement of most gain and fewest steps; `None` if it has no end.

        In whole numbers, one that goes at least so far (three more may be impossible, four not).
        """
        is_kept = np.ndim(blocks) == 0 and not whole and len(self.movable) <= WARM
        inside = np.isin(self.movable, cells) if is_kept else True
        cells = self.movable if is_kept else cells
        price = step * np.where(self.graph.sole[cells], ALONE, 1) + self.price[cells]
        gain = GAIN * aim.gain[cells]
        cost = np.r_[price - gain, price + gain]
        high = np.r_[np.where(inside, aim.up[cells], 0), np.where(inside, aim.down[cells], 0)]
        low = np.zeros(len(high))
        if whole:  # any movement will do, as long as it is far enough
            is_aim = np.r_[gain, -gain] > 0
            low = np.where(is_aim, high, 0)
            high = np.where(is_aim, np.r_[self.up[cells], self.down[cells]], high)
            cost = np.tile(self.price[cells], 2)
        if is_kept and self.program is not None:
            program = self.program
            program.change(cost, low, high)
        else:
            rows = self.rows(cells, blocks)
            still = np.zeros(rows.shape[0])
            both = hstack([rows, -rows], format="csc")
            integers = np.tile(self.graph.whole[cells] & whole, 2)
            limit = {"mip_max_nodes": NODES} if whole else {}
            program = Program(both, (still, still), cost, (low, high), integers, **limit)
            self.program = program if is_kept else self.program
        found = program.solve()
        if found.x is None:
            return None
        moved = np.zeros(len(self.down))
        moved[cells] = found.x[: len(cells)] - found.x[len(cells) :]
        return moved

    def move_many(self) -> None:
        """Move many figures at once until each is shown to be safe, or has been tried in vain.

        In small graphs moving each is faster, and nothing is done here.

        Movements stay in blocks, random each time: they are short, and one that is not in whole
        numbers spoils few others.
        """
        tried = dict.fromkeys(self.blocked, 0)
        while len(self.loose) > MANY:
            tasks = [task for task in self.unsafe() if tried[task] < TRIES]
            if len(tasks) <= AIMS:
                return
            order = self.random.permutation(len(tasks))
            tasks = sorted((tasks[at] for at in order), key=lambda task: tried[task])
            larger = tried[tasks[0]] // TRIES_A_SIZE
            count = max(1, len(self.loose) // BLOCK >> larger)
            blocks = self.blocks(count)
            tasks = list(dict(tasks[: (AIMS >> larger) * count]).items())
            before = {task: self.blocked[task] for task in tasks}
            moved = self.solve(self.loose, self.aim_at_many(tasks, blocks), blocks=blocks)
            self.keep(moved, blocks=blocks)
            for task, left in before.items():
                tried[task] += self.blocked[task] == left

    def blocks(self, count: int) -> Places:
        """Return a random block for each loose figure: those whose codes fall together."""
        block, made = np.zeros(len(self.loose), int), 1
        for codes in self.graph.codes.T:
            kinds = int(codes.max()) + 1
            sides = round(np.sqrt(count)) if made == 1 else count // made
            sides = min(sides, kinds // 5)
            if sides > 1:
                side = self.random.integers(0, sides, kinds)
                block, made = block * sides + side[codes[self.loose]], made * sides
        return block

    def widen(self) -> None:
        """Hide what the cheapest movements of the figures not yet safe need besides."""
        self.loosen(self.hidden | self.graph.free)
        tasks = self.unsafe()
        order = self.random.permutation(len(tasks))
        for start in range(0, len(tasks), WIDE):
            chosen = dict(tasks[at] for at in order[start : start + WIDE])
            aim = self.aim_at_many(list(chosen.items()))
            moved = self.solve(self.loose, aim)
            self.hide(moved)
        self.loosen(self.hidden)

    def hide(self, moved: Numbers | None) -> None:
        """Hide the shown cells that a movement needs."""
        if moved is not None:
            self.hidden |= (self.price > 0) & (np.abs(moved) > TOLERANCE)
            self.price[self.hidden] = 0

    def seen(self, tasks: Iterable[Task]) -> Iterator[Exposure]:
        """Yield what is exposed of figures not yet shown to be safe, moving each alone."""
        for task in tasks:
            if self.blocked[task] is None and not self.reach(task, ()):
                yield Exposure(*task, OUTSIDER)
            else:
                for who in self.who_sees(task, self.blocked[task] or ()):
                    yield Exposure(*task, who)

    def who_sees(self, task: Task, attackers: Iterable[int]) -> Iterator[int]:
        """Yield who of some attackers sees a figure, halving those whom no movement keeps away."""
        left = sorted(set(attackers) & (self.blocked[task] or set()))
        if not left or self.reach(task, left):
            return
        if half := len(left) // 2:
            yield from self.who_sees(task, left[:half])
            yield from self.who_sees(task, left[half:])
        else:
            yield left[0]

    def reach(self, task: Task, attackers: Sequence[int]) -> bool:
        """Return whether a figure can move far enough for attackers taken together."""
        cell, side = task
        enough = self.graph.need(cell, side) - TOLERANCE
        aim = self.free_to_move()
        self.hold(aim, attackers, [cell], np.ones(len(self.down), bool))
        self.aim_at([task], aim)
        if (aim.up if side > 0 else aim.down)[cell] < enough:
            return False
        for cells in self.around(cell):
            moved = self.solve(cells, aim)
            if moved is None or side * moved[cell] < enough:
                if cells is self.loose:
                    if len(attackers) < 2:
                        self.certain.add(Exposure(*task, *(attackers or [OUTSIDER])))
                    return False
                continue
            # twice a movement in halves is one in whole numbers
            if not self.keep(moved, task) and not self.keep(2 * moved, task):
                if len(cells) > LARGEST_WHOLE:
                    continue
                moved = self.solve(cells, aim, whole=True)
                if not self.keep(moved, task):
                    continue
            self.hide(moved)
            return True
        return False

    def around(self, cell: int) -> Iterator[Places]:
        """Return loose figures among which to move one: all (first if warm), blocks around it."""
        at = np.searchsorted(self.loose, cell)
        more = () if self.is_quick else (1, 1, 1, 2, 2, 2)  # for whole numbers
        near = (0, 0, 1, 1)
        first = (None, *near) if len(self.movable) <= WARM else (*near, None)
        for halvings in (*first, *more):
            if halvings is None:
                yield self.loose
            elif (count := len(self.loose) // (2 * BLOCK) >> halvings) > 1:
                blocks = self.blocks(count)
                yield self.loose[blocks == blocks[at]]

    def keep(
        self, moved: Numbers | None, task: Task | None = None, blocks: Places | None = None
    ) -> bool:
        """Take note of whom a movement keeps away from which figures; parts of it stand alone.

        Returns:
            Whether the figure asked about moves far enough in it.
        """
        if moved is None:
            return False
        moved = np.where(np.abs(moved - moved.round()) < 1e-5, moved.round(), moved)
        support = np.flatnonzero(np.abs(moved) > TOLERANCE)
        if not len(support):
            return False
        step = moved[support]
        in_blocks = 0 if blocks is None else blocks[np.searchsorted(self.loose, support)]
        rows, size = self.rows(support, in_blocks), len(support)
        column = np.repeat(np.arange(size), np.diff(rows.indptr))
        ties = csr_array(
            (rows.data, (column, size + rows.indices)), shape=(size + rows.shape[0],) * 2
        )
        part = connected_components(ties, directed=False)[1][:size]
        bad = self.graph.whole[support] & (step % 1 != 0)
        bad[column[(np.abs(rows @ step) > TOLERANCE)[rows.indices]]] = True
        order = np.argsort(part, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
        done = False
        for sign in (1, -1):
            out = bad | (sign * step > self.up[support] + TOLERANCE)
            out |= -sign * step > self.down[support] + TOLERANCE
            for places in parts:
                if not out[places].any():
                    done |= task in self.keep_part(support[places], sign * moved)
        return done

    def keep_part(self, cells: Places, moved: Numbers) -> set[Task]:
        """Take note of one part of a movement; return the figures that move far enough."""
        graph, step = self.graph, moved[cells]
        need = np.where(step > 0, graph.need_up[cells], graph.need_down[cells])
        is_far = (need > 0) & (need <= np.abs(step) + TOLERANCE)
        sides = np.sign(step[is_far]).astype(int).tolist()
        far = set(zip(cells[is_far].tolist(), sides, strict=True))
        if not any(self.blocked[task] is None or self.blocked[task] for task in far):
            return far
        seen = np.where(graph.sole[cells], step != 0, -step > graph.room[cells] + TOLERANCE)
        is_seen = np.zeros(len(moved), bool)
        is_seen[cells[seen]] = True
        count = np.bincount(_entries(self.knowers, cells[seen]), minlength=len(moved))
        who_sees = set(np.flatnonzero(count).tolist())
        for task in far:
            left = self.blocked[task]
            if left is None or left:
                own = _entries(graph.kin, task[:1])
                who, times = np.unique(
                    _entries(self.knowers, own[is_seen[own]]), return_counts=True
                )
                others = who_sees - set(who[count[who] == times].tolist())
                now = others if left is None else left & others
                if now != left:
                    self.proofs[task] = (*self.proofs[task], (cells, others))
                    self.blocked[task] = now
        return far


def _entries(rows: csr_array, at: Iterable[int]) -> Places:
    """Return the columns of the entries of some rows."""
    start = rows.indptr
    found = [rows.indices[start[row] : start[row + 1]] for row in at]
    return np.concatenate([np.zeros(0, np.intp), *found])
