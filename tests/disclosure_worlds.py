"""Random tables of companies for the tests of disclosure control, and what is true of them."""

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, kron, vstack

from opmq_lib.params import DisclosureRules

RULES = DisclosureRules()
UNITS, CHANCES = (0, 1, 2, 3, 5, 8), (0.10, 0.10, 0.10, 0.20, 0.30, 0.20)


def with_totals(inner, by):
    """Return an array with the totals of every axis."""
    for axis in range(inner.ndim):
        inner = np.concatenate([inner, by(inner, axis=axis, keepdims=True)], axis=axis)
    return inner


def table(rng, shape, most=19, chances=CHANCES):
    """Return a table of companies, each in one cell, with totals (code `all`)."""
    shape = tuple(shape)
    value, units, largest = (np.zeros(shape) for _ in range(3))
    for cell in np.ndindex(shape):
        staff = rng.integers(1, most + 1, rng.choice(UNITS, p=chances))
        value[cell], units[cell], largest[cell] = staff.sum(), len(staff), staff.max(initial=0)
    return frame(value, units, largest)


def frame(value, units, largest):
    value, units = with_totals(value, np.sum).ravel(), with_totals(units, np.sum)
    places = np.indices(units.shape).reshape(units.ndim, -1)
    codes = {
        f"d{axis}_code": np.where(place == side - 1, "all", place.astype(str))
        for axis, (place, side) in enumerate(zip(places, units.shape, strict=True))
    }
    largest = with_totals(largest, np.max).ravel()
    return pd.DataFrame(codes).assign(
        value=value.astype(int),
        units_count=units.ravel().astype(int),
        largest_share_pct=100 * largest / np.where(value > 0, value, np.nan),
    )


def margins(cells):
    return {column: "all" for column in cells if column[0] == "d"}


