"""What a French reader reads in a number shown, and whether it is a table's."""

import re

from opmq_lib.show import french


def readings(text: str) -> set[float]:
    """Return the numbers that a French text may be read as, its `moins de` included."""
    digits = text.replace(french.NNBSP, "").replace("−", "-").replace(",", ".")
    return {float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", digits)}


def agrees(text: str, value: float) -> bool:
    """Return whether a number shown is the cell's, rounded as shown."""
    (shown,) = readings(text)
    if text.startswith("moins de"):
        return 0 < value < shown
    decimals = len(text.partition(",")[2].rstrip(f"{french.NBSP}%"))
    steps = [10**-decimals] if decimals else [10**power for power in range(6)]
    return any(abs(round(value / step) * step - shown) < 1e-9 for step in steps)
