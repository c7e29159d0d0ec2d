"""`opmq audit`: what is secret in the branches' own tables, and what a reader could work out."""

import sys
from typing import Annotated

import typer

from opmq_lib.cli.app import app

_NEAREST = 3
"""Nearest misses shown for each branch."""


@app.command()
def audit(
    branch: Annotated[
        list[str] | None, typer.Option(help="Only this branch (may be repeated).")
    ] = None,
) -> None:
    """Say what is secret in own tables and why, what it costs, and what readers could work out.

    Nothing is written. Confidential: it names secret figures, never their values.

    Example: opmq audit --branch ceramique
    """
    from opmq_lib.errors import DataError
    from opmq_lib.runs import release
    from opmq_lib.sources import parameters, project

    root = project.find_root()
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    refused, looked_at = False, 0
    for code in branch or branches:
        if code not in branches:
            raise parameters.unknown("--branch", "branch", code, branches)
        for table in (name for name in branches[code].tables.paths() if name in release.TABLES):
            looked_at += 1
            try:
                released = release.released_table(root, edition, branches[code], table)
            except DataError as error:
                refused = True
                print(f"{code}, {table}: nothing can be released. {error}", file=sys.stderr)
                continue
            cost = f", {released.hidden_share_pct:.1f} % of jobs told together only"
            said = cost if table == "employment" else ""
            print(f"{code}, {table}: {len(released.secret)} secret{said}.")
            for name, reason in released.secret.itertuples(index=False, name=None):
                print(f"  {name}: {_REASONS[reason]}")
            for each in released.findings.head(_NEAREST).to_dict("records"):
                print(f"  nearest: {each['figure']}, {each['margin_ratio']:.1f} × what is asked")
            for family in released.families:
                print(f"  coarser: {family} as one family would pass the thresholds")
    if not looked_at:
        print(
            f"No branch asked for names {' or '.join(release.TABLES)} of its own: nothing to audit."
        )
    raise typer.Exit(int(refused))


_REASONS = {
    "primary": "too few companies, or one too large",
    "secondary": "hidden so that no subtraction gives another",
    "before": "secret in an earlier edition",
}
