"""Tables of the métier pages: official figures of each métier, and what branches released of it.

No notebook runs for them: branches' numbers are read from the result tables that the site
publishes, the rest from the embedded tables.
"""

from typing import Final

import pandas as pd

from opmq_lib.methods.employment.hires import rome_shares
from opmq_lib.methods.needs import official
from opmq_lib.methods.needs.ages import centre_year
from opmq_lib.methods.needs.posts import national_ends
from opmq_lib.methods.reliability import grades
from opmq_lib.methods.skills import certifications, profiles
from opmq_lib.methods.tension import passage, published
from opmq_lib.params import EditionParams
from opmq_lib.questions import shared
from opmq_lib.questions.emplois.chain import GATHERED, LISTED
from opmq_lib.questions.shared import ALL_BRANCHES, Tables
from opmq_lib.questions.tensions import chain as tensions
from opmq_lib.tables.fap import FAMILY_LENGTH, METIER_LENGTH
from opmq_lib.tables.indicators import (
    HIGH,
    LOW,
    largest_first,
    last_year,
    select,
    stack,
)

NAME: Final = "metiers"
NATIONAL, OFFICIAL, OFFICIAL_LEFT, OFFICIAL_CREATED = (
    "national_employment_headcount",
    "official_employment_headcount",
    "official_departures_headcount",
    "official_net_creation_headcount",
)
AGE_SHARE, OLD_SHARE = "age_share_pct", "share_50_and_over_pct"
RATE, COUNTRY_RATE = "departure_rate_pct", "national_departure_rate_pct"
LEFT, JOBS, JOBS_SHARE = (
    "career_end_departures_headcount",
    "employment_headcount",
    "employment_share_pct",
)
RATES: Final = (RATE, COUNTRY_RATE)
RANK = "shortlist_rank"
RELEASED: Final = {
    "01_emplois": ("emplois",),
    "02_besoins": ("besoins", "besoins_taux"),
    "04_coeurs_strategiques": ("coeurs",),
    "07_que_faire": ("shortlist", "not_judged"),
}
"""Result tables of branches that the pages read, by notebook."""
NAMING: Final = ("besoins_taux", "coeurs", "shortlist", "not_judged")
"""Those of them whose métiers are named on the site, whatever their rank."""
FIRST_OLD_BAND: Final = "50-54 ans"
MAIN_SKILLS, MAIN_ROMES = 6, 5


def codes(inputs: Tables, released: Tables) -> list[str]:
    """Return the métiers that the site names: those of the field, and those of branches' tables.

    Args:
        inputs: The study's input tables, no branch chosen.
        released: Result tables of all branches, by name, those of `RELEASED` that there are.
    """
    named = [table["metier_code"] for name, table in released.items() if name in NAMING]
    if "emplois" in released:
        gathered = largest_first(select(released["emplois"], GATHERED))
        named.append(gathered.groupby("branch_code").head(LISTED)["metier_code"])
        named.append(select(released["emplois"], JOBS).dropna(subset="value")["metier_code"])
    metiers = inputs["metiers"]
    coded = metiers[metiers["level"].eq("fap225") & ~metiers["metier_code"].str.startswith("Z")]
    field = shared.in_field(inputs, shared.studied(inputs, "metiers"))["metier_code"]
    return sorted({*field, *pd.concat([field, *named])} & {*coded["metier_code"]})


def results(inputs: Tables, released: Tables, asked: list[str]) -> dict[str, pd.DataFrame]:
    """Return the result tables of the métier pages.

    Args:
        inputs: The study's input tables, no branch chosen.
        released: As for `codes`.
        asked: From `codes`.

    Returns:
        `metiers`: indicators, of the country under branch `ensemble`, of families under their own
        code. `metier_tensions`, `metier_images`: as in `03_tensions`.
    """
    frame = pd.DataFrame({"metier_code": asked})
    parts = [
        employed(inputs, asked),
        projected(inputs, asked),
        *tension(inputs, asked),
        ages(inputs, asked),
        rates(released, asked),
        in_branches(released, asked),
    ]
    kept = [part.astype({"year": "int64"}) for part in parts if len(part)]
    tables = {NAME: stack(kept, ALL_BRANCHES, NAME)}
    return tables | tensions.vintages(inputs, ALL_BRANCHES, frame)


