"""What a métier (FAP) asks for, read in the profiles of its ROME."""

import pandas as pd


def carried(metier_skills: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of skills that a ROME carries as `principale` or `émergente`.

    Examples:
        >>> links = pd.DataFrame({"skill_code": list("789"),
        ...                       "importance": ["principale", "émergente", "autre"]})
        >>> carried(links)["skill_code"].tolist()
        ['7', '8']
    """
    return metier_skills[metier_skills["importance"] != "autre"]


def main_skills(links: pd.DataFrame, metier_skills: pd.DataFrame, top: int = 3) -> pd.DataFrame:
    """Return the main skills of each métier, from the profiles of its ROME.

    Args:
        links: `metier_code`, `rome_code`, `weight`: which ROME a métier has, and how much of it.
        metier_skills: `rome_code`, `skill_code`, `importance`.
        top: Skills kept per métier.

    Returns:
        `metier_code`, `skill_rank` (1, 2, …), `skill_code`: skills that are `principale` in most of
        the métier; at equal weight the one that fewest profiles have, then by code. No row for a
        métier whose ROME have no profile.

    Examples:
        >>> links = pd.DataFrame({"metier_code": "A", "rome_code": ["H1", "H2"], "weight": [3, 1]})
        >>> skills = pd.DataFrame({"rome_code": ["H1", "H2", "H2"], "skill_code": ["7", "8", "7"],
        ...                        "importance": "principale"})
        >>> main_skills(links, skills)["skill_code"].tolist()
        ['7', '8']
    """
    main = metier_skills.loc[
        metier_skills["importance"] == "principale", ["rome_code", "skill_code"]
    ].drop_duplicates()
    frequency = main.groupby("skill_code")["rome_code"].nunique()
    both = links.merge(main, on="rome_code")
    found = both.groupby(["metier_code", "skill_code"])["weight"].sum().reset_index()
    found["profiles"] = found["skill_code"].map(frequency)
    order = ["metier_code", "weight", "profiles", "skill_code"]
    found = found.sort_values(order, ascending=[True, False, True, True])
    found["skill_rank"] = found.groupby("metier_code").cumcount() + 1
    kept = found.loc[found["skill_rank"] <= top, ["metier_code", "skill_rank", "skill_code"]]
    return kept.reset_index(drop=True)
