"""Chain of `05_competences`."""

from collections.abc import Sequence

import pandas as pd

from opmq_lib import tables
from opmq_lib.methods import employment
from opmq_lib.methods.needs.summary import POSTS
from opmq_lib.methods.skills import certifications, gap, profiles
from opmq_lib.params import EditionParams
from opmq_lib.questions.competences.coverage import bloc_results
from opmq_lib.questions.shared import Tables, seed_tables, without_residual
from opmq_lib.tables import indicators

METIERS_LOOKED_AT = 20
HIRES_YEAR = 2016


def skill_results(
    inputs: Tables, branch_code: str, edition: EditionParams, besoins: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `05_competences` for one branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the day on which certifications are looked at.
        besoins: Table `besoins` of `02_besoins`; without it projected needs are `nd`.

    Returns:
        `competences`: indicators; hires and certifications of the ROME that the branch's activities
        recruit most, those without one, what open data cannot give (`nd`).
        `portfolio`: the branch's certifications. `expiry_calendar`: when their registrations end;
        no row without an export of the register. `bloc_coverage`: how much of each métier a live
        bloc covers, today and later; `nd` without an export and without readings of its blocs.
        `to_look_at`: those to look at, by stated reason.
        `skill_signals`: skills flagged émergente by the ROME, and main skills that the métier of no
        certification carries. `skill_posts`: projected posts to fill whose ROME carries each
        skill, which is no gap; no row without `besoins`. `skill_gaps`: needed
        against available, from the branch's survey; no row without one.
    """
    day = edition.edition_date
    hired = branch_romes(inputs, branch_code)
    links = _metier_links(inputs)
    every = certifications.portfolio(inputs["certifications"], inputs["certifying_bodies"])
    owned = every[every["branch_code"] == branch_code].reset_index(drop=True)
    coverage = certifications.metier_coverage(owned, links, list(hired["rome_code"]))
    shared = certifications.overlaps(every, links)
    calendar = certifications.expiry_calendar(inputs["rncp_fiches"], day)
    reasons = certifications.to_look_at(owned, links, shared, calendar, day)
    posts = _posts(besoins)
    by_rome = gap.posts_by_rome(posts, _metier_romes(inputs, branch_code))
    gaps = gap.skills_gap(
        inputs["own_skill_needs"], inputs["own_skill_supply"], gap.need_factors(posts)
    )
    signals = _signals(inputs, branch_code, coverage)
    blocs, bloc_indicators = bloc_results(inputs, branch_code, list(hired["rome_code"]), day)
    register = "public" if inputs["rncp_fiches"].empty else "own"
    found = {
        "portfolio": _portfolio(owned, links).assign(origin="public"),
        "to_look_at": reasons.assign(origin=register),
        "expiry_calendar": certifications.portfolio_calendar(owned, calendar, day).assign(
            status="value", origin=register
        ),
        "bloc_coverage": blocs,
        "skill_signals": signals.assign(status="value", origin="public"),
        "skill_posts": _skill_posts(inputs, branch_code, by_rome, posts),
        "skill_gaps": gaps.assign(origin="own"),
    }
    bodies = inputs["certifying_bodies"]["branch_code"]
    parts = _indicators(hired, coverage, owned, signals, day.year)
    parts += [bloc_indicators, _profile_share(inputs, by_rome, posts, day.year)]
    has_ends = bool(found["expiry_calendar"]["state"].ne("nd").any())
    parts.append(_reason_counts(reasons, has_ends, day.year).assign(origin=register))
    table = indicators.stack(_known(parts, branch_code in set(bodies)), branch_code, "competences")
    return {"competences": table} | {
        name: tables.check(name, table[list(tables.DESCRIPTIONS[name])], name)
        for name, table in found.items()
    }


def _known(parts: Sequence[pd.DataFrame], has_body: bool) -> list[pd.DataFrame]:
    """Return indicators where certifications are `nd` if no body of the branch is recognised."""
    if has_body:
        return list(parts)
    return [
        part.assign(
            value=part["value"].where(~part["indicator"].str.contains("certification|uncovered"))
        )
        for part in parts
    ]


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
    pairs = certifications.overlaps(portfolios, _metier_links(inputs))
    once = pairs[pairs["branch_code"] < pairs["other_branch_code"]]
    titles = portfolios.drop_duplicates("certifinfo_code").set_index("certifinfo_code")["title"]
    table = once.assign(
        title=once["certifinfo_code"].map(titles),
        other_title=once["other_certifinfo_code"].map(titles),
        status="value",
        origin="public",
    )
    order = ["shared_metiers_count", "title", "other_title"]
    table = table.sort_values(order, ascending=[False, True, True]).reset_index(drop=True)
    return {name: tables.check(name, table[list(tables.DESCRIPTIONS[name])], name)}


def metier_profiles(inputs: Tables, branch_code: str, metier_codes: Sequence[str]) -> pd.DataFrame:
    """Return the main skills of métiers (FAP), for `02_besoins`.

    Args:
        inputs: The study's input tables.
        branch_code: Whose hires say how much each ROME counts.
        metier_codes: Métiers wanted.

    Returns:
        Rows of contract `metier_profiles`; none for a métier whose ROME have no profile.
    """
    links = _metier_romes(inputs, branch_code)
    wanted = links[links["metier_code"].isin(metier_codes)]
    found = profiles.main_skills(wanted, inputs["metier_skills"])
    labels = inputs["skills"].set_index("skill_code")["label"]
    told = found.assign(
        branch_code=branch_code, label=found["skill_code"].map(labels), origin="public"
    )
    columns = list(tables.DESCRIPTIONS["metier_profiles"])
    return tables.check("metier_profiles", told[columns], "besoins_profils")


def metier_certifications(
    inputs: Tables, branch_code: str, metier_codes: Sequence[str], year: int
) -> pd.DataFrame:
    """Return how many of the branch's certifications aim at a ROME of each métier (FAP).

    Returns:
        Rows of the indicator table, `certifications_count`; `nd` where no certifying body of the
        branch is known, or a métier has no ROME.
    """
    every = certifications.portfolio(inputs["certifications"], inputs["certifying_bodies"])
    owned = every.loc[every["branch_code"] == branch_code, "certifinfo_code"]
    romes = inputs["fap_rome"][inputs["fap_rome"]["metier_code"].isin(metier_codes)]
    links = _metier_links(inputs)
    aimed = links[links["certifinfo_code"].isin(owned)].merge(romes, on="rome_code")
    counts = aimed.groupby("metier_code")["certifinfo_code"].nunique()
    known = set(romes["metier_code"]) if len(owned) else set()
    values = [float(counts.get(code, 0)) if code in known else None for code in metier_codes]
    return pd.DataFrame({"metier_code": list(metier_codes), "value": values}).assign(
        indicator="certifications_count",
        unit="certifications",
        year=year,
        region_code=indicators.WHOLE_COUNTRY,
        source_code="certifinfo",
    )


def _metier_links(inputs: Tables) -> pd.DataFrame:
    fiches = inputs["romes"][inputs["romes"]["rome_version"] == "4.0"]
    return certifications.metier_links(inputs["certification_metiers"], fiches)


def branch_romes(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return the ROME with a profile that the branch's activities hire most: `rome_code`, `hires`.

    Hires of each activity are shared between branches as table `naf_branch` says.
    """
    total = _hires(inputs, branch_code)
    total = total[total["rome_code"].isin(inputs["metier_skills"]["rome_code"])]
    ordered = total[total["hires"] > 0].sort_values(["hires", "rome_code"], ascending=[False, True])
    return ordered.head(METIERS_LOOKED_AT).reset_index(drop=True)


def _hires(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return the hires of the branch's activities by ROME: `rome_code`, `hires`."""
    shares = inputs["naf_branch"]
    hires = inputs["rome_naf_hires"].merge(
        shares[shares["branch_code"] == branch_code], on="naf_code"
    )
    counted = hires.assign(hires=hires["hires_count"].astype("float64") * hires["share"])
    return counted.groupby("rome_code")["hires"].sum().reset_index()


def _posts(besoins: pd.DataFrame | None) -> pd.DataFrame:
    """Return posts to fill of each métier in the last horizon of `02_besoins`."""
    columns = ["metier_code", POSTS, "lower", "upper", "interval_level", "year", "origin"]
    if besoins is None:
        return pd.DataFrame(columns=columns)
    rows = without_residual(indicators.select(besoins, POSTS))
    rows = rows[(rows["metier_code"] != indicators.ALL_METIERS) & rows["value"].notna()]
    return indicators.last_year(rows).rename(columns={"value": POSTS})[columns]


def _metier_romes(inputs: Tables, branch_code: str) -> pd.DataFrame:
    """Return how much of each métier (FAP) its ROME are: `metier_code`, `rome_code`, `weight`.

    The weight is the métier's part of the hires of the branch's activities under the ROME; of the
    hires of all activities where the métier has none in the branch.
    """
    links = employment.rome_shares(seed_tables(inputs))
    everywhere = inputs["rome_naf_hires"].astype({"hires_count": "float64"})
    every = everywhere.groupby("rome_code")["hires_count"].sum()
    own = _hires(inputs, branch_code).set_index("rome_code")["hires"]
    in_branch, anywhere = (
        links["share"] * links["rome_code"].map(hires).fillna(0.0) for hires in (own, every)
    )
    is_hired = in_branch.groupby(links["metier_code"]).transform("sum") > 0
    weight = in_branch.where(is_hired, anywhere)
    return links[["metier_code", "rome_code"]].assign(weight=weight)


def _profile_share(
    inputs: Tables, by_rome: pd.DataFrame, posts: pd.DataFrame, year: int
) -> pd.DataFrame:
    """Return the share of posts to fill (above 0) that go to a ROME with a profile, in %."""
    above = by_rome[by_rome[POSTS] > 0]
    read = above["rome_code"].isin(inputs["metier_skills"]["rome_code"])
    total = posts.loc[posts[POSTS] > 0, POSTS].sum()
    share = 100 * above.loc[read, POSTS].sum() / total if total > 0 else float("nan")
    row = {
        "indicator": "posts_with_profile_share_pct",
        "value": share,
        "unit": "pct",
        "year": year,
        "region_code": indicators.WHOLE_COUNTRY,
        "nature": "projection",
        "origin": _origin(posts),
    }
    return pd.DataFrame([row])


def _origin(posts: pd.DataFrame) -> str:
    return "own" if (posts["origin"] == "own").any() else "public"


def _skill_posts(
    inputs: Tables, branch_code: str, by_rome: pd.DataFrame, posts: pd.DataFrame
) -> pd.DataFrame:
    """Return posts to fill by skill, largest first; no row without posts."""
    if posts.empty:
        return pd.DataFrame(columns=list(tables.DESCRIPTIONS["skill_posts"]))
    found = gap.needs_by_skill(by_rome, inputs["metier_skills"])
    labels = inputs["skills"].set_index("skill_code")["label"]
    told = found.assign(
        branch_code=branch_code,
        label=found["skill_code"].map(labels),
        interval_level=float(posts["interval_level"].max()),
        year=int(posts["year"].max()),
        unit="headcount",
        status="value",
        nature="projection",
        origin=_origin(posts),
    )
    told = told.rename(columns={POSTS: "value"}).dropna(subset=["label"])
    order = ["value", "skill_code"]
    return told.sort_values(order, ascending=[False, True]).reset_index(drop=True)


def _portfolio(owned: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    metiers = links[links["aims_at"] == "metier"].groupby("certifinfo_code").size()
    counts = owned["certifinfo_code"].map(metiers).fillna(0).astype("Int64")
    return owned.assign(metiers_count=counts)


def _signals(inputs: Tables, branch_code: str, coverage: pd.DataFrame) -> pd.DataFrame:
    flagged = inputs["emerging_skills"]
    mine = flagged[flagged["rome_code"].isin(coverage["rome_code"])]
    emerging = (
        mine.groupby("skill_code")["rome_code"].nunique().rename("metiers_count").reset_index()
    )
    left = certifications.uncovered_skills(coverage, inputs["metier_skills"])
    both = pd.concat([emerging.assign(signal="emerging_flag"), left.assign(signal="uncovered")])
    labels = inputs["skills"].set_index("skill_code")["label"]
    told = both.assign(label=both["skill_code"].map(labels), branch_code=branch_code)
    told = told.dropna(subset=["label"]).astype({"metiers_count": "Int64"})
    order = ["signal", "metiers_count", "label"]
    return told.sort_values(order, ascending=[True, False, True]).reset_index(drop=True)


def _indicators(
    hired: pd.DataFrame,
    coverage: pd.DataFrame,
    owned: pd.DataFrame,
    signals: pd.DataFrame,
    year: int,
) -> list[pd.DataFrame]:
    uncovered = signals[signals["signal"] == "uncovered"]
    whole = pd.DataFrame(
        [
            ("certifications_count", float(len(owned)), "certifications"),
            ("metiers_looked_at_count", float(len(hired)), "métiers"),
            (
                "metiers_without_certification_count",
                float((coverage["certifications_count"] == 0).sum()),
                "métiers",
            ),
            ("uncovered_main_skills_count", float(len(uncovered)), "compétences"),
        ],
        columns=["indicator", "value", "unit"],
    ).assign(year=year, source_code="certifinfo")
    by_rome = [
        pd.DataFrame({"metier_code": hired["rome_code"], "value": hired["hires"]}).assign(
            indicator="branch_hires_count", unit="déclarations", year=HIRES_YEAR,
            nature="estimate", source_code="embauches_rome_naf",
        ),
        pd.DataFrame(
            {"metier_code": coverage["rome_code"], "value": coverage["certifications_count"]}
        ).assign(
            indicator="certifications_count", unit="certifications", year=year,
            source_code="certifinfo",
        ),
    ]  # fmt: skip
    return [part.assign(region_code=indicators.WHOLE_COUNTRY) for part in (whole, *by_rome)]


def _reason_counts(reasons: pd.DataFrame, has_ends: bool, year: int) -> pd.DataFrame:
    """Return how many certifications each reason names; `nd` where no end of any is known."""
    counts = reasons["reason_code"].value_counts()
    unknown = set() if has_ends else {"expired", "expiring"}
    return pd.DataFrame(
        {
            "indicator": [f"{reason}_certifications_count" for reason in certifications.REASONS],
            "value": [
                float("nan") if reason in unknown else float(counts.get(reason, 0))
                for reason in certifications.REASONS
            ],
        }
    ).assign(
        unit="certifications",
        year=year,
        region_code=indicators.WHOLE_COUNTRY,
        source_code="certifinfo",
    )
