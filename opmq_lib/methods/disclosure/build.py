"""The graph of a table to release, with what earlier releases already say of it (K3)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import block_diag, coo_array, csr_array, hstack, vstack

from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.methods.disclosure.graph import (
    Flags,
    Graph,
    Margins,
    Numbers,
    Places,
    completed,
    equations,
    keys_of,
    kin,
)
from opmq_lib.methods.disclosure.rules import is_hidden, is_own, names_of, needs, number, primary
from opmq_lib.params import DisclosureRules


class Built(NamedTuple):
    """A graph and where its rows come from.

    Attributes:
        graph: Figures of every edition, then how each changed from one to the next.
        secret: Which figures are secret in themselves.
        names: Names of the rows, for their owner.
        now: Rows of the table to release, in its order.
    """

    graph: Graph
    secret: Flags
    names: list[str]
    now: slice


class _Sheet(NamedTuple):
    """One edition's table as arrays; see `Graph`."""

    value: Numbers
    lines: csr_array
    secret: Flags
    open: Flags
    unknown: Flags
    room: Numbers
    sole: Flags
    attackers: csr_array


class _Changes(NamedTuple):
    """Changes between editions: see `Graph`; `is_out` is of every figure, known already or not."""

    before: Places
    after: Places
    step: Numbers
    down: Numbers
    up: Numbers
    need: Numbers
    is_out: Flags
    is_whole: bool


def build(
    cells: pd.DataFrame, margins: Margins, rules: DisclosureRules, earlier: Sequence[pd.DataFrame]
) -> Built:
    """Return the graph of a table, tied to the tables of earlier editions.

    Args:
        cells: As for `protect`.
        margins: As for `protect`.
        rules: Thresholds.
        earlier: Tables of earlier editions, oldest first: true `value`, and `status` as released.

    Raises:
        ConfidentialityError: If a figure released before is revised and nobody says by how many
            contributors, or anything that a rule needs is missing.
        CoherenceError: If a total is not the sum of its parts.
    """
    tables = [*earlier, cells]
    sheets = [_sheet(table, margins, rules) for table in tables]
    value, secret, can, unknown, room, sole = (
        np.concatenate([getattr(sheet, name) for sheet in sheets])
        for name in ("value", "secret", "open", "unknown", "room", "sole")
    )
    size, start = len(value), len(value) - len(cells)
    rows = pd.concat([table[keys_of(cells)] for table in tables], ignore_index=True).astype(str)
    names = [name for table in tables for name in names_of(table)]
    is_now = np.arange(size) >= start
    is_out = np.concatenate([*(~is_hidden(table) for table in earlier), np.zeros(len(cells), bool)])
    changes = _changes(tables, value, is_out, names, rules)
    free = is_now & can & ~secret & ~changes.is_out
    forced = np.where(is_now, secret | unknown, True) & ~changes.is_out
    needs_down, needs_up = _needs(np.where(secret & forced, value, np.nan), is_out, changes, rules)
    lines = block_diag([sheet.lines for sheet in sheets], format="csr")
    lines = hstack([lines, csr_array((lines.shape[0], len(changes.step)))])
    lines = vstack([lines, _ties(changes.before, changes.after, size)], format="csr")
    every, none = np.ones(len(changes.step), bool), np.zeros(len(changes.step))
    graph = Graph(
        value=np.r_[value, changes.step],
        codes=_codes(rows, changes.after),
        equations=lines,
        down_hidden=np.r_[value, changes.down],
        up_hidden=np.r_[np.full(size, np.inf), changes.up],
        down_shown=np.zeros(size + len(none)),
        up_shown=np.zeros(size + len(none)),
        need_down=needs_down,
        need_up=needs_up,
        room=np.r_[room, none + np.inf],
        sole=np.r_[sole, ~every],
        attackers=_same_company(sheets, rows, len(none)),
        kin=kin(lines, np.r_[free | forced, every]),
        cost=np.r_[np.maximum(value, 1) * _weight(cells, start), none],
        free=np.r_[free, ~every],
        forced=np.r_[forced, every],
        whole=np.full(size + len(none), changes.is_whole),
    )
    names += [f"{names[new]} (change)" for new in changes.after]
    return Built(graph, np.r_[secret, ~every], names, slice(start, size))


def _needs(
    secret: Numbers, is_out: Flags, changes: _Changes, rules: DisclosureRules
) -> tuple[Numbers, Numbers]:
    """Return what secret figures, NaN elsewhere, and changes need below and above the truth.

    What an earlier edition already told can no longer be protected.
    """
    both = needs(secret, np.full(len(secret), changes.is_whole), rules)
    below, above = (np.nan_to_num(need) for need in both)
    told = is_out[changes.before]
    np.minimum.at(below, changes.after[told], changes.down[told])
    np.minimum.at(above, changes.after[told], changes.up[told])
    down, up = (np.minimum(changes.need, room) for room in (changes.down, changes.up))
    return np.r_[below, down], np.r_[above, up]


def _weight(cells: pd.DataFrame, start: int) -> Numbers:
    weight = number(cells, "weight") if "weight" in cells else np.ones(len(cells))
    return np.concatenate([np.ones(start), weight])


def _sheet(cells: pd.DataFrame, margins: Margins, rules: DisclosureRules) -> _Sheet:
    secret, own = primary(cells, rules), is_own(cells)
    value, units = number(cells, "value"), number(cells, "units_count")
    if "status" in cells:
        value = np.where(own | cells["status"].eq("value"), value, np.nan)
    unknown, lines = np.isnan(value), equations(cells, margins)
    is_whole = bool((np.nan_to_num(value) % 1 == 0).all())
    value = completed(value, lines, is_whole, names_of(cells))
    room = value * (1 - number(cells, "largest_share_pct") / 100)
    room = np.floor(room + 1e-9) if is_whole else room
    sole = own & (units == 1)
    room = np.where(sole, 0, np.where(own & (units > 0) & (value > 0), room, np.inf))
    attackers = _attackers(cells, lines, np.isfinite(room), sole)
    return _Sheet(value, lines, secret, own & (units > 0), unknown, room, sole, attackers)


