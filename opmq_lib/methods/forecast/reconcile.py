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

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import splu

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.methods.forecast.operators import one_thread
from opmq_lib.methods.forecast.series import Array

MIN_ERRORS_FOR_MINT = 7
"""Fewest past errors per node at which MinT was measured, and did better than bottom-up."""

MIN_INTENSITY = 1e-4
"""Least shrinkage: correlations are never wholly believed, so that W keeps its inverse."""

METHODS = ("auto", "mint_shrink", "bottom_up", "top_down")
_RIDGE = 2e-8


@dataclass(frozen=True)
class Hierarchy:
    """A grouped structure.

    Attributes:
        nodes: Names of the aggregates, then of the bottom series.
        membership: A, (aggregates, bottom): 1 where the aggregate contains the series.
    """

    nodes: tuple[str, ...]
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
            >>> found.nodes[:3], found.membership.toarray().tolist()
            (('T', 'X', 'Y'), [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        """
        long = structure.melt("series_code", value_name="node")
        aggregate, names = pd.factorize(long["node"])
        groups = long.drop_duplicates(["variable", "node"])["node"]
        nodes = pd.concat([groups, structure["series_code"]])
        if twice := nodes[nodes.duplicated()].unique().tolist():
            told = ("names two nodes", "one name per node", "rename one")
            raise CoherenceError(Defect(f"node {name}", *told) for name in twice)
        place = (aggregate, np.tile(np.arange(len(structure)), len(structure.columns) - 1))
        contains = sparse.coo_array((np.ones(len(long)), place), (len(names), len(structure)))
        return cls(tuple(map(str, nodes)), contains.tocsr())

    @property
    def start(self) -> int:
        """Number of aggregates: where the bottom series start."""
        return int(self.membership.shape[0])

    @property
    def constraints(self) -> sparse.csr_array:
        """C = [I, -A]."""
        return sparse.hstack([sparse.eye_array(self.start), -self.membership], format="csr")

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
    intensity = shrinkage_intensity(errors)
    believed = (1 - intensity) / (errors.shape[1] - 1)
    centred = errors - errors.mean(axis=1, keepdims=True)
    variance = centred.var(axis=1, ddof=1)
    diagonal = np.maximum(variance, _RIDGE) - (1 - intensity) * variance
    return diagonal, np.sqrt(believed) * centred, intensity


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
    sparse_part, low_rank = (constraints * diagonal) @ constraints.T, constraints @ factor
    multipliers = solve_positive(sparse_part, low_rank, constraints @ base)
    pull = constraints.T @ multipliers
    return base - diagonal[:, None] * pull - factor @ (factor.T @ pull), multipliers


def solve_positive(matrix: sparse.csr_array, low_rank: Array, right: Array) -> Array:
    """Return x such that (M + V V') x = b, M sparse positive definite.

    M is factorised with its fill-reducing order; V comes back by Woodbury's identity,
    (M + V V')⁻¹ = M⁻¹ - M⁻¹ V (I + V' M⁻¹ V)⁻¹ V' M⁻¹.

    Args:
        matrix: M.
        low_rank: V, (size, T).
        right: b, (size, columns).
    """
    symmetric = {"permc_spec": "MMD_AT_PLUS_A", "options": {"SymmetricMode": True}}
    lower = splu(matrix.tocsc(), diag_pivot_thresh=0.0, **symmetric)
    solved, first = lower.solve(low_rank), lower.solve(right)
    inner = cho_factor(np.eye(low_rank.shape[1]) + low_rank.T @ solved)
    return np.asarray(first - solved @ cho_solve(inner, low_rank.T @ first))


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
    return hierarchy.complete(moved[hierarchy.start :])


def mint_non_negative(
    hierarchy: Hierarchy, base: Array, diagonal: Array, factor: Array
) -> tuple[Array, int]:
    """Return the MinT forecasts among coherent forecasts with no negative bottom series.

    Active set: series that would be negative are held at 0 by constraints of their own, and let go
    when their multiplier pulls them up, until none moves.

    Returns:
        Values (nodes, columns) and the number of values held at 0.
    """
    values, held_count = mint(hierarchy, base, diagonal, factor), 0
    start, alone = hierarchy.start, sparse.eye_array(len(base), format="csr")[hierarchy.start :]
    for column in np.flatnonzero(values[start:].min(axis=0) < 0):
        held = values[start:, column] < 0
        for _ in range(100):
            both = sparse.vstack([hierarchy.constraints, alone[held]], format="csr")
            moved, multipliers = project(both, base[:, [column]], diagonal, factor)
            bottom, before = moved[start:, 0], held.copy()
            held |= bottom < -1e-9 * np.abs(bottom).max()
            held[before] = multipliers[start:, 0] <= 1e-9 * np.abs(multipliers).max()
            if np.array_equal(held, before):
                break
        values[:, column] = hierarchy.complete(np.where(held, 0.0, np.maximum(bottom, 0.0)))
        held_count += int(held.sum())
    return values, held_count


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
    bottom = base[hierarchy.start :]
    if hierarchy.membership[[0]].sum() != len(bottom):
        told = ("does not contain every series", "the total as first grouping", "put it first")
        raise CoherenceError([Defect(f"aggregate {hierarchy.nodes[0]}", *told)])
    total, equal = bottom.sum(axis=0), np.full_like(bottom, 1 / len(bottom))
    return hierarchy.complete(np.divide(bottom, total, out=equal, where=total != 0) * base[0])


@one_thread
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
    nodes = len(hierarchy.nodes)
    defects = [
        Defect(name, f"{len(rows)} rows", f"{nodes} rows, one per node", "give every node's row")
        for name, rows in (("base", base), ("errors", errors))
        if len(rows) != nodes
    ]
    if method not in METHODS:
        defects.append(Defect("method", "unknown", ", ".join(METHODS), "correct it", method))
    if defects:
        raise CoherenceError(defects)
    reason, intensity, clamped = "asked for", float("nan"), 0
    if method == "auto":
        enough = errors.shape[1] >= MIN_ERRORS_FOR_MINT
        method, than = ("mint_shrink", "at least") if enough else ("bottom_up", "fewer than")
        reason = f"{errors.shape[1]} past errors per node, {than} {MIN_ERRORS_FOR_MINT}"
    if method == "mint_shrink":
        diagonal, factor, intensity = shrunk_covariance(errors)
        if non_negative:
            values, clamped = mint_non_negative(hierarchy, base, diagonal, factor)
        else:
            values = mint(hierarchy, base, diagonal, factor)
    else:
        values = top_down(hierarchy, base) if method == "top_down" else base
        bottom, least = values[hierarchy.start :], 0.0 if non_negative else -np.inf
        clamped = int((bottom < least).sum())
        values = hierarchy.complete(np.maximum(bottom, least))
    return Reconciled(values, method, reason, intensity, clamped)


def error_ratio(before: Array, after: Array) -> Array:
    """Return by how much reconciling changed a node's past errors, (nodes,): 1 where all were 0."""
    old, new = (np.sqrt(np.mean(np.square(errors), axis=1)) for errors in (before, after))
    return np.asarray(np.divide(new, old, out=np.ones_like(old), where=old > 0))


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
        The same rows: medians add up; quantiles keep their distance to the median times the
        `error_ratio` of the past errors reconciled alike, and do not add up (a sum's 90 % quantile
        is not the sum of 90 % quantiles). And the report, with the medians.

    Raises:
        CoherenceError: If a node of the structure has no forecast, or forecasts of unlike years.
    """
    hierarchy = Hierarchy.from_groupings(structure)
    nodes, key = list(hierarchy.nodes), ["series_code", "year", "quantile_level"]
    wide = future.pivot(index=key[0], columns=key[1:], values="value").reindex(nodes)
    past = errors.reindex(nodes)
    if unlike := wide.index[wide.isna().any(axis=1) | past.isna().any(axis=1)].tolist():
        told = ("no forecast or error in some year", "one for every node and year")
        fix = "forecast every node to the same last year"
        raise CoherenceError(Defect(f"node {node}", *told, fix) for node in unlike)
    made, median = past.to_numpy(dtype=float), wide.xs(0.5, axis=1, level="quantile_level")
    found = reconcile(hierarchy, median.to_numpy(), made, method=method, non_negative=non_negative)
    ratio = error_ratio(made, reconcile(hierarchy, made, made, method=found.method).forecasts)
    year = median.columns.get_indexer(wide.columns.get_level_values("year"))
    distance = wide.sub(median.to_numpy()[:, year]).mul(ratio, axis=0)
    new = distance.add(found.forecasts[:, year]).clip(lower=0.0 if non_negative else None)
    long = new.melt(ignore_index=False).reset_index()[[*key, "value"]]
    return long.sort_values(key, ignore_index=True), found