def employed(inputs: Tables, asked: list[str]) -> pd.DataFrame:
    """Return employment of the country by year, of some métiers and of their families.

    Families that the official projections put together are added up, under the code that these
    give them.

    Examples:
        >>> from opmq_lib.sources import study
        >>> heads = employed(study.load_inputs(), ["E1Z43"])
        >>> heads["metier_code"].unique().tolist(), heads["unit"].unique().tolist()
        (['E1Z43', 'E1Z'], ['headcount'])
    """
    national = inputs["employment_national"]
    length = national["metier_code"].str.len()
    families = national[length == FAMILY_LENGTH]
    families = families.assign(metier_code=official.official_family(families["metier_code"]))
    sums = families.groupby(["metier_code", "year"], as_index=False)["employment_headcount"].sum()
    wanted = {*asked, *official.official_family(pd.Series(asked))}
    both = pd.concat([national[length == METIER_LENGTH], sums])
    return shared.national_levels(both[both["metier_code"].isin(wanted)])


def projected(inputs: Tables, asked: list[str]) -> pd.DataFrame:
    """Return what the official projections say of the families of some métiers.

    Returns:
        Employment of the base year and of the horizon; departures and net creation between them.
    """
    table = official.national(inputs["official_projections"])
    table = table[table["metier_code"].isin(official.official_family(pd.Series(asked)))]
    base, created = table["employment_headcount"], table["net_creation_headcount"]
    values = {
        (OFFICIAL, "base_year"): base,
        (OFFICIAL, "horizon_year"): base + created,
        (OFFICIAL_LEFT, "horizon_year"): table["departures_headcount"],
        (OFFICIAL_CREATED, "horizon_year"): created,
    }
    rows = [
        table[["metier_code"]].assign(year=table[year], indicator=name, value=value)
        for (name, year), value in values.items()
    ]
    return pd.concat(rows).assign(
        unit="headcount", nature="official_projection", source_code="dares_metiers_2030"
    )


def tension(inputs: Tables, asked: list[str]) -> list[pd.DataFrame]:
    """Return class, factors and profiles of the last year in FAP-2009, and the regions' index."""
    table, regions = last_year(inputs["tension"]), inputs["tension_regions"]
    table = table[table["metier_code"].isin(asked)]
    return [
        published.published_index(table),
        published.regional_index(regions[regions["metier_code"].isin(asked)]),
        published.tension_profiles(table, inputs["tension_profiles"]),
    ]


def ages(inputs: Tables, asked: list[str]) -> pd.DataFrame:
    """Return the share of each age in the first period and the last one, and of 50 and over."""
    table = inputs["age_structure"]
    table = table[table["metier_code"].isin(asked)]
    centre = {period: centre_year(period) for period in table["period"].unique()}
    table = table.assign(year=table["period"].map(centre), value=100 * table["share"])
    table = table[table["year"].isin([table["year"].min(), table["year"].max()])]
    is_old = table["age_band"] >= FIRST_OLD_BAND
    old = table[is_old].groupby(["metier_code", "year"])["value"].sum().reset_index()
    both = [table.assign(indicator=AGE_SHARE), old.assign(indicator=OLD_SHARE)]
    columns = ["metier_code", "year", "indicator", "age_band", "value"]
    return pd.concat(both)[columns].assign(unit="pct", source_code="dares_ages")