def _attackers(cells: pd.DataFrame, lines: csr_array, held: Flags, sole: Flags) -> csr_array:
    """Return who knows which figures: one row per company that is the largest in some.

    Without `holder_code`, companies alone in cells of one addition are taken for one company.
    """
    if "holder_code" in cells:
        code, holders = pd.factorize(cells["holder_code"])
        at = np.flatnonzero(held & (code >= 0))
        return csr_array((np.ones(len(at)), (code[at], at)), shape=(len(holders), len(cells)))
    at = np.flatnonzero(held & ~sole)
    each = csr_array((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), len(cells)))
    of_line = csr_array(abs(lines) * sole.astype(float)[None, :])
    alone = np.flatnonzero(sole & (np.bincount(lines.indices, minlength=len(sole)) == 0))
    lone = csr_array((np.ones(len(alone)), (np.arange(len(alone)), alone)),
                     shape=(len(alone), len(cells)))  # fmt: skip
    of_line.eliminate_zeros()
    return vstack([each, lone, of_line[np.diff(of_line.indptr) > 0]], format="csr")


def _changes(
    tables: Sequence[pd.DataFrame],
    value: Numbers,
    is_out: Flags,
    names: list[str],
    rules: DisclosureRules,
) -> _Changes:
    """Return what changed of each figure from an edition to the next that has it (K3).

    A change made by fewer contributors than a figure needs is as secret as their figure. Readers
    know that revisions are small, and that a figure nobody revised is the same. Where the edition
    before hid a figure, that is also tied to the last one that showed it: as nobody counted who
    changed since, the change counts as that of one contributor.
    """
    rows = pd.concat([table[keys_of(tables[-1])] for table in tables], ignore_index=True)
    figure = rows.astype(str).groupby(list(rows), sort=False).ngroup()
    place = pd.Series(np.arange(len(rows), dtype=float))
    previous = place.groupby(figure).shift()
    after = np.flatnonzero(previous.notna())
    before = previous.iloc[after].to_numpy(dtype=np.intp)
    shown = place.where(is_out).groupby(figure).ffill().groupby(figure).shift().iloc[after]
    units = _changed_units(tables, np.abs(value[after] - value[before]) < 1e-9, after, names)
    is_out = is_out.copy()
    for old, new, count in zip(before, after, units, strict=True):
        is_out[new] |= is_out[old] & (count == 0)
    kept = ~(is_out[before] & is_out[after] & (units == 0))
    older = (shown.notna() & (shown != before)).to_numpy()
    before = np.r_[before[kept], shown[older].to_numpy(dtype=np.intp)]
    units = np.r_[units[kept], np.ones(older.sum())]
    after = np.r_[after[kept], after[older]]
    is_whole = bool((value % 1 == 0).all())
    step = value[after] - value[before]
    most = value[before] * rules.max_change_pct / 100
    most = np.where(units == 0, 0, np.where(np.abs(step) > most, np.inf, most))
    need = np.abs(step) * rules.protection_pct / 100
    if is_whole:
        most, need = np.floor(most + 1e-9), np.ceil(need - 1e-9)
    need = np.where((units > 0) & (units < rules.min_units), need, 0)
    return _Changes(before, after, step, most + step, most - step, need, is_out, is_whole)


def _changed_units(
    tables: Sequence[pd.DataFrame], same: Flags, after: Places, names: list[str]
) -> Numbers:
    """Return by how many contributors each figure differs from the edition before."""
    units = np.concatenate([
        number(table, "changed_units_count")
        if "changed_units_count" in table
        else np.full(len(table), np.nan)
        for table in tables
    ])[after]  # fmt: skip
    units = np.where(np.isnan(units) & same, 0, units)
    ConfidentialityError.refuse(
        Defect(
            names[after[at]],
            "revised since an earlier edition, by a number of contributors that is not given",
            "`changed_units_count`: contributors whose figure differs from that edition's",
            "count them, or release the figure of the earlier edition again",
        )
        for at in np.flatnonzero(~(units > 0) & ~(same & (units == 0)))
    )
    return units


def _ties(before: Places, after: Places, size: int) -> csr_array:
    """Return one row per pair: later figure − earlier one − change = 0."""
    at = np.arange(len(after))
    sign = np.repeat([1.0, -1.0, -1.0], len(after))
    places = np.tile(at, 3), np.r_[after, before, size + at]
    return csr_array(coo_array((sign, places), shape=(len(after), size + len(after))))


def _codes(rows: pd.DataFrame, after: Places) -> Places:
    codes = [pd.factorize(rows[key])[0] for key in rows]
    return np.column_stack([np.r_[code, code[after]] for code in codes])


def _same_company(sheets: Sequence[_Sheet], rows: pd.DataFrame, more: int) -> csr_array:
    """Return attackers over all editions: who knows a figure in one knows it in the others."""
    attackers = csr_array(block_diag([sheet.attackers for sheet in sheets]))
    if len(sheets) > 1:
        figure = rows.groupby(list(rows), sort=False).ngroup().to_numpy()
        held = np.concatenate([np.isfinite(sheet.room) for sheet in sheets])
        of = csr_array((np.ones(len(rows)), (np.arange(len(rows)), figure)))
        attackers = csr_array((attackers @ of @ of.T) * held.astype(float)[None, :])
        attackers.eliminate_zeros()
    return csr_array(hstack([attackers, csr_array((attackers.shape[0], more))]))
