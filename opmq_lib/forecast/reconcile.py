"""Forecasts that add up: métiers, branches, regions and totals of any grouped structure.

Nodes are ordered aggregates first, then bottom series. With A the 0/1 matrix of what each
aggregate contains and C = [I, -A], coherent forecasts are those with C y = 0. Minimum trace
reconciliation moves the base forecasts ŷ to them, against the covariance W of their errors:

    y~ = ŷ - W C' (C W C')⁻¹ C ŷ            W = D + U U'

Shrinkage gives W as a diagonal D plus U (n × T), T past errors per node: W is never formed. The
sparse C D C' holds a diagonal block per grouping, so that eliminating the nested ones costs little:
the sparse factorisation does it by its ordering. U comes back by Woodbury's identity.

Source: Wickramasuriya, Athanasopoulos and Hyndman (2019), JASA 114(526); Schäfer and Strimmer
(2005), SAGMB 4(1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import splu

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.forecast.grid import Array

MIN_ERRORS_FOR_MINT = 7
"""Fewest past errors per node at which MinT was measured, and did better than bottom-up."""

MIN_INTENSITY = 1e-4
"""Least shrinkage: correlations are never wholly believed, so that W keeps its inverse."""

_RIDGE = 2e-8


@dataclass(frozen=True)
class Hierarchy:
    """A grouped structure.

    Attributes:
        aggregates: Names of the aggregates.
        bottom: Names of the bottom series.
        membership: A, (aggregates, bottom): 1 where the aggregate contains the series.
    """

    aggregates: tuple[str, ...]
    bottom: tuple[str, ...]
    membership: sparse.csr_array

    @classmethod
    def from_groupings(cls, structure: pd.DataFrame) -> "Hierarchy":
        """Return the hierarchy of a table that names each series' aggregates.

        Args:
            structure: One row per bottom series: `series_code`, then one column per grouping with
                the code of the aggregate that contains the series.

        Returns:
            The hierarchy; aggregates in the order of the columns, then of first appearance.

        Raises:
            CoherenceError: If a code names two nodes.

        Examples:
            >>> table = pd.DataFrame({"series_code": ["a", "b", "c"], "total": "T",
            ...                       "branch": ["X", "X", "Y"]})
            >>> found = Hierarchy.from_groupings(table)
            >>> found.aggregates, found.membership.toarray().tolist()
            (('T', 'X', 'Y'), [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        """
        groups = [pd.factorize(structure[name]) for name in structure.columns.drop("series_code")]
        sizes = np.cumsum([0, *(len(names) for _, names in groups)])
        rows = [code + start for (code, _), start in zip(groups, sizes[:-1], strict=True)]
        count = len(structure)
        entries = (
            np.ones(count * len(rows)),
            (np.concatenate(rows), np.tile(np.arange(count), len(rows))),
        )
        names = [str(name) for _, group in groups for name in group]
        bottom = [str(code) for code in structure["series_code"]]
        twice = pd.Series([*names, *bottom]).loc[lambda all_names: all_names.duplicated()].unique()
        if len(twice):
            raise CoherenceError(
                Defect(f"node {name}", "names two nodes", "one name per node", "rename one")
                for name in twice
            )
        shape = (int(sizes[-1]), count)
        return cls(tuple(names), tuple(bottom), sparse.csr_array(sparse.coo_array(entries, shape)))

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of all nodes, aggregates first."""
        return self.aggregates + self.bottom

    @cached_property
    def constraints(self) -> sparse.csr_array:
        """C = [I, -A]."""
        identity = sparse.eye_array(len(self.aggregates), format="csr")
        return sparse.csr_array(sparse.hstack([identity, -self.membership], format="csr"))

    def complete(self, bottom: Array) -> Array:
        """Return all nodes from the bottom series: coherent to the last bit that sums allow."""
        return np.concatenate([self.membership @ bottom, bottom])


@dataclass(frozen=True)
class Reconciled:
    """Coherent forecasts and how they were made.

    Attributes:
        forecasts: (nodes, columns) coherent forecasts.
        method: `mint_shrink`, `bottom_up` or `top_down`.
        reason: Why that method.
        shrinkage: Shrinkage of the error correlations towards 0; NaN where none was estimated.
        clamped_count: Bottom values held at 0 to stay non-negative.
    """

    forecasts: Array
    method: str
    reason: str
    shrinkage: float
    clamped_count: int


def check_history(hierarchy: Hierarchy, history: Array, tolerance: float = 1e-4) -> None:
    """Refuse a structure that the past does not obey: reconciling would then spread the gap.

    Args:
        hierarchy: The structure.
        history: (nodes, years) observed values, aggregates first.
        tolerance: Largest gap allowed, relative to the aggregate.

    Raises:
        CoherenceError: If an aggregate is not the sum of its series; all are listed.

    Examples:
        >>> table = pd.DataFrame({"series_code": ["a", "b"], "total": "T"})
        >>> check_history(Hierarchy.from_groupings(table), np.array([[5.0], [2.0], [4.0]]))
        Traceback (most recent call last):
            ...
        opmq_lib.errors.CoherenceError: 1 defect
          aggregate T: past values are not the sum of its series (found: -16.7 %)
            expected: the sum of its series
            what to do: correct the structure: a series counted twice or left out
    """
    sums = hierarchy.membership @ history[len(hierarchy.aggregates) :]
    gap = (history[: len(hierarchy.aggregates)] - sums) / np.maximum(np.abs(sums), 1e-12)
    worst = np.take_along_axis(gap, np.abs(gap).argmax(axis=1)[:, None], axis=1)[:, 0]
    defects = [
        Defect(
            f"aggregate {hierarchy.aggregates[row]}",
            "past values are not the sum of its series",
            "the sum of its series",
            "correct the structure: a series counted twice or left out",
            f"{100 * worst[row]:.1f} %",
        )
        for row in np.flatnonzero(np.abs(worst) > tolerance)
    ]
    if defects:
        raise CoherenceError(defects)


def shrinkage_intensity(errors: Array) -> float:
    """Return Schäfer and Strimmer's intensity λ, from the T × T Gram matrix: O(n T²).

    Args:
        errors: (nodes, T) past errors.

    Returns:
        λ between 0 (correlations believed) and 1 (correlations ignored).

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> apart = rng.normal(size=(50, 20))
        >>> shrinkage_intensity(apart) > 0.8, shrinkage_intensity(apart + 9 * apart[:1]) < 0.2
        (True, True)
    """
    count = errors.shape[1]
    centred = errors - errors.mean(axis=1, keepdims=True)
    standard = centred / (centred.std(axis=1, keepdims=True) + _RIDGE)
    square = np.square(standard)
    gram = standard.T @ standard
    squared_sums = (np.square(gram).sum() - np.square(square.sum(axis=1)).sum()) / count**2
    sums_of_squares = np.square(square.sum(axis=0)).sum() - np.square(square).sum()
    variance = (sums_of_squares - count * squared_sums) / (count * (count - 1))
    return float(np.clip(variance / (squared_sums + 2 * _RIDGE), MIN_INTENSITY, 1))


def shrunk_covariance(errors: Array) -> tuple[Array, Array, float]:
    """Return the shrunk covariance W = diag(D) + U U' of past errors.

    Args:
        errors: (nodes, T) past errors, T ≥ 2.

    Returns:
        D (nodes,), U (nodes, T) and λ.
    """
    count = errors.shape[1]
    intensity = shrinkage_intensity(errors)
    centred = errors - errors.mean(axis=1, keepdims=True)
    variance = np.square(centred).sum(axis=1) / (count - 1)
    diagonal = np.maximum(variance, _RIDGE) - (1 - intensity) * variance
    return diagonal, np.sqrt((1 - intensity) / (count - 1)) * centred, intensity


def project(
    constraints: sparse.csr_array, base: Array, diagonal: Array, factor: Array
) -> tuple[Array, Array]:
    """Return ŷ - W C'v and v = (C W C')⁻¹ C ŷ, for W = diag(D) + U U'.

    Args:
        constraints: C, (constraints, nodes).
        base: ŷ, (nodes, columns).
        diagonal: D, (nodes,).
        factor: U, (nodes, T); T may be 0.

    Returns:
        Projected values (nodes, columns) and multipliers (constraints, columns).
    """
    count = factor.shape[1]
    moved = constraints @ np.hstack([factor, base])
    weighted = sparse.csc_array((constraints * diagonal) @ constraints.T)
    solve = positive_solver(weighted, moved[:, :count])
    multipliers = solve(moved[:, count:])
    pull = constraints.T @ multipliers
    return base - diagonal[:, None] * pull - factor @ (factor.T @ pull), multipliers


def positive_solver(matrix: sparse.csc_array, low_rank: Array) -> Callable[[Array], Array]:
    """Return a solver of (M + V V') x = b, M sparse positive definite.

    M is factorised with its fill-reducing order; V comes back by Woodbury's identity,
    (M + V V')⁻¹ = M⁻¹ - M⁻¹ V (I + V' M⁻¹ V)⁻¹ V' M⁻¹.

    Args:
        matrix: M.
        low_rank: V, (size, T).
    """
    options = {"SymmetricMode": True}
    lower = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    solved = lower.solve(low_rank)
    inner = cho_factor(np.eye(low_rank.shape[1]) + low_rank.T @ solved)

    def solve(right: Array) -> Array:
        first = lower.solve(right)
        return np.asarray(first - solved @ cho_solve(inner, low_rank.T @ first))

    return solve


def mint(hierarchy: Hierarchy, base: Array, diagonal: Array, factor: Array) -> Array:
    """Return MinT forecasts of all nodes for the error covariance diag(D) + U U'.

    Examples:
        Worked example W2: a total of 1000, métiers of 620 and 430, variances 400, 100 and 225.

        >>> table = pd.DataFrame({"series_code": ["a", "b"], "total": "T"})
        >>> base, variance = np.array([[1000.0], [620.0], [430.0]]), np.array([400.0, 100, 225])
        >>> found = mint(Hierarchy.from_groupings(table), base, variance, np.empty((3, 0)))
        >>> found.ravel().round(6).tolist()
        [1027.586207, 613.103448, 414.482759]
    """
    moved, _ = project(hierarchy.constraints, base, diagonal, factor)
    return hierarchy.complete(moved[len(hierarchy.aggregates) :])


def mint_non_negative(
    hierarchy: Hierarchy, base: Array, diagonal: Array, factor: Array
) -> tuple[Array, int]:
    """Return the MinT forecasts among coherent forecasts with no negative bottom series.

    Active set: series that would be negative are held at 0 by constraints of their own, and let go
    when their multiplier pulls them up, until none moves.

    Returns:
        Values (nodes, columns) and the number of values held at 0.
    """
    values = mint(hierarchy, base, diagonal, factor)
    start, held_count = len(hierarchy.aggregates), 0
    for column in np.flatnonzero(values.min(axis=0) < 0):
        held = np.zeros(len(hierarchy.bottom), dtype=bool)
        bottom = values[start:, column]
        for _ in range(100):
            held |= bottom < -1e-9 * np.abs(bottom).max()
            zero = np.flatnonzero(held)
            unit = (np.ones(len(zero)), (np.arange(len(zero)), start + zero))
            rows = sparse.coo_array(unit, (len(zero), len(base)))
            both = sparse.csr_array(sparse.vstack([hierarchy.constraints, rows], format="csr"))
            moved, multipliers = project(both, base[:, [column]], diagonal, factor)
            bottom = np.where(held, 0.0, moved[start:, 0])
            released = zero[multipliers[start:, 0] > 1e-9 * np.abs(multipliers).max()]
            held[released] = False
            if not len(released) and np.all(bottom >= -1e-9 * np.abs(bottom).max()):
                break
        values[:, column] = hierarchy.complete(np.maximum(bottom, 0.0))
        held_count += int(held.sum())
    return values, held_count


def bottom_up(hierarchy: Hierarchy, base: Array) -> Array:
    """Return the bottom forecasts and their sums.

    Examples:
        >>> table = pd.DataFrame({"series_code": ["a", "b"], "total": "T"})
        >>> base = np.array([[1000.0], [620.0], [430.0]])
        >>> bottom_up(Hierarchy.from_groupings(table), base).ravel().tolist()
        [1050.0, 620.0, 430.0]
    """
    return hierarchy.complete(base[len(hierarchy.aggregates) :])


def top_down(hierarchy: Hierarchy, base: Array) -> Array:
    """Return the first aggregate's forecast, shared in proportion to the bottom forecasts.

    Raises:
        CoherenceError: If the first aggregate does not contain every series.

    Examples:
        >>> table = pd.DataFrame({"series_code": ["a", "b"], "total": "T"})
        >>> base = np.array([[1000.0], [620.0], [430.0]])
        >>> top_down(Hierarchy.from_groupings(table), base).ravel().round(6).tolist()
        [1000.0, 590.47619, 409.52381]
    """
    if hierarchy.membership[[0]].sum() != len(hierarchy.bottom):
        raise CoherenceError(
            [
                Defect(
                    f"aggregate {hierarchy.aggregates[0]}",
                    "does not contain every series",
                    "the total as first grouping",
                    "put the total's column first",
                )
            ]
        )
    bottom = base[len(hierarchy.aggregates) :]
    total = bottom.sum(axis=0)
    share = np.where(total != 0, bottom / np.where(total != 0, total, 1.0), 1 / len(bottom))
    return hierarchy.complete(share * base[0])


def reconcile(
    hierarchy: Hierarchy,
    base: Array,
    errors: Array,
    *,
    method: str = "auto",
    non_negative: bool = False,
) -> Reconciled:
    """Return coherent forecasts of all nodes.

    Args:
        hierarchy: The structure.
        base: (nodes, columns) forecasts, aggregates first; columns are years.
        errors: (nodes, T) past errors of such forecasts, one column per year.
        method: `mint_shrink`, `bottom_up`, `top_down`, or `auto`: MinT where there are at least
            `MIN_ERRORS_FOR_MINT` errors, otherwise bottom-up.
        non_negative: Whether bottom series must not be negative.

    Returns:
        The forecasts; C y = 0 to rounding.

    Raises:
        CoherenceError: If the arrays do not have one row per node, or the method is unknown.

    Examples:
        >>> table = pd.DataFrame({"series_code": ["a", "b"], "total": "T"})
        >>> found = reconcile(Hierarchy.from_groupings(table), np.array([[9.0], [4.0], [6.0]]),
        ...                   np.zeros((3, 5)))
        >>> found.forecasts.ravel().tolist(), found.method
        ([10.0, 4.0, 6.0], 'bottom_up')
        >>> found.reason
        '5 past errors per node, fewer than 7'
    """
    _check(hierarchy, base, errors, method)
    count = errors.shape[1]
    enough = count >= MIN_ERRORS_FOR_MINT
    reason = "asked for"
    if method == "auto":
        method = "mint_shrink" if enough else "bottom_up"
        than = "at least" if enough else "fewer than"
        reason = f"{count} past errors per node, {than} {MIN_ERRORS_FOR_MINT}"
    if method != "mint_shrink":
        values = (bottom_up if method == "bottom_up" else top_down)(hierarchy, base)
        clamped = int(np.sum(values[len(hierarchy.aggregates) :] < 0)) if non_negative else 0
        if clamped:
            values = hierarchy.complete(np.maximum(values[len(hierarchy.aggregates) :], 0.0))
        return Reconciled(values, method, reason, float("nan"), clamped)
    diagonal, factor, intensity = shrunk_covariance(errors)
    if non_negative:
        values, clamped = mint_non_negative(hierarchy, base, diagonal, factor)
    else:
        values, clamped = mint(hierarchy, base, diagonal, factor), 0
    return Reconciled(values, method, reason, intensity, clamped)


def recalibrated(base: Array, center: Array, errors: Array, new_errors: Array) -> Array:
    """Return quantiles around reconciled medians, as wide as reconciled past errors were.

    Args:
        base: (nodes, columns, levels) quantiles before.
        center: (nodes, columns, 2) medians before and after, on the last axis.
        errors: (nodes, T) past errors before.
        new_errors: (nodes, T) the same errors, reconciled alike.

    Returns:
        (nodes, columns, levels): each distance to the median, times the ratio of the root mean
        squares of the errors after and before (1 where they were all 0).
    """
    before, after = (np.sqrt(np.mean(np.square(one), axis=1)) for one in (errors, new_errors))
    ratio = np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)
    distance = base - center[:, :, :1]
    return np.asarray(center[:, :, 1:] + ratio[:, None, None] * distance)


def reconcile_series(
    future: pd.DataFrame,
    structure: pd.DataFrame,
    errors: pd.DataFrame,
    *,
    method: str = "auto",
    non_negative: bool = True,
) -> tuple[pd.DataFrame, Reconciled]:
    """Reconcile a table of forecasts.

    Args:
        future: What `forecast_series` returned for every node, with the level 0.5.
        structure: As for `Hierarchy.from_groupings`.
        errors: One row per node (`series_code` as index), one column per past year.
        method: As for `reconcile`.
        non_negative: As for `reconcile`; lower quantiles then stop at 0 too.

    Returns:
        The same rows: medians add up, quantiles are re-calibrated on the reconciled past errors
        and do not add up (a sum's 90 % quantile is not the sum of 90 % quantiles). And the report,
        with the medians.

    Raises:
        CoherenceError: If a node of the structure has no forecast, or forecasts of unlike years.
    """
    hierarchy = Hierarchy.from_groupings(structure)
    nodes = list(hierarchy.nodes)
    wide = future.pivot_table(
        index="series_code", columns=["year", "quantile_level"], values="value"
    )
    missing = [node for node in nodes if node not in wide.index or node not in errors.index]
    if missing or wide.loc[nodes].isna().to_numpy().any():
        unlike = missing or wide.loc[nodes].index[wide.loc[nodes].isna().any(axis=1)].tolist()
        raise CoherenceError(
            Defect(
                f"node {node}",
                "no forecast or error in some year",
                "one for every node and year",
                "forecast every node to the same last year",
            )
            for node in unlike
        )
    years, levels = (wide.columns.unique(level).to_numpy() for level in (0, 1))
    base = wide.loc[nodes].to_numpy().reshape(len(nodes), len(years), len(levels))
    median = base[:, :, int(np.argmin(np.abs(levels - 0.5)))]
    past = errors.loc[nodes].to_numpy(dtype=float)
    found = reconcile(hierarchy, median, past, method=method, non_negative=non_negative)
    alike = reconcile(hierarchy, past, past, method=found.method).forecasts
    quantiles = recalibrated(base, np.stack([median, found.forecasts], axis=2), past, alike)
    if non_negative:
        quantiles = np.maximum(quantiles, 0.0)
    wide.loc[nodes] = quantiles.reshape(len(nodes), -1)
    key = ["series_code", "year", "quantile_level"]
    long = wide.loc[nodes].melt(ignore_index=False).reset_index()
    return long.sort_values(key, ignore_index=True)[[*key, "value"]], found


def _check(hierarchy: Hierarchy, base: Array, errors: Array, method: str) -> None:
    nodes = len(hierarchy.nodes)
    defects = [
        Defect(name, f"{len(rows)} rows", f"{nodes} rows, one per node", "give every node's row")
        for name, rows in (("base", base), ("errors", errors))
        if len(rows) != nodes
    ]
    known: Sequence[str] = ("auto", "mint_shrink", "bottom_up", "top_down")
    if method not in known:
        defects.append(Defect("method", "unknown", ", ".join(known), "correct it", method))
    if defects:
        raise CoherenceError(defects)