def rates(released: Tables, asked: list[str]) -> pd.DataFrame:
    """Return departures of each métier per 100 jobs and a year in the country, as branches read it.

    Returns:
        One row per métier that a branch has, with its interval, and one for all métiers (`ENS`).
    """
    if not {"besoins_taux", "besoins"} <= released.keys():
        return pd.DataFrame()
    table = released["besoins_taux"]
    table = table[table["ages_basis"].eq("national") & table["metier_code"].isin(asked)]
    table = table.drop_duplicates("metier_code")
    ends = national_ends(table[RATE])
    country = select(released["besoins"], COUNTRY_RATE).drop_duplicates("metier_code")
    year = int(select(released["besoins"], RATE)["year"].max())
    found = table[["metier_code", "nature"]].assign(
        indicator=RATE,
        year=year,
        value=table[RATE],
        **ends,
        interval_level=round(HIGH - LOW, 9),
        reliability_grade=grades(ends["lower"], ends["upper"]),
        unit="pct_per_year",
    )
    kept = ["metier_code", "nature", "indicator", "year", "value", "unit"]
    return pd.concat([found, country[kept].assign(year=year)])


def in_branches(released: Tables, asked: list[str]) -> pd.DataFrame:
    """Return jobs, departures and place in the short list of each métier in each branch."""
    parts = []
    columns = [*("branch_code", "metier_code", "year", "indicator", "value", "lower", "upper")]
    columns += ["interval_level", "reliability_grade", "unit", "status", "nature", "source_code"]
    for name, wanted in {"emplois": [JOBS, JOBS_SHARE], "besoins": [RATE, LEFT]}.items():
        if name in released:
            table = select(released[name], *wanted, variant="")
            table = table[table["metier_code"].isin(asked)]
            last = table.groupby(["branch_code", "indicator"])["year"].transform("max")
            known = [column for column in columns if column in table]
            parts.append(table.loc[table["year"] == last, known])
    if "shortlist" in released:
        listed = released["shortlist"]
        listed = listed[listed["is_shown"].eq("yes") & listed["metier_code"].isin(asked)]
        rank = listed[["branch_code", "metier_code", "year", "nature"]]
        places = listed["rank"].astype("float64")
        parts.append(rank.assign(indicator=RANK, value=places, unit="rank"))
    return pd.concat(parts) if parts else pd.DataFrame()


def taught(inputs: Tables, edition: EditionParams) -> dict[str, pd.DataFrame]:
    """Return what métiers are made of and what certifies them, ROME weighed by hires in industry.

    Returns:
        `romes` (`metier_code`, `rome_code`, `part`, those that hold a tenth of the métier, largest
        first), `skills` (`profiles.main_skills`), `emerging` (`metier_code`, `skill_code`),
        `certifications` (`metier_code`, `branch_code`, `title`: those of a branch's bodies) and
        `certified` (`metier_code`, `certifications_count`: those of any body), that still run.
    """
    hires = inputs["rome_naf_hires"]
    in_industry = hires["naf_code"].str[:2].between(passage.FIRST_DIVISION, passage.LAST_DIVISION)
    industry, every = (
        each["hires_count"].astype("float64").groupby(each["rome_code"]).sum()
        for each in (hires[in_industry], hires)
    )
    shares = rome_shares(inputs["fap_rome"], inputs["rome_fap_split"])
    links = profiles.metier_romes(shares, industry, every)
    main = profiles.main_parts(links).sort_values(["metier_code", "part"], ascending=[True, False])
    live = certifications.live(inputs["certifications"], edition.edition_date)
    aims = certifications.metier_links(inputs["certification_metiers"])
    aims = aims.merge(inputs["fap_rome"], on="rome_code")
    aims = aims[["certifinfo_code", "metier_code"]].drop_duplicates()
    owned = certifications.portfolio(live, inputs["certifying_bodies"])
    known = aims[aims["certifinfo_code"].isin(live["certifinfo_code"])]
    counts = known.groupby("metier_code").size().rename("certifications_count")
    return {
        "romes": main,
        "skills": profiles.main_skills(links, inputs["metier_skills"], MAIN_SKILLS),
        "emerging": main.merge(inputs["emerging_skills"], on="rome_code")[
            ["metier_code", "skill_code"]
        ].drop_duplicates(),
        "certifications": owned.merge(aims, on="certifinfo_code"),
        "certified": counts.reset_index(),
    }
