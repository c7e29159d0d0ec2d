"""What each scenario changes: lines of multipliers, and their effect on every cell.

A scenario is a list of transparent lines, each of which multiplies employment, never departures;
nothing else differs from the reference. Scenarios
compose: the effect of two together is the product of their effects. No probability is attached.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.params import ScenarioLine, ScenarioParams
from opmq_lib.tables import DESCRIPTIONS


def line_table(scenarios: Sequence[ScenarioParams]) -> pd.DataFrame:
    """Return exactly what each scenario changes, one row per line.

    Args:
        scenarios: The scenarios.

    Returns:
        Rows of the `scenario_lines` contract; a scenario that changes nothing has one row, of
        number 0, without label.
    """
    rows = [
        {
            "scenario_code": scenario.scenario_code,
            "scenario_label": scenario.label,
            "origin": "public",
        }
        | (_row(number, line) if line else {"line_number": 0, "basis": scenario.basis})
        for scenario in scenarios
        for number, line in enumerate(scenario.lines or (None,), start=1)
    ]
    columns = DESCRIPTIONS["scenario_lines"]
    blank = {name: "" for name, column in columns.items() if column.is_text}
    table = pd.DataFrame([blank | row for row in rows], columns=list(columns))
    return table.astype({"start_year": "Int64", "end_year": "Int64", "multiplier": "float64"})


def effects(
    scenarios: Sequence[ScenarioParams], nodes: pd.DataFrame, branches: pd.DataFrame, year: int
) -> pd.DataFrame:
    """Return what scenarios together multiply the employment of each cell by in a year.

    Args:
        scenarios: One scenario, or several that compose.
        nodes: `branch_code` and `metier_code` of the cells.
        branches: `industry_group_code` of each `branch_code`.
        year: The year.

    Returns:
        `branch_code, metier_code, employment_multiplier`.

    Examples:
        >>> line = ScenarioLine(label="x", metier_codes=("E1Z",), vote=None, multiplier=0.9,
        ...     start_year=2018, end_year=2028, unit="ratio", basis="exemple, non voté")
        >>> low = ScenarioParams(scenario_code="low", label="x", vote=None, lines=(line,),
        ...                      basis="exemple, non voté")
        >>> nodes = pd.DataFrame({"branch_code": "chimie", "metier_code": ["E1Z41", "G1Z70"]})
        >>> groups = pd.DataFrame({"branch_code": ["chimie"], "industry_group_code": ["C"]})
        >>> effects([low], nodes, groups, 2023)["employment_multiplier"].tolist()
        [0.95, 1.0]
    """
    group = nodes["branch_code"].map(branches.set_index("branch_code")["industry_group_code"])
    table = nodes[["branch_code", "metier_code"]].assign(employment_multiplier=1.0)
    for line in (line for scenario in scenarios for line in scenario.lines):
        touched = _touched(line, nodes, group.fillna(""))
        table.loc[touched, "employment_multiplier"] *= multiplier_path(line, np.array([year]))[0]
    return table


def multiplier_path(line: ScenarioLine, years: Array) -> Array:
    """Return a line's multiplier in some years: 1 before, straight lines, its own after."""
    inner = [(point.year, point.multiplier) for point in line.points]
    knots = [(line.start_year, 1.0), *inner, (line.end_year, line.multiplier)]
    at, values = zip(*knots, strict=True)
    return np.asarray(np.interp(years, at, values))


def _touched(line: ScenarioLine, nodes: pd.DataFrame, group: pd.Series) -> pd.Series:
    chosen = pd.Series(True, nodes.index)
    if line.industry_group_codes:
        chosen &= group.isin(line.industry_group_codes)
    if line.branch_codes:
        chosen &= nodes["branch_code"].isin(line.branch_codes)
    if line.metier_codes:
        chosen &= nodes["metier_code"].str.startswith(line.metier_codes)
    return chosen


def _row(number: int, line: ScenarioLine) -> dict[str, object]:
    fields = ("industry_group_codes", "branch_codes", "metier_codes")
    return {
        "line_number": number,
        "line_label": line.label,
        **{name: " ".join(getattr(line, name)) for name in fields},
        **line.model_dump(include={"start_year", "end_year", "multiplier", "unit", "basis"}),
        "points": " ".join(f"{point.year}:{point.multiplier:g}" for point in line.points),
        "vote": "" if line.vote is None else f"{line.vote.body}, {line.vote.date:%Y-%m-%d}",
    }
