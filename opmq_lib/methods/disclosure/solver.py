"""Programs, linear or in whole numbers, as HiGHS solves them: one that is changed starts warm.

What stops a search is counted in steps, never in seconds: a busy machine finds the same answer.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from highspy import Highs, HighsModelStatus
from scipy.sparse import csc_array, csr_array

from opmq_lib.errors import ConfidentialityError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_SECONDS: Final = 600.0
"""Seconds after which a solver that counts its steps has failed all the same."""
STOPPED: Final = (
    HighsModelStatus.kSolutionLimit,
    HighsModelStatus.kObjectiveBound,
    HighsModelStatus.kObjectiveTarget,
)
ENDLESS: Final = (HighsModelStatus.kUnbounded, HighsModelStatus.kUnboundedOrInfeasible)
FORMAT, SMALLEST = {"csc": 1, "csr": 2}, 1


class Answer(NamedTuple):
    """What a solver says.

    Attributes:
        x: One number per column; `None` if there is none, or no end.
        cost: What it costs.
        bound: What any answer costs at least.
        prices: One per row, of a linear program.
    """

    x: Numbers | None
    cost: float
    bound: float
    prices: Numbers


class Program:
    """min cost · x, least ≤ rows x ≤ most, low ≤ x ≤ high; some x whole."""

    def __init__(
        self,
        rows: csr_array | csc_array,
        within: tuple[Numbers, Numbers],
        cost: Numbers,
        bounds: tuple[Numbers, Numbers],
        whole: Flags | None = None,
        **options: float | str,
    ) -> None:
        height, width = rows.shape
        self.highs = Highs()  # type: ignore[no-untyped-call]
        self.is_whole = whole is not None and bool(whole.any())
        presolve = "on" if self.is_whole else "off"  # of no use to a program that starts warm
        named = {"output_flag": False, "threads": 1, "time_limit": MOST_SECONDS,
                 "presolve": presolve, **options}  # fmt: skip
        for name, value in named.items():
            self.highs.setOptionValue(name, value)
        self.columns = np.arange(width, dtype=np.int32)
        integrality = (np.zeros(width) if whole is None else whole).astype(np.int32)
        self.highs.passModel(
            width, height, rows.nnz, FORMAT[rows.format], SMALLEST, 0.0, cost, *bounds, *within,
            rows.indptr.astype(np.int32), rows.indices.astype(np.int32), rows.data, integrality,
        )  # fmt: skip

    def change(self, cost: Numbers, low: Numbers, high: Numbers) -> None:
        """Ask for something else within other bounds."""
        self.highs.changeColsCost(len(cost), self.columns, cost)
        self.highs.changeColsBounds(len(cost), self.columns, low, high)

    def add(self, rows: csr_array, least: Numbers) -> None:
        """Ask that more rows be at least so much."""
        self.highs.addRows(
            len(least), least, np.full(len(least), np.inf), rows.nnz,
            rows.indptr[:-1].astype(np.int32), rows.indices.astype(np.int32), rows.data,
        )  # fmt: skip

    def solve(self) -> Answer:
        """Return the answer.

        Raises:
            ConfidentialityError: If the solver fails.
        """
        self.highs.run()
        status, info = self.highs.getModelStatus(), self.highs.getInfo()
        bound = info.mip_dual_bound if self.is_whole else info.objective_function_value
        if status in ENDLESS or status == HighsModelStatus.kInfeasible:
            return Answer(None, np.inf, np.inf, np.zeros(0))
        if status != HighsModelStatus.kOptimal and status not in STOPPED:
            raise ConfidentialityError.of(
                "disclosure control",
                f"the solver stopped before an answer ({self.highs.modelStatusToString(status)})",
                "every secret figure proved safe",
                "publish a coarser table (fewer métiers or sizes), or withhold this one",
            )
        found = self.highs.getSolution()
        if not found.value_valid:
            return Answer(None, np.inf, bound, np.zeros(0))
        x, prices = np.array(found.col_value), np.array(found.row_dual)
        return Answer(x, info.objective_function_value, bound, prices)
