"""The employment of one branch as it may be published: secret métiers together, in the rest."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.errors import ConfidentialityError, Defect
from opmq_lib.methods.disclosure import audit, protect
from opmq_lib.methods.disclosure.rules import NEEDED, primary
from opmq_lib.params import DisclosureRules
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS
from opmq_lib.tables.scope import REST

CHANGED: Final = "changed_units_count"


class Released(NamedTuple):
    """What of a table may be published.

    Attributes:
        table: Its rows that may be, one more a year for the rest; they do not tell their companies.
        secret: `metier_code` of those that are only told together, `reason`: `primary` (too few
            companies, or one too large, in a year), `secondary` (else a subtraction gives another),
            `before` (it was secret in an earlier edition).
        findings: What attackers can work out of each secret figure, as `audit` returns it.
        hidden_share_pct: Part of the jobs of the last year that is only told together.
        families: Families of which every secret métier could be told as one (not tried for
            subtractions).
        own_years: Years in which it tells own figures.
    """

    table: pd.DataFrame
    secret: pd.DataFrame
    findings: pd.DataFrame
    hidden_share_pct: float = 0.0
    families: tuple[str, ...] = ()
    own_years: tuple[int, ...] = ()


def release(
    employment: pd.DataFrame,
    rules: DisclosureRules,
    before: Collection[str] = (),
    earlier: Mapping[str, pd.DataFrame] | None = None,
) -> Released:
    """Return the employment of a branch as it may be published.

    A métier that is secret in one year is so in all, and in later editions: a series with holes is
    no use to a forecast, and what was shown once cannot be hidden. Secret métiers are added up in
    the rest of the branch, which stands in the place of what a reader would get by subtraction and
    must therefore pass the same rules: if need be, the smallest other métiers join it. How many
    companies are behind several métiers, and how large the largest is there, is not known; at least
    as many as behind one, at most as large as if it were the largest everywhere.

    Args:
        employment: Rows of the `employment` contract, of one branch; `units_count` and
            `largest_share_pct` in each.
        rules: Thresholds.
        before: Métiers that were secret in earlier editions.
        earlier: Tables released in other editions, by edition.

    Raises:
        ConfidentialityError: If a count is missing, the branch as a whole is secret or no métier
            may be told alone, too few companies have changed a figure that was told before, or an
            attacker could work out a secret figure after all.

    Source:
        Methodology, K1 to K4.

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "chaux", "metier_code": ["A0A00", "B0B00", "C0C00"],
        ...     "year": 2024, "employment_headcount": [40.0, 100, 400], "origin": "own",
        ...     "units_count": [2, 9, 20], "largest_share_pct": [60, 30, 20]})
        >>> found = release(jobs, DisclosureRules())
        >>> found.table[["metier_code", "employment_headcount"]].to_numpy().tolist()
        [['C0C00', 400.0], ['autres_metiers', 140.0]]
        >>> found.secret.to_numpy().tolist()
        [['A0A00', 'primary'], ['B0B00', 'secondary']]
    """
    cells = employment.rename(columns={"employment_headcount": "value"})
    cells = cells[["metier_code", "year", *NEEDED]].reset_index(drop=True)
    totals = _together(cells).assign(metier_code=ALL_METIERS)
    if (is_secret := primary(totals, rules)).any():
        raise _whole_branch(totals.loc[is_secret, "year"])
    alone = set(cells.loc[primary(cells, rules), "metier_code"]) - {REST}
    both = pd.concat([cells, totals], ignore_index=True)
    found = protect(both, {"metier_code": ALL_METIERS}, rules)
    hidden = set(found.loc[found["status"] == "s", "metier_code"]) - {ALL_METIERS}
    secret = _with_enough(cells, hidden | (set(before) & set(cells["metier_code"])), rules)
    if set(cells["metier_code"]) <= {*secret, REST}:
        raise _none_alone()
    findings = _audited(both, secret, rules)
    shown = _published(employment, secret)
    refuse_revisions(employment, shown, earlier or {}, rules)
    last = cells[cells["year"] == cells["year"].max()]
    share = last.loc[last["metier_code"].isin(secret), "value"].sum() / last["value"].sum()
    return Released(
        shown,
        _reasons(secret, alone, before),
        findings,
        float(100 * share),
        _families(cells, secret, rules),
        tuple(sorted({*cells["year"].tolist()})),
    )


def release_totals(
    totals: pd.DataFrame,
    rules: DisclosureRules,
    before: Collection[str] = (),
    earlier: Mapping[str, pd.DataFrame] | None = None,
) -> Released:
    """Return a branch's totals as they may be published: years that are secret are left out.

    Args:
        totals: Rows of the `branch_totals` contract; those of origin `public` pass.
        rules: Thresholds.
        before: Years that were secret in earlier editions.
        earlier: Tables released in other editions, by edition.

    Raises:
        ConfidentialityError: If a count is missing, every year is secret, or too few companies have
            changed a total that was told before.
    """
    cells = totals.rename(columns={"employees_headcount": "value"})
    is_secret = primary(cells[["year", "origin", *NEEDED]], rules)
    is_own, years = totals["origin"].ne("public"), totals["year"].astype(str)
    alone = set(years[is_secret])
    is_secret |= (is_own & years.isin(before)).to_numpy()
    if is_secret.all():
        raise _whole_branch(totals["year"], "branch_totals")
    shown = _without_companies(totals[~is_secret])
    refuse_revisions(totals[is_own], shown, earlier or {}, rules)
    secret = [(year, "primary" if year in alone else "before") for year in years[is_secret]]
    reasons = pd.DataFrame(secret, columns=["year", "reason"], dtype="str")
    own_years = totals.loc[is_own & ~is_secret, "year"].tolist()
    return Released(shown, reasons, pd.DataFrame(), own_years=tuple(own_years))


def refuse_revisions(
    own: pd.DataFrame,
    shown: pd.DataFrame,
    earlier: Mapping[str, pd.DataFrame],
    rules: DisclosureRules,
) -> None:
    """Refuse a figure that too few companies have changed since an edition that told it (K3).

    Who subtracts two editions reads what these companies changed. What is told together now is
    compared with what the same métiers were told to be, together or not; métiers and totals are
    compared by their sums.

    Args:
        own: Rows of `employment` or `branch_totals`, of one branch, `changed_units_count` in those
            that are not what they were.
        shown: What is released of them.
        earlier: What was, of either table, by edition.
        rules: Thresholds.

    Raises:
        ConfidentialityError: Naming the figures.

    Examples:
        >>> own = pd.DataFrame({"metier_code": ["C0C00"], "year": 2024, "changed_units_count": [2],
        ...     "employment_headcount": [400.0]})
        >>> was = own.assign(employment_headcount=390.0)
        >>> refuse_revisions(own, own, {"2025": own}, DisclosureRules())
        >>> refuse_revisions(own, own, {"2025": was}, DisclosureRules())
        Traceback (most recent call last):
        opmq_lib.errors.ConfidentialityError: 1 defect
          C0C00, 2024: revised since edition 2025 by too few companies, or nobody says by how many
            expected: the figure of that edition, or 3 companies or more in `changed_units_count`
            what to do: count the companies whose figure differs, or keep that of the edition
    """
    kept = {*shown.get("metier_code", ()), ALL_METIERS}

    def figures(table: pd.DataFrame, is_sum: bool) -> pd.DataFrame:
        table = table.assign(metier_code=ALL_METIERS) if is_sum else table
        value = table.get("employment_headcount", table.get("employees_headcount"))
        count = table[CHANGED] if CHANGED in table else pd.Series(0, table.index)
        cells = table[["year"]].assign(
            metier_code=table["metier_code"].where(table["metier_code"].isin(kept), REST),
            value=value,
            count=count.fillna(0),
        )
        sums = cells.groupby(["metier_code", "year"])
        return sums.agg(value=("value", "sum"), count=("count", "max"))

    def defects() -> Iterator[Defect]:
        for edition_id, table in earlier.items():
            is_sum = not all("metier_code" in each for each in (own, table))
            was = figures(table, is_sum)["value"].rename("was")
            both = figures(own, is_sum).join(was, how="inner")
            is_same = np.isclose(both["value"], both["was"], rtol=1e-9, atol=1e-6)
            for metier, year in both.index[~is_same & (both["count"] < rules.min_units)]:
                yield Defect(
                    f"{metier}, {year}",
                    f"revised since edition {edition_id} by too few companies, or nobody says by "
                    "how many",
                    f"the figure of that edition, or {rules.min_units} companies or more in "
                    f"`{CHANGED}`",
                    "count the companies whose figure differs, or keep that of the edition",
                )

    ConfidentialityError.refuse(defects())


def refuse_disagreement(
    employment: pd.DataFrame, totals: pd.DataFrame, rules: DisclosureRules
) -> None:
    """Refuse two own tables of a branch of which one tells what the other hides.

    Métiers add up to their total, be it secret; a total that is another tells, by subtraction, the
    jobs of companies that nobody has counted.

    Args:
        employment: Rows of the `employment` contract, of one branch.
        totals: Rows of `branch_totals`; those of origin `public` are not compared.
        rules: Thresholds.

    Raises:
        ConfidentialityError: Naming the years.
    """
    sums = employment.groupby("year")["employment_headcount"].sum().rename("sum")
    own = totals[totals["origin"].ne("public")].join(sums, on="year", how="inner")
    cells = own.rename(columns={"employees_headcount": "value"})
    is_secret = primary(cells[["year", *NEEDED]], rules)
    differs = ~np.isclose(cells["value"], cells["sum"], rtol=1e-9, atol=1e-6)
    whats = ("is secret, and métiers add up to it", "is not the sum of the branch's métiers")
    ConfidentialityError.refuse(
        Defect(
            f"branch_totals, {year}",
            what,
            "one table that tells of the year",
            "leave `branch_totals` out of the parameters: own employment has its own level",
        )
        for what, rows in zip(whats, (is_secret, differs), strict=True)
        for year in cells.loc[rows, "year"]
    )


def _together(cells: pd.DataFrame) -> pd.DataFrame:
    """Return several métiers as one, by year: at least so many companies, at most so dominated."""
    largest = cells["value"] * cells["largest_share_pct"].fillna(100)
    sums = cells.assign(largest=largest).groupby("year", as_index=False)
    added = sums.agg(
        value=("value", "sum"), units_count=("units_count", "max"), most=("largest", "sum")
    )
    share = (added["most"] / added["value"]).where(added["value"] > 0)
    return added.drop(columns="most").assign(largest_share_pct=share.clip(upper=100))


def _with_enough(cells: pd.DataFrame, secret: set[str], rules: DisclosureRules) -> set[str]:
    """Return métiers told together, with the smallest others until their sum may be told."""
    sizes = cells.groupby("metier_code")["value"].sum().sort_values(kind="stable")
    others = [code for code in sizes.index if code not in {*secret, REST}]
    while secret:
        rest = cells[cells["metier_code"].isin({*secret, REST})]
        if not primary(_together(rest), rules).any():
            break
        if not others:
            raise _whole_branch(cells["year"])
        secret = {*secret, others.pop(0)}
    return secret - {REST}


def _audited(cells: pd.DataFrame, secret: set[str], rules: DisclosureRules) -> pd.DataFrame:
    """Return what can be worked out from all that is shown, and refuse if that is too much."""
    is_hidden = cells["metier_code"].isin({*secret, REST} if secret else ())
    released = cells.assign(status=is_hidden.map({True: "s", False: "value"}))
    findings = audit(released, {"metier_code": ALL_METIERS}, rules)
    ConfidentialityError.refuse(
        Defect(
            figure, "can be worked out", "a figure that nobody can work out", "withhold the table"
        )
        for figure in findings.loc[findings["is_exposed"], "figure"]
    )
    return findings


def _families(cells: pd.DataFrame, secret: set[str], rules: DisclosureRules) -> tuple[str, ...]:
    rows = cells[cells["metier_code"].isin(secret)]
    return tuple(
        str(family)
        for family, members in rows.groupby(rows["metier_code"].str[:FAMILY_LENGTH])
        if len(set(members["metier_code"])) > 1 and not primary(_together(members), rules).any()
    )


def _published(employment: pd.DataFrame, secret: set[str]) -> pd.DataFrame:
    """Return what is shown: of the rest its sum alone, no bound or source of one of its métiers."""
    if not secret:
        return _without_companies(employment.sort_values(["metier_code", "year"]))
    is_rest = employment["metier_code"].isin({*secret, REST})
    rest = employment[is_rest].groupby("year", as_index=False)["employment_headcount"].sum()
    texts = [each for each in ("branch_code", "nature", "source_code") if each in employment]
    usual = employment.groupby("year")[texts].agg(_most_frequent)
    rest = rest.merge(usual, on="year").assign(metier_code=REST)
    both = pd.concat([employment[~is_rest], rest], ignore_index=True)
    shown = both.reindex(columns=list(employment)).sort_values(["metier_code", "year"])
    return _without_companies(shown)


def _most_frequent(texts: pd.Series) -> str:
    return str(texts.mode().iloc[0])


def _without_companies(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that tells nothing of its companies, and is public."""
    shown = table.assign(origin="public").reset_index(drop=True)
    shown[["units_count", "largest_share_pct"]] = np.nan
    return shown.drop(columns=[CHANGED], errors="ignore")


def _reasons(secret: set[str], alone: set[str], before: Collection[str]) -> pd.DataFrame:
    codes = sorted(secret)
    why = ["primary" if c in alone else "before" if c in before else "secondary" for c in codes]
    return pd.DataFrame({"metier_code": codes, "reason": why}, dtype="str")


def _none_alone() -> ConfidentialityError:
    return ConfidentialityError.of(
        "employment",
        "every métier is secret, or needed to hide another",
        "a métier that may be told alone",
        "publish the branch as a whole (`branch_totals`), or leave its table out of the parameters",
    )


def _whole_branch(years: pd.Series, table: str = "employment") -> ConfidentialityError:
    return ConfidentialityError.of(
        f"{table}, {', '.join(map(str, sorted(set(years))))}",
        "the branch as a whole is secret: too few companies, or one too large",
        "enough companies behind its total",
        "publish it with another branch, or leave its table out of the parameters",
    )
