"""Steps on what changes in the métiers of a branch's short list: facts, and ways in and out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from opmq_lib.methods.needs.metier_rates import official_rates
from opmq_lib.methods.needs.official import national, official_family
from opmq_lib.methods.needs.qualifications import CLASSES, class_of
from opmq_lib.methods.skills import evolution, profiles
from opmq_lib.questions.shared import Tables, metier_romes
from opmq_lib.sources import embedded
from opmq_lib.tables import DESCRIPTIONS, check
from opmq_lib.tables.columns import FACTORS
from opmq_lib.tables.fap import DOMAIN_LENGTH, METIER_LENGTH
from opmq_lib.tables.indicators import last_year

FACTS, WAYS, NOTES = "changements", "passerelles", "notes"
CONTRACTS: Final = {FACTS: "metier_changes", WAYS: "metier_ways"}
ITEMS, MARKS, MOVES, TENSION, JOBS, OFFICIAL = (
    *("ft_rome_elements", "ft_rome_faits", "ft_rome_mobilites"),
    *("dares_tensions", "dares_emploi", "dares_metiers_2030"),
)
"""Rows of table `sources`."""
NEAREST: Final = 3
"""Near métiers kept on each side; source: convention."""
LEAST_SHARED: Final = 0.1
"""Macro-skills in common, of all that two near métiers ask for, at least; source: convention."""


def listed(lists: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the métiers that a branch's short list shows, in order; none until it is known.

    Examples:
        >>> shown = {"metier_code": ["E1Z43", "G0A40"], "rank": [2, 1], "is_shown": "yes"}
        >>> listed({"shortlist": pd.DataFrame(shown)}), listed({})
        (['G0A40', 'E1Z43'], [])
    """
    if "shortlist" not in lists:
        return []
    shown = lists["shortlist"][lists["shortlist"]["is_shown"] == "yes"]
    return [*shown.sort_values("rank")["metier_code"]]


