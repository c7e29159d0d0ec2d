"""`opmq audit`: what is secret in the branches' own tables, and what a reader could work out."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opmq_lib.cli.app import Json, app, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from opmq_lib.params import BranchParams, EditionParams

_NEAREST = 3
"""Nearest misses shown for each branch."""


@app.command()
def audit(
    branch: Annotated[
        list[str] | None, typer.Option(help="Only this branch (may be repeated).")
    ] = None,
    json: Json = False,
) -> None:
    """Say what is secret in own tables and why, what it costs, and what readers could work out.

    Nothing is written. Confidential: it names secret figures, never their values.

    Example: opmq audit --branch ceramique
    """
    from opmq_lib.runs import release
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    parameters.refuse_unknown("--branch", "branch", branch or (), branches)
    audited = [
        _audited(root, edition, branches[code], table)
        for code in branch or branches
        for table in branches[code].tables.paths()
        if table in release.TABLES
    ]
    if json:
        print_json(audited)
    else:
        for each in audited:
            _print(each)
        if not audited:
            named = " or ".join(release.TABLES)
            print(f"No branch asked for names {named} of its own: nothing to audit.")
    raise typer.Exit(int(any("error" in each for each in audited)))


def _audited(
    root: "Path", edition: "EditionParams", branch: "BranchParams", table: str
) -> dict[str, Any]:
    from opmq_lib.errors import DataError
    from opmq_lib.runs import release

    about: dict[str, Any] = {"branch_code": branch.branch_code, "table": table}
    try:
        released = release.released_table(root, edition, branch, table)
    except DataError as error:
        return about | {"error": str(error)}
    secret = released.secret.itertuples(index=False, name=None)
    nearest = released.findings.head(_NEAREST)[["figure", "margin_ratio"]]
    return about | {
        "hidden_share_pct": released.hidden_share_pct,
        "secret": [{"figure": name, "reason": _REASONS[reason]} for name, reason in secret],
        "nearest": nearest.to_dict("records"),
        "coarser": list(released.families),
    }


def _print(audited: dict[str, Any]) -> None:
    about = f"{audited['branch_code']}, {audited['table']}"
    if "error" in audited:
        print(f"{about}: nothing can be released. {audited['error']}", file=sys.stderr)
        return
    cost = f", {audited['hidden_share_pct']:.1f} % of jobs told together only"
    said = cost if audited["table"] == "employment" else ""
    print(f"{about}: {len(audited['secret'])} secret{said}.")
    for each in audited["secret"]:
        print(f"  {each['figure']}: {each['reason']}")
    for each in audited["nearest"]:
        print(f"  nearest: {each['figure']}, {each['margin_ratio']:.1f} × what is asked")
    for family in audited["coarser"]:
        print(f"  coarser: {family} as one family would pass the thresholds")


_REASONS = {
    "primary": "too few companies, or one too large",
    "secondary": "hidden so that no subtraction gives another",
    "before": "secret in an earlier edition",
}
