"""Disclosure control: how much is hidden for others' sake, beside an optimum and a peer; how long.

    OPENBLAS_NUM_THREADS=1 python benchmarks/disclosure.py            # tables, then an edition
    OPENBLAS_NUM_THREADS=1 python benchmarks/disclosure.py --edition  # an edition, two processes

Companies are made up: each belongs to a branch and a size and employs people in several métiers.
The peer, greedy complementary suppression, hides the cheapest other cell of a line as long as its
hidden cells leave too little room, then of the lines of whatever an attacker still works out.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from opmq_lib.methods import disclosure
from opmq_lib.methods.disclosure.attack import exposures
from opmq_lib.methods.disclosure.build import build
from opmq_lib.params import DisclosureRules

RULES = DisclosureRules()
MARGINS = {"branch_code": "all", "metier_code": "all", "size_code": "all"}
SMALL = ((4, 8, 3), (6, 10, 3), (8, 20, 3), (1, 200, 3), (1, 60, 20), (1, 90, 20))
EDITION = (34, 60, 3)


def world(rng: np.random.Generator, branches: int, metiers: int, sizes: int) -> pd.DataFrame:
    """Return a table of employees by branch, métier and size, with totals (code `all`)."""
    shape = branches, metiers, sizes
    value, units, largest = (np.zeros(shape) for _ in range(3))
    for branch in range(branches):
        weight = rng.dirichlet(np.full(metiers, 0.3))
        for staff in np.exp(rng.normal(3, 1.3, int(np.exp(rng.uniform(np.log(8), np.log(1500)))))):
            at = branch, slice(None), min(int(max(staff, 10) / 40) % 7, sizes - 1)
            heads = rng.multinomial(int(staff) + 1, weight)
            value[at] += heads
            units[at] += heads > 0
            largest[at] = np.maximum(largest[at], heads)
    value, units, largest = (
        _with_totals(each, by).ravel()
        for each, by in ((value, np.sum), (units, np.sum), (largest, np.max))
    )
    places = np.indices([side + 1 for side in shape]).reshape(3, -1)
    codes = {
        column: np.where(place == side, "all", place.astype(str))
        for column, place, side in zip(MARGINS, places, shape, strict=True)
    }
    cells = pd.DataFrame(codes).assign(
        value=value,
        units_count=units,
        largest_share_pct=100 * largest / np.where(value > 0, value, np.nan),
    )
    return cells if branches > 1 else cells[cells["branch_code"] != "all"]


def _with_totals(inner, by):  # type: ignore[no-untyped-def]
    for axis in range(inner.ndim):
        inner = np.concatenate([inner, by(inner, axis=axis, keepdims=True)], axis=axis)
    return inner


def greedy(cells: pd.DataFrame) -> float:
    """Return what greedy complementary suppression hides for others' sake."""
    graph = build(cells, MARGINS, RULES, ()).graph
    hidden, lines = graph.forced.copy(), graph.equations
    members = lines.tocsc()

    def hide_in(line: int) -> bool:
        inside = lines[[line]].indices
        left = inside[graph.free[inside] & ~hidden[inside]]
        hidden[left[np.argsort(graph.cost[left], kind="stable")[:1]]] = True
        return len(left) > 0

    def fill(line: int) -> None:
        inside = lines[[line]].indices
        for cell in inside[graph.forced[inside]]:
            others = inside[inside != cell]
            while graph.value[others[hidden[others]]].sum() < graph.need_down[cell]:
                if not hide_in(line):
                    break

    while True:
        for line in range(lines.shape[0]):
            fill(line)
        weak = {each.cell for each in exposures(graph, hidden)}
        more = [hide_in(line) for cell in weak for line in members[:, [cell]].indices]
        if not any(more):
            return float(graph.cost[hidden & graph.free].sum())


def one_year(seed: int) -> tuple[dict[str, float], float, float, int]:
    """Protect and audit one year; return costs, processor seconds of both, exposures."""
    cells = world(np.random.default_rng(seed), *EDITION)
    start = time.process_time()
    released = disclosure.protect(cells, MARGINS, RULES)
    middle = time.process_time()
    found = disclosure.audit(cells.assign(status=released["status"]), MARGINS, RULES)
    return released.attrs, middle - start, time.process_time() - middle, found["is_exposed"].sum()


def main() -> None:
    """Print ratios on small tables, then the time of a full edition on two cores."""
    ours, peer, least = 0.0, 0.0, 0.0
    for seed, shape in enumerate(SMALL):
        cells = world(np.random.default_rng(seed), *shape)
        start = time.process_time()
        cost = disclosure.protect(cells, MARGINS, RULES).attrs
        seconds, other = time.process_time() - start, greedy(cells)
        ours, peer, least = ours + cost["hidden_value"], peer + other, least + cost["least_value"]
        print(f"{shape}: {len(cells):,} cells, {cost['hidden_value']:,.0f} hidden, at least "
              f"{cost['least_value']:,.0f} (gap {cost['gap_pct']:.1f} %), greedy {other:,.0f}, "
              f"{seconds:.1f} s", flush=True)  # fmt: skip
    print(f"All: {100 * (ours / least - 1):.1f} % above the bound, "
          f"{100 * (1 - ours / peer):.0f} % less than greedy", flush=True)  # fmt: skip
    edition()


def edition() -> None:
    """Print the time of a full edition, years in two processes."""
    start, spent = time.perf_counter(), 0.0
    with ProcessPoolExecutor(2) as pool:
        for cost, protected, audited, exposed in pool.map(one_year, range(5)):
            spent += protected + audited
            print(f"A year: protected in {protected:.1f} s of processor, audited in {audited:.1f} "
                  f"s, {exposed} exposed, {cost}", flush=True)  # fmt: skip
    print(f"Full edition: {time.perf_counter() - start:.0f} s, {spent:.0f} s of processor")


if __name__ == "__main__":
    sys.exit(edition() if "--edition" in sys.argv else main())
