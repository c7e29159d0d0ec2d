"""FAP-2009 and FAP-2021 are two lists: nothing passes from one to the other without a crosswalk.

Some codes exist in both and mean something else (`G0A40` among them), so equal codes never chain.
"""

import pandas as pd

from opmq_lib.errors import CoherenceError, Defect, VintageError, gather

OLD, NEW = "FAP-2009", "FAP-2021"
COUNTS = (
    "projects_count",
    "projects_secret_cells_count",
    "hard_to_fill_count",
    "hard_to_fill_secret_cells_count",
)
SUM_TOLERANCE = 1e-9


def chained(intentions: pd.DataFrame, crosswalk: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return hiring intentions as one series, if one nomenclature holds them all.

    Args:
        intentions: Rows of `recruitment_intentions`, counts by `metier_code`, `nomenclature`,
            `region_code`, `year`.
        crosswalk: Official passage `metier_code` (FAP-2009) → `metier_2021_code` with `share`.

    Returns:
        The same columns of `COUNTS` and keys, all in one nomenclature: FAP-2021 where a crosswalk
        is given. What is carried adds up to what was given.

    Raises:
        VintageError: If two nomenclatures meet without a crosswalk.
        CoherenceError: If the crosswalk would lose or invent projects; every code is named.

    Examples:
        >>> table = pd.DataFrame({"metier_code": "G0A40", "nomenclature": [OLD, NEW],
        ...     "region_code": "84", "year": [2023, 2024]} | dict.fromkeys(COUNTS, 1.0))
        >>> chained(table)
        Traceback (most recent call last):
            ...
        opmq_lib.errors.VintageError: 1 defect
          hiring intentions: two nomenclatures, FAP-2009 and FAP-2021, in one series
            expected: one nomenclature, or an official crosswalk
            what to do: supply `tables.fap_crosswalk`; equal codes are not the same métier
        >>> links = pd.DataFrame({"metier_code": "G0A40", "metier_2021_code": ["G0A40", "G0A41"],
        ...     "share": [0.25, 0.75]})
        >>> chained(table, links)[["metier_code", "year", "projects_count"]].to_numpy().tolist()
        [['G0A40', 2023, 0.25], ['G0A40', 2024, 1.0], ['G0A41', 2023, 0.75]]
    """
    names = set(intentions["nomenclature"])
    keys = ["metier_code", "nomenclature", "region_code", "year"]
    if len(names) < 2:
        return intentions[[*keys, *COUNTS]]
    if crosswalk is None or crosswalk.empty:
        defect = Defect(
            where="hiring intentions",
            what=f"two nomenclatures, {OLD} and {NEW}, in one series",
            expected="one nomenclature, or an official crosswalk",
            fix="supply `tables.fap_crosswalk`; equal codes are not the same métier",
        )
        raise VintageError([defect])
    counted = intentions[keys].join(intentions[list(COUNTS)].astype("Float64").fillna(0))
    counted[list(COUNTS)] = counted[list(COUNTS)].astype(float)
    old, new = (counted[counted["nomenclature"] == name] for name in (OLD, NEW))
    check_crosswalk(crosswalk, set(old["metier_code"]))
    carried = old.merge(crosswalk[["metier_code", "metier_2021_code", "share"]], on="metier_code")
    for name in COUNTS:
        carried[name] *= carried["share"]
    carried["metier_code"], carried["nomenclature"] = carried["metier_2021_code"], NEW
    whole = pd.concat([carried[[*keys, *COUNTS]], new], ignore_index=True)
    one: pd.DataFrame = whole.groupby(keys, as_index=False, sort=True)[list(COUNTS)].sum()
    return one


def check_crosswalk(crosswalk: pd.DataFrame, old_codes: set[str]) -> None:
    """Refuse a crosswalk that would lose or invent something, naming every code at fault.

    Args:
        crosswalk: `metier_code`, `metier_2021_code`, `share` (0 to 1).
        old_codes: FAP-2009 codes that must all be carried.

    Raises:
        CoherenceError: With one defect per code.
    """
    sums = crosswalk.groupby("metier_code")["share"].sum()
    defects = [
        Defect(
            where=f"crosswalk, {code}",
            what="its shares do not sum to 1",
            expected="shares that sum to 1 within 1e-9",
            fix="complete the crosswalk: nothing may be lost on the way",
            value=f"{total:.12g}",
        )
        for code, total in sums.items()
        if abs(total - 1) > SUM_TOLERANCE
    ]
    defects += [
        Defect(
            where=f"crosswalk, {code}",
            what="the code has no line",
            expected="every FAP-2009 code of the survey",
            fix="add its lines: its projects would be lost",
        )
        for code in sorted(old_codes - set(crosswalk["metier_code"]))
    ]
    negative = crosswalk[crosswalk["share"] < 0]
    defects += [
        Defect(f"crosswalk, {code}", "a negative share", "0 to 1", "correct the share")
        for code in negative["metier_code"]
    ]
    if defects:
        raise gather([CoherenceError(defects)])