def with_groups(cells):
    """Return a table with a level more: its first codes in two groups, and how they add up."""
    keys = list(margins(cells))
    codes = [code for code in cells["d0_code"].unique() if code != "all"]
    groups = {"low": codes[: len(codes) // 2], "high": codes[len(codes) // 2 :]}
    largest = cells["largest_share_pct"].fillna(0) * cells["value"] / 100
    more = []
    for name, members in groups.items():
        inside = cells.assign(largest=largest)[cells["d0_code"].isin(members)]
        sums = inside.groupby(keys[1:], as_index=False, sort=False).agg(
            value=("value", "sum"), units_count=("units_count", "sum"), largest=("largest", "max")
        )
        share = 100 * sums["largest"] / sums["value"].where(sums["value"] > 0)
        more.append(sums.drop(columns="largest").assign(d0_code=name, largest_share_pct=share))
    by = margins(cells) | {"d0_code": {"all": list(groups), **groups}}
    return pd.concat([cells, *more], ignore_index=True), by


def additions(cells, by=None):
    """Return the additions of a full table, from its codes alone: a row each, total minus parts."""
    by = by or margins(cells)
    rows = []
    for column, margin in by.items():
        rest = cells[[key for key in by if key != column]].agg(tuple, axis=1)
        codes = set(cells[column])
        families = margin.items() if isinstance(margin, dict) else [("all", codes - {"all"})]
        for parent, children in families:
            for place in cells.groupby(rest).groups.values():
                code, row = cells.loc[place, column], np.zeros(len(cells))
                row[place] = (code == parent).astype(int) - code.isin(children)
                rows.append(row)
    return csr_array(np.array(rows))


def exists(cap, sums, fixed):
    """Return whether hidden counts from 0 to `cap` exist with given sums and some of them fixed.

    Args:
        sums: Tuples of the places of counts, and what they add up to.
        fixed: By place, the counts that it may be; other places come in any order.
    """
    places = sorted({place for members, _ in sums for place in members} | set(fixed))
    member = {place: [at for at, (inside, _) in enumerate(sums) if place in inside]
              for place in places}  # fmt: skip
    left, after = [total for _, total in sums], [len(inside) for inside, _ in sums]

    def goes_on(at):
        if at == len(places):
            return True
        for count in fixed.get(places[at], range(cap + 1)):
            fits = True
            for line in member[places[at]]:
                left[line] -= count
                after[line] -= 1
                fits &= 0 <= left[line] <= cap * after[line]
            if fits and goes_on(at + 1):
                return True
            for line in member[places[at]]:
                left[line] += count
                after[line] += 1
        return False

    return goes_on(0)


def secrets(cells):
    """Return which cells are secret in themselves, and the movement that each needs."""
    x, units = cells["value"].to_numpy(), cells["units_count"].to_numpy()
    is_secret = (units > 0) & ((units < 3) | (cells["largest_share_pct"].to_numpy() > 85))
    down = np.ceil(np.round(0.15 * x, 9))
    return is_secret, down, np.maximum(down, 5 - x)


def optimum(cells):
    """Return the least value hidden for others' sake from outsiders, and which cells are hidden.

    One program: a choice of cells and, for each secret cell and side, a table that differs only
    there. Tables in real numbers: this can only be below what whole numbers need.
    """
    is_secret, down, up = secrets(cells)
    x, size = cells["value"].to_numpy(float), len(cells)
    free = (cells["units_count"].to_numpy() > 0) & ~is_secret
    goals = [(t, s) for t in np.flatnonzero(is_secret) for s in (1, -1) if (up, down)[s < 0][t] > 0]
    if not goals:
        return 0.0, is_secret
    most = 4 * x.sum()
    copies = len(goals)
    lines = additions(cells)
    low = np.tile(np.where(free | is_secret, -x, 0), copies)
    high = np.tile(np.where(free | is_secret, most, 0), copies)
    for at, (t, side) in enumerate(goals):
        if side > 0:
            low[at * size + t] = up[t]
        else:
            high[at * size + t] = -down[t]
    stack = csr_array(np.ones((copies, 1)))
    pick = eye_array(size, format="csr")
    only_free = csr_array(np.diag(free.astype(float)))[np.flatnonzero(free)]
    moves = kron(eye_array(copies), only_free)
    rows = vstack([
        hstack([csr_array((copies * lines.shape[0], size)), kron(eye_array(copies), lines)]),
        hstack([kron(stack, only_free * most), -moves]),
        hstack([kron(stack, only_free @ (pick * x)), moves]),
    ], format="csc")  # fmt: skip
    least = np.zeros(rows.shape[0])
    top = np.full(rows.shape[0], np.inf)
    top[: copies * lines.shape[0]] = 0
    found = milp(
        np.r_[np.where(free, np.maximum(x, 1), 0), np.zeros(copies * size)],
        constraints=LinearConstraint(rows, least, top),
        bounds=Bounds(
            np.r_[is_secret.astype(float), low], np.r_[(free | is_secret).astype(float), high]
        ),
        integrality=np.r_[np.ones(size), np.zeros(copies * size)],
        options={"mip_rel_gap": 0},
    )
    assert found.status == 0, found.message
    return found.fun, found.x[:size] > 0.5


def of_companies(companies, shape):
    """Return the table of companies, each a cell and its employees, by code."""
    value, units, largest = (np.zeros(shape) for _ in range(3))
    for cell, heads in companies.values():
        value[cell] += heads
        units[cell] += 1
        largest[cell] = max(largest[cell], heads)
    return frame(value, units, largest)


def changed(companies, before, shape):
    """Return by how many companies each cell differs from an earlier state, with totals."""
    count = np.zeros(shape)
    for code in companies.keys() | before.keys():
        if companies.get(code) != before.get(code):
            count[(companies.get(code) or before[code])[0]] += 1
    return with_totals(count, np.sum).ravel()


def next_year(rng, companies, shape):
    """Return companies a year later: some close, some are revised, some are born."""
    kept = {}
    for code, (cell, heads) in companies.items():
        chance = rng.random()
        if chance < 0.05:
            heads = max(1, int(heads * rng.uniform(0.8, 1.25)))
        if chance < 0.97:
            kept[code] = cell, heads
    born = range(max(companies) + 1, max(companies) + 1 + rng.poisson(2))
    return kept | {code: company(rng, shape) for code in born}


def company(rng, shape):
    return tuple(int(place) for place in rng.integers(0, shape)), int(rng.integers(1, 40))
