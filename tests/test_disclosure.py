"""Disclosure control: what is secret, what is hidden with it, what attackers still work out.

`OPMQ_TEST_FULL=1` runs the large samples.
"""

import os
from itertools import product

import disclosure_worlds as worlds
import numpy as np
import pandas as pd
import pytest
from disclosure_worlds import RULES, margins
from scipy.optimize import linprog

from opmq_lib.methods.disclosure import audit, protect

FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
METIER = {"metier_code": "all"}


def line(value, units, share=30, codes=None, **more):
    """Return one row of figures and its total, last."""
    codes = codes or [*"abcdefgh"[: len(value) - 1], "all"]
    cells = pd.DataFrame({"metier_code": codes, "value": value, "units_count": units})
    return cells.assign(largest_share_pct=share, **more)


def exposed(cells, released, by=margins, **more):
    found = audit(cells.assign(status=released["status"]), by(cells), RULES, **more)
    return found[found["is_exposed"]]


def test_intervals_are_those_of_the_methodology():
    """W9: a hidden block (3, 12; 10, 9) in rows of 15 and 19, columns of 13 and 21."""
    value, units = np.array([[3, 12], [10, 9]]), np.full((2, 2), 2)
    cells = worlds.frame(value, units, value * 0.6).assign(holder_code=None)
    cells["status"] = np.where((cells[["d0_code", "d1_code"]] == "all").any(axis=1), "value", "s")
    found = audit(cells, margins(cells), RULES).sort_values("figure")
    assert found[["lower", "upper"]].to_numpy().tolist() == [[0, 13], [2, 15], [0, 13], [6, 19]]
    assert not found["is_exposed"].any()


@pytest.mark.parametrize("seed", range(200 if FULL else 8))
def test_no_table_in_whole_numbers_gives_a_secret_away(seed):
    rng = np.random.default_rng(seed)
    cells = worlds.table(rng, rng.integers(2, 4, 2), most=1, chances=(0.2, 0.1, 0.1, 0.3, 0.3, 0))
    inner = (cells[["d0_code", "d1_code"]] != "all").all(axis=1).to_numpy()
    released = protect(cells, margins(cells), RULES)
    hidden = released["status"].eq("s").to_numpy()
    places = np.flatnonzero(hidden & inner)
    x = cells["value"].to_numpy()
    if len(places) > 4:
        pytest.skip("too many tables to enumerate")
    inside = np.array(list(product(range(12), repeat=len(places))))
    tables = np.tile(x, (len(inside), 1))
    tables[:, places] = inside.reshape(len(inside), -1)
    lines = worlds.additions(cells)
    for row in [*lines, *lines]:  # totals, then totals of totals
        total, parts = row.indices[row.data > 0], row.indices[row.data < 0]
        tables[:, total[0]] = tables[:, parts].sum(axis=1)
    tables = tables[(tables[:, ~hidden] == x[~hidden]).all(axis=1)]
    is_secret, down, up = worlds.secrets(cells)
    assert hidden[is_secret].all()
    for cell in np.flatnonzero(is_secret & inner):
        assert tables[:, cell].min() <= x[cell] - down[cell]
        assert tables[:, cell].max() >= x[cell] + up[cell]


@pytest.mark.parametrize("seed", range(500 if FULL else 5))
def test_the_cells_hidden_for_others_cost_the_least(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, [5, 5, 4] if FULL else [4, 4, 3])
    cells = worlds.table(rng, shape).assign(holder_code=None)
    released = protect(cells, margins(cells), RULES)
    assert released.attrs["hidden_value"] == pytest.approx(worlds.optimum(cells))
    assert released.attrs["gap_pct"] == pytest.approx(0)
    assert exposed(cells, released).empty


def truth(cells, hidden):
    """Return the secret figures that an outsider knows too closely, by two programs for each."""
    lines, x = worlds.additions(cells), cells["value"].to_numpy(float)
    is_secret, down, up = worlds.secrets(cells)
    bounds = np.where(hidden[:, None], [0, np.inf], np.column_stack([x, x]))
    found = set()
    for cell in np.flatnonzero(is_secret):
        for side, need in ((1, up[cell]), (-1, down[cell])):
            goal = np.zeros(len(x))
            goal[cell] = -side
            best = linprog(goal, A_eq=lines, b_eq=np.zeros(lines.shape[0]), bounds=bounds)
            if best.status == 0 and -best.fun - side * x[cell] < need - 1e-6:
                found.add(", ".join(cells.loc[cell, list(margins(cells))]))
    return found


@pytest.mark.parametrize("seed", range(1000 if FULL else 4))
def test_the_audit_finds_what_one_cell_shown_again_gives_away(seed):
    rng = np.random.default_rng(seed)
    top = (8, 6, 5, 4) if FULL else (5, 4, 3)
    sides = rng.integers(2, top[: rng.integers(2, len(top) + 1)])
    cells = worlds.table(rng, sides, chances=rng.dirichlet(np.full(6, 2)))
    released = protect(cells, margins(cells), RULES, seconds=20)
    assert exposed(cells, released).empty
    hidden = released["status"].eq("s").to_numpy(copy=True)
    assert not truth(cells, hidden)
    secondary = np.flatnonzero(hidden & ~worlds.secrets(cells)[0])
    if len(secondary):
        again = rng.choice(secondary)
        released.loc[again, "status"] = "value"
        hidden[again] = False
        assert truth(cells, hidden) <= set(exposed(cells, released)["figure"])