def records(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return the main records of ROME of each métier: `metier_code`, `rome_code`, `part`.

    By what the branch hires under each, by all hires where it hires nobody.
    """
    return profiles.main_parts(metier_romes(inputs, branch_code))


def facts(
    inputs: Tables, branch_code: str, metier_codes: Sequence[str], records: pd.DataFrame
) -> pd.DataFrame:
    """Return what is published of some métiers, a fact a row, with its source and its vintage.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        metier_codes: Métiers wanted (FAP-2009).
        records: From `records`.

    Returns:
        Table `metier_changes`. `emerging`, `macro`, `condition`: what the records of ROME name,
        `value` being the part of the métier whose records name it. `ecological`, `digital`: share
        of the skills of these records that ROME marks; `unsaid_count` of which it says nothing
        (`nd` where it says nothing of any).
        `esco_green`, `esco_digital`: share, of the skills linked to ESCO, whose link is in its
        collection; `esco_links`: how many links, and skills that have one. `factor`: class of 1 to
        5 of what makes the métier tense. `qualification`, `qualification_before`: share of the
        métier's class in its domain, last and first year, unless the domain has no other. `none`,
        without value (`nd`): a métier of which nothing is published.
    """
    own = records[records["metier_code"].isin(metier_codes)]
    parts = [
        _named(inputs, own),
        _marked(inputs, own),
        _factors(inputs, metier_codes),
        _qualifications(inputs, metier_codes),
    ]
    table = pd.concat(parts, ignore_index=True)
    table["status"] = table["value"].isna().map({True: "nd", False: "value"})
    without = [code for code in metier_codes if code not in set(table["metier_code"])]
    nothing = pd.DataFrame({"metier_code": without, "fact_code": "none", "status": "nd"})
    table = pd.concat([table, nothing], ignore_index=True)
    place = {code: at for at, code in enumerate(metier_codes)}
    table = table.sort_values(
        "metier_code", key=lambda codes: codes.map(place), kind="stable", ignore_index=True
    )
    return _result(FACTS, table.assign(branch_code=branch_code))


def ways(
    inputs: Tables,
    branch_code: str,
    metier_codes: Sequence[str],
    own_codes: Sequence[str],
    records: pd.DataFrame,
) -> pd.DataFrame:
    """Return the moves from métiers whose official projection falls to those of the short list.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        metier_codes: Métiers of the short list.
        own_codes: Métiers of the branch.
        records: From `records`.

    Returns:
        Table `metier_ways`: what both share and what is to learn, in macro-skills of their records;
        `near_rank` among the métiers that lead to the target; `exit_rank` among those of the short
        list, not falling themselves, to which a métier of the branch leads: `NEAREST` of each.
        Moves of `near`: possibilities, not flows.
    """
    growth = official_growth(inputs, records["metier_code"])
    falling = growth.index[growth < 0]
    rows = near(inputs, records, falling, metier_codes)
    nearest = rows.groupby("target_metier_code").cumcount() + 1
    leaving = rows["metier_code"].isin(own_codes) & ~rows["target_metier_code"].isin(falling)
    leads = rows[leaving].groupby("metier_code").cumcount() + 1
    ranks = {"near_rank": nearest, "exit_rank": leads.reindex(rows.index)}
    ranks = {name: rank.where(rank <= NEAREST).astype("Int64") for name, rank in ranks.items()}
    rows = rows.assign(**ranks).dropna(subset=list(ranks), how="all")
    labels = inputs["rome_item_labels"].set_index("item_code")["label"]
    for name in ("shared", "to_learn"):
        codes = rows[f"{name}_skill_codes"].str.split()
        rows[f"{name}_count"] = codes.map(len).astype("Int64")
        rows[f"{name}_labels"] = codes.map(lambda each: " ; ".join(labels[each]))
    ends = {"": "metier_code", "target_": "target_metier_code"}
    rates = {f"{end}growth_rate_pct": rows[of].map(growth) for end, of in ends.items()}
    vintages = f"{_vintage(MOVES)} ; {_title(OFFICIAL)}, {_vintage(OFFICIAL)}"
    said = {"vintage": vintages, "source_code": MOVES, "status": "value"}
    return _result(WAYS, rows.assign(branch_code=branch_code, **rates, **said))


def near(
    inputs: Tables, records: pd.DataFrame, from_codes: Iterable[str], to_codes: Iterable[str]
) -> pd.DataFrame:
    """Return the moves that ROME names between métiers that are near.

    They share `LEAST_SHARED` of their macro-skills, and their classes of qualification are the same
    or neighbours: records of ROME tell no qualification, so that they lead from unskilled workers
    to engineers.

    Args:
        inputs: The study's input tables.
        records: From `records`.
        from_codes: Métiers from which one may come.
        to_codes: Métiers to which one may go.

    Returns:
        The columns of `evolution.transitions`, in macro-skills; what shares most of what the
        target asks for first.
    """
    items = inputs["rome_items"]
    macros = items[items["fact_code"] == "macro"].rename(columns={"item_code": "skill_code"})
    moves = evolution.metier_moves(records, inputs["rome_moves"])
    is_asked = moves["metier_code"].isin(from_codes) & moves["target_metier_code"].isin(to_codes)
    rows = evolution.transitions(records.merge(macros, on="rome_code"), moves[is_asked])
    order = ["shared_share", "metier_code", "target_metier_code"]
    one, other = (
        rows[name].map(lambda code: CLASSES.index(class_of(code))).astype("int64")
        for name in order[1:]
    )
    rows = rows[(one - other).abs().le(1) & rows["shared_share"].ge(LEAST_SHARED)]
    return rows.sort_values(order, ascending=[False, True, True], ignore_index=True)


def official_growth(inputs: Tables, metier_codes: pd.Series) -> pd.Series:
    """Return official growth of métiers, in % per year, by code: that of their family.

    To a tenth, as it is shown: what is shown as 0 does not fall.
    """
    rates = official_rates(national(inputs["official_projections"]))["growth_rate_pct"]
    codes = metier_codes.drop_duplicates()
    return (
        pd.Series(official_family(codes).map(rates).to_numpy(), codes.to_numpy()).dropna().round(1)
    )


def results(
    facts: pd.DataFrame, ways: pd.DataFrame, notes: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the result tables of this part of `05_competences`.

    Args:
        facts: From `facts`.
        ways: From `ways`.
        notes: From `methods.notes.of_branch`.
    """
    return {FACTS: facts, WAYS: ways, NOTES: notes}


def _named(inputs: Tables, records: pd.DataFrame) -> pd.DataFrame:
    labels = inputs["rome_item_labels"].set_index("item_code")["label"]
    rows = evolution.named(records, inputs["rome_items"])
    return rows.assign(
        label=rows["item_code"].map(labels),
        value=100 * rows["part"],
        unit="pct",
        vintage=_vintage(ITEMS),
        source_code=ITEMS,
    )


def _marked(inputs: Tables, records: pd.DataFrame) -> pd.DataFrame:
    counts = evolution.marked(records, inputs["rome_facts"])
    shares = {
        "ecological": ("ecological_skills_count", "skills_count", "ecological_unsaid_count"),
        "digital": ("digital_skills_count", "skills_count", "digital_unsaid_count"),
        "esco_green": ("esco_green_skills_count", "esco_skills_count", None),
        "esco_digital": ("esco_digital_skills_count", "esco_skills_count", None),
        "esco_links": ("esco_skills_count", "skills_count", None),
    }
    parts = []
    for fact, (part, whole, unsaid) in shares.items():
        is_silent = counts[unsaid].eq(counts[whole]) if unsaid else counts[whole].eq(0)
        rows = counts[["metier_code"]].assign(
            fact_code=fact,
            numerator_count=counts[part],
            denominator_count=counts[whole],
            unsaid_count=counts[unsaid] if unsaid else None,
            value=(100.0 * counts[part] / counts[whole]).astype("float64").mask(is_silent),
            unit="pct",
        )
        parts.append(rows[counts[whole] > 0])
    parts[-1] = parts[-1].assign(value=counts["esco_links_count"], unit="links")
    table = pd.concat(parts, ignore_index=True)
    return table.assign(vintage=_vintage(MARKS), source_code=MARKS)


def _factors(inputs: Tables, metier_codes: Sequence[str]) -> pd.DataFrame:
    tension = inputs["tension"]
    classes = last_year(tension[tension[[*FACTORS]].notna().any(axis=1)])
    own = classes[classes["metier_code"].isin(metier_codes)]
    rows = own.melt(["metier_code", "year"], [*FACTORS], "item_code", "value").dropna()
    return rows.assign(
        fact_code="factor",
        label=rows["item_code"].map(FACTORS),
        unit="quintile",
        vintage=rows["year"].astype("str"),
        source_code=TENSION,
    )


def _qualifications(inputs: Tables, metier_codes: Sequence[str]) -> pd.DataFrame:
    national = inputs["employment_national"]
    years = national.loc[national["metier_code"].str.len() == METIER_LENGTH, "year"]
    ends = (years.max(), years.min())
    shares = evolution.qualification_shares(national[national["year"].isin(ends)])
    shares = shares[shares["share_pct"] < 100]
    codes = pd.Series([*metier_codes], dtype="str")
    own = pd.DataFrame(
        {
            "metier_code": codes,
            "domain_code": codes.str[:DOMAIN_LENGTH],
            "class_code": codes.map(class_of),
        }
    )
    rows = own.merge(shares, on=["domain_code", "class_code"])
    rows["fact_code"] = rows["year"].map(
        dict(zip(ends, ("qualification", "qualification_before"), strict=True))
    )
    return rows.rename(columns={"class_code": "item_code", "share_pct": "value"}).assign(
        unit="pct", vintage=rows["year"].astype("str"), source_code=JOBS
    )


def _vintage(source_code: str) -> str:
    """Return which edition of a source is read: its period, else the version in its title."""
    return embedded.source(source_code).period or _title(source_code)


def _title(source_code: str) -> str:
    return re.split(r"\s:\s", embedded.source(source_code).title)[0]


def _result(name: str, table: pd.DataFrame) -> pd.DataFrame:
    described = DESCRIPTIONS[CONTRACTS[name]]
    table = table.assign(origin="public").reindex(columns=list(described))
    texts = [column for column, each in described.items() if each.is_text]
    table[texts] = table[texts].astype("object").fillna("").astype("str")
    types = {
        column: "Int64" if each.kind == "whole" else "float64"
        for column, each in described.items()
        if not each.is_text
    }
    return check(CONTRACTS[name], table.astype(types).reset_index(drop=True), name)
