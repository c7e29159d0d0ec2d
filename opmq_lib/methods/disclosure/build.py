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
from opmq_lib.methods.disclosure.rules import is_own, names_of, needs, number, primary
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
    size, end = len(value), len(value)
    start = end - len(cells)
    rows = pd.concat([table[keys_of(cells)] for table in tables], ignore_index=True).astype(str)
    names = [name for table in tables for name in names_of(table)]
    before, after = _pairs(rows)
    changed = _changed(tables, value, before, after, names)
    was_shown = np.concatenate([
        ~_is_hidden(table) if at < len(earlier) else np.zeros(len(table), bool)
        for at, table in enumerate(tables)
    ])  # fmt: skip
    for old, new, units in zip(before, after, changed, strict=True):
        was_shown[new] |= was_shown[old] & (units == 0)
    is_now = np.arange(size) >= start
    free = is_now & can & ~secret & ~was_shown
    forced = np.where(is_now, secret | unknown, ~was_shown) & ~was_shown
    kept = ~(was_shown[before] & was_shown[after])
    before, after, changed = before[kept], after[kept], changed[kept]
    whole = np.full(size + len(after), bool((value % 1 == 0).all()))
    below, above = needs(value, whole[:size], rules)
    step = value[after] - value[before]
    low, high = _change_room(step, value[before], changed, whole[size:], rules)
    tell = np.abs(step) * rules.protection_pct / 100
    tell = np.where(whole[size:], np.ceil(tell - 1e-9), tell)
    tell = np.where((changed > 0) & (changed < rules.min_units), tell, 0)
    lines = block_diag([sheet.lines for sheet in sheets], format="csr")
    ties = _ties(before, after, size)
    lines = vstack([hstack([lines, csr_array((lines.shape[0], len(after)))]), ties], format="csr")
    more = np.zeros(len(after))
    loose = np.r_[free | forced, np.ones(len(after), bool)]
    graph = Graph(
        value=np.r_[value, step],
        codes=_codes(rows, after),
        equations=lines,
        down_hidden=np.r_[value, low],
        up_hidden=np.r_[np.full(size, np.inf), high],
        down_shown=np.zeros(size + len(after)),
        up_shown=np.zeros(size + len(after)),
        need_down=np.r_[np.where(secret & forced, below, 0), np.minimum(tell, low)],
        need_up=np.r_[np.where(secret & forced, above, 0), np.minimum(tell, high)],
        room=np.r_[room, more + np.inf],
        sole=np.r_[sole, more > 0],
        attackers=_same_company(sheets, rows, len(after)),
        kin=kin(lines, loose),
        cost=np.r_[np.maximum(value, 1) * _weight(cells, start), more],
        free=np.r_[free, more > 0],
        forced=np.r_[forced, more == 0],
        whole=whole,
    )
    names += [f"{names[new]} (change)" for new in after]
    return Built(graph, np.r_[secret, more > 0], names, slice(start, end))


def _weight(cells: pd.DataFrame, start: int) -> Numbers:
    weight = number(cells, "weight") if "weight" in cells else np.ones(len(cells))
    return np.concatenate([np.ones(start), weight])


def _is_hidden(table: pd.DataFrame) -> Flags:
    return table["status"].ne("value").to_numpy()


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


def _pairs(rows: pd.DataFrame) -> tuple[Places, Places]:
    """Return the rows of one figure in two successive editions that have it."""
    figure = rows.groupby(list(rows), sort=False).ngroup()
    before = pd.Series(np.arange(len(rows))).groupby(figure).shift()
    after = np.flatnonzero(before.notna())
    return before.iloc[after].to_numpy(dtype=np.intp), after


def _changed(
    tables: Sequence[pd.DataFrame], value: Numbers, before: Places, after: Places, names: list[str]
) -> Numbers:
    """Return by how many contributors each figure differs from the edition before."""
    units = np.concatenate([
        number(table, "changed_units_count")
        if "changed_units_count" in table
        else np.full(len(table), np.nan)
        for table in tables
    ])[after]  # fmt: skip
    same = np.abs(value[after] - value[before]) < 1e-9
    units = np.where(np.isnan(units) & same, 0, units)
    ConfidentialityError.refuse(
        Defect(
            names[after[at]],
            "revised since an earlier edition, by a number of contributors that is not given",
            "`changed_units_count`: contributors whose figure differs from that edition's",
            "count them, or release the figure of the earlier edition again",
        )
        for at in np.flatnonzero(~(units > 0) & ~same)
    )
    return units


def _change_room(
    step: Numbers, old: Numbers, changed: Numbers, whole: Flags, rules: DisclosureRules
) -> tuple[Numbers, Numbers]:
    """Return how far a change can be from the truth for who knows that changes are small."""
    most = old * rules.max_change_pct / 100
    most = np.where(whole, np.floor(most + 1e-9), most)
    most = np.where(changed == 0, 0, np.where(np.abs(step) > most, np.inf, most))
    return most + step, most - step


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
