"""Steps of `05_competences`: métiers, certifications, what they cover, what posts ask for, gaps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from opmq_lib import tables
from opmq_lib.methods import core
from opmq_lib.methods.employment.levels import INTERVAL_LEVEL
from opmq_lib.methods.needs.summary import POSTS
from opmq_lib.methods.reliability import best_grades, grades
from opmq_lib.methods.skills import blocs, certifications, gap, profiles
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import Tables, candidates, metier_romes, without_residual
from opmq_lib.tables import indicators

LEAST_SHARE_PCT = 0.5
"""Least share of the branch's jobs of a métier or ROME that is looked at, in %; a convention."""
READ = ["coverage_ratio", "read_skills_count", "ending_blocs_count"]


def metiers(
    inputs: Tables, branch_code: str, edition: EditionParams, lists: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the métiers of a branch, largest first, and those that its lists name.

    Args:
        inputs: The study's input tables (`sources.study.load_inputs`).
        branch_code: Key of table `branches`.
        edition: Gives the base year.
        lists: Tables `coeurs` of `04_coeurs_strategiques` and `shortlist` of `07_que_faire`.

    Returns:
        The candidates of the branch's lists (`shared.candidates`) from `LEAST_SHARE_PCT` of its
        jobs up, and `is_named`: in the core, as voted where it is, or in the short list. No branch
        certifies all that it employs. No row without a headcount, nor until both lists are known.
    """
    table = candidates(inputs, branch_code, edition.base_year)
    if not {"coeurs", "shortlist"} <= lists.keys():
        table = table.head(0)
    table = table[table["employment_share_pct"] >= LEAST_SHARE_PCT]
    codes = _listed(lists) if len(table) else []
    order = ["employment_share_pct", "metier_code"]
    listed = table.assign(is_named=table["metier_code"].isin(codes))
    return listed.sort_values(order, ascending=[False, True], ignore_index=True)


def _listed(lists: Mapping[str, pd.DataFrame]) -> list[str]:
    cores, shortlist = lists["coeurs"], lists["shortlist"]
    cores = cores[cores["question_code"] == "core"]
    unvoted = core.attested(cores[cores["voted"] == "none"])
    shown = shortlist["is_shown"] == "yes"
    named = pd.concat([cores[cores["voted"] == "yes"], unvoted])["metier_code"]
    return [*named, *shortlist.loc[shown, "metier_code"]]


def named(metiers: pd.DataFrame) -> pd.DataFrame:
    """Return the métiers that the branch's lists name."""
    own: pd.DataFrame = metiers[metiers["is_named"].astype(bool)]
    return own


def romes(inputs: Tables, branch_code: str, metiers: pd.DataFrame) -> pd.DataFrame:
    """Return the ROME with a profile of some métiers, and their share of the branch's jobs.

    Args:
        inputs: The study's input tables.
        branch_code: Whose hires say how a métier's jobs divide between its ROME.
        metiers: Rows of `metiers`.

    Returns:
        `rome_code`, `value`, `lower`, `upper` (%), largest first, from `LEAST_SHARE_PCT` up.
    """
    jobs = profiles.jobs_by_rome(metiers, metier_romes(inputs, branch_code))
    has_profile = jobs["rome_code"].isin(inputs["metier_skills"]["rome_code"])
    return jobs[has_profile & (jobs["value"] >= LEAST_SHARE_PCT)].reset_index(drop=True)


def portfolio(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return the branch's certifications, and how many métiers (ROME) each aims at.

    Returns:
        The columns of `certifications.portfolio`, `metiers_count`, `origin`; no row where no
        certifying body of the branch is known.

    Examples:
        >>> from opmq_lib.sources import study
        >>> portfolio(study.load_inputs(), "plasturgie")["kind"].iloc[0]
        'CQP'
    """
    every, links = _portfolios(inputs), _links(inputs)
    owned = every[every["branch_code"] == branch_code].reset_index(drop=True)
    counts = links[links["aims_at"] == "metier"].groupby("certifinfo_code").size()
    counts = owned["certifinfo_code"].map(counts).fillna(0).astype("Int64")
    return owned.assign(metiers_count=counts, origin="public")


def deadlines(
    inputs: Tables, portfolio: pd.DataFrame, edition: EditionParams
) -> dict[str, pd.DataFrame]:
    """Return which certifications to look at and why, and when their registrations end.

    Returns:
        `to_look_at`; `expiry_calendar`, without row where no export of the register is given.
    """
    fiches, day = inputs["rncp_fiches"], edition.edition_date
    origin = _origin(inputs, "rncp_fiches")
    calendar = certifications.expiry_calendar(fiches, day)
    links = _links(inputs)
    shared = certifications.overlaps(_portfolios(inputs), links)
    reasons = certifications.to_look_at(portfolio, links, shared, calendar, day)
    ends = certifications.portfolio_calendar(portfolio, calendar, day).assign(status="value")
    return {
        "to_look_at": _checked("to_look_at", reasons.assign(origin=origin)),
        "expiry_calendar": _checked("expiry_calendar", ends.assign(origin=origin)),
    }


def coverage(
    inputs: Tables, metiers: pd.DataFrame, portfolio: pd.DataFrame, edition: EditionParams
) -> pd.DataFrame:
    """Return how many live certifications aim at each métier: the branch's, and all that exist.

    Returns:
        `metiers` with `certifications_count` (missing where none of the branch is known) and
        `existing_certifications_count`: those of any body in Certif Info.
    """
    wanted = list(metiers["metier_code"])
    live = certifications.live(inputs["certifications"], edition.edition_date)
    owned = portfolio[portfolio["certifinfo_code"].isin(live["certifinfo_code"])]
    counts = {
        name: certifications.fap_coverage(some, _links(inputs), inputs["fap_rome"], wanted)
        for name, some in {"": owned, "existing_": live}.items()
    }
    table = metiers.reset_index(drop=True)
    columns = {
        f"{name}certifications_count": rows["certifications_count"].to_numpy()
        for name, rows in counts.items()
    }
    return table.assign(**columns)


def bloc_coverage(
    inputs: Tables, branch_code: str, romes: pd.DataFrame, edition: EditionParams
) -> pd.DataFrame:
    """Return how much of each ROME live blocs cover, today, in 12 and in 24 months.

    Returns:
        Table `bloc_coverage`: all `nd` until there is an export and a decision, a métier until one
        of its main skills has a decision; `own` as soon as a branch supplies either.

    Raises:
        RangeError: With every bloc that was read and ends before it starts.
    """
    sheet, register = inputs["own_bloc_readings"], inputs["rncp_blocs"]
    decided, readings = sheet[sheet["decision"] != ""], sheet[sheet["decision"] == "yes"]
    register = register[register["bloc_code"].isin(readings["bloc_code"])]
    read = blocs.dated_blocs(inputs["rncp_fiches"], register)
    profile = profiles.main_and_emerging(inputs["metier_skills"])
    wanted = list(romes["rome_code"])
    table = blocs.bloc_coverage(profile, readings, read, wanted, edition.edition_date)
    answered = profile.loc[profile["skill_code"].isin(decided["skill_code"]), "rome_code"]
    is_known = _has_readings(inputs)
    is_read = is_known & table["rome_code"].isin(answered)
    has_no_skill = is_known & (table["skills_count"] == 0)
    table[READ] = table[READ].where(is_read)
    return _checked(
        "bloc_coverage",
        table.assign(
            branch_code=branch_code,
            status=np.select([has_no_skill, is_read], ["np", "value"], "nd"),
            origin=_origin(inputs, "rncp_fiches", "own_bloc_readings"),
        ),
    )


def demand(
    inputs: Tables, branch_code: str, besoins: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Return the skills that posts to fill ask for, and the gaps that a survey supports.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        besoins: Table `besoins` of `02_besoins`; without it projected posts are `nd`.

    Returns:
        `skill_posts`: projected posts to fill whose ROME carries each skill, largest first, which
        is no gap; no row without `besoins`. `profile_share`: the share of posts (above 0) that go
        to a ROME with a profile, as an indicator. `skill_gaps`: needed against available, from the
        branch's survey; no row without one.
    """
    posts = _posts(besoins)
    by_rome = profiles.posts_by_rome(posts, metier_romes(inputs, branch_code))
    origin = "own" if (posts["origin"] == "own").any() else "public"
    by_skill = profiles.posts_by_skill(by_rome, inputs["metier_skills"]).assign(
        branch_code=branch_code,
        interval_level=posts["interval_level"].max(),
        year=posts["year"].astype("Int64").max(),
        unit="headcount",
        status="value",
        nature="projection",
        origin=origin,
    )
    by_skill = _labelled(inputs, by_skill.rename(columns={POSTS: "value"}))
    by_skill = by_skill.sort_values(["value", "skill_code"], ascending=[False, True])
    needs, supply = inputs["own_skill_needs"], inputs["own_skill_supply"]
    gaps = gap.skills_gap(needs, supply, gap.need_factors(posts))
    share = profiles.profile_share_pct(posts, by_rome, inputs["metier_skills"])
    return {
        "skill_posts": _checked("skill_posts", by_skill.reset_index(drop=True)),
        "profile_share": _rows(("posts_with_profile_share_pct", share, "pct")).assign(
            source_code="", nature="projection", origin=origin
        ),
        "skill_gaps": _checked("skill_gaps", gaps.assign(origin="own")),
    }


def signals(
    inputs: Tables, branch_code: str, metiers: pd.DataFrame, portfolio: pd.DataFrame
) -> pd.DataFrame:
    """Return the skills to look at, those of most of the branch's jobs first.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        metiers: From `metiers`.
        portfolio: From `portfolio`.

    Returns:
        Table `skill_signals`: skills flagged émergente by the ROME of all métiers, and main skills
        of those that its lists name that no métier at which a certification aims carries.
    """
    every, own = (romes(inputs, branch_code, rows) for rows in (metiers, named(metiers)))
    missing = certifications.uncovered_skills(portfolio, _links(inputs), inputs["metier_skills"])
    parts = {
        "emerging_flag": profiles.jobs_by_skill(inputs["emerging_skills"], every),
        "uncovered": profiles.jobs_by_skill(missing, own),
    }
    both = pd.concat([part.assign(signal=name) for name, part in parts.items()])
    both = _labelled(inputs, both).astype({"metiers_count": "Int64"})
    is_estimate = both["upper"] > both["lower"]
    both[["lower", "upper"]] = both[["lower", "upper"]].where(is_estimate)
    both = both.assign(
        branch_code=branch_code,
        interval_level=INTERVAL_LEVEL,
        unit="pct",
        status="value",
        reliability_grade=grades(both["lower"], both["upper"], _best_grade(metiers)),
        nature=is_estimate.map({True: "estimate", False: "observed"}),
        origin="own" if (metiers["origin"] == "own").any() else "public",
    )
    order = ["signal", "value", "label"]
    both = both.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return _checked("skill_signals", both)


def results(  # noqa: PLR0913 - one argument per step
    inputs: Tables,
    branch_code: str,
    edition: EditionParams,
    portfolio: pd.DataFrame,
    deadlines: Mapping[str, pd.DataFrame],
    coverage: pd.DataFrame,
    bloc_coverage: pd.DataFrame,
    signals: pd.DataFrame,
    demand: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch, from those of the steps above.

    Returns:
        `competences`: indicators; share of jobs and certifications of the métiers named by its
        lists, those without one, what open data cannot give (`nd`). The others: from the steps.
    """
    has_body = (inputs["certifying_bodies"]["branch_code"] == branch_code).any()
    unknown = "^$" if has_body else "^(?!existing).*certification|uncovered"
    parts = [
        *_coverage_rows(portfolio, coverage, signals),
        _bloc_rows(inputs, bloc_coverage),
        demand["profile_share"],
        _reason_rows(inputs, deadlines),
    ]
    parts = [
        part.assign(
            value=part["value"].mask(part["indicator"].str.contains(unknown)),
            year=part.get("year", edition.edition_date.year),
            region_code=indicators.WHOLE_COUNTRY,
        )
        for part in parts
    ]
    return {
        "competences": indicators.stack(parts, branch_code, "competences"),
        "portfolio": _checked("portfolio", portfolio),
        **deadlines,
        "bloc_coverage": bloc_coverage,
        "skill_signals": signals,
        "skill_posts": demand["skill_posts"],
        "skill_gaps": demand["skill_gaps"],
    }


def skills_consolidation(inputs: Tables, portfolios: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return certifications that several branches could share, for `10_consolidation`.

    Args:
        inputs: The study's input tables.
        portfolios: The `portfolio` tables of all branches, one under the other; may be empty.

    Returns:
        `consolidation_certifications`: pairs of certifications of different branches that aim at
        the same métiers, each pair once, those that share most first.
    """
    name = "consolidation_certifications"
    if portfolios.empty:
        return {name: pd.DataFrame(columns=list(tables.DESCRIPTIONS[name]))}
    pairs = certifications.shared_certifications(portfolios, _links(inputs))
    return {name: _checked(name, pairs.assign(status="value", origin="public"))}


def metier_profiles(inputs: Tables, branch_code: str, metier_codes: Sequence[str]) -> pd.DataFrame:
    """Return the main skills of métiers (FAP), for `02_besoins`.

    Args:
        inputs: The study's input tables.
        branch_code: Whose hires say how much each ROME counts.
        metier_codes: Métiers wanted.

    Returns:
        Rows of contract `metier_profiles`; none for a métier whose ROME have no profile.
    """
    links = metier_romes(inputs, branch_code)
    wanted = links[links["metier_code"].isin(metier_codes)]
    table = profiles.main_skills(wanted, inputs["metier_skills"])
    table = _labelled(inputs, table).assign(branch_code=branch_code, origin="public")
    return _checked("metier_profiles", table)


def metier_certifications(
    inputs: Tables, branch_code: str, metier_codes: Sequence[str], year: int
) -> pd.DataFrame:
    """Return how many of the branch's certifications aim at a ROME of each métier (FAP).

    Returns:
        Rows of the indicator table, `certifications_count`; `nd` where no certifying body of the
        branch is known, or a métier has no ROME.
    """
    counts = certifications.fap_coverage(
        portfolio(inputs, branch_code), _links(inputs), inputs["fap_rome"], metier_codes
    )
    rows = counts.rename(columns={"certifications_count": "value"})
    return rows.assign(
        indicator="certifications_count",
        unit="certifications",
        year=year,
        region_code=indicators.WHOLE_COUNTRY,
        source_code="certifinfo",
    )


def branch_blocs(inputs: Tables, branch_code: str, register: pd.DataFrame) -> pd.DataFrame:
    """Return the blocs of the register whose fiche is one of the branch's portfolio.

    Args:
        inputs: With `certifications`, which gives codes of the RNCP and none of the RS, and
            `certifying_bodies`.
        branch_code: Key of table `branches`.
        register: Table `rncp_blocs`.
    """
    every = _portfolios(inputs)
    owned = every.loc[every["branch_code"] == branch_code, "rncp_code"].dropna()
    return register[register["fiche_code"].isin("RNCP" + owned[owned != ""])]


def _portfolios(inputs: Tables) -> pd.DataFrame:
    return certifications.portfolio(inputs["certifications"], inputs["certifying_bodies"])


def _links(inputs: Tables) -> pd.DataFrame:
    return certifications.metier_links(inputs["certification_metiers"])


def _origin(inputs: Tables, *names: str) -> str:
    """Return `own` where a branch supplies one of some tables."""
    return "public" if all(inputs[name].empty for name in names) else "own"


def _has_readings(inputs: Tables) -> bool:
    """Return whether there are an export of the register and an answer on its blocs."""
    answered = inputs["own_bloc_readings"]["decision"] != ""
    return not inputs["rncp_fiches"].empty and bool(answered.any())


def _posts(besoins: pd.DataFrame | None) -> pd.DataFrame:
    """Return posts to fill of each métier in the last horizon of `02_besoins`."""
    columns = ["metier_code", POSTS, "lower", "upper", "interval_level", "year", "origin"]
    if besoins is None:
        return pd.DataFrame(columns=columns)
    rows = without_residual(indicators.select(besoins, POSTS, variant=""))
    rows = rows[(rows["metier_code"] != indicators.ALL_METIERS) & rows["value"].notna()]
    return indicators.last_year(rows).rename(columns={"value": POSTS})[columns]


def _best_grade(metiers: pd.DataFrame) -> str:
    return max(best_grades(metiers["headcount_fit_ratio"]), default="A")


def _coverage_rows(
    portfolio: pd.DataFrame, coverage: pd.DataFrame, signals: pd.DataFrame
) -> list[pd.DataFrame]:
    """Return how many certifications, métiers and skills that none covers; then by métier."""
    uncovered = (signals["signal"] == "uncovered").sum()
    is_known, coverage = len(coverage) > 0, named(coverage)
    without = (coverage["certifications_count"] == 0).sum()
    aimed = coverage[["metier_code"]].assign(source_code="certifinfo", unit="certifications")
    names = ("certifications_count", "existing_certifications_count")
    shares = coverage[["metier_code", "year", "nature", "origin"]].assign(
        indicator="employment_share_pct",
        unit="pct",
        value=coverage["employment_share_pct"],
        source_code=coverage["source_code"],
    )
    is_estimate = coverage["level_log_sd"] > 0
    for end in ("lower", "upper"):
        shares[end] = coverage[f"employment_share_pct_{end}"].where(is_estimate)
    shares = shares.assign(
        interval_level=INTERVAL_LEVEL,
        reliability_grade=grades(shares["lower"], shares["upper"], _best_grade(coverage)),
    )
    of_metiers = [
        ("metiers_looked_at_count", len(coverage), "métiers"),
        ("metiers_without_certification_count", without, "métiers"),
        ("uncovered_main_skills_count", uncovered, "compétences"),
    ]
    return [
        _rows(
            ("certifications_count", len(portfolio), "certifications"),
            *((name, value if is_known else np.nan, unit) for name, value, unit in of_metiers),
        ),
        shares,
        *(aimed.assign(indicator=name, value=coverage[name]) for name in names),
    ]


def _bloc_rows(inputs: Tables, table: pd.DataFrame) -> pd.DataFrame:
    """Return bloc coverage of all métiers together, and how much was read."""
    shares, sheet = blocs.whole_coverage_pct(table), inputs["own_bloc_readings"]
    decided = sheet[sheet["decision"] != ""]
    when = {0: ""} | {months: f"{months}_months_" for months in certifications.LEAD_MONTHS}
    rows = _rows(
        *((f"bloc_coverage_{name}pct", shares.get(months), "pct") for months, name in when.items()),
        ("read_blocs_count", decided["bloc_code"].nunique(), "blocs"),
        ("undecided_bloc_proposals_count", len(sheet) - len(decided), "propositions"),
    )
    rows = rows.assign(origin=_origin(inputs, "rncp_fiches", "own_bloc_readings"), source_code="")
    return rows if _has_readings(inputs) else rows.assign(value=np.nan)


def _reason_rows(inputs: Tables, deadlines: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how many certifications each reason names; `nd` where no end of any is known."""
    counts = deadlines["to_look_at"]["reason_code"].value_counts()
    ends = deadlines["expiry_calendar"]["state"]
    unknown = () if ends.ne("nd").any() else ("expired", "expiring")
    rows = [
        (f"{code}_certifications_count", np.nan if code in unknown else counts.get(code, 0))
        for code in certifications.REASONS
    ]
    table = _rows(*((name, value, "certifications") for name, value in rows))
    return table.assign(origin=_origin(inputs, "rncp_fiches"))


def _rows(*rows: tuple[str, float | None, str]) -> pd.DataFrame:
    """Return indicators of the whole branch: name, value, unit."""
    table = pd.DataFrame(rows, columns=["indicator", "value", "unit"])
    return table.astype({"value": "float64"}).assign(source_code="certifinfo")


def _labelled(inputs: Tables, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the label of their skill; those of unknown skills are left out."""
    labels = inputs["skills"].set_index("skill_code")["label"]
    return table.assign(label=table["skill_code"].map(labels)).dropna(subset=["label"])


def _checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return tables.check(name, table[list(tables.DESCRIPTIONS[name])], name)
